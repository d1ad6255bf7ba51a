//! The roles of a client: publisher, subscriber, requester, responder, or idle.

mod event_context;
mod publisher;
mod requester;
mod responder;
mod subscriber;

use super::client_slot::{ClientSlot, Task};
use super::context::Measurements;
use super::error::ClientError;
use super::plan::Plan;
use super::record::Stage;
use crate::protocol::session::Session;
use crate::protocol::sn::client::Rejections;
use crate::protocol::{Publish, Qos, ReasonCode};
pub(super) use event_context::{EventContext, InFlight};
use publisher::Publisher;
use requester::Requester;
use responder::Responder;
use subscriber::Subscriber;

/// The role of a client.
pub(super) enum Role {
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
    pub(super) fn new(plan: &Plan, measurements: &Measurements, slot: ClientSlot) -> Role {
        match slot.task {
            Task::Publish => Role::Publisher(Box::new(Publisher::new(plan, slot))),
            Task::Subscribe => Role::Subscriber(Subscriber::new(plan, measurements, slot)),
            Task::Request => Role::Requester(Box::new(Requester::new(plan, slot))),
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

    /// Whether the broker has granted its subscription.
    pub(super) fn is_subscribed(&self) -> bool {
        match self {
            Role::Subscriber(subscriber) => subscriber.is_subscribed,
            Role::Requester(requester) => requester.is_subscribed,
            Role::Responder(responder) => responder.is_subscribed,
            Role::Publisher(_) | Role::Idle => false,
        }
    }

    /// Its topic filter and requested QoS.
    pub(super) fn subscription(&self, plan: &Plan, slot: ClientSlot) -> Option<(String, Qos)> {
        let group = plan.group(slot);
        match self {
            Role::Publisher(_) | Role::Idle => None,
            Role::Subscriber(_) => Some((group.filter(slot.number), group.subscription_qos)),
            Role::Responder(_) => Some((group.topics.filter(slot.number), group.qos)),
            Role::Requester(_) => Some((requester::answer_topic(plan, slot), group.qos)),
        }
    }

    /// Takes a message that arrived.
    pub(super) fn message(&mut self, context: &EventContext<'_>, publish: &Publish<'_>) {
        match self {
            Role::Subscriber(subscriber) => subscriber.message(context, publish),
            Role::Requester(requester) => requester.message(context, publish),
            Role::Responder(responder) => responder.message(context, publish),
            Role::Publisher(_) | Role::Idle => context.measurements.record.borrow_mut().foreign += 1,
        }
    }

    /// Takes the last acknowledgement of a message.
    pub(super) fn acknowledged(
        &mut self,
        context: &EventContext<'_>,
        message: InFlight,
        reason_code: ReasonCode,
    ) {
        if let Some(publisher) = self.publisher() {
            publisher.acknowledged(context, message, reason_code);
        } else if reason_code.is_error() {
            let (peer, reason) = context.plan.broker.rejection(reason_code);
            let text = format!("the {peer} rejected an answer: {reason}");
            context.measurements.record.borrow_mut().errors.add(Stage::Run, text, 1);
        }
    }

    /// Takes the messages of QoS 0 that an MQTT-SN gateway rejected.
    pub(super) fn rejected(&mut self, context: &EventContext<'_>, rejections: Rejections) {
        if let Some(publisher) = self.publisher() {
            publisher.rejected(context, rejections);
        } else {
            let text = format!("the gateway rejected an answer: {}", rejections.return_code);
            let count = rejections.count.into();
            context.measurements.record.borrow_mut().errors.add(Stage::Run, text, count);
        }
    }

    /// Records the messages that a batch of packets counted.
    pub(super) fn end_batch(&mut self, context: &EventContext<'_>) {
        if let Some((batch, publisher)) = context.measurements.acknowledged.take().zip(self.publisher()) {
            publisher.note_acknowledged(context, batch);
        }
        if let Some(batch) = context.measurements.received.take() {
            context.note_arrivals(&mut context.measurements.record.borrow_mut(), batch);
        }
    }

    /// Handles the reason code of SUBACK.
    pub(super) fn subscribed(
        &mut self,
        context: &EventContext<'_>,
        granted: ReasonCode,
    ) -> Result<(), ClientError> {
        if granted.is_error() {
            let (peer, reason) = context.plan.broker.rejection(granted);
            return Err(ClientError::SubscriptionRejected { peer, reason });
        }
        let asked = self.subscription(context.plan, context.slot).map(|(_, qos)| qos);
        let is_subscribed = match self {
            Role::Subscriber(subscriber) => &mut subscriber.is_subscribed,
            Role::Requester(requester) => &mut requester.is_subscribed,
            Role::Responder(responder) => &mut responder.is_subscribed,
            Role::Publisher(_) | Role::Idle => return Ok(()),
        };
        if !std::mem::replace(is_subscribed, true) {
            if let Some((asked, granted)) = asked.zip(Qos::from_u8(granted.0)) {
                context.measurements.gauges.note_granted(asked, granted);
            }
            context.measurements.record.borrow_mut().subscribed += 1;
            context.measurements.gauges.subscribed.add(1);
        }
        Ok(())
    }

    /// Answers the requests of a batch.
    pub(super) fn answer(
        &mut self,
        context: &EventContext<'_>,
        session: &mut Session<InFlight>,
        output: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        match self {
            Role::Responder(responder) => responder.answer(context, session, output),
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
    pub(super) fn submit(
        &mut self,
        context: &EventContext<'_>,
        unsent_bytes: u64,
        unacknowledged: Vec<u64>,
        is_whole: bool,
    ) {
        match self {
            Role::Publisher(publisher) => publisher.submit(context, unsent_bytes, unacknowledged),
            Role::Subscriber(subscriber) => subscriber.submit(context, is_whole),
            Role::Requester(requester) => {
                requester.publisher.submit(context, unsent_bytes, unacknowledged);
                requester.submit(context, is_whole);
            }
            Role::Responder(_) | Role::Idle => {}
        }
    }
}
