//! The states of host applications.

use super::super::packet_context::PacketContext;
use super::super::report::FindingList;
use super::{SparkplugConnection, check_clean_session};
use crate::inspect::{Name, Rule};
use crate::payload::sparkplug::{HostState, StateFault};

/// Checks a will on the topic of a state. Returns its timestamp.
pub(super) fn check_will(
    context: &PacketContext<'_>,
    payload: &[u8],
    report: &mut FindingList,
) -> Option<u64> {
    let qos = context.tree.number(Name::WillQos).unwrap_or_default();
    if qos != 1 {
        let detail = format!("the will QoS is {qos}");
        report.find(Rule::SparkplugHostWillQos, context.range(Name::WillQos), detail);
    }
    if !context.tree.is_set(Name::WillRetain) {
        let range = context.range(Name::WillRetain);
        report.find(Rule::SparkplugHostWillRetain, range, "will RETAIN is not set");
    }
    check_clean_session(context, Rule::SparkplugHostCleanSession, report);
    let range = context.range(Name::WillPayload);
    match HostState::parse(payload) {
        Ok(state) if state.is_online => {
            report.find(Rule::SparkplugHostWillPayload, range, "online is true in the will");
            Some(state.timestamp)
        }
        Ok(state) => Some(state.timestamp),
        Err(fault) => {
            report.find(Rule::SparkplugHostWillPayload, range, fault.to_string());
            None
        }
    }
}

/// Checks a published state.
pub(super) fn check_state(
    context: &PacketContext<'_>,
    connection: &mut SparkplugConnection,
    payload: &[u8],
    report: &mut FindingList,
) {
    let range = context.range(Name::Payload);
    let state = HostState::parse(payload);
    let is_online = state.map_or(payload != b"OFFLINE", |state| state.is_online);
    let (qos, retain, of_payload) = if is_online {
        (Rule::SparkplugHostBirthQos, Rule::SparkplugHostBirthRetain, Rule::SparkplugHostBirthPayload)
    } else {
        (Rule::SparkplugHostDeathQos, Rule::SparkplugHostDeathRetain, Rule::SparkplugHostDeathPayload)
    };
    connection.is_host_online = connection.host.is_some() && is_online;
    if context.qos() != 1 {
        report.find(qos, context.first_byte(), format!("the QoS is {}", context.qos()));
    }
    if !context.tree.is_set(Name::Retain) {
        report.find(retain, context.first_byte(), "RETAIN is not set");
    }
    let state = match state {
        Ok(state) => state,
        Err(fault) => return report.find(of_payload, range, fault.to_string()),
    };
    if !state.is_online || !connection.is_will_known {
        return;
    }
    match connection.host {
        Some(Some(will)) if will != state.timestamp => {
            let detail = format!("the timestamp is {}, but {will} in the will", state.timestamp);
            report.find(Rule::SparkplugHostTimestamp, range, detail);
        }
        Some(_) => {}
        None if connection.is_will_missing_told => {}
        None => {
            connection.is_will_missing_told = true;
            let detail = "the will in CONNECT is not the host's state";
            report.find(Rule::SparkplugHostWill, context.whole(), detail);
        }
    }
}

/// Notes a state in the form of Sparkplug 2.2, which has another topic.
pub(super) fn check_old_topic(
    context: &PacketContext<'_>,
    topic: &str,
    payload: Option<&[u8]>,
    report: &mut FindingList,
) {
    let is_text = || payload.is_some_and(|payload| HostState::parse(payload) == Err(StateFault::Text));
    if topic.strip_prefix("STATE/").is_some_and(|host| !host.contains('/')) && is_text() {
        let detail = format!("the topic is {topic:?}");
        report.find(Rule::SparkplugStateTopic, context.range(Name::TopicName), detail);
    }
}
