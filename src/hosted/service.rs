//! The services: one row each with names, domains and numeric limits.

use crate::protocol::Version;
use std::fmt;

/// A hosted broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// AWS IoT Core's message broker.
    AwsIotCore,
    /// Azure IoT Hub, which speaks MQTT but is not a general broker.
    AzureIotHub,
    /// The MQTT broker of Azure Event Grid's namespaces.
    AzureEventGrid,
}

/// The names and the numeric limits of a service.
pub(super) struct ServiceFacts {
    /// The short name by which it is chosen.
    word: &'static str,
    name: &'static str,
    /// The form of its host names.
    host_example: &'static str,
    /// A part of all its host names.
    host_part: &'static str,
    /// The ends of its host names, with those of national clouds.
    domains: &'static [&'static str],
    /// Whether it identifies its customers by the server name in TLS.
    needs_server_name: bool,
    /// Whether the clients of a load can share the credentials.
    accepts_many_clients: bool,
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

/// The services' definition of a kilobyte.
const KIB: usize = 1024;

static AWS: ServiceFacts = ServiceFacts {
    word: "aws",
    name: "AWS IoT Core",
    host_example: "NAME-ats.iot.REGION.amazonaws.com",
    host_part: ".iot.",
    domains: &[".amazonaws.com", ".amazonaws.com.cn"],
    needs_server_name: true,
    accepts_many_clients: true,
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

static IOT_HUB: ServiceFacts = ServiceFacts {
    word: "azure-iothub",
    name: "Azure IoT Hub",
    host_example: "NAME.azure-devices.net",
    host_part: "",
    domains: &[".azure-devices.net", ".azure-devices.us", ".azure-devices.cn"],
    needs_server_name: false,
    accepts_many_clients: false,
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

static EVENT_GRID: ServiceFacts = ServiceFacts {
    word: "azure-eventgrid",
    name: "Azure Event Grid",
    host_example: "NAME.REGION-1.ts.eventgrid.azure.net",
    host_part: "",
    domains: &[".ts.eventgrid.azure.net"],
    needs_server_name: true,
    accepts_many_clients: true,
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
    /// All of them.
    pub(crate) const ALL: [Service; 3] = [Service::AwsIotCore, Service::AzureIotHub, Service::AzureEventGrid];

    pub(super) fn facts(self) -> &'static ServiceFacts {
        match self {
            Service::AwsIotCore => &AWS,
            Service::AzureIotHub => &IOT_HUB,
            Service::AzureEventGrid => &EVENT_GRID,
        }
    }

    /// The short name by which it is chosen.
    pub(crate) fn word(self) -> &'static str {
        self.facts().word
    }

    /// The form of its host names, for hints.
    pub(crate) fn host_example(self) -> &'static str {
        self.facts().host_example
    }

    /// Whether it identifies its customers by the server name in TLS.
    pub(crate) fn needs_server_name(self) -> bool {
        self.facts().needs_server_name
    }

    /// Whether the clients of a load can share the credentials.
    pub(crate) fn accepts_many_clients(self) -> bool {
        self.facts().accepts_many_clients
    }

    /// The service that a host belongs to, by its name.
    pub(crate) fn of_host(host: &str) -> Option<Service> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        Service::ALL.into_iter().find(|service| {
            let ServiceFacts { host_part, domains, .. } = service.facts();
            host.contains(host_part) && domains.iter().any(|domain| host.ends_with(domain))
        })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_inferred_from_the_host() {
        for (host, service) in [
            ("a1b2c3-ats.iot.eu-west-1.amazonaws.com", Some(Service::AwsIotCore)),
            ("a1b2c3.ats.iot.cn-north-1.amazonaws.com.cn", Some(Service::AwsIotCore)),
            ("Contoso.Azure-Devices.net.", Some(Service::AzureIotHub)),
            ("ns.westeurope-1.ts.eventgrid.azure.net", Some(Service::AzureEventGrid)),
            ("s3.eu-west-1.amazonaws.com", None),
            ("azure-devices.net.example", None),
            ("localhost", None),
            ("", None),
        ] {
            assert_eq!(Service::of_host(host), service, "{host}");
        }
    }
}
