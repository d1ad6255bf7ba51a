//! Rules for delivered messages: each needs a subscription, and that subscription's QoS, RETAIN and identifiers.

use super::packet_context::PacketContext;
use super::report::FindingList;
use super::subscriptions::{FilterMemory, MatchingOptions, RequestedOptions, Subscriptions};
use super::{ANSWER_TIMEOUT, CaptureCoverage};
use crate::inspect::small_map::SmallMap;
use crate::inspect::timing::SECOND;
use crate::inspect::tracker::Negotiation;
use crate::inspect::{Name, Rule, Value};
use crate::protocol::{PacketType, PropertyId};

/// Maximum number of SUBSCRIBEs without SUBACK to remember.
const MAX_PENDING: usize = 1024;

/// A connection's subscriptions, granted and requested.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// `None` for a client without subscriptions.
    subscriptions: Option<Box<Subscriptions>>,
    /// There may be others.
    misses_some: bool,
    /// By packet identifier: each filter's number and the requested QoS.
    pending: SmallMap<u16, Vec<(Option<usize>, u8)>>,
}

impl Delivery {
    pub(super) fn check(
        &mut self,
        context: &PacketContext<'_>,
        negotiation: &Negotiation,
        coverage: CaptureCoverage,
        budget: &mut FilterMemory,
        report: &mut FindingList,
    ) {
        match context.kind {
            PacketType::Subscribe => self.subscribe(context, budget),
            PacketType::Suback => self.suback(context, report),
            PacketType::Publish if !context.is_from_client() => {
                let is_session_new = negotiation.is_session_new() == Some(true);
                if is_session_new && coverage.is_complete() && !self.misses_some() {
                    self.publish(context, negotiation, report);
                }
            }
            _ => {}
        }
    }

    /// A SUBSCRIBE or a SUBACK may have been lost.
    pub(super) fn lose_track(&mut self) {
        self.misses_some = true;
        self.pending = SmallMap::default();
    }

    pub(super) fn give_back(&mut self, budget: &mut FilterMemory) {
        self.misses_some = true;
        if let Some(subscriptions) = self.subscriptions.take() {
            subscriptions.give_back(budget);
        }
    }

    fn misses_some(&self) -> bool {
        self.misses_some || self.subscriptions.as_ref().is_some_and(|known| known.misses_some)
    }

    fn subscribe(&mut self, context: &PacketContext<'_>, budget: &mut FilterMemory) {
        let identifier = context.property_number(PropertyId::SubscriptionIdentifier);
        let subscriptions = self.subscriptions.get_or_insert_default();
        if let Some(identifier) = identifier {
            subscriptions.add_identifier(identifier);
        }
        let mut requested_qos = Vec::new();
        for (index, field) in context.tree.fields.iter().enumerate() {
            if field.name == Name::Subscription {
                let (filter, requested) = requested(context, index, identifier.is_some());
                let number = filter.and_then(|filter| subscriptions.ask(filter, requested, budget));
                requested_qos.push((number, requested.qos));
            }
        }
        if let Some(packet_id) = context.packet_id()
            && self.pending.len() < MAX_PENDING
        {
            self.pending.insert(packet_id, requested_qos);
        }
    }

    fn suback(&mut self, context: &PacketContext<'_>, report: &mut FindingList) {
        let Some(requested_qos) = context.packet_id().and_then(|packet_id| self.pending.remove(&packet_id))
        else {
            return;
        };
        for ((number, requested_qos), field) in
            requested_qos.into_iter().zip(context.tree.all(Name::FilterReasonCode))
        {
            let Value::Code(code) = field.value else { continue };
            let granted = Some(code).filter(|code| *code <= 2);
            if let Some(granted) = granted.filter(|granted| *granted > requested_qos) {
                let detail = format!("the server granted QoS {granted} for a requested QoS {requested_qos}");
                report.find(Rule::GrantedQos, field.range.clone(), detail);
            }
            if let Some((number, subscriptions)) = number.zip(self.subscriptions.as_mut()) {
                subscriptions.grant(number, granted);
            }
        }
    }

