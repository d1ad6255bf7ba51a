//! The rules for messages in the context of their client. Messages that were not captured are never reported as a fault: a
//! rule whose precondition was not seen reports nothing.

use super::client::{Client, ClientState, Observed};
use super::exchange::{answers_to, is_answer};
use super::field_value::MINUS_ONE;
use super::findings::{Findings, check_silence, overdue};
use super::version::rule_column;
use super::{MessageKind, Unanswered, lint_v2};
use crate::inspect::timing::SECOND;
use crate::inspect::{Finding, Name, Rule, Severity};
use crate::protocol::sn::{MessageType, ReturnCode, TopicIdType, Version};

/// Nanoseconds after which an answer is missing: the shortest time after which a client sends a request again.
const RETRY_TIME: u64 = 10 * SECOND;

/// The longest client identifier.
const MAX_CLIENT_ID: usize = 23;

/// The findings for a message; `client` has the state before it.
pub(super) fn check(client: &Client, message: &Observed<'_, '_>) -> Vec<Finding> {
    let version = client.version.unwrap_or(Version::V12);
    let mut findings = Findings { message, version, list: Vec::new() };
    let message_type = match message.kind {
        MessageKind::V12(message_type) => message_type,
        MessageKind::V20(packet_type) => {
            lint_v2::check(client, packet_type, &mut findings);
            return findings.list;
        }
        MessageKind::Reserved(_) | MessageKind::Empty => return findings.list,
    };
    check_sender(message_type, &mut findings);
    check_fields(message_type, &mut findings);
    if !message.tree.is_malformed() {
        check_silence(client, &mut findings);
        check_connection(client, message_type, &mut findings);
        check_topic(client, message_type, &mut findings);
        check_exchange(client, message_type, &mut findings);
    }
    findings.list
}

fn check_sender(message_type: MessageType, findings: &mut Findings<'_, '_>) {
    use MessageType::*;
    let client_sends =
        match message_type {
            SearchGw | Connect | WillTopic | WillMsg | Subscribe | Unsubscribe | WillTopicUpd
            | WillMsgUpd => true,
            Advertise | Connack | WillTopicReq | WillMsgReq | Suback | Unsuback | WillTopicResp
            | WillMsgResp => false,
            GwInfo | Register | Regack | Publish | Puback | Pubcomp | Pubrec | Pubrel | Pingreq
            | Pingresp | Disconnect | Encapsulated => return,
        };
    if client_sends != findings.message.is_from_client() {
        let sender = if client_sends { "a gateway" } else { "a client" };
        findings.add(Rule::SnWrongSender, &[Name::MessageType], format!("{sender} sends {message_type}"));
    }
}

fn check_fields(message_type: MessageType, findings: &mut Findings<'_, '_>) {
    let message = findings.message;
    let tree = message.tree;
    if let Some(code) = tree.number(Name::ReturnCode).and_then(|code| u8::try_from(code).ok())
        && ReturnCode(code).name().is_none()
    {
        findings.add(Rule::SnReturnCode, &[Name::ReturnCode], format!("the return code is 0x{code:02x}"));
    }
    match message_type {
        MessageType::Connect => {
            let length = tree.bytes(Name::ClientIdentifier).map_or(0, <[u8]>::len);
            if length == 0 || length > MAX_CLIENT_ID {
                let detail = format!("the client identifier has {length} bytes");
                findings.add(Rule::SnClientIdLength, &[Name::ClientIdentifier], detail);
            }
        }
        MessageType::Publish => check_publish(findings),
        MessageType::Register => {
            if message.is_from_client() && tree.is_set(Name::TopicId) {
                let id = tree.number(Name::TopicId).unwrap_or_default();
                findings.add(Rule::SnRegisterTopicId, &[Name::TopicId], format!("the topic id is {id}"));
            }
            if tree.text(Name::TopicName).is_some_and(|topic| topic.contains(['+', '#'])) {
                findings.add(Rule::SnRegisterWildcard, &[Name::TopicName], "the topic has a wildcard");
            }
            check_message_id(findings);
        }
        MessageType::Subscribe
        | MessageType::Unsubscribe
        | MessageType::Pubrec
        | MessageType::Pubrel
        | MessageType::Pubcomp => check_message_id(findings),
        _ => {}
    }
    if matches!(message_type, MessageType::Publish | MessageType::Subscribe | MessageType::Unsubscribe) {
        check_reserved_id(findings);
    }
}

