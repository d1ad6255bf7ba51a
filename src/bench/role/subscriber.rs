//! Receives published messages, and checks off every one.

use super::event_context::EventContext;
use crate::bench::client_slot::ClientSlot;
use crate::bench::context::{Measurements, ReceiverAccount};
use crate::bench::payload_header::PayloadHeader;
use crate::bench::plan::Plan;
use crate::bench::record::{Arrival, Received};
use crate::protocol::Publish;
use std::rc::Rc;

pub(in crate::bench) struct Subscriber {
    /// Its receiver number in its group's account.
    receiver: u32,
    pub(super) is_subscribed: bool,
    /// The messages received from each of its publishers.
    account: Rc<ReceiverAccount>,
}

impl Subscriber {
    pub(super) fn new(plan: &Plan, measurements: &Measurements, slot: ClientSlot) -> Subscriber {
        let group = plan.group(slot);
        let receiver = group.receiver(slot.number);
        let publishers = if group.filter.is_some() { 0 } else { group.topics.fan_in(receiver) };
        let new = || ReceiverAccount::new(publishers);
        let account =
            if group.share.is_some() { measurements.shared_account(slot.group, new) } else { new() };
        Subscriber { receiver, is_subscribed: false, account }
    }

    pub(super) fn message(&mut self, context: &EventContext<'_>, publish: &Publish<'_>) {
        if context.group().filter.is_some() {
            return self.note_others(context, publish);
        }
        let plan = context.plan;
        let group = context.group();
        let header = PayloadHeader::read(publish.payload, group.open_loop.is_some());
        let header = header.filter(|header| header.run == plan.run);
        let index = header.and_then(|header| {
            let publisher = header.publisher.checked_sub(group.first_publisher)?;
            group.topics.index_of(publisher, self.receiver)
        });
        let received = &mut *self.account.received.borrow_mut();
        let received = index.and_then(|index| received.get_mut(index));
        let record = &mut *context.measurements.record.borrow_mut();
        let Some((header, received)) = header.zip(received) else {
            record.foreign += 1;
            return;
        };
        match received.note(header.sequence) {
            Arrival::Duplicate => {
                record.duplicates += 1;
                return;
            }
            // The members of a shared subscription overtake each other.
            Arrival::Reordered => record.reordered += u64::from(group.share.is_none()),
            Arrival::New => {}
        }
        record.deliveries += 1;
        context.measurements.gauges.received.add(1);
        context.note_arrival(record, &header, group.open_loop.is_some());
    }

    /// Counts messages of other groups or programs. Headers of another group of this run give the latency.
    fn note_others(&self, context: &EventContext<'_>, publish: &Publish<'_>) {
        let plan = context.plan;
        let record = &mut *context.measurements.record.borrow_mut();
        record.deliveries += 1;
        context.measurements.gauges.received.add(1);
        context.measurements.gauges.overheard.add(1);
        let header = PayloadHeader::read(publish.payload, false).filter(|header| header.run == plan.run);
        let sender = header.and_then(|header| plan.group_of_publisher(header.publisher));
        let is_planned = sender.is_some_and(|(group, _)| group.open_loop.is_some());
        let header = sender.and_then(|_| PayloadHeader::read(publish.payload, is_planned));
        match header {
            Some(header) => context.note_arrival(record, &header, is_planned),
            None if context.now < context.control.measured_from() => record.warm_up.received += 1,
            None => {
                if let Some(broker) = context.slot.broker {
                    record.of_broker(broker).without_latency += 1;
                }
                record.receiving.note(context.now);
                record.timeline.at(context.now).received += 1;
            }
        }
    }

    /// Messages missed from now on until the next arrival belong to the gap.
    pub(super) fn dropped(&mut self) {
        self.account.received.borrow_mut().iter_mut().for_each(Received::begin_gap);
    }

    pub(super) fn submit(&mut self, context: &EventContext<'_>, is_whole: bool) {
        let group = context.group();
        let is_complete = is_whole && self.is_subscribed && group.filter.is_none();
        if group.share.is_some() {
            // The worker hands in the shared data when the last client is done.
            self.account.is_incomplete.set(self.account.is_incomplete.get() || !is_complete);
        } else if is_complete {
            let received = self.account.received.take();
            let record = &mut *context.measurements.record.borrow_mut();
            record.received.insert(group.first_subscriber + self.receiver, received);
        }
    }
}
