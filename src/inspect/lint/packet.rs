//! Rules for a single packet, without its context.

use super::packet_context::PacketContext;
use super::report::FindingList;
use crate::inspect::{Direction, Field, Name, Rule, Value};
use crate::protocol::property::Context;
use crate::protocol::topic::{is_discouraged, split_share};
use crate::protocol::{PacketType, PropertyId, ReasonCode, Version};
use std::ops::Range;

/// Maximum length of a client identifier in MQTT 3.1, in characters.
const MAX_CLIENT_ID_V31: usize = 23;

/// Checks the packet. Returns `false` if its sender may not send this type, so that the other rules do not apply.
pub(super) fn check(context: &PacketContext<'_>, report: &mut FindingList) -> bool {
    if !may_send(context) {
        let detail = format!("the {} sent {}", context.direction.sender(), context.kind);
        report.find(Rule::WrongSender, context.first_byte(), detail);
        return false;
    }
    strings(context, report);
    match context.kind {
        PacketType::Connect => connect(context, report),
        PacketType::Connack => connack(context, report),
        PacketType::Publish => publish(context, report),
        PacketType::Puback => acknowledgement(context, Rule::PubackCode, Context::Puback, report),
        PacketType::Pubrec => acknowledgement(context, Rule::PubrecCode, Context::Pubrec, report),
        PacketType::Pubrel => acknowledgement(context, Rule::PubrelCode, Context::Pubrel, report),
        PacketType::Pubcomp => acknowledgement(context, Rule::PubcompCode, Context::Pubcomp, report),
        PacketType::Subscribe => subscribe(context, report),
        PacketType::Suback => suback(context, report),
        PacketType::Unsubscribe => unsubscribe(context, report),
        PacketType::Unsuback => unsuback(context, report),
        PacketType::Disconnect => disconnect(context, report),
        PacketType::Auth => auth(context, report),
        PacketType::Pingreq | PacketType::Pingresp => {}
    }
    true
}

fn may_send(context: &PacketContext<'_>) -> bool {
    match (Direction::of(context.kind), context.kind) {
        (Some(direction), _) => context.is_from_client() == (direction == Direction::ClientToServer),
        // Before MQTT 5, only clients send DISCONNECT.
        (None, PacketType::Disconnect) => {
            context.is_from_client() || context.is_v5() || !context.is_version_known
        }
        (None, _) => true,
    }
}

fn strings(context: &PacketContext<'_>, report: &mut FindingList) {
    for field in &context.tree.fields {
        let bad = match field.value {
            Value::Text(text) => discouraged(text),
            Value::Pair(name, value) => discouraged(name).or(discouraged(value)),
            Value::Group
            | Value::Number(_)
            | Value::Flag(_)
            | Value::BadText(_)
            | Value::BadPair(..)
            | Value::Bytes(_)
            | Value::Code(_) => None,
        };
        if let Some(bad) = bad {
            let detail = format!("{} contains U+{:04X}", field.name, u32::from(bad));
            report.find(Rule::DiscouragedCharacter, field.range.clone(), detail);
        }
    }
}

/// The first character that should not be sent. The dissector checks for the null character.
fn discouraged(text: &str) -> Option<char> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return None;
    }
    text.chars().find(|&character| character != '\0' && is_discouraged(character))
}

fn connect(context: &PacketContext<'_>, report: &mut FindingList) {
    let tree = context.tree;
    let has_will = tree.is_set(Name::WillFlag);
    let will_qos = tree.number(Name::WillQos).unwrap_or_default();
    if will_qos == 3 {
        report.find(Rule::WillQos, context.range(Name::WillQos), "the will's QoS is 3");
    } else if will_qos > 0 && !has_will {
        let detail = format!("the will's QoS is {will_qos}, but the will flag is not set");
        report.find(Rule::WillQosWithoutWill, context.range(Name::WillQos), detail);
    }
    if tree.is_set(Name::WillRetain) && !has_will {
        let detail = "Will Retain is set, but the will flag is not";
        report.find(Rule::WillRetainWithoutWill, context.range(Name::WillRetain), detail);
    }
    if !context.is_v5() && tree.is_set(Name::PasswordFlag) && !tree.is_set(Name::UserNameFlag) {
        let detail = "the password flag is set, but the user name flag is not";
        report.find(Rule::PasswordWithoutUserName, context.range(Name::PasswordFlag), detail);
    }
    client_id(context, report);
    authentication_data(context, report);
    will(context, report);
}

