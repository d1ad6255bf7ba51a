//! Packets, their answers and round-trip times.

use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name};
use crate::protocol::{PacketType, ReasonCode};
use std::collections::HashMap;

/// Maximum number of unanswered PINGREQs to remember.
const MAX_PINGS: usize = 1024;

/// A packet and the answer that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
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
pub struct Exchange {
    /// The last step.
    pub step: Step,
    /// Time of the first packet, in nanoseconds.
    pub begun: Option<u64>,
    /// Time of the last step, in nanoseconds.
    pub last: Option<u64>,
}

/// The time until an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// The type of the answer.
    pub answer: PacketType,
    /// The direction of the packet that it answers.
    pub asked: Direction,
    /// Nanoseconds since the packet that it answers.
    pub nanoseconds: u64,
    /// In PUBCOMP, nanoseconds since the PUBLISH.
    pub since_publish: Option<u64>,
}

/// Unfinished exchanges of a connection.
#[derive(Debug, Default)]
pub struct Exchanges {
    /// By direction of the first packet, and packet identifier.
    under_way: [HashMap<u16, Exchange>; 2],
    connect: Option<u64>,
    /// Times of the unanswered PINGREQs, in nanoseconds.
    pings: std::collections::VecDeque<Option<u64>>,
}

impl Exchanges {
    /// The exchanges that this side began, by packet identifier.
    pub fn begun_by(&self, direction: Direction) -> &HashMap<u16, Exchange> {
        let [client, server] = &self.under_way;
        match direction {
            Direction::ClientToServer => client,
            Direction::ServerToClient => server,
        }
    }

    /// Number of unanswered PINGREQs.
    pub fn unanswered_pings(&self) -> usize {
        self.pings.len()
    }

    pub(super) fn forget(&mut self) {
        *self = Exchanges::default();
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
            PacketType::Connect => self.connect = time,
            PacketType::Connack => {
                return round_trip(packet_type, direction, self.connect.take(), None, time);
            }
            PacketType::Pingreq => {
                if self.pings.len() < MAX_PINGS {
                    self.pings.push_back(time);
                }
            }
            PacketType::Pingresp => {
                let asked = self.pings.pop_front().flatten();
                return round_trip(packet_type, direction, asked, None, time);
            }
            PacketType::Publish => {
                let step = match tree.number(Name::Qos) {
                    Some(1) => Step::PublishedQos1,
                    Some(2) => Step::PublishedQos2,
                    _ => return None,
                };
                self.begin(direction, packet_id?, step, time);
            }
            PacketType::Subscribe => self.begin(direction, packet_id?, Step::Subscribed, time),
            PacketType::Unsubscribe => self.begin(direction, packet_id?, Step::Unsubscribed, time),
            PacketType::Puback => {
                return self.end(packet_type, direction, packet_id?, Step::PublishedQos1, time);
            }
            PacketType::Suback => {
                return self.end(packet_type, direction, packet_id?, Step::Subscribed, time);
            }
            PacketType::Unsuback => {
                return self.end(packet_type, direction, packet_id?, Step::Unsubscribed, time);
            }
            PacketType::Pubcomp => return self.end(packet_type, direction, packet_id?, Step::Released, time),
            PacketType::Pubrec if failed => {
                return self.end(packet_type, direction, packet_id?, Step::PublishedQos2, time);
            }
            PacketType::Pubrec => {
                return self.go_on(
                    packet_type,
                    direction,
                    packet_id?,
                    [Step::PublishedQos2, Step::Received],
                    time,
                );
            }
            // The publisher sends it, so the exchange belongs to its direction.
            PacketType::Pubrel => {
                let exchange = self.of(direction).get_mut(&packet_id?)?;
                exchange.step = Step::Released;
                let asked = exchange.last;
                exchange.last = time;
                return round_trip(packet_type, direction, asked, None, time);
            }
            PacketType::Disconnect | PacketType::Auth => {}
        }
        None
    }

    fn of(&mut self, direction: Direction) -> &mut HashMap<u16, Exchange> {
        let [client, server] = &mut self.under_way;
        match direction {
            Direction::ClientToServer => client,
            Direction::ServerToClient => server,
        }
    }

    fn begin(&mut self, direction: Direction, packet_id: u16, step: Step, time: Option<u64>) {
        self.of(direction).insert(packet_id, Exchange { step, begun: time, last: time });
    }

    /// Ends an exchange with its last answer, which was sent in `direction`.
    fn end(
        &mut self,
        answer: PacketType,
        direction: Direction,
        packet_id: u16,
        awaited: Step,
        time: Option<u64>,
    ) -> Option<RoundTrip> {
        let exchanges = self.of(direction.reverse());
        let exchange = exchanges.get(&packet_id).filter(|exchange| exchange.step == awaited)?.clone();
        exchanges.remove(&packet_id);
        let begun = exchange.begun.filter(|_| awaited == Step::Released);
        round_trip(answer, direction, exchange.last, begun, time)
    }

    fn go_on(
        &mut self,
        answer: PacketType,
        direction: Direction,
        packet_id: u16,
        [awaited, next]: [Step; 2],
        time: Option<u64>,
    ) -> Option<RoundTrip> {
        let exchange =
            self.of(direction.reverse()).get_mut(&packet_id).filter(|exchange| exchange.step == awaited)?;
        let asked = exchange.last;
        exchange.step = next;
        exchange.last = time;
        round_trip(answer, direction, asked, None, time)
    }
}

fn round_trip(
    answer: PacketType,
    direction: Direction,
    asked: Option<u64>,
    begun: Option<u64>,
    time: Option<u64>,
) -> Option<RoundTrip> {
    let time = time?;
    let nanoseconds = time.saturating_sub(asked?);
    let since_publish = begun.map(|begun| time.saturating_sub(begun));
    Some(RoundTrip { answer, asked: direction.reverse(), nanoseconds, since_publish })
}
