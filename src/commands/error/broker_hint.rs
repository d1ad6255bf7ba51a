//! Hints for refusals by brokers, most of which close the connection without a reason.

use crate::bench::{self, record::FailureKind};
use crate::client::Error;
use crate::commands::error;
use crate::hosted::Service;
use crate::protocol::{Qos, ReasonCode, Version, WillPart};
use crate::transport::ConnectError;
use crate::transport::tls::TlsError;
use std::borrow::Cow;

/// mosquitto 2.1's default maximum packet size in bytes. With MQTT 5 it is in CONNACK.
const MOSQUITTO_PACKET: usize = 2_000_000;

/// A maximum packet size up to this may be too small for CONNACK, with an assigned client identifier and the broker's limits.
const SMALL_PACKET: u32 = 256;

/// The properties of a client's connection that may explain an error.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct ConnectionKind {
    pub(in crate::commands) version: Version,
    pub(in crate::commands) is_encrypted: bool,
    /// The maximum packet size in CONNECT.
    pub(in crate::commands) maximum_packet_size: Option<u32>,
    /// The will in CONNECT.
    pub(in crate::commands) will: Option<WillKind>,
}

/// The parts of a will that may explain a refusal.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct WillKind {
    pub(in crate::commands) topic: &'static str,
    pub(in crate::commands) qos: Qos,
    pub(in crate::commands) retain: bool,
}

/// The probable cause of an error, and the next step.
pub(in crate::commands) fn of(
    error: &error::Error,
    service: Option<Service>,
    connection_kind: Option<ConnectionKind>,
) -> Option<String> {
    let of_connection = match error {
        error::Error::Client(error) => return of_client(error, service, connection_kind),
        error::Error::Bench(bench::Error::Connect(error)) => of_host(error),
        error::Error::Rejected(_) if service == Some(Service::AzureEventGrid) => Some(
            "are topics like this in a topic space, with a permission binding or a role (EventGrid TopicSpaces Publisher or Subscriber) for this client?".to_owned(),
        ),
        _ => None,
    };
    of_connection.or_else(|| error.hint().map(Cow::into_owned))
}

/// As [`of`], for a connection that could not be made, or that ended.
pub(in crate::commands) fn of_client(
    error: &Error,
    service: Option<Service>,
    connection_kind: Option<ConnectionKind>,
) -> Option<String> {
    let of_service = service.and_then(|service| hint(service, error)).map(str::to_owned);
    let of_connection_kind = || of_unaccepted(error, connection_kind?);
    let of_host = || match error {
        Error::Connect(error) => of_host(error),
        _ => None,
    };
    let usual = || error::hint::client_hint(error).map(str::to_owned);
    let hint = of_service.or_else(of_connection_kind).or_else(of_host).or_else(usual);
    let will = connection_kind.and_then(|connection_kind| connection_kind.will);
    let of_will =
        will.zip(error.refused_part_of_will()).map(|(will, part)| of_will(will, part, hint.is_some()));
    error::hint::joined(hint, of_will)
}

/// The will as the probable cause of a refusal, perhaps after another cause.
fn of_will(will: WillKind, part: WillPart, is_other: bool) -> String {
    let WillKind { topic, qos, retain } = will;
    let or = if is_other { "or " } else { "" };
    match part {
        WillPart::Retain if retain => {
            format!(
                "{or}the broker does not support the RETAIN flag of the will to {topic:?}, which --will-retain sets"
            )
        }
        WillPart::Qos if qos > Qos::AtMostOnce => {
            format!(
                "{or}the broker does not support QoS {qos} of the will to {topic:?}, which --will-qos sets"
            )
        }
        WillPart::Payload => format!(
            "{or}the broker does not accept the payload of the will to {topic:?}, which --will-payload sets; \
             `-D will payload-format-indicator` says whether it is UTF-8"
        ),
        // The broker cannot mean a part that the will does not have.
        WillPart::Topic | WillPart::Retain | WillPart::Qos => {
            let may = if is_other { "or the broker does not allow" } else { "the broker may not allow" };
            format!("{may} the will to {topic:?}, which --will-topic sets")
        }
    }
}

