//! Drives a client's and a server's session with any bytes. Compiled for tests and with `--cfg fuzzing` only.

use super::{Event, Limits, Outgoing, Role, Session};
use crate::protocol::{
    PacketReader, Properties, Publish, Qos, ReasonCode, SizeLimits, Subscription, SubscriptionOptions,
    Version,
};

/// The bytes that a step delivers at most.
const STEP: usize = 64;

/// Runs steps of two bytes on two sessions with a wire between them: messages of both sides, deliveries, lost connections, and bytes
/// that neither has sent. Until the first of those, each message of QoS 2 arrives once, and each of QoS 1 at least once.
pub fn session(bytes: &[u8]) {
    let Some((how, mut rest)) = bytes.split_first() else { return };
    let mut wire = Wire::new(*how);
    while let Some(([kind, value], after)) = rest.split_first_chunk::<2>() {
        rest = after;
        let count = usize::from(*value);
        match kind & 15 {
            0..=2 => wire.publish(Qos::from_u8(kind & 3).unwrap_or(Qos::AtMostOnce), kind & 16 != 0),
            3 => wire.subscribe(*value),
            4..=6 => wire.deliver(Role::Server, count),
            7..=9 => wire.deliver(Role::Client, count),
            10 => wire.reconnect(true),
            11 => wire.reconnect(kind & 16 == 0),
            12 => {
                let (given, after) = rest.split_at(count.min(STEP).min(rest.len()));
                rest = after;
                wire.inject(if kind & 16 == 0 { Role::Server } else { Role::Client }, given);
            }
            _ => wire.ping(),
        }
    }
    wire.check();
}

/// A message that is kept until it is settled.
struct Note {
    qos: Qos,
    payload: Vec<u8>,
}

impl Outgoing for Note {
    fn as_publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: false,
            topic: "topic",
            packet_id: None,
            properties: Properties::EMPTY,
            payload: &self.payload,
        }
    }
}

/// One side, and the bytes that it has sent.
struct Side {
    session: Session<Note>,
    sent: Vec<u8>,
    /// The messages that it has sent, and those that it has received.
    published: Vec<Note>,
    received: Vec<(Qos, Vec<u8>)>,
    settled: usize,
    /// The peer broke the protocol.
    is_broken: bool,
}

struct Wire {
    client: Side,
    server: Side,
    limits: Limits,
    version: Version,
    /// Only the sessions have sent bytes, and both have kept their state.
    is_faithful: bool,
}

impl Side {
    fn new(role: Role, version: Version, limits: Limits) -> Side {
        let mut session = Session::new(role, version);
        session.choose_aliases();
        session.start(version, limits, limits, false);
        let (sent, published, received) = (Vec::new(), Vec::new(), Vec::new());
        Side { session, sent, published, received, settled: 0, is_broken: false }
    }

    fn publish(&mut self, qos: Qos) {
        let note = || Note { qos, payload: self.published.len().to_string().into_bytes() };
        let (message, kept) = (note(), note());
        if self.session.publish(&message.as_publish(), || kept, &mut self.sent).is_ok() {
            self.published.push(message);
        }
    }

    /// Handles whole packets in `bytes`, and returns how many bytes they have.
    fn receive(&mut self, bytes: &[u8]) -> usize {
        let mut reader = PacketReader::new(bytes, SizeLimits::all(1 << 16));
        let version = self.session.version();
        loop {
            let packet = match reader.read(version) {
                Ok(Some(packet)) => packet,
                Ok(None) => return reader.consumed(),
                Err(_) => {
                    self.is_broken = true;
                    return bytes.len();
                }
            };
            let answer = match self.session.receive(packet, &mut self.sent) {
                Ok(Event::Message { publish, acknowledgement }) => {
                    self.received.push((publish.qos, publish.payload.to_vec()));
                    Some(acknowledgement)
                }
                Ok(Event::Published { .. }) => {
                    self.settled += 1;
                    None
                }
                Ok(_) => None,
                Err(error) => {
                    assert!(error.reason_code().is_error());
                    self.is_broken = true;
                    return bytes.len();
                }
            };
            if let Some(acknowledgement) = answer {
                self.session.acknowledge(acknowledgement, ReasonCode::SUCCESS, &mut self.sent);
            }
            // An acknowledgement makes room for messages that wait to be sent again.
            drop(self.session.resend(usize::MAX, &mut self.sent));
        }
    }
}

