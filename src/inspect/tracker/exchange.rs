//! Packets, their answers and round-trip times.

use crate::inspect::field::Tree;
use crate::inspect::small_map::SmallMap;
use crate::inspect::{Direction, Name};
use crate::protocol::{PacketType, ReasonCode};
use std::collections::VecDeque;

/// Maximum number of unanswered PINGREQs to remember.
const MAX_PINGS: usize = 1024;

/// A packet and the answer that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExchangeStep {
    /// PUBLISH with QoS 1 waits for PUBACK.
    PublishedQos1,
    /// PUBLISH with QoS 2 waits for PUBREC.
    PublishedQos2,
    /// PUBREC waits for PUBREL.
    Received,
    /// PUBREL waits for PUBCOMP.
    Released,
    /// SUBSCRIBE waits for SUBACK.
    Subscribed,
    /// UNSUBSCRIBE waits for UNSUBACK.
    Unsubscribed,
}

/// One packet identifier that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenExchange {
    /// The last step.
    pub step: ExchangeStep,
    /// Time of the first packet, in nanoseconds.
    pub begun: Option<u64>,
    /// Time of the last step, in nanoseconds.
    pub last: Option<u64>,
}

/// The time until an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoundTrip {
    pub answer: PacketType,
    /// The direction of the packet that it answers.
    pub request_direction: Direction,
    /// Nanoseconds since the packet that it answers.
    pub nanoseconds: u64,
    /// In PUBCOMP, nanoseconds since the PUBLISH.
    pub since_publish: Option<u64>,
}

/// Unfinished exchanges of a connection. Most have none.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    /// By direction of the first packet, and packet identifier.
    open: SmallMap<(Direction, u16), OpenExchange>,
    /// `None` if there are none.
    others: Option<Box<OtherRequests>>,
}

/// Requests without a packet identifier.
#[derive(Debug, Default)]
struct OtherRequests {
    /// The time of CONNECT, in nanoseconds.
    connect: Option<u64>,
    /// Times of the unanswered PINGREQs, in nanoseconds.
    pings: VecDeque<Option<u64>>,
}

impl Exchanges {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.others.is_none()
    }

    /// The number of packets that wait for an answer.
    pub(super) fn unanswered(&self) -> usize {
        self.open.len() + self.others.as_ref().map_or(0, |others| others.pings.len())
    }

    pub(super) fn observe(
        &mut self,
        packet_type: PacketType,
        direction: Direction,
        tree: &Tree<'_>,
        time: Option<u64>,
    ) -> Option<RoundTrip> {
        let packet_id = tree.two_bytes(Name::PacketIdentifier);
        let failed = tree.number(Name::ReasonCode).is_some_and(|code| ReasonCode(code as u8).is_error());
        match packet_type {
            PacketType::Connect => self.others.get_or_insert_default().connect = time,
            PacketType::Connack => {
                let asked = self.others.as_mut().and_then(|others| others.connect.take());
                self.forget_others();
                return round_trip(packet_type, direction, asked, None, time);
            }
            PacketType::Pingreq => {
                let pings = &mut self.others.get_or_insert_default().pings;
                if pings.len() < MAX_PINGS {
                    pings.push_back(time);
                }
            }
            PacketType::Pingresp => {
                let asked = self.others.as_mut().and_then(|others| others.pings.pop_front()).flatten();
                self.forget_others();
                return round_trip(packet_type, direction, asked, None, time);
            }
            PacketType::Publish => {
                let step = match tree.number(Name::Qos) {
                    Some(1) => ExchangeStep::PublishedQos1,
                    Some(2) => ExchangeStep::PublishedQos2,
                    _ => return None,
                };
                let packet_id = packet_id?;
                // A repeated message waits since it was sent first.
                let known = self.open.get(&(direction, packet_id)).filter(|_| tree.is_set(Name::Dup));
                if known.is_none_or(|known| known.step != step) {
                    self.begin(direction, packet_id, step, time);
                }
            }
            PacketType::Subscribe => self.begin(direction, packet_id?, ExchangeStep::Subscribed, time),
            PacketType::Unsubscribe => self.begin(direction, packet_id?, ExchangeStep::Unsubscribed, time),
            PacketType::Puback => {
                return self.end(packet_type, direction, packet_id?, ExchangeStep::PublishedQos1, time);
            }
            PacketType::Suback => {
                return self.end(packet_type, direction, packet_id?, ExchangeStep::Subscribed, time);
            }
            PacketType::Unsuback => {
                return self.end(packet_type, direction, packet_id?, ExchangeStep::Unsubscribed, time);
            }
            PacketType::Pubcomp => {
                return self.end(packet_type, direction, packet_id?, ExchangeStep::Released, time);
            }
            PacketType::Pubrec if failed => {
                return self.end(packet_type, direction, packet_id?, ExchangeStep::PublishedQos2, time);
            }
            PacketType::Pubrec => {
                return self.go_on(
                    packet_type,
                    direction,
                    packet_id?,
                    [ExchangeStep::PublishedQos2, ExchangeStep::Received],
                    time,
                );
            }
            // The publisher sends it, so the exchange belongs to its direction.
            PacketType::Pubrel => {
                let exchange = self.open.get_mut(&(direction, packet_id?))?;
                if exchange.step == ExchangeStep::Released {
                    return None;
                }
                exchange.step = ExchangeStep::Released;
                let request_direction = exchange.last;
                exchange.last = time;
                return round_trip(packet_type, direction, request_direction, None, time);
            }
            PacketType::Disconnect | PacketType::Auth => {}
        }
        None
    }

    fn forget_others(&mut self) {
        self.others.take_if(|others| others.connect.is_none() && others.pings.is_empty());
    }

    fn begin(&mut self, direction: Direction, packet_id: u16, step: ExchangeStep, time: Option<u64>) {
        self.open.insert((direction, packet_id), OpenExchange { step, begun: time, last: time });
    }

    /// Ends an exchange with its last answer, which was sent in `direction`.
    fn end(
        &mut self,
        answer: PacketType,
        direction: Direction,
        packet_id: u16,
        awaited: ExchangeStep,
        time: Option<u64>,
    ) -> Option<RoundTrip> {
        let key = (direction.reverse(), packet_id);
        self.open.get(&key).filter(|exchange| exchange.step == awaited)?;
        let exchange = self.open.remove(&key)?;
        let begun = exchange.begun.filter(|_| awaited == ExchangeStep::Released);
        round_trip(answer, direction, exchange.last, begun, time)
    }

    fn go_on(
        &mut self,
        answer: PacketType,
        direction: Direction,
        packet_id: u16,
        [awaited, next]: [ExchangeStep; 2],
        time: Option<u64>,
    ) -> Option<RoundTrip> {
        let key = (direction.reverse(), packet_id);
        let exchange = self.open.get_mut(&key).filter(|exchange| exchange.step == awaited)?;
        let request_direction = exchange.last;
        exchange.step = next;
        exchange.last = time;
        round_trip(answer, direction, request_direction, None, time)
    }
}

fn round_trip(
    answer: PacketType,
    direction: Direction,
    request_direction: Option<u64>,
    begun: Option<u64>,
    time: Option<u64>,
) -> Option<RoundTrip> {
    let time = time?;
    let nanoseconds = time.saturating_sub(request_direction?);
    let since_publish = begun.map(|begun| time.saturating_sub(begun));
    Some(RoundTrip { answer, request_direction: direction.reverse(), nanoseconds, since_publish })
}
