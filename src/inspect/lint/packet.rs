//! Rules for a single packet, without its context.

use super::packet_context::Subject;
use super::report::Report;
use crate::inspect::{Direction, Field, Name, Rule, Value};
use crate::protocol::property::Context;
use crate::protocol::topic::{is_discouraged, split_share};
use crate::protocol::{PacketType, PropertyId, ReasonCode, Version};
use std::ops::Range;

/// Maximum length of a client identifier in MQTT 3.1, in characters.
const MAX_CLIENT_ID_V31: usize = 23;

/// Checks the packet. Returns `false` if its sender may not send this type, so that the other rules do not apply.
pub(super) fn check(subject: &Subject<'_>, report: &mut Report) -> bool {
    if !may_send(subject) {
        let detail = format!("the {} sent {}", subject.direction.sender(), subject.kind);
        report.find(Rule::WrongSender, subject.first_byte(), detail);
        return false;
    }
    strings(subject, report);
    match subject.kind {
        PacketType::Connect => connect(subject, report),
        PacketType::Connack => connack(subject, report),
        PacketType::Publish => publish(subject, report),
        PacketType::Puback => acknowledgement(subject, Rule::PubackCode, Context::Puback, report),
        PacketType::Pubrec => acknowledgement(subject, Rule::PubrecCode, Context::Pubrec, report),
        PacketType::Pubrel => acknowledgement(subject, Rule::PubrelCode, Context::Pubrel, report),
        PacketType::Pubcomp => acknowledgement(subject, Rule::PubcompCode, Context::Pubcomp, report),
        PacketType::Subscribe => subscribe(subject, report),
        PacketType::Suback => suback(subject, report),
        PacketType::Unsubscribe => unsubscribe(subject, report),
        PacketType::Unsuback => unsuback(subject, report),
        PacketType::Disconnect => disconnect(subject, report),
        PacketType::Auth => auth(subject, report),
        PacketType::Pingreq | PacketType::Pingresp => {}
    }
    true
}

fn may_send(subject: &Subject<'_>) -> bool {
    match (Direction::of(subject.kind), subject.kind) {
        (Some(direction), _) => subject.is_from_client() == (direction == Direction::ClientToServer),
        // Before MQTT 5, only clients send DISCONNECT.
        (None, PacketType::Disconnect) => {
            subject.is_from_client() || subject.is_v5() || !subject.is_version_known
        }
        (None, _) => true,
    }
}

