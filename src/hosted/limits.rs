//! The numeric limits of each service.

use super::Service;
use crate::protocol::Version;

/// The numeric limits of a service.
pub(super) struct ServiceLimits {
    /// The versions of MQTT.
    pub(super) versions: &'static [Version],
    /// The largest payload in bytes.
    pub(super) payload: usize,
    /// The longest topic in bytes.
    pub(super) topic_length: Option<usize>,
    /// The most slashes in a topic.
    pub(super) slashes: Option<usize>,
    /// The most topic filters in one SUBSCRIBE.
    pub(super) filters: usize,
    /// The most subscriptions of a client.
    pub(super) subscriptions: Option<usize>,
    /// The longest keep alive in seconds.
    pub(super) keep_alive: u16,
    /// The longest client identifier in bytes.
    pub(super) client_id: Option<usize>,
    /// The most messages of QoS 1 in flight.
    pub(super) in_flight: u16,
}

/// How services count a kilobyte.
const KIB: usize = 1024;

static AWS: ServiceLimits = ServiceLimits {
    versions: &[Version::V311, Version::V5],
    payload: 128 * KIB,
    topic_length: Some(256),
    slashes: Some(7),
    filters: 8,
    subscriptions: None, // 50, unless the account has another quota.
    keep_alive: 1200,
    client_id: Some(128),
    in_flight: 100,
};

static IOT_HUB: ServiceLimits = ServiceLimits {
    versions: &[Version::V311],
    payload: 256 * KIB,
    topic_length: None,
    slashes: None,
    filters: usize::MAX,
    subscriptions: Some(5),
    keep_alive: 1177, // 1767 s without a sign of life, at one and a half times the keep alive.
    client_id: None,
    in_flight: u16::MAX,
};

static EVENT_GRID: ServiceLimits = ServiceLimits {
    versions: &[Version::V311, Version::V5],
    payload: 512 * KIB,
    topic_length: Some(256),
    slashes: Some(14), // 15 segments since May 2025.
    filters: 10,
    subscriptions: Some(50),
    keep_alive: 1160,
    client_id: None,
    in_flight: u16::MAX,
};

impl Service {
    pub(super) fn service_limits(self) -> &'static ServiceLimits {
        match self {
            Service::AwsIotCore => &AWS,
            Service::AzureIotHub => &IOT_HUB,
            Service::AzureEventGrid => &EVENT_GRID,
        }
    }
}