fn client_id(context: &PacketContext<'_>, report: &mut FindingList) {
    let Some(client_id) = context.tree.text(Name::ClientIdentifier) else { return };
    let range = context.range(Name::ClientIdentifier);
    match context.version {
        Version::V31 => {
            let count = client_id.chars().count();
            if count == 0 || count > MAX_CLIENT_ID_V31 {
                report.find(
                    Rule::ClientIdLength,
                    range,
                    format!("the client identifier has {count} characters"),
                );
            }
        }
        Version::V311 if client_id.is_empty() && !context.tree.is_set(Name::CleanStart) => {
            report.find(Rule::ClientIdEmpty, range, "the client identifier is empty, but Clean Session is 0");
        }
        Version::V311 | Version::V5 => {}
    }
}

fn authentication_data(context: &PacketContext<'_>, report: &mut FindingList) {
    if let Some(data) = context.property(PropertyId::AuthenticationData)
        && context.lacks(PropertyId::AuthenticationMethod)
    {
        let detail = "authentication data without an authentication method";
        report.find(Rule::AuthenticationDataAlone, data.range.clone(), detail);
    }
}

fn will(context: &PacketContext<'_>, report: &mut FindingList) {
    if let Some(topic) = context.tree.text(Name::WillTopic) {
        let range = context.range(Name::WillTopic);
        not_empty(Name::WillTopic, topic, &range, report);
        if topic.contains(['+', '#']) {
            report.find(Rule::WillTopicWildcard, range, format!("the will's topic is {topic:?}"));
        }
    }
    message_properties(context, Name::WillPayload, report);
}

/// Checks the properties that PUBLISH and a will share.
fn message_properties(context: &PacketContext<'_>, payload: Name, report: &mut FindingList) {
    if let Some(topic) = context.property_text(PropertyId::ResponseTopic) {
        let name = Name::Property(PropertyId::ResponseTopic);
        let range = context.range(name);
        not_empty(name, topic, &range, report);
        if topic.contains(['+', '#']) {
            report.find(Rule::ResponseTopicWildcard, range, format!("the response topic is {topic:?}"));
        }
    }
    if context.property_number(PropertyId::PayloadFormatIndicator) == Some(1) {
        payload_format(context, payload, report);
    }
}

/// Checks a payload that was captured completely.
fn payload_format(context: &PacketContext<'_>, payload: Name, report: &mut FindingList) {
    let raw = context.packet.raw;
    if !raw.is_complete() {
        return;
    }
    let Some(field) = context.tree.find(payload) else { return };
    if let Value::Bytes(bytes) = field.value
        && let Err(error) = std::str::from_utf8(bytes)
    {
        let bad = field.range.end - bytes.len() + error.valid_up_to();
        let detail = format!("the payload is invalid UTF-8 at byte {bad}");
        report.find(Rule::PayloadFormat, bad..field.range.end, detail);
    }
}

fn not_empty(name: Name, text: &str, range: &Range<usize>, report: &mut FindingList) {
    if text.is_empty() {
        report.find(Rule::TopicEmpty, range.clone(), format!("{name} is empty"));
    }
}

fn connack(context: &PacketContext<'_>, report: &mut FindingList) {
    let (name, rule) = (Name::ReasonCode, Rule::ConnackCode);
    let (name, is_known) = match (context.tree.number(Name::ReturnCode), context.reason_code()) {
        (Some(code), _) => (Name::ReturnCode, code <= 5),
        (None, code) => (name, code.is_none_or(|code| code.belongs_in(Context::Connack))),
    };
    let code = context.tree.number(name).unwrap_or_default();
    if !is_known {
        report.find(rule, context.range(name), format!("CONNACK does not define {name} 0x{code:02x}"));
    } else if code > 0 && context.tree.is_set(Name::SessionPresent) && context.version > Version::V31 {
        let detail = format!("Session Present is set, but the {name} is 0x{code:02x}");
        report.find(Rule::SessionPresentRefused, context.range(Name::SessionPresent), detail);
    }
    authentication_data(context, report);
}

