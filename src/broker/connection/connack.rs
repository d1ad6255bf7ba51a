//! CONNACK: the acceptance of a client with the broker's limits, and refusals in the encoding of each version.

use super::encode::{check_size, put};
use crate::broker::Config;
use crate::broker::state::Opened;
use crate::protocol::property::Context;
use crate::protocol::session;
use crate::protocol::{
    Connack, Connect, DecodeError, Packet, PacketType, Problem, Properties, PropertiesBuf, Property,
    PropertyId, PropertyValue, ReasonCode, Version,
};

/// Appends the CONNACK that accepts a client. If it exceeds the client's maximum packet size, the limits are left out and do
/// not bind the client; if that does not help, nothing is appended.
pub(super) fn put_connack(
    opened: &Opened,
    version: Version,
    config: &Config,
    mut properties: PropertiesBuf,
    output: &mut Vec<u8>,
) -> Result<(), String> {
    if opened.is_assigned {
        let value = PropertyValue::Text(&opened.client.id);
        properties.push_checked(Property { id: PropertyId::AssignedClientIdentifier, value });
    }
    let mut session = opened.client.session.borrow_mut();
    let maximum_size = session.peer_accepts().maximum_packet_size;
    let (accepts, silence, before) = (config.accepts(version), session::Limits::default(), output.len());
    let mut put_with = |properties: &PropertiesBuf| {
        let connack = Connack {
            session_present: opened.session_present,
            reason_code: ReasonCode::SUCCESS,
            properties: properties.as_properties(),
        };
        put(&Packet::Connack(connack), version, output);
        check_size(PacketType::Connack, before, maximum_size, output)
    };
    let limits = limit_properties(&accepts, &silence);
    if limits.is_empty() {
        return put_with(&properties);
    }
    let mut complete = properties.clone();
    limits.into_iter().for_each(|limit| complete.push_checked(limit));
    if put_with(&complete).is_ok() {
        return Ok(());
    }
    session.accept(session::Limits { maximum_packet_size: accepts.maximum_packet_size, ..silence });
    put_with(&properties)
}

/// The limits that differ from the defaults.
fn limit_properties(accepts: &session::Limits, silence: &session::Limits) -> Vec<Property<'static>> {
    let numbers = [
        (PropertyId::ReceiveMaximum, accepts.receive_maximum.into(), silence.receive_maximum.into()),
        (PropertyId::MaximumPacketSize, accepts.maximum_packet_size, silence.maximum_packet_size),
        (
            PropertyId::TopicAliasMaximum,
            accepts.topic_alias_maximum.into(),
            silence.topic_alias_maximum.into(),
        ),
    ];
    let retain =
        (PropertyId::RetainAvailable, accepts.retain_available.into(), silence.retain_available.into());
    let announced = numbers.into_iter().chain([retain]).filter(|(_, number, silent)| number != silent);
    announced.map(|(id, number, _)| Property { id, value: PropertyValue::Number(number) }).collect()
}

/// Appends a refusal.
pub(super) fn put_refusal(reason_code: ReasonCode, version: Version, output: &mut Vec<u8>) {
    let connack = Connack { session_present: false, reason_code, properties: Properties::EMPTY };
    put(&Packet::Connack(connack), version, output);
}

/// Appends a refusal, unless it exceeds the client's maximum packet size.
pub(super) fn put_short_refusal(reason_code: ReasonCode, connect: &Connect<'_>, output: &mut Vec<u8>) {
    let before = output.len();
    put_refusal(reason_code, connect.version, output);
    let maximum_size = session::Limits::of_client(connect).maximum_packet_size;
    let _ = check_size(PacketType::Connack, before, maximum_size, output);
}

/// Answers an incomplete CONNECT, if its version is known and has a reason code for that.
pub(super) fn refuse_incomplete(
    reason_code: Option<ReasonCode>,
    version: Option<Version>,
    output: &mut Vec<u8>,
) {
    match (reason_code, version) {
        (Some(ReasonCode::QUOTA_EXCEEDED), Some(version)) => {
            put_refusal(ReasonCode::QUOTA_EXCEEDED, version, output);
        }
        (Some(reason_code), Some(Version::V5)) => put_v5_refusal(reason_code, output),
        _ => {}
    }
}

/// Answers a malformed CONNECT, if its version has a reason code for that (MQTT 5.0, section 4.13.1).
pub(super) fn refuse_malformed(error: &DecodeError, bytes: &[u8], output: &mut Vec<u8>) {
    if matches!(error.problem, Problem::UnsupportedVersion { .. }) {
        return refuse_unsupported(error, output);
    }
    if Connect::peek_version(bytes) == Some(Version::V5) {
        put_v5_refusal(error.reason_code(), output);
    }
}

fn put_v5_refusal(reason_code: ReasonCode, output: &mut Vec<u8>) {
    let is_allowed = reason_code.belongs_in(Context::Connack);
    let reason_code = if is_allowed { reason_code } else { ReasonCode::PROTOCOL_ERROR };
    put_refusal(reason_code, Version::V5, output);
}

/// Refuses an unsupported version, if possible in an encoding that the client understands.
fn refuse_unsupported(error: &DecodeError, output: &mut Vec<u8>) {
    let Problem::UnsupportedVersion { name, level } = &error.problem else {
        return; // A malformed CONNECT gets no answer.
    };
    let version = match (name.as_str(), level) {
        ("MQTT", 5..) => Version::V5,
        ("MQTT" | "MQIsdp", _) => Version::V311,
        _ => return,
    };
    put_refusal(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, version, output);
}