fn check_publish(findings: &mut Findings<'_, '_>) {
    let tree = findings.message.tree;
    let qos = tree.number(Name::Qos);
    match qos {
        Some(0 | MINUS_ONE) => {
            let id = tree.number(Name::MessageId).unwrap_or_default();
            if id != 0 {
                let detail = format!("the message id is {id}");
                findings.add(Rule::SnMessageIdUnused, &[Name::MessageId], detail);
            }
            if tree.is_set(Name::Dup) {
                findings.add(Rule::SnDup, &[Name::Dup], "DUP is set, but the message has no answer");
            }
        }
        _ => check_message_id(findings),
    }
    let is_normal = tree.number(Name::TopicIdType) == Some(TopicIdType::Normal as u32);
    if qos == Some(MINUS_ONE) && is_normal {
        findings.add(Rule::SnQosMinusOneTopic, &[Name::TopicIdType], "the topic id is a normal one");
    }
}

fn check_message_id(findings: &mut Findings<'_, '_>) {
    if findings.message.tree.number(Name::MessageId) == Some(0) {
        findings.add(Rule::SnMessageIdZero, &[Name::MessageId], "the message id is 0");
    }
}

fn check_reserved_id(findings: &mut Findings<'_, '_>) {
    let id = findings.message.tree.number(Name::TopicId);
    if let Some(id @ (0 | 0xffff)) = id {
        findings.add(Rule::SnReservedTopicId, &[Name::TopicId], format!("the topic id is 0x{id:04x}"));
    }
}

fn check_connection(client: &Client, message_type: MessageType, findings: &mut Findings<'_, '_>) {
    use MessageType::*;
    let is_without_connection = match message_type {
        Advertise | SearchGw | GwInfo | Connect | Disconnect => true,
        Publish => findings.message.tree.number(Name::Qos) == Some(MINUS_ONE),
        _ => false,
    };
    match client.state {
        ClientState::Disconnected if !is_without_connection && !is_answer(findings.message.kind) => {
            let detail = format!("{message_type} without a connection");
            findings.add(Rule::SnNotConnected, &[Name::MessageType], detail);
        }
        ClientState::Connecting => check_connecting(client, message_type, is_without_connection, findings),
        ClientState::Asleep(_) => check_sleep(message_type, findings),
        ClientState::Unknown | ClientState::Active | ClientState::Awake(_) | ClientState::Disconnected => {}
    }
}

/// Checks the order CONNECT, WILLTOPICREQ, WILLTOPIC, WILLMSGREQ, WILLMSG, CONNACK.
fn check_connecting(
    client: &Client,
    message_type: MessageType,
    is_without_connection: bool,
    findings: &mut Findings<'_, '_>,
) {
    use MessageType::*;
    let will = client.will;
    let expected = match message_type {
        WillTopicReq => will.is_announced,
        WillTopic => matches!(will.last, Some(WillTopicReq | WillTopic)),
        WillMsgReq => matches!(will.last, Some(WillTopic | WillMsgReq)) && !will.is_empty,
        WillMsg => matches!(will.last, Some(WillMsgReq | WillMsg)),
        Connack => {
            let is_accepted = findings.message.tree.number(Name::ReturnCode) == Some(0);
            let is_done = will.last == Some(WillMsg) || (will.last == Some(WillTopic) && will.is_empty);
            !is_accepted || !will.is_announced || is_done
        }
        _ if is_without_connection => true,
        _ => {
            let detail = format!("{message_type} before CONNACK");
            return findings.add(Rule::SnNotConnected, &[Name::MessageType], detail);
        }
    };
    if !expected {
        let after = will.last.map_or("CONNECT", MessageType::name);
        let flag = if will.is_announced { "with" } else { "without" };
        let detail = format!("{message_type} after {after}, {flag} the will flag in CONNECT");
        findings.add(Rule::SnWillProcedure, &[Name::MessageType], detail);
    }
}

fn check_sleep(message_type: MessageType, findings: &mut Findings<'_, '_>) {
    use MessageType::*;
    let is_from_client = findings.message.is_from_client();
    let is_allowed = match message_type {
        Connect | Disconnect | Advertise | SearchGw | GwInfo => true,
        Pingreq => is_from_client,
        // Answers to requests of a client that does not keep to its sleep.
        _ => is_answer(findings.message.kind) && !is_from_client,
    };
    if is_allowed {
        return;
    }
    let sender = if is_from_client { "a sleeping client" } else { "the gateway, to a sleeping client," };
    findings.add(Rule::SnAsleep, &[Name::MessageType], format!("{sender} sends {message_type}"));
    if let Some(finding) = findings.list.last_mut().filter(|_| is_from_client) {
        // Gateways accept the message.
        finding.severity = Severity::Warning;
    }
}

