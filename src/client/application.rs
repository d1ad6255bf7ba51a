//! The interface between the client loop and a command.

use super::error::Error;
use crate::protocol::session::{Outgoing, PublishError, Session};
use crate::protocol::{Connack, Defect, PacketId, Properties, Publish, ReasonCode, SubscriptionAck};
use crate::transport::{Endpoint, Stream, Tap};
use std::time::Duration;

/// The callbacks of a command.
pub(crate) trait Application {
    /// The state kept for a message until it is settled.
    type Message: Outgoing;
    /// The error of the command, which can also be the client's.
    type Error: From<Error>;

    /// The broker accepted the connection, the first or a later one: subscribe here.
    ///
    /// # Errors
    /// Ends the command.
    fn connected(&mut self, link: &mut Link<'_, Self::Message>) -> Result<(), Self::Error>;

    /// Sends the next message, if there is one.
    ///
    /// # Errors
    /// Ends the command.
    fn send(&mut self, link: &mut Link<'_, Self::Message>) -> Result<Sending, Self::Error>;

    /// Waits until [`Application::send`] may have a packet again, or [`Application::flush`] may make progress. Cancel safe.
    fn ready(&mut self) -> impl Future<Output = ()>;

    /// A message arrived, perhaps with values that its publisher should not have sent.
    ///
    /// # Errors
    /// Ends the command.
    fn message(&mut self, publish: &Publish<'_>, defects: &[Defect]) -> Result<Flow, Self::Error>;

    /// A sent message is settled: delivered, or rejected if the reason code is an error.
    ///
    /// # Errors
    /// Ends the command.
    fn published(
        &mut self,
        packet_id: PacketId,
        message: Self::Message,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) -> Result<Flow, Self::Error>;

    /// The broker lost the session, and with it the state of QoS 2 messages. Those that are not sent again are settled next.
    fn uncertain(&mut self, _: &Uncertain<'_, Self::Message>) {}

    /// The command ends with unacknowledged messages, because it cannot reconnect.
    fn abandoned(&mut self, _unsettled: usize) {}

    /// A gateway of MQTT-SN has not answered DISCONNECT for this time.
    fn disconnect_unanswered(&mut self, _timeout: Duration) {}

    /// A message cannot be sent again on the new connection, which has lower limits than the old one.
    fn unsendable(&mut self, message: Self::Message, error: PublishError);

    /// The server answered a SUBSCRIBE.
    ///
    /// # Errors
    /// Ends the command.
    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Self::Error>;

    /// The server answered an UNSUBSCRIBE.
    ///
    /// # Errors
    /// Ends the command.
    fn unsubscribed(&mut self, _ack: &SubscriptionAck<'_>) -> Result<Flow, Self::Error> {
        Ok(Flow::Continue)
    }

    /// Makes the received messages safe, without waiting; returns whether all of them are. Their acknowledgements are sent
    /// afterwards, and nothing more is read until then.
    ///
    /// # Errors
    /// Ends the command.
    fn flush(&mut self) -> Result<bool, Self::Error>;

    /// Whether messages that arrive fast may be read some 200 µs later, several at a time.
    fn tolerates_delay(&self) -> bool {
        false
    }

    /// The connection was lost; a reconnect follows after a pause.
    fn lost(&mut self, error: &Error, pause: Duration);

    /// No MQTT-SN gateway has answered the search for one yet. The endpoint's timeout ends it.
    fn searching(&mut self, _endpoint: &Endpoint) {}

    /// A connection is open; no packet has been sent yet. The returned tap sees all its bytes.
    fn opened(&mut self, _stream: &Stream) -> Option<Box<dyn Tap>> {
        None
    }

    /// The broker accepted the client, with these limits.
    fn accepted(&mut self, _connack: &Connack<'_>) {}
}

/// The message of an application that publishes nothing.
#[derive(Debug)]
pub(crate) enum NoMessage {}

impl Outgoing for NoMessage {
    fn as_publish(&self) -> Publish<'_> {
        match *self {}
    }
}

/// Whether there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    /// Acknowledge the received messages, then disconnect.
    Finish,
    /// Stop receiving, and disconnect when [`Application::send`] has no more messages and all sent ones are acknowledged.
    Drain,
    /// Stop receiving, without an acknowledgement of this message: it stays in the session, as those that follow.
    Leave,
}

/// The result of [`Application::send`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// A message was sent; ask again.
    Sent,
    /// No packet yet; ask again after [`Application::ready`] or when the session gets quota.
    Waiting,
    /// No more messages: disconnect when all are acknowledged.
    Finished,
}

/// The end of a connection without a failure. `S` is the reason for stopping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End<S> {
    Finished,
    /// The `stop` future resolved first.
    Stopped {
        /// The broker's reason.
        reason: S,
        /// The number of sent messages without acknowledgement.
        unsettled: usize,
        /// Whether the broker had accepted a connection, now or earlier.
        was_connected: bool,
    },
}

/// QoS 2 messages for which exactly-once delivery is unknown.
#[derive(Debug)]
pub(crate) struct Uncertain<'a, M> {
    /// The broker had received them, and they are not sent again: they may be lost.
    pub may_be_lost: Vec<&'a M>,
    /// They are sent again, and the broker may already have received them: they may be delivered twice.
    pub may_be_doubled: Vec<&'a M>,
}

/// The application's interface for sending.
#[derive(Debug)]
pub(crate) struct Link<'a, M> {
    /// The session, which knows the server's limits.
    pub session: &'a mut Session<M>,
    /// The send buffer.
    pub output: &'a mut Vec<u8>,
}
