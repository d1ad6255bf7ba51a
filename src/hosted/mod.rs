//! Hosted brokers with limits and conventions of their own, as their documentation states them (AWS IoT Core: quotas and "differences
//! from MQTT specifications"; Azure IoT Hub: "communicate with an IoT hub using the MQTT protocol"; Azure Event Grid: "MQTT features" and
//! "quotas and limits", all as of 2025).
//!
//! Nothing here owns a socket or reads a clock: the caller passes packets to the rules, and the time to the tokens.

mod device;
mod expiry;
mod limits;
mod rules;
pub mod sas;
pub mod sigv4;
mod violation;

pub use device::Device;
pub use expiry::token_expiry;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
pub use rules::{ConnectContent, Rules};
use sha2::Sha256;
use std::fmt;
pub use violation::Violation;
use zeroize::Zeroizing;

/// A hosted broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// AWS IoT Core's message broker.
    AwsIotCore,
    /// Azure IoT Hub, which speaks MQTT but is not a general broker.
    AzureIotHub,
    /// The MQTT broker of Azure Event Grid's namespaces.
    AzureEventGrid,
}

/// The domains of AWS IoT Core's endpoints, after the region; the second is for China.
const AWS_DOMAINS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// The domains of IoT hubs; the second and third are national clouds.
const IOT_HUB_DOMAINS: [&str; 3] = [".azure-devices.net", ".azure-devices.us", ".azure-devices.cn"];

/// The domain of Event Grid's MQTT endpoints.
const EVENT_GRID_DOMAIN: &str = ".ts.eventgrid.azure.net";

impl Service {
    /// All of them.
    pub const ALL: [Service; 3] = [Service::AwsIotCore, Service::AzureIotHub, Service::AzureEventGrid];

    /// The short name by which it is chosen.
    pub fn word(self) -> &'static str {
        match self {
            Service::AwsIotCore => "aws",
            Service::AzureIotHub => "azure-iothub",
            Service::AzureEventGrid => "azure-eventgrid",
        }
    }

    /// The service that a host belongs to, by its name.
    pub fn of_host(host: &str) -> Option<Service> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let ends_with = |domain: &&str| host.ends_with(domain);
        if host.contains(".iot.") && AWS_DOMAINS.iter().any(ends_with) {
            Some(Service::AwsIotCore)
        } else if IOT_HUB_DOMAINS.iter().any(ends_with) {
            Some(Service::AzureIotHub)
        } else {
            host.ends_with(EVENT_GRID_DOMAIN).then_some(Service::AzureEventGrid)
        }
    }
}

/// Percent-encoded in signatures: everything but letters, digits and the unreserved marks of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// HMAC-SHA256, by which both clouds sign. It may be the key of another one.
fn mac(key: &[u8], text: &str) -> Zeroizing<Vec<u8>> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    Zeroizing::new(mac.chain_update(text.as_bytes()).finalize().into_bytes().to_vec())
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Service::AwsIotCore => "AWS IoT Core",
            Service::AzureIotHub => "Azure IoT Hub",
            Service::AzureEventGrid => "Azure Event Grid",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_the_service() {
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