    fn publish(&mut self, context: &PacketContext<'_>, negotiation: &Negotiation, report: &mut FindingList) {
        let Some(topic) = context.topic() else { return };
        let matching = self.subscriptions.get_or_insert_default().matching(topic);
        let range = context.range(Name::TopicName);
        if !matching.is_match {
            let rule = match matching.is_match_but_for_dollar {
                true => Rule::DeliveredDollar,
                false => Rule::DeliveredUnsubscribed,
            };
            return report.find(
                rule,
                range,
                format!("the topic {topic:?} matches no topic filter of this connection"),
            );
        }
        if context.qos() > matching.qos.into() {
            let detail =
                format!("the message has QoS {}, but the server granted QoS {}", context.qos(), matching.qos);
            report.find(Rule::DeliveredQos, context.first_byte(), detail);
        }
        let is_bridge = negotiation.connect.as_ref().is_some_and(|connect| connect.is_bridge);
        if context.tree.is_set(Name::Retain) && !matching.retain_as_published && !is_bridge {
            retain(context, matching, report);
        }
        if context.is_v5() {
            self.identifiers(context, matching, report);
        }
    }

    fn identifiers(&self, context: &PacketContext<'_>, matching: MatchingOptions, report: &mut FindingList) {
        let mut has_some = false;
        for field in context.tree.all(Name::Property(PropertyId::SubscriptionIdentifier)) {
            has_some = true;
            if let Value::Number(identifier) = field.value
                && !self.subscriptions.as_ref().is_some_and(|known| known.has_identifier(identifier))
            {
                let detail = format!("no subscription has the identifier {identifier}");
                report.find(Rule::SubscriptionIdentifierUnknown, field.range.clone(), detail);
            }
        }
        if !has_some && !matching.lacks_identifier {
            let detail =
                "the message has no subscription identifier, but all matching subscriptions have one";
            report.find(Rule::SubscriptionIdentifierMissing, context.whole(), detail);
        }
    }
}

/// Checks RETAIN in a message that no subscription wants with RETAIN as published.
fn retain(context: &PacketContext<'_>, matching: MatchingOptions, report: &mut FindingList) {
    let since = context.time().zip(matching.at).map(|(now, then)| now.saturating_sub(then));
    if let Some(since) = since.filter(|since| *since > ANSWER_TIMEOUT) {
        let seconds = since / SECOND;
        let detail = format!("RETAIN is set {seconds} s after the last subscription");
        report.find(Rule::RetainForwarded, context.first_byte(), detail);
    } else if !matching.wants_retained {
        let detail = "RETAIN is set, but Retain Handling is 2";
        report.find(Rule::RetainHandlingIgnored, context.first_byte(), detail);
    }
}

/// The topic filter and options of one subscription.
fn requested<'p>(
    context: &PacketContext<'p>,
    group: usize,
    has_identifier: bool,
) -> (Option<&'p str>, RequestedOptions) {
    let mut filter = None;
    let mut requested = RequestedOptions {
        qos: 0,
        has_identifier,
        retain_as_published: false,
        wants_retained: true,
        at: context.time(),
    };
    let tree: &'p crate::inspect::field::Tree<'p> = context.tree;
    for field in tree.inside(group) {
        match (field.name, field.value) {
            (Name::TopicFilter, Value::Text(text)) => filter = Some(text),
            (Name::MaximumQos, Value::Number(qos)) => requested.qos = qos as u8,
            (Name::RetainAsPublished, Value::Flag(is_set)) => requested.retain_as_published = is_set,
            (Name::RetainHandling, Value::Number(handling)) => requested.wants_retained = handling < 2,
            _ => {}
        }
    }
    (filter, requested)
}