/// A connection that ends before CONNACK, or a CONNACK that refuses the version.
fn of_unaccepted(error: &Error, connection_kind: ConnectionKind) -> Option<String> {
    match error {
        error if error.is_silent_refusal() => not_accepted(connection_kind),
        Error::Refused { reason: ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, .. } => {
            Some(match connection_kind.version {
                Version::V31 | Version::V5 => "try -V 311, which nearly every broker supports".to_owned(),
                Version::V311 => "try -V 5 or -V 31".to_owned(),
            })
        }
        _ => None,
    }
}

/// The remedy if none of many clients could connect. A broker that closes a connection is running.
pub(in crate::commands) fn of_failed_clients(
    kind: FailureKind,
    connection_kind: Option<ConnectionKind>,
) -> Option<String> {
    let hint = match kind {
        FailureKind::NotAccepted => return not_accepted(connection_kind?),
        FailureKind::Unreachable | FailureKind::TimedOut => {
            "is the broker running there? set another one with -h HOST and -p PORT, or use --embedded"
        }
        FailureKind::NoGateway => {
            "does an MQTT-SN gateway listen there? -h HOST and -p PORT select another; `mq gateway` starts one, --embedded one with a broker"
        }
        FailureKind::Congestion => {
            "the gateway has no connection to its broker, or no room for more clients; `mq gateway --max-clients N` sets its maximum"
        }
        FailureKind::Tls => {
            "--cafile FILE sets the authority to trust, --cert FILE and --key FILE a client certificate; is this a port for TLS? -p PORT selects another"
        }
        FailureKind::WebSocket => error::hint::WEB_SOCKET_PORT,
        FailureKind::NotMqtt => error::hint::OTHER_PORT,
        FailureKind::MaybeOfWill(part) => return Some(of_will(connection_kind?.will?, part, false)),
        // The error has the remedy.
        FailureKind::TrackingFull | FailureKind::Other => return None,
    };
    Some(hint.to_owned())
}

/// Why a broker may close a connection silently: the reasons that the client can remove.
fn not_accepted(connection_kind: ConnectionKind) -> Option<String> {
    if let Some(size) = connection_kind.maximum_packet_size.filter(|size| *size <= SMALL_PACKET) {
        return Some(format!(
            "CONNACK may exceed the maximum packet size of {size} bytes, which -D connect maximum-packet-size sets: raise it, or \
             set -i, since CONNACK has the client identifier that a broker assigns"
        ));
    }
    let version = match connection_kind.version {
        Version::V5 => Some("a broker without MQTT 5 closes like this: try -V 311"),
        Version::V31 => Some("a broker without MQTT 3.1 closes like this: try -V 311"),
        Version::V311 => None,
    };
    let tls = "so does a port that expects TLS: use --tls-use-os-certs or --cafile FILE";
    match (version, connection_kind.is_encrypted) {
        (Some(version), true) => Some(version.to_owned()),
        (Some(version), false) => Some(format!("{version}; {tls}")),
        (None, true) => None,
        (None, false) => Some(
            "a port that expects TLS closes like this: use --tls-use-os-certs or --cafile FILE".to_owned(),
        ),
    }
}

/// A host name with other parts of a URL.
fn of_host(error: &ConnectError) -> Option<String> {
    let (ConnectError::Lookup { host, .. } | ConnectError::NoAddress { host, .. }) = error else {
        return None;
    };
    if host.contains("://") {
        return Some(format!(
            "-h takes a name or an address; -L {}/TOPIC takes a URL",
            host.trim_end_matches('/')
        ));
    }
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => host.split_once(':').map(|(name, port)| (name, Some(port)))?,
    };
    Some(match port.filter(|port| !port.is_empty()) {
        Some(port) => format!("-h {name} -p {port} gives host and port"),
        None => format!("-h needs an address without brackets: -h {name}"),
    })
}

/// The probable reason why a broker closes the connection at this message.
pub(in crate::commands) fn of_message(
    topic: &str,
    qos: Qos,
    length: usize,
    version: Version,
) -> Option<String> {
    if length > MOSQUITTO_PACKET && !version.is_v5() {
        return Some(format!(
            "the payload of {length} bytes may be too large: mosquitto 2.1 closes the connection for packets over \
             {MOSQUITTO_PACKET} bytes unless max_packet_size allows more"
        ));
    }
    if topic.contains(['.', ' ']) {
        return Some(format!("NATS closes the connection for a topic with '.' or a space, as {topic:?}"));
    }
    (qos == Qos::ExactlyOnce).then(|| "NATS closes the connection for QoS 2; use -q 1".to_owned())
}