fn check_topic(client: &Client, message_type: MessageType, findings: &mut Findings<'_, '_>) {
    let tree = findings.message.tree;
    let is_normal = tree.number(Name::TopicIdType) == Some(TopicIdType::Normal as u32);
    let Some(id) = tree.two_bytes(Name::TopicId).filter(|id| is_normal && ![0, u16::MAX].contains(id)) else {
        return;
    };
    if message_type != MessageType::Publish || tree.number(Name::Qos) == Some(MINUS_ONE) {
        return;
    }
    if client.topics.is_rejected(id) {
        findings.add(Rule::SnTopicIdRejected, &[Name::TopicId], format!("topic id {id} was rejected"));
    } else if client.knows_topics && !client.topics.misses_some && !client.topics.is_known(id) {
        findings.add(Rule::SnTopicIdUnknown, &[Name::TopicId], format!("topic id {id} was not registered"));
    }
}

fn check_exchange(client: &Client, message_type: MessageType, findings: &mut Findings<'_, '_>) {
    let message = findings.message;
    let (key, contents) = (message.key(), message.contents());
    let exchanges = &client.exchanges;
    let is_answer_to_request = exchanges.request_of(key.direction, key.kind, key.id).is_some();
    if is_answer(key.kind)
        && client.state != ClientState::Unknown
        && !is_answer_to_request
        && !exchanges.is_answered_again(key.direction, key.kind, key.id)
        && !is_rejection_of_qos_0(message_type, message)
    {
        let detail = format!("{message_type} with id {} answers no request", key.id);
        findings.add(Rule::SnNoRequest, &[Name::MessageId, Name::MessageType], detail);
    }
    if answers_to(key.kind, message.tree).is_empty() {
        return;
    }
    let open = exchanges.find(key);
    let is_same = open.is_some_and(|request| request.contents == contents);
    let is_repeat = is_same || exchanges.was_answered(key, contents);
    let is_dup = message.tree.is_set(Name::Dup);
    match message_type {
        MessageType::Publish if is_repeat && !is_dup => {
            findings.add(
                Rule::SnRepeatWithoutDup,
                &[Name::Dup],
                format!("id {} is repeated without DUP", key.id),
            );
        }
        MessageType::Publish | MessageType::Register | MessageType::Subscribe | MessageType::Unsubscribe
            if open.is_some() && !is_same =>
        {
            let detail = format!("id {} waits for the answer to another {message_type}", key.id);
            findings.add(Rule::SnRepeatDiffers, &[Name::MessageId], detail);
        }
        _ if !is_repeat => check_one_at_a_time(client, message_type, findings),
        _ => {}
    }
}

/// PUBACK with a code other than 0 also rejects a PUBLISH of QoS 0.
fn is_rejection_of_qos_0(message_type: MessageType, message: &Observed<'_, '_>) -> bool {
    message_type == MessageType::Puback && message.tree.is_set(Name::ReturnCode)
}

fn check_one_at_a_time(client: &Client, message_type: MessageType, findings: &mut Findings<'_, '_>) {
    use MessageType::*;
    let family: &[MessageType] = match message_type {
        Publish => &[Publish, Pubrel],
        Register => &[Register],
        Subscribe | Unsubscribe => &[Subscribe, Unsubscribe],
        _ => return,
    };
    let key = findings.message.key();
    let is_other = |kind| matches!(kind, MessageKind::V12(kind) if family.contains(&kind));
    let open = client.exchanges.open();
    let other = open.iter().find(|open| open.key.direction == key.direction && is_other(open.key.kind));
    if let Some(other) = other {
        let detail = format!("{} with id {} has no answer yet", other.key.kind.name(), other.key.id);
        findings.add(Rule::SnOneAtATime, &[Name::MessageId], detail);
    }
}

/// The findings at the end of the capture, or of the connection.
pub(super) fn check_end(client: &Client, unanswered: &[Unanswered], now: Option<u64>) -> Vec<Finding> {
    let version = client.version.unwrap_or(Version::V12);
    let column = rule_column(version);
    let mut findings: Vec<Finding> = unanswered
        .iter()
        .map(|request| {
            let detail = match request.id {
                0 => format!("{} was not answered", request.kind.name()),
                id => format!("{} with id {id} was not answered", request.kind.name()),
            };
            let mut finding = Finding::new(Rule::SnUnanswered, column, 0..0, detail);
            if request.waited.is_none_or(|waited| waited < RETRY_TIME) {
                // The capture may have ended before the answer.
                finding.severity = Severity::Info;
            }
            finding
        })
        .collect();
    let silence = now.zip(client.last_of_client).map(|(now, last)| now.saturating_sub(last));
    if let Some((rule, detail)) = silence.and_then(|silence| overdue(client, silence, version)) {
        findings.push(Finding::new(rule, column, 0..0, detail));
    }
    findings
}
