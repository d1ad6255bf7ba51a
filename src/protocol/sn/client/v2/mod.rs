//! An MQTT-SN 2.0 client that looks like a broker to an MQTT client of the same process, as [`super::Adapter`] does for 1.2.
//!
//! One request is open at a time [MQTT-SN-4.9-2], PINGREQ and SLEEPREQ included. An unanswered request is repeated as it was;
//! PUBLISH of QoS 2 gets DUP. CONNECT is never repeated [MQTT-SN-4.4.2-1]: without an answer, another attempt with another packet
//! identifier follows.
//!
//! - `local` takes the packets of the MQTT client.
//! - `remote` takes the packets of the gateway.
//! - `exchange` has the steps of the open request, and the next one.
//! - `aliases` finds topic aliases.

mod aliases;
mod exchange;
mod local;
mod remote;
#[cfg(test)]
mod tests;

use super::names::Names;
use super::traffic::Traffic;
use super::{ENOUGH_DATAGRAMS, ENOUGH_OPERATIONS, GatewayError, Settings};
use crate::protocol::sn::late_copy::LateCopies;
use crate::protocol::sn::v2;
use crate::protocol::{Packet, PacketId};
use exchange::{Exchange, Operation, Step};
use local::Identity;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The first of the packet identifiers that the adapter chooses; those of the MQTT client are used as they are, and are lower.
const FIRST_PACKET_ID: u16 = 0xc000;

/// The state of the virtual connection to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The MQTT client has not sent CONNECT, or it is not answered.
    Opening,
    Active,
    /// The client sleeps until that time.
    Asleep(Instant),
    /// The connection has ended.
    Closed,
}

/// The client's side of a virtual connection to a gateway.
#[derive(Debug)]
pub(crate) struct Adapter {
    settings: Settings,
    state: State,
    /// The parameters of CONNECT.
    identity: Identity,
    pub(super) traffic: Traffic,
    /// Requests that wait for the open one.
    operations: VecDeque<Operation>,
    exchange: Option<Exchange>,
    last_packet_id: u16,
    aliases: Names,
    /// The received messages of QoS 1 that the MQTT client has not acknowledged.
    received: Vec<PacketId>,
    /// Copies of QoS 2 messages of the gateway.
    late_copies: LateCopies,
    has_subscribed: bool,
}

impl Adapter {
    /// A connection that is not open yet.
    pub(super) fn new(settings: Settings) -> Adapter {
        Adapter {
            aliases: Names::new(settings.predefined.clone()),
            settings,
            state: State::Opening,
            identity: Identity::default(),
            traffic: Traffic::new(),
            operations: VecDeque::new(),
            exchange: None,
            last_packet_id: FIRST_PACKET_ID,
            received: Vec::new(),
            late_copies: LateCopies::default(),
            has_subscribed: false,
        }
    }

    pub(super) fn takes_packets(&self) -> bool {
        // The PUBREL that the open exchange waits for may be behind other packets.
        let waits = self.exchange.as_ref().is_some_and(Exchange::waits_for_client);
        let has_room = self.operations.len() < ENOUGH_OPERATIONS && self.traffic.unsent() < ENOUGH_DATAGRAMS;
        waits || has_room
    }

    /// Whether every request is answered.
    pub(super) fn is_settled(&self) -> bool {
        self.operations.is_empty() && self.exchange.as_ref().is_none_or(Exchange::waits_for_client)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Closed
    }

    pub(super) fn take_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<(), GatewayError> {
        if let Ok(packet) = v2::Packet::decode(datagram) {
            self.take_answer(&packet, now)?;
        }
        self.advance(now)
    }

    pub(super) fn tick(&mut self, now: Instant) -> Result<(), GatewayError> {
        self.repeat(now)?;
        if let State::Asleep(end) = self.state
            && now >= end
        {
            self.wake_up(now);
        }
        self.advance(now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let repetition = self.exchange.as_ref().and_then(|open| open.due(self.settings.retry_interval));
        let end_of_sleep = match self.state {
            State::Asleep(end) if self.exchange.is_none() => Some(end),
            _ => None,
        };
        repetition.into_iter().chain(end_of_sleep).min()
    }

    /// Sends a packet once.
    fn send(&mut self, packet: &v2::Packet<'_>) {
        self.traffic.send(packet.to_datagram());
    }

    /// Appends a packet for the MQTT client.
    fn deliver(&mut self, packet: &Packet<'_>) {
        self.traffic.deliver(packet);
    }

    /// A packet identifier that no other request has.
    fn next_packet_id(&mut self) -> PacketId {
        let last = self.last_packet_id.checked_add(1).unwrap_or(FIRST_PACKET_ID);
        self.last_packet_id = last;
        // It is above 0 [MQTT-SN-2.2-1].
        PacketId::new(last).unwrap_or_else(|| self.next_packet_id())
    }

    /// A sleeping client wakes up for its messages.
    fn wake_up(&mut self, now: Instant) {
        if self.exchange.is_none() {
            let packet_id = self.next_packet_id();
            self.ask(Step::WakeUp { packet_id }, &v2::Packet::Pingreq { packet_id }, now);
        }
    }

    fn sleep(&mut self, seconds: u32, now: Instant) {
        self.state = State::Asleep(now + Duration::from_secs(seconds.into()));
    }
}
