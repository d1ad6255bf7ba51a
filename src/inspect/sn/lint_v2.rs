//! The rules of MQTT-SN 2.0 for packets in the context of their client.

use super::MessageKind;
use super::client::{Client, ClientState};
use super::exchange::{OpenRequest, answers_to, is_answer, is_rejection};
use super::field_value::{PREDEFINED, SESSION};
use super::findings::{Findings, check_silence};
use crate::inspect::{Name, Rule};
use crate::protocol::sn::v2::{PacketType, reason};

/// The smallest maximum packet size.
const MIN_PACKET_SIZE: u32 = 10;

/// The findings for a packet; `client` has the state before it.
pub(super) fn check(client: &Client, packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    check_sender(packet_type, findings);
    check_fields(packet_type, findings);
    check_encapsulation(packet_type, findings);
    if !findings.message.tree.is_malformed() {
        check_silence(client, findings);
        check_state(client, packet_type, findings);
        check_answer(client, packet_type, findings);
        check_alias(client, packet_type, findings);
        check_request(client, packet_type, findings);
    }
}

fn check_sender(packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    use PacketType::*;
    let client_sends = match packet_type {
        Connect | Subscribe | Unsubscribe | Pingreq | Sleepreq | SearchGw => true,
        Connack | Suback | Unsuback | Pingresp | Sleepresp | Wakeup | Advertise => false,
        Publish | Puback | Pubrec | Pubrel | Pubcomp | Disconnect | Auth | Register | Regack | Pubwos
        | GwInfo | Forwarder | Connection | Protection => return,
    };
    if client_sends != findings.message.is_from_client() {
        let sender = if client_sends { "a server" } else { "a client" };
        findings.add(Rule::SnWrongSender, &[Name::MessageType], format!("{sender} sends {packet_type}"));
    }
}

fn check_fields(packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    let tree = findings.message.tree;
    let (is_from_client, has) = (findings.message.is_from_client(), |name| tree.find(name).is_some());
    if tree.number(Name::PacketIdentifier) == Some(0) {
        findings.add(Rule::SnMessageIdZero, &[Name::PacketIdentifier], "the packet identifier is 0");
    }
    if let Some(code) = tree.number(Name::ReasonCode).and_then(|code| u8::try_from(code).ok())
        && !reason::is_allowed(packet_type, code)
    {
        let detail = format!("the reason code of {packet_type} is 0x{code:02x}");
        findings.add(Rule::SnReturnCode, &[Name::ReasonCode], detail);
    }
    match packet_type {
        PacketType::Connect => check_connect(findings),
        PacketType::Publish if tree.is_set(Name::Dup) && tree.number(Name::Qos) != Some(2) => {
            findings.add(Rule::SnDup, &[Name::Dup], "DUP is set, but the QoS is not 2");
        }
        PacketType::Register if is_from_client && has(Name::TopicAlias) => {
            findings.add(Rule::SnRegisterTopicId, &[Name::TopicAlias], "a client sends an alias");
            findings.raise();
        }
        PacketType::Register if !is_from_client && !has(Name::TopicAlias) => {
            findings.add(Rule::SnAssignedAlias, &[Name::AliasFlag], "the alias is missing");
        }
        PacketType::Regack if is_from_client && has(Name::TopicAlias) => {
            findings.add(Rule::SnRegackAlias, &[Name::TopicAlias], "a client sends an alias");
        }
        PacketType::Suback if !has(Name::TopicAlias) && tree.number(Name::TopicType) != Some(PREDEFINED) => {
            let detail = "there is no alias, but the topic type is not 1";
            findings.add(Rule::SnSubackType, &[Name::TopicType], detail);
        }
        PacketType::Disconnect if !is_from_client && has(Name::SessionExpiryInterval) => {
            let detail = "a server sends a session expiry interval";
            findings.add(Rule::SnServerSessionExpiry, &[Name::SessionExpiryInterval], detail);
        }
        _ => {}
    }
}

fn check_connect(findings: &mut Findings<'_, '_>) {
    let tree = findings.message.tree;
    if tree.number(Name::KeepAlive) == Some(0) {
        findings.add(Rule::SnKeepAliveZero, &[Name::KeepAlive], "the keep alive is 0");
    }
    if let Some(size @ 1..MIN_PACKET_SIZE) = tree.number(Name::MaximumPacketSize) {
        let detail = format!("the maximum packet size is {size}");
        findings.add(Rule::SnMaximumPacketSize, &[Name::MaximumPacketSize], detail);
    }
}

