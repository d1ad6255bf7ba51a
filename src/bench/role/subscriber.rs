//! Receives published messages, and checks off every one.

use super::Scene;
use crate::bench::payload_header::PayloadHeader;
use crate::bench::plan::ClientSlot;
use crate::bench::record::{Arrival, Received};
use crate::bench::worker::{Pool, Shared};
use crate::protocol::Publish;
use std::rc::Rc;

pub(in crate::bench) struct Subscriber {
    /// Its receiver number in its group's account.
    receiver: u32,
    pub(super) is_subscribed: bool,
    /// The messages received from each of its publishers.
    pool: Rc<Pool>,
}

impl Subscriber {
    pub(super) fn new(shared: &Shared, slot: ClientSlot) -> Subscriber {
        let group = shared.plan.group(slot);
        let receiver = group.receiver(slot.number);
        let pool = || {
            let publishers = if group.filter.is_some() { 0 } else { group.topics.fan_in(receiver) };
            let pool = Pool::default();
            pool.received.replace(vec![Received::default(); publishers as usize]);
            Rc::new(pool)
        };
        let pool = match group.share {
            Some(_) => shared.pools.borrow_mut().entry(slot.group).or_insert_with(pool).clone(),
            None => pool(),
        };
        Subscriber { receiver, is_subscribed: false, pool }
    }

    pub(super) fn message(&mut self, scene: &Scene<'_>, publish: &Publish<'_>) {
        if scene.group().filter.is_some() {
            return self.note_others(scene, publish);
        }
        let plan = &scene.shared.plan;
        let group = scene.group();
        let header = PayloadHeader::read(publish.payload, group.open_loop.is_some());
        let header = header.filter(|header| header.run == plan.run);
        let index = header.and_then(|header| {
            let publisher = header.publisher.checked_sub(group.first_publisher)?;
            group.topics.index_of(publisher, self.receiver)
        });
        let received = &mut *self.pool.received.borrow_mut();
        let received = index.and_then(|index| received.get_mut(index));
        let record = &mut *scene.shared.record.borrow_mut();
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
        scene.shared.gauges.received.add(1);
        scene.note_arrival(record, &header, group.open_loop.is_some());
    }

    /// Counts messages of other groups or programs. Headers of another group of this run give the latency.
    fn note_others(&self, scene: &Scene<'_>, publish: &Publish<'_>) {
        let plan = &scene.shared.plan;
        let record = &mut *scene.shared.record.borrow_mut();
        record.deliveries += 1;
        scene.shared.gauges.received.add(1);
        let header = PayloadHeader::read(publish.payload, false).filter(|header| header.run == plan.run);
        let sender = header.and_then(|header| plan.group_of_publisher(header.publisher));
        let is_planned = sender.is_some_and(|(group, _)| group.open_loop.is_some());
        let header = sender.and_then(|_| PayloadHeader::read(publish.payload, is_planned));
        match header {
            Some(header) => scene.note_arrival(record, &header, is_planned),
            None if scene.now < scene.shared.measured_from() => record.warm_up.received += 1,
            None => {
                record.receiving.note(scene.now);
                record.timeline.at(scene.now).received += 1;
            }
        }
    }

    /// Messages missed from now on until the next arrival belong to the gap.
    pub(super) fn dropped(&mut self) {
        self.pool.received.borrow_mut().iter_mut().for_each(Received::begin_gap);
    }

    pub(super) fn hand_in(&mut self, scene: &Scene<'_>, is_whole: bool) {
        let group = scene.group();
        let is_judged = is_whole && self.is_subscribed && group.filter.is_none();
        if group.share.is_some() {
            // The worker hands in the shared data when the last client is done.
            self.pool.is_broken.set(self.pool.is_broken.get() || !is_judged);
        } else if is_judged {
            let received = self.pool.received.take();
            scene
                .shared
                .record
                .borrow_mut()
                .received
                .insert(group.first_subscriber + self.receiver, received);
        }
    }
}
