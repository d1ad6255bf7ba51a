//! MQTT-SN in UDP datagrams: recognises it, and numbers the pairs of addresses that exchange it.
//!
//! At a port of MQTT-SN, a datagram whose length field is right is a message. At any other port, a CONNECT is, and so is a
//! valid request that the other side answers with the same identifiers. All further datagrams between the two addresses are
//! messages, whatever they contain. Memory is bounded, also for a flood from many addresses.

use super::Moment;
use super::conversation::{ConversationEvent, Ports};
use super::network::UdpDatagram;
use super::reassembly::Close;
use crate::inspect::Direction;
use crate::protocol::sn::{self, Likeness};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

/// The most pairs of addresses; the ones that were idle the longest are forgotten first.
const MAX_PAIRS: usize = 65_536;

/// The pairs that are forgotten together.
const FORGOTTEN_AT_ONCE: usize = 1024;

/// The most requests that wait for an answer, to be recognised by it.
const MAX_REQUESTS: usize = 256;

/// The longest such request.
const MAX_REQUEST_BYTES: usize = 2048;

/// Recognises messages of MQTT-SN.
#[derive(Debug, Default)]
pub(super) struct Datagrams {
    ports: Ports,
    pairs: HashMap<PairKey, Pair>,
    /// The oldest first.
    requests: VecDeque<Request>,
}

/// The two addresses, the smaller one first.
type PairKey = (SocketAddr, SocketAddr);

#[derive(Debug)]
struct Pair {
    number: u32,
    gateway: SocketAddr,
    /// The frame of the last datagram.
    last_frame: u64,
}

/// A datagram at a port of another protocol that may be a request of MQTT-SN.
#[derive(Debug)]
struct Request {
    at: Moment,
    source: SocketAddr,
    destination: SocketAddr,
    bytes: Vec<u8>,
}

impl Datagrams {
    pub(super) fn new(ports: Ports) -> Datagrams {
        Datagrams { ports, ..Datagrams::default() }
    }

    /// Takes a datagram; returns whether it is a message of MQTT-SN. `next_number` numbers a new pair of addresses.
    pub(super) fn take(
        &mut self,
        at: Moment,
        datagram: &UdpDatagram<'_>,
        next_number: impl FnOnce() -> u32,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) -> bool {
        let key = key(datagram);
        if !self.pairs.contains_key(&key) {
            let request = self.take_request(datagram);
            if request.is_none() && !self.is_message(at, datagram) {
                return false;
            }
            if self.pairs.len() >= MAX_PAIRS {
                self.forget_oldest(at, emit);
            }
            let first = request.as_ref().map_or(*datagram, Request::datagram);
            let gateway = gateway(&self.ports, &first);
            self.pairs.insert(key, Pair { number: next_number(), gateway, last_frame: at.frame });
            if let Some(request) = &request {
                self.emit(key, request.at, &request.datagram(), emit);
            }
        }
        self.emit(key, at, datagram, emit);
        true
    }

    /// Handles the end of the capture: closes all pairs, in the order of their numbers.
    pub(super) fn finish(&mut self, at: Moment, emit: &mut impl FnMut(ConversationEvent<'_>)) {
        let mut numbers: Vec<u32> = self.pairs.drain().map(|(_, pair)| pair.number).collect();
        numbers.sort_unstable();
        numbers.into_iter().for_each(|number| emit(closed(number, at, Close::EndOfCapture)));
    }

    /// Whether a datagram between new addresses is a message. A possible request is remembered.
    fn is_message(&mut self, at: Moment, datagram: &UdpDatagram<'_>) -> bool {
        let ports = [datagram.source.port(), datagram.destination.port()];
        if ports.iter().any(|port| self.ports.is_stated_mqtt_sn(*port)) {
            return true;
        }
        let likeness = sn::likeness(datagram.bytes, datagram.bytes.len() + datagram.missing);
        if likeness == Likeness::Valid {
            self.remember(at, datagram);
        }
        let is_usual = ports.iter().any(|port| Ports::is_usual_mqtt_sn(*port));
        likeness == Likeness::Certain || (is_usual && likeness >= Likeness::Framed)
    }

    fn remember(&mut self, at: Moment, datagram: &UdpDatagram<'_>) {
        let UdpDatagram { source, destination, bytes, .. } = *datagram;
        if bytes.len() > MAX_REQUEST_BYTES {
            return;
        }
        if self.requests.len() >= MAX_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(Request { at, source, destination, bytes: bytes.to_vec() });
    }

    /// The request that the datagram answers.
    fn take_request(&mut self, datagram: &UdpDatagram<'_>) -> Option<Request> {
        let is_request = |request: &Request| {
            (request.source, request.destination) == (datagram.destination, datagram.source)
                && sn::answers(datagram.bytes, &request.bytes)
        };
        let position = self.requests.iter().position(is_request)?;
        self.requests.remove(position)
    }

    fn emit(
        &mut self,
        key: PairKey,
        at: Moment,
        datagram: &UdpDatagram<'_>,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        let Some(pair) = self.pairs.get_mut(&key) else { return };
        pair.last_frame = at.frame;
        let (direction, client) = match pair.gateway == datagram.source {
            true => (Direction::ServerToClient, datagram.destination),
            false => (Direction::ClientToServer, datagram.source),
        };
        emit(ConversationEvent::Datagram {
            connection: pair.number,
            at,
            client,
            gateway: pair.gateway,
            direction,
            bytes: datagram.bytes,
            missing: datagram.missing,
        });
    }

    fn forget_oldest(&mut self, at: Moment, emit: &mut impl FnMut(ConversationEvent<'_>)) {
        let mut oldest: Vec<_> = self.pairs.iter().map(|(key, pair)| (pair.last_frame, *key)).collect();
        oldest.sort_unstable();
        for (_, key) in oldest.iter().take(FORGOTTEN_AT_ONCE) {
            if let Some(pair) = self.pairs.remove(key) {
                emit(closed(pair.number, at, Close::Evicted));
            }
        }
    }
}

impl Request {
    fn datagram(&self) -> UdpDatagram<'_> {
        UdpDatagram { source: self.source, destination: self.destination, bytes: &self.bytes, missing: 0 }
    }
}

fn closed(connection: u32, at: Moment, by: Close<Direction>) -> ConversationEvent<'static> {
    ConversationEvent::Closed { connection, at, by, first_fin: None }
}

fn key(datagram: &UdpDatagram<'_>) -> PairKey {
    let (a, b) = (datagram.source, datagram.destination);
    if a <= b { (a, b) } else { (b, a) }
}

/// The gateway's address: by the message, or else by the port, or else the one that did not speak first.
fn gateway(ports: &Ports, first: &UdpDatagram<'_>) -> SocketAddr {
    let (source, destination) = (first.source, first.destination);
    let is_gateway = |address: SocketAddr| {
        ports.is_stated_mqtt_sn(address.port()) || Ports::is_usual_mqtt_sn(address.port())
    };
    match sn::is_from_client(first.bytes) {
        Some(true) => destination,
        Some(false) => source,
        None if is_gateway(source) && !is_gateway(destination) => source,
        None => destination,
    }
}
