//! Limits that the other side stated in CONNECT and CONNACK of MQTT 5, and packets that exceed them.

use super::Premises;
use super::packet_context::Subject;
use super::report::Report;
use crate::inspect::tracker::negotiated::{Connack, Connect};
use crate::inspect::{Direction, Name, Rule, Value};
use crate::protocol::topic::split_share;
use crate::protocol::{PacketType, PropertyId};

/// Checks the packet against the limits.
pub(super) fn check(subject: &Subject<'_>, premises: Premises, report: &mut Report) {
    let agreement = &subject.packet.tracker.agreement;
    packet_size(subject, report);
    if subject.kind == PacketType::Publish {
        alias(subject, premises, report);
    }
    match (subject.direction, &agreement.connack, &agreement.connect) {
        (Direction::ClientToServer, Some(connack), _) => client(subject, connack, report),
        (Direction::ServerToClient, connack, Some(connect)) => {
            server(subject, connect, report);
            if let Some(connack) = connack.as_ref().filter(|_| subject.kind == PacketType::Connack) {
                will(subject, connect, connack, report);
            }
        }
        (Direction::ClientToServer | Direction::ServerToClient, _, _) => {}
    }
}

fn packet_size(subject: &Subject<'_>, report: &mut Report) {
    let limits = subject.packet.tracker.agreement.limits(subject.direction);
    let Some(maximum) = limits.and_then(|limits| limits.maximum_packet_size) else { return };
    let length = subject.packet.raw.length;
    if length as u64 <= u64::from(maximum) {
        return;
    }
    let rule = match subject.direction {
        Direction::ClientToServer => Rule::PacketTooLargeClient,
        Direction::ServerToClient => Rule::PacketTooLargeServer,
    };
    let avoidable: Vec<String> = [PropertyId::ReasonString, PropertyId::UserProperty]
        .into_iter()
        .filter(|id| subject.kind != PacketType::Publish && subject.property(*id).is_some())
        .map(|id| Name::Property(id).to_string())
        .collect();
    let hint = if avoidable.is_empty() {
        String::new()
    } else {
        format!("; leave out its {}", avoidable.join(" and "))
    };
    let detail = format!("the packet has {length} bytes, but the other side accepts {maximum}{hint}");
    report.find(rule, subject.whole(), detail);
}

fn alias(subject: &Subject<'_>, premises: Premises, report: &mut Report) {
    let Some(field) = subject.property(PropertyId::TopicAlias) else { return };
    let Value::Number(alias @ 1..) = field.value else { return };
    let tracker = subject.packet.tracker;
    if let Some(limits) = tracker.agreement.limits(subject.direction)
        && alias > limits.topic_alias_maximum.into()
    {
        let rule = match (subject.direction, limits.topic_alias_maximum) {
            (Direction::ClientToServer, 0) => Rule::AliasUnavailableClient,
            (Direction::ClientToServer, _) => Rule::AliasAboveMaximumClient,
            (Direction::ServerToClient, 0) => Rule::AliasUnavailableServer,
            (Direction::ServerToClient, _) => Rule::AliasAboveMaximumServer,
        };
        let maximum = limits.topic_alias_maximum;
        let detail = format!("the topic alias is {alias}, but the Topic Alias Maximum is {maximum}");
        return report.find(rule, field.range.clone(), detail);
    }
    let is_known = subject.topic().is_some() || tracker.misses_aliases(subject.direction);
    if !is_known && premises.beginning {
        let detail = format!("unknown topic alias {alias}");
        report.find(Rule::AliasUnknown, field.range.clone(), detail);
    }
}

/// Checks a client's packet against CONNACK.
fn client(subject: &Subject<'_>, connack: &Connack, report: &mut Report) {
    match subject.kind {
        PacketType::Publish => publish(subject, connack, report),
        PacketType::Subscribe => subscribe(subject, connack, report),
        _ => {}
    }
}

fn publish(subject: &Subject<'_>, connack: &Connack, report: &mut Report) {
    // QoS 3 breaks another rule.
    if subject.qos() < 3 && subject.qos() > connack.maximum_qos.into() {
        let detail = format!(
            "the message has QoS {}, but the server's Maximum QoS is {}",
            subject.qos(),
            connack.maximum_qos
        );
        report.find(Rule::QosTooHigh, subject.first_byte(), detail);
    }
    if !connack.retain_available && subject.tree.is_set(Name::Retain) {
        report.find(Rule::RetainUnavailable, subject.first_byte(), "RETAIN is set");
    }
}

fn subscribe(subject: &Subject<'_>, connack: &Connack, report: &mut Report) {
    for field in subject.tree.all(Name::TopicFilter) {
        let Value::Text(filter) = field.value else { continue };
        if !connack.wildcards_available && filter.contains(['+', '#']) {
            report.find(Rule::WildcardsUnavailable, field.range.clone(), format!("{filter:?}"));
        }
        if !connack.shared_subscriptions_available && split_share(filter).is_ok_and(|share| share.is_some()) {
            report.find(Rule::SharedUnavailable, field.range.clone(), format!("{filter:?}"));
        }
    }
    if let Some(field) = subject.property(PropertyId::SubscriptionIdentifier)
        && !connack.subscription_identifiers_available
    {
        let detail = "SUBSCRIBE has a subscription identifier";
        report.find(Rule::SubscriptionIdentifiersUnavailable, field.range.clone(), detail);
    }
}

/// Checks a server's packet against the requests in CONNECT.
fn server(subject: &Subject<'_>, connect: &Connect, report: &mut Report) {
    let may_explain =
        matches!(subject.kind, PacketType::Publish | PacketType::Connack | PacketType::Disconnect);
    if !connect.wants_problem_information && !may_explain {
        let unwanted = [PropertyId::ReasonString, PropertyId::UserProperty];
        if let Some(field) = unwanted.into_iter().find_map(|id| subject.property(id)) {
            let detail = format!("{} has a {}", subject.kind, field.name);
            report.find(Rule::ProblemInformationUnwanted, field.range.clone(), detail);
        }
    }
    if let Some(field) = subject.property(PropertyId::ResponseInformation)
        && !connect.wants_response_information
    {
        let detail = "Request Response Information was not 1";
        report.find(Rule::ResponseInformationUnwanted, field.range.clone(), detail);
    }
}

/// Reports a will that the server accepted but cannot publish as requested.
fn will(subject: &Subject<'_>, connect: &Connect, connack: &Connack, report: &mut Report) {
    if !connack.is_accepted {
        return;
    }
    if let Some(qos) = connect.will_qos.filter(|qos| *qos > connack.maximum_qos) {
        let detail = format!("the will's QoS is {qos}, but the Maximum QoS is {}", connack.maximum_qos);
        report.find(Rule::WillQosTooHigh, subject.whole(), detail);
    }
    if connect.will_retain && !connack.retain_available {
        report.find(Rule::WillRetainUnavailable, subject.whole(), "Will Retain is set");
    }
}
