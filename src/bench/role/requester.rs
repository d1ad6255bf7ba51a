//! Publishes requests, and receives an answer to each on a topic of its own. The payload comes back unchanged: its
//! header identifies the request and its send time. In MQTT 5 the correlation data identifies the request, too.

use super::{Publisher, Scene};
use crate::bench::payload_header::PayloadHeader;
use crate::bench::plan::ClientSlot;
use crate::bench::record::{Arrival, Received};
use crate::bench::worker::Shared;
use crate::protocol::{PropertyId, PropertyValue, Publish};

pub(in crate::bench) struct Requester {
    pub(super) publisher: Publisher,
    pub(super) is_subscribed: bool,
    pub(super) received: Received,
}

/// The topic of the answers to one requester.
pub(super) fn answer_topic(shared: &Shared, slot: ClientSlot) -> String {
    answer_topic_of(shared, shared.plan.group(slot).first_publisher + slot.number)
}

/// The topic of the answers to the requester with this number among all groups.
pub(super) fn answer_topic_of(shared: &Shared, publisher: u32) -> String {
    format!("mq-bench/{}/answers/{publisher}", shared.plan.run)
}

impl Requester {
    pub(super) fn new(shared: &Shared, slot: ClientSlot) -> Requester {
        let mut properties = shared.plan.broker.properties.publish.clone();
        if shared.plan.broker.version.is_v5() {
            let topic = answer_topic(shared, slot);
            let number = (shared.plan.group(slot).first_publisher + slot.number).to_be_bytes();
            let pushed = properties
                .push(PropertyId::ResponseTopic, PropertyValue::Text(&topic))
                .and_then(|()| properties.push(PropertyId::CorrelationData, PropertyValue::Binary(&number)));
            debug_assert!(pushed.is_ok(), "both are short");
        }
        let publisher = Publisher::new(shared, slot).with_properties(properties);
        Requester { publisher, is_subscribed: false, received: Received::default() }
    }

    pub(super) fn message(&mut self, scene: &Scene<'_>, publish: &Publish<'_>) {
        let group = scene.group();
        let is_planned = group.open_loop.is_some();
        let number = group.first_publisher + scene.slot.number;
        let header = PayloadHeader::read(publish.payload, is_planned);
        let header = header.filter(|header| {
            header.run == scene.shared.plan.run
                && header.publisher == number
                && is_correlated(publish, number, scene.shared.plan.broker.version.is_v5())
        });
        let record = &mut *scene.shared.record.borrow_mut();
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
        scene.shared.gauges.received.add(1);
        scene.note_arrival(record, &header, is_planned);
    }

    pub(super) fn hand_in(&mut self, scene: &Scene<'_>, is_whole: bool) {
        if is_whole && self.is_subscribed {
            let receiver = scene.group().first_subscriber + scene.slot.number;
            let received = vec![std::mem::take(&mut self.received)];
            scene.shared.record.borrow_mut().received.insert(receiver, received);
        }
    }
}

/// Whether the correlation data came back as it was sent [MQTT-3.3.2-16].
fn is_correlated(publish: &Publish<'_>, number: u32, is_v5: bool) -> bool {
    let data = publish.properties.find(PropertyId::CorrelationData);
    !is_v5 || data == Some(PropertyValue::Binary(&number.to_be_bytes()))
}