fn publish(context: &PacketContext<'_>, report: &mut FindingList) {
    let tree = context.tree;
    let qos = context.qos();
    if qos == 0 && tree.is_set(Name::Dup) {
        report.find(Rule::DupQos0, context.first_byte(), "DUP is set, but QoS is 0");
    }
    if qos > 0 {
        packet_id(context, report);
    }
    if let Some(topic) = tree.text(Name::TopicName) {
        topic_name(context, topic, report);
    }
    if context.is_from_client()
        && let Some(field) = context.property(PropertyId::SubscriptionIdentifier)
    {
        let detail = "the client's PUBLISH has a subscription identifier";
        report.find(Rule::SubscriptionIdentifierFromClient, field.range.clone(), detail);
    }
    if context.is_v5() {
        message_properties(context, Name::Payload, report);
    }
}

fn topic_name(context: &PacketContext<'_>, topic: &str, report: &mut FindingList) {
    if memchr::memchr2(b'+', b'#', topic.as_bytes()).is_some() {
        let detail = format!("the topic is {topic:?}");
        report.find(Rule::TopicWildcard, context.range(Name::TopicName), detail);
    }
    if !topic.is_empty() {
        return;
    }
    let range = context.range(Name::TopicName);
    if !context.is_v5() {
        not_empty(Name::TopicName, topic, &range, report);
    } else if context.lacks(PropertyId::TopicAlias) {
        report.find(Rule::TopicMissing, range, "the topic is empty, and the topic alias is missing");
    }
}

fn packet_id(context: &PacketContext<'_>, report: &mut FindingList) {
    if context.packet_id() == Some(0) {
        let rule = match context.direction {
            Direction::ClientToServer => Rule::PacketIdZeroClient,
            Direction::ServerToClient => Rule::PacketIdZeroServer,
        };
        let detail = format!("{} has the packet identifier 0", context.kind);
        report.find(rule, context.range(Name::PacketIdentifier), detail);
    }
}

fn acknowledged_id(context: &PacketContext<'_>, report: &mut FindingList) {
    if context.packet_id() == Some(0) {
        let detail = format!("{} has the packet identifier 0", context.kind);
        report.find(Rule::AcknowledgedIdZero, context.range(Name::PacketIdentifier), detail);
    }
}

fn acknowledgement(context: &PacketContext<'_>, rule: Rule, code_context: Context, report: &mut FindingList) {
    acknowledged_id(context, report);
    reason_code(context, rule, code_context, report);
}

fn reason_code(context: &PacketContext<'_>, rule: Rule, code_context: Context, report: &mut FindingList) {
    if let Some(code) = context.reason_code().filter(|_| context.is_v5())
        && !code.belongs_in(code_context)
    {
        let detail = format!("{} does not define reason code 0x{:02x}", context.kind, code.0);
        report.find(rule, context.range(Name::ReasonCode), detail);
    }
}

fn subscribe(context: &PacketContext<'_>, report: &mut FindingList) {
    packet_id(context, report);
    let mut filter = None;
    for field in &context.tree.fields {
        match (field.name, field.value) {
            (Name::TopicFilter, Value::Text(text)) => {
                topic_filter(context, field, text, report);
                filter = Some(text);
            }
            (Name::NoLocal, Value::Flag(true)) if filter.is_some_and(|it| it.starts_with("$share/")) => {
                let detail = format!("No Local is set for {:?}", filter.unwrap_or_default());
                report.find(Rule::NoLocalShared, field.range.clone(), detail);
            }
            _ => {}
        }
    }
}

fn unsubscribe(context: &PacketContext<'_>, report: &mut FindingList) {
    packet_id(context, report);
    for field in context.tree.all(Name::FilterToRemove) {
        if let Value::Text(text) = field.value {
            topic_filter(context, field, text, report);
        }
    }
}

fn topic_filter(context: &PacketContext<'_>, field: &Field<'_>, filter: &str, report: &mut FindingList) {
    not_empty(Name::TopicFilter, filter, &field.range, report);
    let pattern = match (context.is_v5(), split_share(filter)) {
        (true, Ok(Some((_, pattern)))) => pattern,
        (true, Err(_)) => return shared(field, filter, report),
        (true, Ok(None)) | (false, _) => filter,
    };
    let mut levels = pattern.split('/').peekable();
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        if level.contains('#') && (level != "#" || !is_last) {
            let detail = format!("the topic filter is {filter:?}");
            return report.find(Rule::FilterHash, field.range.clone(), detail);
        }
        if level.contains('+') && level != "+" {
            let detail = format!("the topic filter is {filter:?}");
            return report.find(Rule::FilterPlus, field.range.clone(), detail);
        }
    }
}