fn strings(subject: &Subject<'_>, report: &mut Report) {
    for field in &subject.tree.fields {
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

fn connect(subject: &Subject<'_>, report: &mut Report) {
    let tree = subject.tree;
    let has_will = tree.is_set(Name::WillFlag);
    let will_qos = tree.number(Name::WillQos).unwrap_or_default();
    if will_qos == 3 {
        report.find(Rule::WillQos, subject.range(Name::WillQos), "the will's QoS is 3");
    } else if will_qos > 0 && !has_will {
        let detail = format!("the will's QoS is {will_qos}, but the will flag is not set");
        report.find(Rule::WillQosWithoutWill, subject.range(Name::WillQos), detail);
    }
    if tree.is_set(Name::WillRetain) && !has_will {
        let detail = "Will Retain is set, but the will flag is not";
        report.find(Rule::WillRetainWithoutWill, subject.range(Name::WillRetain), detail);
    }
    if !subject.is_v5() && tree.is_set(Name::PasswordFlag) && !tree.is_set(Name::UserNameFlag) {
        let detail = "the password flag is set, but the user name flag is not";
        report.find(Rule::PasswordWithoutUserName, subject.range(Name::PasswordFlag), detail);
    }
    client_id(subject, report);
    authentication_data(subject, report);
    will(subject, report);
}

fn client_id(subject: &Subject<'_>, report: &mut Report) {
    let Some(client_id) = subject.tree.text(Name::ClientIdentifier) else { return };
    let range = subject.range(Name::ClientIdentifier);
    match subject.version {
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
        Version::V311 if client_id.is_empty() && !subject.tree.is_set(Name::CleanStart) => {
            report.find(Rule::ClientIdEmpty, range, "the client identifier is empty, but Clean Session is 0");
        }
        Version::V311 | Version::V5 => {}
    }
}

fn authentication_data(subject: &Subject<'_>, report: &mut Report) {
    if let Some(data) = subject.property(PropertyId::AuthenticationData)
        && subject.lacks(PropertyId::AuthenticationMethod)
    {
        let detail = "authentication data without an authentication method";
        report.find(Rule::AuthenticationDataAlone, data.range.clone(), detail);
    }
}

fn will(subject: &Subject<'_>, report: &mut Report) {
    if let Some(topic) = subject.tree.text(Name::WillTopic) {
        let range = subject.range(Name::WillTopic);
        not_empty(Name::WillTopic, topic, &range, report);
        if topic.contains(['+', '#']) {
            report.find(Rule::WillTopicWildcard, range, format!("the will's topic is {topic:?}"));
        }
    }
    message_properties(subject, Name::WillPayload, report);
}

/// Checks the properties that PUBLISH and a will share.
fn message_properties(subject: &Subject<'_>, payload: Name, report: &mut Report) {
    if let Some(topic) = subject.property_text(PropertyId::ResponseTopic) {
        let name = Name::Property(PropertyId::ResponseTopic);
        let range = subject.range(name);
        not_empty(name, topic, &range, report);
        if topic.contains(['+', '#']) {
            report.find(Rule::ResponseTopicWildcard, range, format!("the response topic is {topic:?}"));
        }
    }
    if subject.property_number(PropertyId::PayloadFormatIndicator) == Some(1) {
        payload_format(subject, payload, report);
    }
}

/// Checks a payload that was captured completely.
fn payload_format(subject: &Subject<'_>, payload: Name, report: &mut Report) {
    let raw = subject.packet.raw;
    if !raw.is_complete() {
        return;
    }
    let Some(field) = subject.tree.find(payload) else { return };
    if let Value::Bytes(bytes) = field.value
        && let Err(error) = std::str::from_utf8(bytes)
    {
        let bad = field.range.end - bytes.len() + error.valid_up_to();
        let detail = format!("the payload is invalid UTF-8 at byte {bad}");
        report.find(Rule::PayloadFormat, bad..field.range.end, detail);
    }
}

fn not_empty(name: Name, text: &str, range: &Range<usize>, report: &mut Report) {
    if text.is_empty() {
        report.find(Rule::TopicEmpty, range.clone(), format!("{name} is empty"));
    }
}

fn connack(subject: &Subject<'_>, report: &mut Report) {
    let (name, rule) = (Name::ReasonCode, Rule::ConnackCode);
    let (name, is_known) = match (subject.tree.number(Name::ReturnCode), subject.reason_code()) {
        (Some(code), _) => (Name::ReturnCode, code <= 5),
        (None, code) => (name, code.is_none_or(|code| code.belongs_in(Context::Connack))),
    };
    let code = subject.tree.number(name).unwrap_or_default();
    if !is_known {
        report.find(rule, subject.range(name), format!("CONNACK does not define {name} 0x{code:02x}"));
    } else if code > 0 && subject.tree.is_set(Name::SessionPresent) && subject.version > Version::V31 {
        let detail = format!("Session Present is set, but the {name} is 0x{code:02x}");
        report.find(Rule::SessionPresentRefused, subject.range(Name::SessionPresent), detail);
    }
    authentication_data(subject, report);
}

fn publish(subject: &Subject<'_>, report: &mut Report) {
    let tree = subject.tree;
    let qos = subject.qos();
    if qos == 0 && tree.is_set(Name::Dup) {
        report.find(Rule::DupQos0, subject.first_byte(), "DUP is set, but QoS is 0");
    }
    if qos > 0 {
        packet_id(subject, report);
    }
    if let Some(topic) = tree.text(Name::TopicName) {
        topic_name(subject, topic, report);
    }
    if subject.is_from_client()
        && let Some(field) = subject.property(PropertyId::SubscriptionIdentifier)
    {
        let detail = "the client's PUBLISH has a subscription identifier";
        report.find(Rule::SubscriptionIdentifierFromClient, field.range.clone(), detail);
    }
    if subject.is_v5() {
        message_properties(subject, Name::Payload, report);
    }
}

fn topic_name(subject: &Subject<'_>, topic: &str, report: &mut Report) {
    if memchr::memchr2(b'+', b'#', topic.as_bytes()).is_some() {
        let detail = format!("the topic is {topic:?}");
        report.find(Rule::TopicWildcard, subject.range(Name::TopicName), detail);
    }
    if !topic.is_empty() {
        return;
    }
    let range = subject.range(Name::TopicName);
    if !subject.is_v5() {
        not_empty(Name::TopicName, topic, &range, report);
    } else if subject.lacks(PropertyId::TopicAlias) {
        report.find(Rule::TopicMissing, range, "the topic is empty, and the topic alias is missing");
    }
}

fn packet_id(subject: &Subject<'_>, report: &mut Report) {
    if subject.packet_id() == Some(0) {
        let rule = match subject.direction {
            Direction::ClientToServer => Rule::PacketIdZeroClient,
            Direction::ServerToClient => Rule::PacketIdZeroServer,
        };
        let detail = format!("{} has the packet identifier 0", subject.kind);
        report.find(rule, subject.range(Name::PacketIdentifier), detail);
    }
}

fn acknowledged_id(subject: &Subject<'_>, report: &mut Report) {
    if subject.packet_id() == Some(0) {
        let detail = format!("{} has the packet identifier 0", subject.kind);
        report.find(Rule::AcknowledgedIdZero, subject.range(Name::PacketIdentifier), detail);
    }
}

fn acknowledgement(subject: &Subject<'_>, rule: Rule, context: Context, report: &mut Report) {
    acknowledged_id(subject, report);
    reason_code(subject, rule, context, report);
}

fn reason_code(subject: &Subject<'_>, rule: Rule, context: Context, report: &mut Report) {
    if let Some(code) = subject.reason_code().filter(|_| subject.is_v5())
        && !code.belongs_in(context)
    {
        let detail = format!("{} does not define reason code 0x{:02x}", subject.kind, code.0);
        report.find(rule, subject.range(Name::ReasonCode), detail);
    }
}

fn subscribe(subject: &Subject<'_>, report: &mut Report) {
    packet_id(subject, report);
    let mut filter = None;
    for field in &subject.tree.fields {
        match (field.name, field.value) {
            (Name::TopicFilter, Value::Text(text)) => {
                topic_filter(subject, field, text, report);
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

fn unsubscribe(subject: &Subject<'_>, report: &mut Report) {
    packet_id(subject, report);
    for field in subject.tree.all(Name::FilterToRemove) {
        if let Value::Text(text) = field.value {
            topic_filter(subject, field, text, report);
        }
    }
}

fn topic_filter(subject: &Subject<'_>, field: &Field<'_>, filter: &str, report: &mut Report) {
    not_empty(Name::TopicFilter, filter, &field.range, report);
    let pattern = match (subject.is_v5(), split_share(filter)) {
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
fn shared(field: &Field<'_>, filter: &str, report: &mut Report) {
    let name = filter.strip_prefix("$share/").unwrap_or_default().split('/').next().unwrap_or_default();
    let rule = if name.is_empty() { Rule::ShareShape } else { Rule::ShareName };
    report.find(rule, field.range.clone(), format!("the topic filter is {filter:?}"));
}

fn suback(subject: &Subject<'_>, report: &mut Report) {
    acknowledged_id(subject, report);
    // If the version is unknown, this may be a property length instead of a code.
    if subject.is_version_known {
        codes(subject, Rule::SubackCode, Context::Suback, report);
    }
}

fn unsuback(subject: &Subject<'_>, report: &mut Report) {
    acknowledged_id(subject, report);
    codes(subject, Rule::UnsubackCode, Context::Unsuback, report);
}

fn codes(subject: &Subject<'_>, rule: Rule, context: Context, report: &mut Report) {
    for field in subject.tree.all(Name::FilterReasonCode) {
        let Value::Code(code) = field.value else { continue };
        let is_known = match subject.version {
            // Only 3.1.1 defines a failure code, but servers also send it to 3.1 clients.
            Version::V31 | Version::V311 => matches!(code, 0..=2 | 0x80),
            Version::V5 => ReasonCode(code).belongs_in(context),
        };
        if !is_known {
            let detail = format!("{} does not define code 0x{code:02x}", subject.kind);
            report.find(rule, field.range.clone(), detail);
        }
    }
}

fn disconnect(subject: &Subject<'_>, report: &mut Report) {
    if !subject.is_v5() {
        return;
    }
    reason_code(subject, Rule::DisconnectCode, Context::Disconnect, report);
    if let Some(code) = subject.reason_code()
        && code.belongs_in(Context::Disconnect)
        && !may_say(subject.is_from_client(), code)
    {
        let name = code.name_in(Context::Disconnect).unwrap_or_default();
        let detail = format!("the {} sent {name} (0x{:02x})", subject.direction.sender(), code.0);
        report.find(Rule::DisconnectCode, subject.range(Name::ReasonCode), detail);
    }
    if !subject.is_from_client()
        && let Some(field) = subject.property(PropertyId::SessionExpiryInterval)
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

fn auth(subject: &Subject<'_>, report: &mut Report) {
    let is_allowed = |code| match code {
        ReasonCode::CONTINUE_AUTHENTICATION => true,
        ReasonCode::RE_AUTHENTICATE => subject.is_from_client(),
        ReasonCode::SUCCESS => !subject.is_from_client(),
        _ => false,
    };
    if let Some(code) = subject.reason_code().filter(|code| !is_allowed(*code)) {
        let detail = format!("the {} sent {code}", subject.direction.sender());
        report.find(Rule::AuthCode, subject.range(Name::ReasonCode), detail);
    }
    // An AUTH with Remaining Length 0 means success, and holds no method.
    let is_short = subject.tree.find(Name::ReasonCode).is_none();
    if subject.lacks(PropertyId::AuthenticationMethod) && !is_short {
        report.find(Rule::AuthenticationMethodMissing, subject.whole(), "missing authentication method");
    }
    authentication_data(subject, report);
}
