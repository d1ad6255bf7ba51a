//! The roles of a client: publisher, subscriber, requester, responder, or idle.

mod latency_batch;
mod publisher;
mod requester;
mod responder;
mod subscriber;

use super::error::ClientError;
use super::payload_header::PayloadHeader;
use super::plan::{ClientSlot, Group, Task};
use super::record::{Record, Stage};
use super::worker::Shared;
use crate::protocol::session::Session;
use crate::protocol::{Publish, Qos, ReasonCode};
pub(super) use latency_batch::Tallies;
use latency_batch::Tally;
pub(super) use publisher::Publisher;
use requester::Requester;
use responder::Responder;
use subscriber::Subscriber;

/// The session's data for a QoS 1 or 2 message until its acknowledgement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) sequence: u64,
    pub(super) sent_at: u64,
    /// Equal to `sent_at` without a planned time.
    pub(super) planned_at: u64,
}

/// The client and time of an event.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) shared: &'a Shared,
    pub(super) slot: ClientSlot,
    /// In nanoseconds since the run's start.
    pub(super) now: u64,
}

impl<'a> Scene<'a> {
    pub(super) fn group(&self) -> &'a Group {
        self.shared.plan.group(self.slot)
    }

    /// The QoS of the group's messages.
    fn qos(&self) -> Qos {
        self.shared.qos(self.group())
    }

    /// Records a message that arrived for the first time.
    fn note_arrival(&self, record: &mut Record, header: &PayloadHeader, is_planned: bool) {
        let planned_at = is_planned.then_some(header.planned_at);
        if let Some(tally) = self.shared.arrived.add(header.sent_at, planned_at) {
            self.note_arrivals(record, tally);
        }
    }

    /// Records messages that arrived for the first time, and their latency.
    fn note_arrivals(&self, record: &mut Record, tally: Tally) {
        let Tally { sent_at, planned_at, count } = tally;
        let slot = record.timeline.at(self.now);
        slot.received += count;
        if planned_at.unwrap_or(sent_at) < self.shared.measured_from() {
            record.warm_up.received += count;
            return;
        }
        let since_sent = self.now.saturating_sub(sent_at);
        slot.latency.record_several(self.now.saturating_sub(planned_at.unwrap_or(sent_at)), count);
        self.shared.gauges.slowest.raise(since_sent);
        record.receiving.note(self.now);
        let is_answer = self.slot.task == Task::Request;
        let (sent, planned) = match is_answer {
            true => (&mut record.round_trip, &mut record.round_trip_planned),
            false => (&mut record.end_to_end, &mut record.end_to_end_planned),
        };
        sent.record_several(since_sent, count);
        if let Some(planned_at) = planned_at {
            planned.record_several(self.now.saturating_sub(planned_at), count);
        }
    }
}

/// The role of a client.
pub(super) enum Role {
    /// Publishes.
    Publisher(Box<Publisher>),
    /// Receives published messages.
    Subscriber(Subscriber),
    /// Publishes requests and receives the answers.
    Requester(Box<Requester>),
    /// Answers requests.
    Responder(Box<Responder>),
    /// Stays connected.
    Idle,
}

impl Role {
    pub(super) fn new(shared: &Shared, slot: ClientSlot) -> Role {
        match slot.task {
            Task::Publish => Role::Publisher(Box::new(Publisher::new(shared, slot))),
            Task::Subscribe => Role::Subscriber(Subscriber::new(shared, slot)),
            Task::Request => Role::Requester(Box::new(Requester::new(shared, slot))),
            Task::Respond => Role::Responder(Box::default()),
            Task::Stay => Role::Idle,
        }
    }

    /// The publisher of this role, if it has one.
    pub(super) fn publisher(&mut self) -> Option<&mut Publisher> {
        match self {
            Role::Publisher(publisher) => Some(publisher),
            Role::Requester(requester) => Some(&mut requester.publisher),
            Role::Subscriber(_) | Role::Responder(_) | Role::Idle => None,
        }
    }

    pub(super) fn is_subscriber(&self) -> bool {
        matches!(self, Role::Subscriber(_))
    }

