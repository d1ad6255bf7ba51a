//! Rules for delivered messages: each needs a subscription, and that subscription's QoS, RETAIN and identifiers.

use super::packet_context::Subject;
use super::report::Report;
use super::subscriptions::{Budget, Subscriptions, Verdict, Wish};
use super::{LONG, Premises};
use crate::inspect::tracker::Agreement;
use crate::inspect::{Name, Rule, Value};
use crate::protocol::{PacketType, PropertyId};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Maximum number of SUBSCRIBEs without SUBACK to remember.
const MAX_PENDING: usize = 1024;

/// A connection's subscriptions, granted and requested.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    subscriptions: Subscriptions,
    /// By packet identifier: each filter's number and the requested QoS.
    pending: HashMap<u16, Vec<(Option<usize>, u8)>, RandomState>,
}

impl Delivery {
    pub(super) fn check(
        &mut self,
        subject: &Subject<'_>,
        agreement: &Agreement,
        premises: Premises,
        budget: &mut Budget,
        report: &mut Report,
    ) {
        match subject.kind {
            PacketType::Subscribe => self.subscribe(subject, budget),
            PacketType::Suback => self.suback(subject, report),
            PacketType::Publish if !subject.is_from_client() => {
                let is_session_new = agreement.is_session_new() == Some(true);
                if is_session_new && premises.is_complete() && !self.subscriptions.misses_some {
                    self.publish(subject, agreement, report);
                }
            }
            _ => {}
        }
    }

    /// A SUBSCRIBE or a SUBACK may have been lost.
    pub(super) fn lose_track(&mut self) {
        self.subscriptions.misses_some = true;
        self.pending.clear();
    }

    pub(super) fn give_back(&mut self, budget: &mut Budget) {
        self.subscriptions.give_back(budget);
    }

    fn subscribe(&mut self, subject: &Subject<'_>, budget: &mut Budget) {
        let identifier = subject.property_number(PropertyId::SubscriptionIdentifier);
        if let Some(identifier) = identifier {
            self.subscriptions.add_identifier(identifier);
        }
        let mut asked = Vec::new();
        for (index, field) in subject.tree.fields.iter().enumerate() {
            if field.name == Name::Subscription {
                let (filter, wish) = wish(subject, index, identifier.is_some());
                let number = filter.and_then(|filter| self.subscriptions.ask(filter, wish, budget));
                asked.push((number, wish.qos));
            }
        }
        if let Some(packet_id) = subject.packet_id()
            && self.pending.len() < MAX_PENDING
        {
            self.pending.insert(packet_id, asked);
        }
    }

    fn suback(&mut self, subject: &Subject<'_>, report: &mut Report) {
        let Some(asked) = subject.packet_id().and_then(|packet_id| self.pending.remove(&packet_id)) else {
            return;
        };
        for ((number, asked), field) in asked.into_iter().zip(subject.tree.all(Name::FilterReasonCode)) {
            let Value::Code(code) = field.value else { continue };
            let granted = Some(code).filter(|code| *code <= 2);
            if let Some(granted) = granted.filter(|granted| *granted > asked) {
                let detail = format!("the server granted QoS {granted} for a requested QoS {asked}");
                report.find(Rule::GrantedQos, field.range.clone(), detail);
            }
            if let Some(number) = number {
                self.subscriptions.grant(number, granted);
            }
        }
    }

    fn publish(&mut self, subject: &Subject<'_>, agreement: &Agreement, report: &mut Report) {
        let Some(topic) = subject.topic() else { return };
        let verdict = self.subscriptions.verdict(topic);
        let range = subject.range(Name::TopicName);
        if !verdict.is_match {
            let rule = match verdict.is_match_but_for_dollar {
                true => Rule::DeliveredDollar,
                false => Rule::DeliveredUnsubscribed,
            };
            return report.find(
                rule,
                range,
                format!("the topic {topic:?} matches no topic filter of this connection"),
            );
        }
        if subject.qos() > verdict.qos.into() {
            let detail =
                format!("the message has QoS {}, but the server granted QoS {}", subject.qos(), verdict.qos);
            report.find(Rule::DeliveredQos, subject.first_byte(), detail);
        }
        let is_bridge = agreement.connect.as_ref().is_some_and(|connect| connect.is_bridge);
        if subject.tree.is_set(Name::Retain) && !verdict.retain_as_published && !is_bridge {
            retain(subject, verdict, report);
        }
        if subject.is_v5() {
            self.identifiers(subject, verdict, report);
        }
    }

    fn identifiers(&self, subject: &Subject<'_>, verdict: Verdict, report: &mut Report) {
        let mut has_some = false;
        for field in subject.tree.all(Name::Property(PropertyId::SubscriptionIdentifier)) {
            has_some = true;
            if let Value::Number(identifier) = field.value
                && !self.subscriptions.has_identifier(identifier)
            {
                let detail = format!("no subscription has the identifier {identifier}");
                report.find(Rule::SubscriptionIdentifierUnknown, field.range.clone(), detail);
            }
        }
        if !has_some && !verdict.lacks_identifier {
            let detail =
                "the message has no subscription identifier, but all matching subscriptions have one";
            report.find(Rule::SubscriptionIdentifierMissing, subject.whole(), detail);
        }
    }
}

/// Checks RETAIN in a message that no subscription wants with RETAIN as published.
fn retain(subject: &Subject<'_>, verdict: Verdict, report: &mut Report) {
    let since = subject.time().zip(verdict.at).map(|(now, then)| now.saturating_sub(then));
    if let Some(since) = since.filter(|since| *since > LONG) {
        let seconds = since / super::SECOND;
        let detail = format!("RETAIN is set {seconds} s after the last subscription");
        report.find(Rule::RetainForwarded, subject.first_byte(), detail);
    } else if !verdict.wants_retained {
        let detail = "RETAIN is set, but Retain Handling is 2";
        report.find(Rule::RetainHandlingIgnored, subject.first_byte(), detail);
    }
}

/// The topic filter and options of one subscription.
fn wish<'p>(subject: &Subject<'p>, group: usize, has_identifier: bool) -> (Option<&'p str>, Wish) {
    let mut filter = None;
    let mut wish =
        Wish { qos: 0, has_identifier, retain_as_published: false, wants_retained: true, at: subject.time() };
    let tree: &'p crate::inspect::field::Tree<'p> = subject.tree;
    for field in tree.inside(group) {
        match (field.name, field.value) {
            (Name::TopicFilter, Value::Text(text)) => filter = Some(text),
            (Name::MaximumQos, Value::Number(qos)) => wish.qos = qos as u8,
            (Name::RetainAsPublished, Value::Flag(is_set)) => wish.retain_as_published = is_set,
            (Name::RetainHandling, Value::Number(handling)) => wish.wants_retained = handling < 2,
            _ => {}
        }
    }
    (filter, wish)
}