/// The probable cause of an error with this service; `None` if it is not specific to the service.
fn hint(service: Service, error: &Error) -> Option<&'static str> {
    match service {
        Service::AwsIotCore => of_aws(error),
        Service::AzureIotHub => of_iot_hub(error),
        Service::AzureEventGrid => of_event_grid(error),
    }
}

/// The probable reason why a broker rejects one of its special filters, with leading punctuation.
pub(in crate::commands) fn of_rejected_filter(filter: &str, reason_code: ReasonCode) -> &'static str {
    let is_taken = [ReasonCode::QUOTA_EXCEEDED, ReasonCode::TOPIC_FILTER_INVALID, ReasonCode::NOT_AUTHORIZED];
    if filter.starts_with("$exclusive/") && is_taken.contains(&reason_code) {
        "; with EMQX, another client has this exclusive subscription, or they are not enabled"
    } else if filter.starts_with("$share/") {
        "; not every broker shares subscriptions: RabbitMQ does not, nor does Azure Event Grid"
    } else if filter.contains(['.', ' ']) {
        "; NATS does not allow '.' or a space in topics"
    } else {
        ""
    }
}

fn of_aws(error: &Error) -> Option<&'static str> {
    match error {
        Error::Connect(ConnectError::Tls(TlsError::CertificateRefused { .. })) => Some(
            "is the certificate of --cert registered with AWS IoT Core in this account and region, and active?",
        ),
        Error::Refused {
            reason: ReasonCode::NOT_AUTHORIZED | ReasonCode::BAD_USER_NAME_OR_PASSWORD, ..
        } => Some(
            "does the policy allow iot:Connect for this client identifier (-i)? --preset aws --authorizer NAME logs in with a custom authorizer",
        ),
        Error::Connect(ConnectError::Tls(TlsError::Protocol { .. })) => {
            Some("use --preset aws: AWS IoT Core requires its ALPN protocol on port 443")
        }
        Error::ClosedEarly
        | Error::Closed
        | Error::NotAccepted(_)
        | Error::Lost(_)
        | Error::Disconnected { .. } => Some(
            "AWS IoT Core closes the connection without a reason if the certificate is not active, if its policy does not allow the request (iot:Connect with this client identifier, iot:Publish, iot:Subscribe), or if the same identifier connects again; --preset aws checks its limits before anything is sent",
        ),
        _ => None,
    }
}

fn of_iot_hub(error: &Error) -> Option<&'static str> {
    match error {
        Error::Refused { reason: ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, .. } => {
            Some("IoT hubs support MQTT 3.1.1 only: use -V 311 or --preset azure-iothub")
        }
        Error::Refused { .. } => Some(
            "an IoT hub rejects expired tokens, and tokens for another device or with another key; --preset azure-iothub --device ID --sas-key-file FILE signs one for each connection",
        ),
        error if error.is_silent() => Some(
            "an IoT hub closes the connection for topics other than its own, for QoS 2, when the token expires, and when the same device connects again; --preset azure-iothub checks topics and QoS before anything is sent",
        ),
        _ => None,
    }
}

fn of_event_grid(error: &Error) -> Option<&'static str> {
    match error {
        Error::Refused { reason: ReasonCode::BAD_AUTHENTICATION_METHOD, .. } => Some(
            "Event Grid accepts OAUTH2-JWT with tokens of Microsoft Entra and CUSTOM-JWT with those of other issuers, where the namespace allows it",
        ),
        Error::Refused { reason: ReasonCode::QUOTA_EXCEEDED, .. } => Some(
            "a namespace limits the number of sessions for each user name; -i ID resumes one instead of starting another",
        ),
        Error::Refused { .. } | Error::Authentication(_) => Some(
            "is the client registered under this user name (-u), and is the token for https://eventgrid.azure.net/ (its aud)?",
        ),
        error if error.is_silent() => Some(
            "Event Grid closes the connection for QoS 2 and for requests over its limits; --preset azure-eventgrid checks them before anything is sent",
        ),
        _ => None,
    }
}
