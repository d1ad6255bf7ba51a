//! Publishes requests, and receives an answer to each on a topic of its own. The payload comes back unchanged: its
//! header identifies the request and its send time. In MQTT 5 the correlation data identifies the request, too.

use super::event_context::EventContext;
use super::publisher::Publisher;
use crate::bench::client_slot::ClientSlot;
use crate::bench::payload_header::PayloadHeader;
use crate::bench::plan::Plan;
use crate::bench::record::{Arrival, Received};
use crate::protocol::{PropertyId, PropertyValue, Publish};

pub(in crate::bench) struct Requester {
    pub(super) publisher: Publisher,
    pub(super) is_subscribed: bool,
    pub(super) received: Received,
}

pub(super) fn answer_topic(plan: &Plan, slot: ClientSlot) -> String {
    answer_topic_of(plan, plan.group(slot).first_publisher + slot.number)
}

/// The topic of the answers to the requester with this number among all groups.
pub(super) fn answer_topic_of(plan: &Plan, publisher: u32) -> String {
    format!("mq-bench/{}/answers/{publisher}", plan.run)
}

impl Requester {
    pub(super) fn new(plan: &Plan, slot: ClientSlot) -> Requester {
        let mut properties = plan.broker.properties.publish.clone();
        if plan.broker.version.is_v5() {
            let topic = answer_topic(plan, slot);
            let number = (plan.group(slot).first_publisher + slot.number).to_be_bytes();
            let pushed = properties
                .push(PropertyId::ResponseTopic, PropertyValue::Text(&topic))
                .and_then(|()| properties.push(PropertyId::CorrelationData, PropertyValue::Binary(&number)));
            debug_assert!(pushed.is_ok(), "both are short");
        }
        let publisher = Publisher::new(plan, slot).with_properties(properties);
        Requester { publisher, is_subscribed: false, received: Received::default() }
    }

    pub(super) fn message(&mut self, context: &EventContext<'_>, publish: &Publish<'_>) {
        let group = context.group();
        let is_planned = group.open_loop.is_some();
        let number = group.first_publisher + context.slot.number;
        let header = PayloadHeader::read(publish.payload, is_planned);
        let header = header.filter(|header| {
            header.run == context.plan.run
                && header.publisher == number
                && is_correlated(publish, number, context.plan.broker.version.is_v5())
        });
        let record = &mut *context.measurements.record.borrow_mut();
        let Some(header) = header else {
            record.foreign += 1;
            return;
        };
        match self.received.note(header.sequence) {
            Arrival::Duplicate => {
                record.duplicates += 1;
                return;
            }
            Arrival::Reordered => record.reordered += 1,
            Arrival::New => {}
        }
        self.publisher.note_answer();
        record.deliveries += 1;
        context.measurements.gauges.received.add(1);
        context.note_arrival(record, &header, is_planned);
    }

    pub(super) fn submit(&mut self, context: &EventContext<'_>, is_whole: bool) {
        if is_whole && self.is_subscribed {
            let receiver = context.group().first_subscriber + context.slot.number;
            let received = vec![std::mem::take(&mut self.received)];
            context.measurements.record.borrow_mut().received.insert(receiver, received);
        }
    }
}

/// Whether the correlation data came back as it was sent [MQTT-3.3.2-16].
fn is_correlated(publish: &Publish<'_>, number: u32, is_v5: bool) -> bool {
    let data = publish.properties.find(PropertyId::CorrelationData);
    !is_v5 || data == Some(PropertyValue::Binary(&number.to_be_bytes()))
}
