//! The broker's own topics under `$SYS/broker/`, with mosquitto's names. Nothing is stored: values are computed on
//! subscription, and at each interval for the subscribers.

use super::Report;
use super::retained::Retained;
use crate::protocol::{Properties, Publish, Qos};
use std::time::Duration;

/// The figures that the topics publish.
pub(super) struct Figures<'a> {
    pub(super) version: &'a str,
    pub(super) uptime: Duration,
    pub(super) clients: usize,
    pub(super) connected: usize,
    pub(super) subscriptions: usize,
    pub(super) retained: &'a Retained,
    /// The memory used on behalf of clients, and its limit.
    pub(super) memory: (usize, usize),
    pub(super) report: &'a Report,
}

/// All topics with their current values.
pub(super) fn values(figures: &Figures<'_>) -> Vec<(&'static str, String)> {
    let &Figures { version, uptime, clients, connected, subscriptions, retained, memory, report } = figures;
    let (memory, memory_limit) = memory;
    vec![
        ("$SYS/broker/version", version.to_owned()),
        ("$SYS/broker/uptime", format!("{} seconds", uptime.as_secs())),
        ("$SYS/broker/clients/total", clients.to_string()),
        ("$SYS/broker/clients/connected", connected.to_string()),
        ("$SYS/broker/clients/active", connected.to_string()),
        ("$SYS/broker/clients/disconnected", clients.saturating_sub(connected).to_string()),
        ("$SYS/broker/clients/inactive", clients.saturating_sub(connected).to_string()),
        ("$SYS/broker/clients/maximum", report.maximum_connected.to_string()),
        ("$SYS/broker/clients/expired", report.sessions_expired.to_string()),
        ("$SYS/broker/messages/received", report.packets_received.to_string()),
        ("$SYS/broker/messages/sent", report.packets_sent.to_string()),
        ("$SYS/broker/publish/messages/received", report.messages_received.to_string()),
        ("$SYS/broker/publish/messages/sent", report.messages_sent.to_string()),
        ("$SYS/broker/publish/messages/dropped", report.messages_dropped.to_string()),
        ("$SYS/broker/publish/messages/denied", report.messages_denied.to_string()),
        ("$SYS/broker/publish/messages/withheld", report.messages_withheld.to_string()),
        ("$SYS/broker/bytes/received", report.bytes_received.to_string()),
        ("$SYS/broker/bytes/sent", report.bytes_sent.to_string()),
        ("$SYS/broker/subscriptions/count", subscriptions.to_string()),
        ("$SYS/broker/retained messages/count", retained.len().to_string()),
        ("$SYS/broker/store/messages/bytes", retained.bytes().to_string()),
        ("$SYS/broker/memory/used", memory.to_string()),
        ("$SYS/broker/memory/limit", memory_limit.to_string()),
        ("$SYS/broker/quota/exceeded", report.quota_exceeded.to_string()),
        ("$SYS/broker/connections/refused", report.refused.to_string()),
    ]
}

/// One value as a message.
pub(super) fn as_publish<'a>(topic: &'a str, value: &'a str) -> Publish<'a> {
    Publish {
        dup: false,
        qos: Qos::AtMostOnce,
        retain: false,
        topic,
        packet_id: None,
        properties: Properties::EMPTY,
        payload: value.as_bytes(),
    }
}
