//! Handles the received packets of one turn.

use super::encode::{check_size, put, put_auth};
use super::ending::Ending;
use super::task::Task;
use super::turns::WORK_PER_TURN;
use crate::broker::Excess;
use crate::broker::client::Client;
use crate::broker::message::Outbound;
use crate::broker::scram::{Authenticator, Denial};
use crate::broker::state::{Shared, State};
use crate::protocol::session::{Event, Session};
use crate::protocol::{
    Auth, AuthViolation, DecodeError, Disconnect, Frame, Packet, PacketReader, PacketType, Problem,
    Properties, PropertyId, Publish, ReasonCode, SizeLimits, Subscribe, SubscriptionAck, Unsubscribe,
    Version,
};
use std::rc::Rc;
use std::time::Instant;

/// The maximum size of packets other than PUBLISH, as the work for them grows with their length.
const MAXIMUM_REQUEST_SIZE: u32 = 1 << 20;

/// A SUBSCRIBE or UNSUBSCRIBE over this size is handled in parts.
const LONG_REQUEST: usize = 4096;

/// The size of PUBACK with a reason code.
const SMALLEST_WITH_REASON: u32 = 5;

/// The number of unsent bytes at which reading stops: the client does not read its answers.
pub(super) const OUTPUT_LIMIT: usize = 1024 * 1024;

/// The maximum of packets from one client per turn; the rest of its input waits.
const PACKETS_PER_TURN: usize = 2048;

impl Task {
    /// Handles complete packets until the client must wait or its turn is over.
    pub(super) fn take_input(&mut self) -> Result<Taken, Ending> {
        let now = Instant::now();
        let mut session = self.client.session.borrow_mut();
        let maximum_size = session.accepts().maximum_packet_size;
        let unsent = self.connection.unsent();
        let (input, output) = self.connection.buffers();
        let full = output.len() + OUTPUT_LIMIT.saturating_sub(unsent);
        let mut packets = PacketReader::new(input, size_limits(maximum_size));
        let mut taken = Taken::default();
        let (shared, client, authenticator) = (&self.shared, &self.client, &mut self.authenticator);
        let work_before = shared.borrow().work;
        let work_limit = work_before + WORK_PER_TURN;
        let mut turn = Turn { shared, client, authenticator, output, now };
        while !self.link.is_paused() && turn.output.len() < full {
            let Some(frame) = packets.peek().map_err(|error| unacceptable(error, maximum_size))? else {
                break;
            };
            if is_long_request(&frame) {
                taken.has_long_request = true;
                break;
            }
            if taken.packets >= PACKETS_PER_TURN || shared.borrow().work >= work_limit {
                taken.is_cut_short = true;
                break;
            }
            packets.advance(&frame);
            taken.packets += 1;
            turn.take(frame, &mut session)?;
        }
        taken.work = shared.borrow().work - work_before;
        let consumed = packets.consumed();
        self.connection.consume(consumed);
        Ok(taken)
    }
}

/// The result of [`Task::take_input`].
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) packets: usize,
    pub(super) work: usize,
    /// There are more complete packets.
    is_cut_short: bool,
    /// The next packet is handled in parts.
    pub(super) has_long_request: bool,
}

impl Taken {
    pub(super) fn has_more(&self) -> bool {
        self.is_cut_short || self.has_long_request
    }
}

/// The maximum sizes of a client's packets.
pub(super) fn size_limits(maximum_size: u32) -> SizeLimits {
    SizeLimits { publish: maximum_size, other: maximum_size.min(MAXIMUM_REQUEST_SIZE) }
}

/// The end after a packet that cannot be read. CONNACK announces only the maximum size of all packets to the client.
fn unacceptable(error: DecodeError, maximum_size: u32) -> Ending {
    match error.problem {
        Problem::PacketTooLarge { size, .. } if size <= maximum_size as usize => {
            Ending::quota_exceeded(Excess::RequestSize(MAXIMUM_REQUEST_SIZE), error.to_string())
        }
        _ => error.into(),
    }
}

fn is_long_request(frame: &Frame<'_>) -> bool {
    matches!(frame.packet_type, PacketType::Subscribe | PacketType::Unsubscribe)
        && frame.size() > LONG_REQUEST
}

/// The context for handling one packet, borrowed for the lifetime of the input.
struct Turn<'a> {
    shared: &'a Shared,
    client: &'a Rc<Client>,
    authenticator: &'a mut Option<Authenticator>,
    output: &'a mut Vec<u8>,
    now: Instant,
}