/// Checks the packet in a connection encapsulation.
fn check_encapsulation(packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    use PacketType::*;
    if findings.message.tree.find(Name::ClientIdentifierLength).is_none() {
        return;
    }
    let is_from_client = findings.message.is_from_client();
    let is_allowed =
        matches!(packet_type, Publish | Subscribe | Unsubscribe | Register | Disconnect | Sleepreq | Pingreq);
    if !is_allowed || !is_from_client {
        let sender = if is_from_client { "a client" } else { "a server" };
        let detail = format!("{packet_type} of {sender} is in a connection encapsulation");
        findings.add(Rule::SnEncapsulatedType, &[Name::ClientIdentifierLength], detail);
    }
}

fn check_state(client: &Client, packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    use PacketType::*;
    let is_without_connection =
        matches!(packet_type, Connect | Pubwos | Advertise | SearchGw | GwInfo | Disconnect | Protection);
    let is_from_client = findings.message.is_from_client();
    let is_allowed = match (client.state, is_from_client) {
        _ if is_without_connection => true,
        (ClientState::Disconnected, _) => is_answer(findings.message.kind),
        (ClientState::Connecting, true) => packet_type == Auth,
        (ClientState::Asleep(_), true) => matches!(packet_type, Pingreq | Sleepreq),
        (ClientState::Asleep(_), false) => matches!(packet_type, Wakeup | Sleepresp | Connack),
        // A repeated PINGREQ is the same one.
        (ClientState::Awake(_), true) => matches!(packet_type, Puback | Pubrec | Pubcomp | Regack | Pingreq),
        (ClientState::Unknown | ClientState::Active, _)
        | (ClientState::Connecting | ClientState::Awake(_), false) => true,
    };
    if is_allowed {
        return;
    }
    let (rule, detail) = match client.state {
        ClientState::Asleep(_) | ClientState::Awake(_) if is_from_client => {
            (Rule::SnAsleep, format!("a sleeping client sends {packet_type}"))
        }
        ClientState::Asleep(_) | ClientState::Awake(_) => {
            (Rule::SnAsleep, format!("the server sends {packet_type} to a sleeping client"))
        }
        ClientState::Connecting => (Rule::SnNotConnected, format!("{packet_type} before CONNACK")),
        _ => (Rule::SnNotConnected, format!("{packet_type} without a connection")),
    };
    findings.add(rule, &[Name::MessageType], detail);
}

fn check_answer(client: &Client, packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    let message = findings.message;
    let key = message.key();
    let exchanges = &client.exchanges;
    let request = exchanges.request_of(key.direction, key.kind, key.id);
    if is_answer(key.kind)
        && client.state != ClientState::Unknown
        && request.is_none()
        && !exchanges.is_answered_again(key.direction, key.kind, key.id)
    {
        let detail = format!("{packet_type} with id {} answers no request", key.id);
        findings.add(Rule::SnNoRequest, &[Name::PacketIdentifier], detail);
    }
    match packet_type {
        PacketType::Connack if client.state == ClientState::Connecting => check_connack(client, findings),
        PacketType::Auth if client.state == ClientState::Connecting && !client.request.has_method => {
            findings.add(Rule::SnAuthWithoutMethod, &[Name::MessageType], "CONNECT has no method");
        }
        PacketType::Sleepresp if client.state != ClientState::Unknown => {
            check_suggestions(client, &[Name::Duration], findings);
        }
        PacketType::Suback => check_suback(request, findings),
        _ => {}
    }
}

fn check_connack(client: &Client, findings: &mut Findings<'_, '_>) {
    check_suggestions(client, &[Name::ServerKeepAlive, Name::SessionExpiryInterval], findings);
    let tree = findings.message.tree;
    let is_named = client.request.has_client_id || tree.find(Name::AssignedClientIdentifier).is_some();
    if !is_named && !is_rejection(tree) {
        findings.add(Rule::SnAssignedIdentifier, &[Name::ReasonCode], "neither side names the client");
    }
}

