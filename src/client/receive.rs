//! Received packets: each passes through the session, and the application handles the resulting event.

use super::application::{Application, Flow};
use super::authentication::Authenticator;
use super::details::Details;
use super::disconnect::disconnected;
use super::error::Error;
use super::failure::Failure;
use crate::protocol::session::{Acknowledgement, Event, Session, SessionError};
use crate::protocol::{Defect, Disconnect, Mended, Packet, PacketReader, PacketType, ReasonCode};

/// Reads the next packet and passes it to the session; `None` if the rest of the input is incomplete. For all clients, which
/// accept a PUBLISH that breaks rules: `defects` becomes the list of those.
///
/// # Errors
/// If the packet cannot be read, or the server must not send it.
#[inline(always)]
pub(crate) fn next_event<'e, 'a: 'e, M>(
    packets: &mut PacketReader<'a>,
    session: &'e mut Session<M>,
    mended: &'e mut Mended,
    defects: &mut Vec<Defect>,
    output: &mut Vec<u8>,
) -> Result<Option<Event<'e, M>>, Error> {
    let Some(frame) = packets.next_frame()? else { return Ok(None) };
    if let Some(ack) = frame.ack(session.version())? {
        return Ok(Some(session.receive_ack(frame.packet_type, ack, output)?));
    }
    let packet = Packet::decode_tolerantly(frame, session.version(), mended, defects)?;
    Ok(Some(session.receive(packet, output)?))
}

/// The context for handling packets.
pub(super) struct Receiver<'c, 'a, A: Application> {
    pub(super) session: &'c mut Session<A::Message>,
    pub(super) application: &'c mut A,
    pub(super) authenticator: &'c mut Authenticator<'a>,
    pub(super) mended: &'c mut Mended,
    pub(super) defects: &'c mut Vec<Defect>,
    /// Answers to the packets, which are sent when the application has made the messages safe.
    pub(super) held: &'c mut Vec<u8>,
    /// Messages are ignored, neither received nor acknowledged.
    pub(super) is_draining: &'c mut bool,
    /// The number of messages that were received, and of sent ones that were settled.
    pub(super) moved_messages: &'c mut u64,
}

impl<A: Application> Receiver<'_, '_, A> {
    /// Handles packets until the application is finished or the next packet is incomplete.
    pub(super) fn receive(&mut self, packets: &mut PacketReader<'_>) -> Result<Flow, Failure<A::Error>> {
        let mut flow = Flow::Continue;
        while flow != Flow::Finish {
            let event = next_event(packets, self.session, self.mended, self.defects, self.held)?;
            let Some(event) = event else { break };
            let is_message = matches!(event, Event::Message { .. } | Event::Published { .. });
            let acknowledgement;
            (flow, acknowledgement) = match event {
                Event::Message { .. } if *self.is_draining => (Flow::Continue, Acknowledgement::None),
                Event::Message { publish, acknowledgement } => {
                    match self.application.message(&publish, self.defects).map_err(Failure::Application)? {
                        Flow::Leave => (Flow::Leave, Acknowledgement::None),
                        flow => (flow, acknowledgement),
                    }
                }
                other => (handle(other, self.application, self.authenticator)?, Acknowledgement::None),
            };
            self.session.acknowledge(acknowledgement, ReasonCode::SUCCESS, self.held);
            *self.moved_messages += u64::from(is_message);
            *self.is_draining |= matches!(flow, Flow::Drain | Flow::Leave);
        }
        Ok(flow)
    }
}

/// Handles an event other than a message.
fn handle<A: Application>(
    event: Event<'_, A::Message>,
    application: &mut A,
    authenticator: &mut Authenticator<'_>,
) -> Result<Flow, Failure<A::Error>> {
    let flow = match event {
        Event::Published { packet_id, reason_code, properties, message } => {
            application.published(packet_id, message, reason_code, properties)
        }
        Event::Subscribed(ack) => application.subscribed(&ack),
        Event::Unsubscribed(ack) => application.unsubscribed(&ack),
        Event::Auth(auth) => {
            authenticator.receive(&auth)?;
            Ok(Flow::Continue)
        }
        Event::Disconnect(disconnect) => return Err(ended_by(&disconnect, authenticator).into()),
        Event::Nothing | Event::Pingresp | Event::Message { .. } => Ok(Flow::Continue),
        // The session of a client refuses them.
        Event::Subscribe(_) => return Err(SessionError::Unexpected(PacketType::Subscribe).into()),
        Event::Unsubscribe(_) => return Err(SessionError::Unexpected(PacketType::Unsubscribe).into()),
    };
    flow.map_err(Failure::Application)
}

/// Interprets the server's DISCONNECT.
fn ended_by(disconnect: &Disconnect<'_>, authenticator: &Authenticator<'_>) -> Error {
    match authenticator.refusal(disconnect, Details::of(disconnect.properties)) {
        Some(refusal) => refusal.into(),
        None => disconnected(disconnect),
    }
}