impl Turn<'_> {
    fn take(&mut self, frame: Frame<'_>, session: &mut Session<Outbound>) -> Result<(), Ending> {
        let length = self.output.len();
        let packet = Packet::decode(frame, session.version())?;
        let packet_type = packet.packet_type();
        let maximum_size = session.peer_accepts().maximum_packet_size;
        self.handle(packet, session)?;
        // The answer is one packet.
        check_size(packet_type, length, maximum_size, self.output).map_err(|text| {
            Ending::violation(ReasonCode::PACKET_TOO_LARGE, format!("the answer to {text}"))
        })?;
        self.shared.borrow_mut().report.packets_sent += u64::from(self.output.len() > length);
        Ok(())
    }

    fn handle(&mut self, packet: Packet<'_>, session: &mut Session<Outbound>) -> Result<(), Ending> {
        let version = session.version();
        let maximum_size = session.peer_accepts().maximum_packet_size;
        let packet_type = packet.packet_type();
        let state = &mut *self.shared.borrow_mut();
        state.report.packets_received += 1;
        state.work += 1;
        let event = session
            .receive(packet, self.output)
            .map_err(|error| Ending::violation(error.reason_code(), error.to_string()))?;
        match event {
            Event::Nothing | Event::Published { .. } => {}
            Event::Message { publish, acknowledgement } => {
                let reason_code = self.publish(state, &publish, maximum_size);
                session.acknowledge(acknowledgement, reason_code, self.output);
            }
            Event::Subscribe(subscribe) => self.subscribe(state, &subscribe, version),
            Event::Unsubscribe(unsubscribe) => self.unsubscribe(state, &unsubscribe, version),
            Event::Disconnect(disconnect) => return Err(self.disconnect(&disconnect)),
            Event::Auth(auth) => self.authenticate(&auth, maximum_size)?,
            // Only clients receive these.
            Event::Subscribed(_) | Event::Unsubscribed(_) | Event::Pingresp => {
                let text = format!("{packet_type} from a client");
                return Err(Ending::violation(ReasonCode::PROTOCOL_ERROR, text));
            }
        }
        Ok(())
    }

    /// Hands a message on, and returns the reason code of its acknowledgement.
    fn publish(&self, state: &mut State, publish: &Publish<'_>, maximum_size: u32) -> ReasonCode {
        state.report.messages_received += 1;
        match state.publish(publish, Some(self.client), self.now) {
            reason_code if maximum_size < SMALLEST_WITH_REASON && !reason_code.is_error() => {
                ReasonCode::SUCCESS
            }
            reason_code => reason_code,
        }
    }

    fn subscribe(&mut self, state: &mut State, subscribe: &Subscribe<'_>, version: Version) {
        let id = subscribe.properties.number(PropertyId::SubscriptionIdentifier);
        let mut codes = Vec::with_capacity(subscribe.subscriptions.len());
        state.subscribe(self.client, &subscribe.subscriptions, id, version, &mut codes);
        let ack = SubscriptionAck::new(subscribe.packet_id, Properties::EMPTY, &codes);
        put(&Packet::Suback(ack), version, self.output);
    }

    fn unsubscribe(&mut self, state: &mut State, unsubscribe: &Unsubscribe<'_>, version: Version) {
        let mut codes = Vec::with_capacity(unsubscribe.filters.len());
        state.unsubscribe(self.client, &unsubscribe.filters, &mut codes);
        let ack = SubscriptionAck::new(unsubscribe.packet_id, Properties::EMPTY, &codes);
        put(&Packet::Unsuback(ack), version, self.output);
    }

    /// Handles a step of a re-authentication, which requires an authentication method in CONNECT.
    fn authenticate(&mut self, auth: &Auth<'_>, maximum_size: u32) -> Result<(), Ending> {
        let denied = |Denial { reason_code, text }: Denial| Ending::violation(reason_code, text);
        let reply = match self.authenticator {
            Some(authenticator) => authenticator.receive(auth).map_err(denied)?,
            None => return Err(denied(AuthViolation::NoMethod.into())),
        };
        put_auth(&reply, maximum_size, self.output)
            .map_err(|text| Ending::violation(ReasonCode::PACKET_TOO_LARGE, text))
    }

    /// Handles DISCONNECT, which may change the session expiry interval, except from zero (MQTT 5.0, section 3.14.2.2.2).
    fn disconnect(&self, disconnect: &Disconnect<'_>) -> Ending {
        if let Some(interval) = disconnect.properties.number(PropertyId::SessionExpiryInterval) {
            if interval > 0 && self.client.expiry_interval.get() == 0 {
                let text = "DISCONNECT with a session expiry interval after CONNECT with none";
                return Ending::violation(ReasonCode::PROTOCOL_ERROR, text);
            }
            self.client.expiry_interval.set(interval);
        }
        Ending::Disconnected { has_will: disconnect.reason_code != ReasonCode::SUCCESS }
    }
}