    /// Its topic filter and requested QoS.
    pub(super) fn subscription(&self, shared: &Shared, slot: ClientSlot) -> Option<(String, Qos)> {
        let group = shared.plan.group(slot);
        match self {
            Role::Publisher(_) | Role::Idle => None,
            Role::Subscriber(_) => Some((group.filter(slot.number), group.subscription_qos)),
            Role::Responder(_) => Some((group.topics.filter(slot.number), group.qos)),
            Role::Requester(_) => Some((requester::answer_topic(shared, slot), group.qos)),
        }
    }

    /// Takes a message that arrived.
    pub(super) fn message(&mut self, scene: &Scene<'_>, publish: &Publish<'_>) {
        match self {
            Role::Subscriber(subscriber) => subscriber.message(scene, publish),
            Role::Requester(requester) => requester.message(scene, publish),
            Role::Responder(responder) => responder.message(scene, publish),
            Role::Publisher(_) | Role::Idle => scene.shared.record.borrow_mut().foreign += 1,
        }
    }

    /// Takes the last acknowledgement of a message.
    pub(super) fn settled(&mut self, scene: &Scene<'_>, message: Kept, reason_code: ReasonCode) {
        if let Some(publisher) = self.publisher() {
            publisher.settled(scene, message, reason_code);
        } else if reason_code.is_error() {
            let text = format!("the broker rejected an answer: {reason_code}");
            scene.shared.record.borrow_mut().errors.add(Stage::Run, text, 1);
        }
    }

    /// Records the messages that a batch of packets counted.
    pub(super) fn batch_ended(&mut self, scene: &Scene<'_>) {
        if let Some((tally, publisher)) = scene.shared.settled.take().zip(self.publisher()) {
            publisher.note_settled(scene, tally);
        }
        if let Some(tally) = scene.shared.arrived.take() {
            scene.note_arrivals(&mut scene.shared.record.borrow_mut(), tally);
        }
    }

    /// Handles the reason code of SUBACK.
    pub(super) fn subscribed(&mut self, scene: &Scene<'_>, granted: ReasonCode) -> Result<(), ClientError> {
        if granted.is_error() {
            return Err(ClientError::SubscriptionDenied(granted));
        }
        let asked = self.subscription(scene.shared, scene.slot).map(|(_, qos)| qos);
        let is_subscribed = match self {
            Role::Subscriber(subscriber) => &mut subscriber.is_subscribed,
            Role::Requester(requester) => &mut requester.is_subscribed,
            Role::Responder(responder) => &mut responder.is_subscribed,
            Role::Publisher(_) | Role::Idle => return Ok(()),
        };
        if !std::mem::replace(is_subscribed, true) {
            if let Some((asked, granted)) = asked.zip(Qos::from_u8(granted.0)) {
                scene.shared.gauges.note_granted(asked, granted);
            }
            scene.shared.record.borrow_mut().subscribed += 1;
            scene.shared.gauges.subscribed.add(1);
        }
        Ok(())
    }

    /// Answers the requests of a batch.
    pub(super) fn answer(
        &mut self,
        scene: &Scene<'_>,
        session: &mut Session<Kept>,
        output: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        match self {
            Role::Responder(responder) => responder.answer(scene, session, output),
            Role::Publisher(_) | Role::Subscriber(_) | Role::Requester(_) | Role::Idle => Ok(()),
        }
    }

    /// Handles a dropped connection that will be replaced by a new one.
    pub(super) fn dropped(&mut self, unsent_bytes: u64, unacknowledged: Vec<u64>) {
        if let Some(publisher) = self.publisher() {
            publisher.dropped(unsent_bytes, unacknowledged);
        }
        match self {
            Role::Subscriber(subscriber) => subscriber.dropped(),
            Role::Requester(requester) => requester.received.begin_gap(),
            Role::Publisher(_) | Role::Responder(_) | Role::Idle => {}
        }
    }

    /// Hands the measurements to the worker. Received messages count only if the client stayed to the end.
    pub(super) fn hand_in(
        &mut self,
        scene: &Scene<'_>,
        unsent_bytes: u64,
        unacknowledged: Vec<u64>,
        is_whole: bool,
    ) {
        match self {
            Role::Publisher(publisher) => publisher.hand_in(scene, unsent_bytes, unacknowledged),
            Role::Subscriber(subscriber) => subscriber.hand_in(scene, is_whole),
            Role::Requester(requester) => {
                requester.publisher.hand_in(scene, unsent_bytes, unacknowledged);
                requester.hand_in(scene, is_whole);
            }
            Role::Responder(_) | Role::Idle => {}
        }
    }
}