impl Wire {
    fn new(how: u8) -> Wire {
        let versions = [Version::V31, Version::V311, Version::V5, Version::V5];
        let version = versions.into_iter().nth(usize::from(how & 3)).unwrap_or(Version::V5);
        let maximum = if how & 4 == 0 { u16::MAX } else { 1 + u16::from(how >> 4) };
        let is_v5 = version.is_v5();
        let limits = Limits {
            receive_maximum: if is_v5 { maximum } else { u16::MAX },
            topic_alias_maximum: u16::from(is_v5 && how & 8 != 0),
            ..Limits::default()
        };
        Wire {
            client: Side::new(Role::Client, version, limits),
            server: Side::new(Role::Server, version, limits),
            limits,
            version,
            is_faithful: true,
        }
    }

    fn publish(&mut self, qos: Qos, is_servers: bool) {
        if is_servers { self.server.publish(qos) } else { self.client.publish(qos) }
    }

    fn subscribe(&mut self, value: u8) {
        let options = SubscriptionOptions::default();
        let subscriptions = vec![Subscription { filter: "a/#", options }];
        let side = &mut self.client;
        if value & 1 == 0 {
            let _ = side.session.subscribe(subscriptions, Properties::EMPTY, &mut side.sent);
        } else {
            let _ = side.session.unsubscribe(vec!["a/#"], Properties::EMPTY, &mut side.sent);
        }
    }

    fn ping(&mut self) {
        self.client.session.ping(&mut self.client.sent);
    }

    /// Passes up to `count` bytes to a side; half a packet stays on the wire.
    fn deliver(&mut self, to: Role, count: usize) {
        let (from, to) = match to {
            Role::Server => (&mut self.client, &mut self.server),
            Role::Client => (&mut self.server, &mut self.client),
        };
        let taken = to.receive(from.sent.get(..count).unwrap_or(&from.sent));
        from.sent.drain(..taken);
        self.is_faithful &= !to.is_broken;
    }

    /// Bytes that the peer has not sent.
    fn inject(&mut self, to: Role, bytes: &[u8]) {
        self.is_faithful = false;
        match to {
            Role::Server => self.server.receive(bytes),
            Role::Client => self.client.receive(bytes),
        };
    }

    /// All bytes on the wire are lost. Without the session, messages may be lost or doubled.
    fn reconnect(&mut self, session_present: bool) {
        self.is_faithful &= session_present;
        for side in [&mut self.client, &mut self.server] {
            side.sent.clear();
            drop(side.session.start(self.version, self.limits, self.limits, session_present));
            drop(side.session.resend(usize::MAX, &mut side.sent));
        }
    }

    fn check(&mut self) {
        for side in [&self.client, &self.server] {
            assert!(side.session.unsettled() <= side.published.len());
            assert!(side.settled <= side.published.len());
        }
        if !self.is_faithful {
            return;
        }
        self.reconnect(true);
        while !(self.client.sent.is_empty() && self.server.sent.is_empty()) {
            self.deliver(Role::Server, usize::MAX);
            self.deliver(Role::Client, usize::MAX);
        }
        assert!(!self.client.is_broken && !self.server.is_broken, "neither breaks the protocol");
        for (from, to) in [(&self.client, &self.server), (&self.server, &self.client)] {
            assert_eq!(from.session.unsettled(), 0);
            check_received(&from.published, &to.received);
        }
    }
}

/// At QoS 2 exactly the messages of the other side in their order; at QoS 1 each at least once, at QoS 0 at most once.
fn check_received(published: &[Note], received: &[(Qos, Vec<u8>)]) {
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let sent: Vec<&[u8]> =
            published.iter().filter(|note| note.qos == qos).map(|note| note.payload.as_slice()).collect();
        let mut seen: Vec<&[u8]> =
            received.iter().filter(|(of, _)| *of == qos).map(|(_, payload)| payload.as_slice()).collect();
        if qos == Qos::AtLeastOnce {
            let mut known = std::collections::HashSet::new();
            seen.retain(|payload| known.insert(*payload));
        }
        if qos == Qos::AtMostOnce {
            assert!(seen.len() <= sent.len() && seen.iter().all(|payload| sent.contains(payload)));
        } else {
            assert_eq!(seen, sent, "{qos}");
        }
    }
}