/// Checks that a server suggests values only to a client that accepts them.
fn check_suggestions(client: &Client, names: &[Name], findings: &mut Findings<'_, '_>) {
    let tree = findings.message.tree;
    if !client.request.takes_suggestions && names.iter().any(|name| tree.find(*name).is_some()) {
        let detail = "the server suggests a value, but the client does not accept suggestions";
        findings.add(Rule::SnServerSuggestion, names, detail);
    }
}

/// A name without wildcards has an alias in SUBACK, a filter with wildcards has none.
fn check_suback(request: Option<&OpenRequest>, findings: &mut Findings<'_, '_>) {
    let tree = findings.message.tree;
    // A subscription by predefined alias has no filter of its own.
    let filter = request.filter(|request| request.has_name).and_then(|request| request.topic.as_deref());
    let Some(filter) = filter.filter(|_| !is_rejection(tree)) else { return };
    let is_name = !filter.contains(['+', '#']);
    let has_alias = tree.find(Name::TopicAlias).is_some();
    if is_name != has_alias {
        let detail = match has_alias {
            true => "the filter has wildcards, but there is an alias",
            false => "the filter has no wildcards, but there is no alias",
        };
        findings.add(Rule::SnSubackAlias, &[Name::TopicAlias, Name::AliasFlag], detail);
    }
}

fn check_alias(client: &Client, packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    let tree = findings.message.tree;
    if packet_type != PacketType::Publish {
        return;
    }
    if let Some(topic) = tree.text(Name::TopicName).filter(|topic| client.topics.has_id(topic)) {
        findings.add(Rule::SnAliasUnused, &[Name::TopicName], format!("'{topic}' has a topic alias"));
    }
    if tree.number(Name::TopicType) != Some(SESSION) {
        return;
    }
    let Some(alias) = tree.two_bytes(Name::TopicAlias) else { return };
    let names = [Name::TopicAlias];
    if client.topics.is_rejected(alias) {
        findings.add(Rule::SnTopicIdRejected, &names, format!("topic alias {alias} was rejected"));
    } else if client.knows_topics && !client.topics.misses_some && !client.topics.is_known(alias) {
        findings.add(Rule::SnTopicIdUnknown, &names, format!("topic alias {alias} was not assigned"));
    }
}

fn check_request(client: &Client, packet_type: PacketType, findings: &mut Findings<'_, '_>) {
    let message = findings.message;
    let (key, contents) = (message.key(), message.contents());
    if answers_to(key.kind, message.tree).is_empty() || packet_type == PacketType::SearchGw {
        return;
    }
    let exchanges = &client.exchanges;
    let open = exchanges.find(key);
    let is_same = open.is_some_and(|request| request.contents == contents);
    match packet_type {
        PacketType::Connect if is_same => {
            findings.add(Rule::SnNeverRepeated, &[Name::MessageType], "CONNECT is repeated");
        }
        PacketType::Connect => {}
        PacketType::Publish if is_same => {
            if message.tree.number(Name::Qos) == Some(2) && !message.tree.is_set(Name::Dup) {
                let detail = format!("id {} is repeated without DUP", key.id);
                findings.add(Rule::SnRepeatWithoutDup, &[Name::Dup], detail);
            }
        }
        _ if is_same => {}
        _ if open.is_some() => {
            let detail = format!("id {} waits for the answer to another {packet_type}", key.id);
            findings.add(Rule::SnRepeatDiffers, &[Name::PacketIdentifier], detail);
        }
        // The next step of an exchange is not a second one.
        _ if exchanges.request_of(key.direction, key.kind, key.id).is_some() => {}
        _ => check_outstanding(client, findings),
    }
}

/// Only one request of each side may be open.
fn check_outstanding(client: &Client, findings: &mut Findings<'_, '_>) {
    let direction = findings.message.direction;
    let is_counted = |kind| kind != MessageKind::V20(PacketType::SearchGw);
    let mut open = client.exchanges.open().iter();
    let other = open.find(|open| open.key.direction == direction && is_counted(open.key.kind));
    if let Some(other) = other {
        let detail = format!("{} with id {} has no answer yet", other.key.kind.name(), other.key.id);
        findings.add(Rule::SnOneAtATime, &[Name::PacketIdentifier], detail);
        findings.raise();
    }
}
