//! Limits that the other side stated in CONNECT and CONNACK of MQTT 5, and packets that exceed them.

use super::CaptureCoverage;
use super::packet_context::PacketContext;
use super::report::FindingList;
use crate::inspect::tracker::negotiated::{Connack, Connect};
use crate::inspect::{Direction, Name, Rule, Value};
use crate::protocol::topic::split_share;
use crate::protocol::{PacketType, PropertyId};

/// Checks the packet against the limits.
pub(super) fn check(context: &PacketContext<'_>, coverage: CaptureCoverage, report: &mut FindingList) {
    let negotiation = &context.packet.tracker.negotiation;
    packet_size(context, report);
    if context.kind == PacketType::Publish {
        alias(context, coverage, report);
    }
    match (context.direction, &negotiation.connack, &negotiation.connect) {
        (Direction::ClientToServer, Some(connack), _) => client(context, connack, report),
        (Direction::ServerToClient, connack, Some(connect)) => {
            server(context, connect, report);
            if let Some(connack) = connack.as_ref().filter(|_| context.kind == PacketType::Connack) {
                will(context, connect, connack, report);
            }
        }
        (Direction::ClientToServer | Direction::ServerToClient, _, _) => {}
    }
}

fn packet_size(context: &PacketContext<'_>, report: &mut FindingList) {
    let limits = context.packet.tracker.negotiation.limits(context.direction);
    let Some(maximum) = limits.and_then(|limits| limits.maximum_packet_size) else { return };
    let length = context.packet.raw.length;
    if length as u64 <= u64::from(maximum) {
        return;
    }
    let (rule, receiver) = match context.direction {
        Direction::ClientToServer => (Rule::PacketTooLargeClient, "server"),
        Direction::ServerToClient => (Rule::PacketTooLargeServer, "client"),
    };
    let avoidable: Vec<String> = [PropertyId::ReasonString, PropertyId::UserProperty]
        .into_iter()
        .filter(|id| context.kind != PacketType::Publish && context.property(*id).is_some())
        .map(|id| Name::Property(id).to_string())
        .collect();
    let hint = if avoidable.is_empty() {
        String::new()
    } else {
        format!("; leave out its {}", avoidable.join(" and "))
    };
    let detail = format!("the packet has {length} bytes, but the {receiver} accepts {maximum}{hint}");
    report.find(rule, context.whole(), detail);
}

fn alias(context: &PacketContext<'_>, coverage: CaptureCoverage, report: &mut FindingList) {
    let Some(field) = context.property(PropertyId::TopicAlias) else { return };
    let Value::Number(alias @ 1..) = field.value else { return };
    let tracker = context.packet.tracker;
    if let Some(limits) = tracker.negotiation.limits(context.direction)
        && alias > limits.topic_alias_maximum.into()
    {
        let rule = match (context.direction, limits.topic_alias_maximum) {
            (Direction::ClientToServer, 0) => Rule::AliasUnavailableClient,
            (Direction::ClientToServer, _) => Rule::AliasAboveMaximumClient,
            (Direction::ServerToClient, 0) => Rule::AliasUnavailableServer,
            (Direction::ServerToClient, _) => Rule::AliasAboveMaximumServer,
        };
        let maximum = limits.topic_alias_maximum;
        let detail = format!("the topic alias is {alias}, but the Topic Alias Maximum is {maximum}");
        return report.find(rule, field.range.clone(), detail);
    }
    let is_known = context.topic().is_some() || tracker.misses_aliases(context.direction);
    if !is_known && coverage.beginning {
        let detail = format!("unknown topic alias {alias}");
        report.find(Rule::AliasUnknown, field.range.clone(), detail);
    }
}

/// Checks a client's packet against CONNACK.
fn client(context: &PacketContext<'_>, connack: &Connack, report: &mut FindingList) {
    match context.kind {
        PacketType::Publish => publish(context, connack, report),
        PacketType::Subscribe => subscribe(context, connack, report),
        _ => {}
    }
}

fn publish(context: &PacketContext<'_>, connack: &Connack, report: &mut FindingList) {
    // QoS 3 breaks another rule.
    if context.qos() < 3 && context.qos() > connack.maximum_qos.into() {
        let detail = format!(
            "the message has QoS {}, but the server's Maximum QoS is {}",
            context.qos(),
            connack.maximum_qos
        );
        report.find(Rule::QosTooHigh, context.first_byte(), detail);
    }
    if !connack.retain_available && context.tree.is_set(Name::Retain) {
        report.find(Rule::RetainUnavailable, context.first_byte(), "RETAIN is set");
    }
}

fn subscribe(context: &PacketContext<'_>, connack: &Connack, report: &mut FindingList) {
    for field in context.tree.all(Name::TopicFilter) {
        let Value::Text(filter) = field.value else { continue };
        if !connack.wildcards_available && filter.contains(['+', '#']) {
            report.find(Rule::WildcardsUnavailable, field.range.clone(), format!("{filter:?}"));
        }
        if !connack.shared_subscriptions_available && split_share(filter).is_ok_and(|share| share.is_some()) {
            report.find(Rule::SharedUnavailable, field.range.clone(), format!("{filter:?}"));
        }
    }
    if let Some(field) = context.property(PropertyId::SubscriptionIdentifier)
        && !connack.subscription_identifiers_available
    {
        let detail = "SUBSCRIBE has a subscription identifier";
        report.find(Rule::SubscriptionIdentifiersUnavailable, field.range.clone(), detail);
    }
}

/// Checks a server's packet against the requests in CONNECT.
fn server(context: &PacketContext<'_>, connect: &Connect, report: &mut FindingList) {
    let may_explain =
        matches!(context.kind, PacketType::Publish | PacketType::Connack | PacketType::Disconnect);
    if !connect.wants_problem_information && !may_explain {
        let unwanted = [PropertyId::ReasonString, PropertyId::UserProperty];
        if let Some(field) = unwanted.into_iter().find_map(|id| context.property(id)) {
            let detail = format!("{} has a {}", context.kind, field.name);
            report.find(Rule::ProblemInformationUnwanted, field.range.clone(), detail);
        }
    }
    if let Some(field) = context.property(PropertyId::ResponseInformation)
        && !connect.wants_response_information
    {
        let detail = "Request Response Information was not 1";
        report.find(Rule::ResponseInformationUnwanted, field.range.clone(), detail);
    }
}

/// Reports a will that the server accepted but cannot publish as requested.
fn will(context: &PacketContext<'_>, connect: &Connect, connack: &Connack, report: &mut FindingList) {
    if !connack.is_accepted {
        return;
    }
    if let Some(qos) = connect.will_qos.filter(|qos| *qos > connack.maximum_qos) {
        let detail = format!("the will's QoS is {qos}, but the Maximum QoS is {}", connack.maximum_qos);
        report.find(Rule::WillQosTooHigh, context.whole(), detail);
    }
    if connect.will_retain && !connack.retain_available {
        report.find(Rule::WillRetainUnavailable, context.whole(), "Will Retain is set");
    }
}