/// Reports an invalid filter of a shared subscription.
fn shared(field: &Field<'_>, filter: &str, report: &mut FindingList) {
    let name = filter.strip_prefix("$share/").unwrap_or_default().split('/').next().unwrap_or_default();
    let rule = if name.is_empty() { Rule::ShareShape } else { Rule::ShareName };
    report.find(rule, field.range.clone(), format!("the topic filter is {filter:?}"));
}

fn suback(context: &PacketContext<'_>, report: &mut FindingList) {
    acknowledged_id(context, report);
    // If the version is unknown, this may be a property length instead of a code.
    if context.is_version_known {
        codes(context, Rule::SubackCode, Context::Suback, report);
    }
}

fn unsuback(context: &PacketContext<'_>, report: &mut FindingList) {
    acknowledged_id(context, report);
    codes(context, Rule::UnsubackCode, Context::Unsuback, report);
}

fn codes(context: &PacketContext<'_>, rule: Rule, code_context: Context, report: &mut FindingList) {
    for field in context.tree.all(Name::FilterReasonCode) {
        let Value::Code(code) = field.value else { continue };
        let is_known = match context.version {
            // Only 3.1.1 defines a failure code, but servers also send it to 3.1 clients.
            Version::V31 | Version::V311 => matches!(code, 0..=2 | 0x80),
            Version::V5 => ReasonCode(code).belongs_in(code_context),
        };
        if !is_known {
            let detail = format!("{} does not define code 0x{code:02x}", context.kind);
            report.find(rule, field.range.clone(), detail);
        }
    }
}

fn disconnect(context: &PacketContext<'_>, report: &mut FindingList) {
    if !context.is_v5() {
        return;
    }
    reason_code(context, Rule::DisconnectCode, Context::Disconnect, report);
    if let Some(code) = context.reason_code()
        && code.belongs_in(Context::Disconnect)
        && !may_say(context.is_from_client(), code)
    {
        let name = code.name_in(Context::Disconnect).unwrap_or_default();
        let detail = format!("the {} sent {name} (0x{:02x})", context.direction.sender(), code.0);
        report.find(Rule::DisconnectCode, context.range(Name::ReasonCode), detail);
    }
    if !context.is_from_client()
        && let Some(field) = context.property(PropertyId::SessionExpiryInterval)
    {
        let detail = "the server's DISCONNECT has a session expiry interval";
        report.find(Rule::ServerSessionExpiry, field.range.clone(), detail);
    }
}

/// MQTT 5.0, table 3-10: the sides that may send a reason code of DISCONNECT.
fn may_say(is_client: bool, code: ReasonCode) -> bool {
    match code {
        ReasonCode::SUCCESS | ReasonCode::DISCONNECT_WITH_WILL => is_client,
        ReasonCode::NOT_AUTHORIZED
        | ReasonCode::SERVER_BUSY
        | ReasonCode::SERVER_SHUTTING_DOWN
        | ReasonCode::KEEP_ALIVE_TIMEOUT
        | ReasonCode::SESSION_TAKEN_OVER
        | ReasonCode::TOPIC_FILTER_INVALID
        | ReasonCode::RETAIN_NOT_SUPPORTED
        | ReasonCode::QOS_NOT_SUPPORTED
        | ReasonCode::USE_ANOTHER_SERVER
        | ReasonCode::SERVER_MOVED
        | ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        | ReasonCode::CONNECTION_RATE_EXCEEDED
        | ReasonCode::MAXIMUM_CONNECT_TIME
        | ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED
        | ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED => !is_client,
        _ => true,
    }
}

fn auth(context: &PacketContext<'_>, report: &mut FindingList) {
    let is_allowed = |code| match code {
        ReasonCode::CONTINUE_AUTHENTICATION => true,
        ReasonCode::RE_AUTHENTICATE => context.is_from_client(),
        ReasonCode::SUCCESS => !context.is_from_client(),
        _ => false,
    };
    if let Some(code) = context.reason_code().filter(|code| !is_allowed(*code)) {
        let detail = format!("the {} sent {code}", context.direction.sender());
        report.find(Rule::AuthCode, context.range(Name::ReasonCode), detail);
    }
    // An AUTH with Remaining Length 0 means success, and holds no method.
    let is_short = context.tree.find(Name::ReasonCode).is_none();
    if context.lacks(PropertyId::AuthenticationMethod) && !is_short {
        report.find(Rule::AuthenticationMethodMissing, context.whole(), "missing authentication method");
    }
    authentication_data(context, report);
}
