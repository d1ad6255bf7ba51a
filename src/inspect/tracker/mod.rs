//! The state of a connection: the version, topic aliases, limits, and packets that wait for an answer. It follows the packets
//! and reports no findings.

mod aliases;
mod exchange;
pub(crate) mod negotiated;
mod version;

use super::dissect::{RawPacket, dissect};
use super::field::Tree;
use super::{Direction, Name, Value};
use crate::protocol::{PacketType, PropertyId, Version};
use aliases::Aliases;
use exchange::Exchanges;
pub(crate) use exchange::RoundTrip;
pub(crate) use negotiated::{Negotiation, RecentNegotiations};
use std::rc::Rc;

#[derive(Debug, Default)]
pub(crate) struct Tracker {
    /// The connection's version, once it is known.
    pub version: Option<Version>,
    /// Whether the version was inferred, not stated in CONNECT.
    pub is_version_inferred: bool,
    /// The client identifier, chosen by the client or assigned by the server.
    pub client_id: Option<Rc<str>>,
    /// The keep alive in seconds; the server's value takes precedence.
    pub keep_alive: Option<u16>,
    /// The contents of CONNECT and CONNACK.
    pub negotiation: Negotiation,
    /// The sides that have sent DISCONNECT.
    has_disconnected: [bool; 2],
    /// The directions in which packets are missing or late.
    lags: [bool; 2],
    /// Topics by alias, for each direction.
    aliases: Option<Box<[Aliases; 2]>>,
    /// The directions in which the topic of an alias may not have been captured.
    misses_aliases: [bool; 2],
    /// The version, if the last packet revealed it.
    just_inferred: Option<Version>,
    exchanges: Option<Box<Exchanges>>,
}

/// Facts about a packet that follow from the connection's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PacketFacts {
    /// The topic of the packet's topic alias.
    pub topic: Option<Rc<str>>,
    /// The round trip that the packet completes.
    pub answers: Option<RoundTrip>,
    /// The version, if it was inferred from this packet.
    pub inferred_version: Option<Version>,
}

impl Tracker {
    /// A new connection, with its version if that is known.
    pub(crate) fn new(version: Option<Version>) -> Tracker {
        Tracker { version, ..Tracker::default() }
    }

    /// Decodes the packet in the connection's version, which it infers first if it can.
    pub(crate) fn dissect<'a>(&mut self, packet: &RawPacket<'a>, direction: Direction) -> Tree<'a> {
        let is_stated = self.version.is_some() && !self.is_version_inferred;
        if self.version.is_none() && packet.packet_type() != Some(PacketType::Connect) {
            self.infer(packet, direction);
        }
        let tree = dissect(packet, self.version.unwrap_or(Version::V311), Some(direction));
        if is_stated || self.just_inferred.is_some() || !tree.is_malformed() {
            return tree;
        }
        // The inferred version may have been wrong.
        if !self.infer(packet, direction) {
            return tree;
        }
        dissect(packet, self.version.unwrap_or(Version::V311), Some(direction))
    }

    /// Infers the version from a packet that only one version can decode. Returns whether it did.
    fn infer(&mut self, packet: &RawPacket<'_>, direction: Direction) -> bool {
        self.just_inferred = version::inferred(packet, direction);
        if self.just_inferred.is_some() {
            self.version = self.just_inferred;
            self.is_version_inferred = true;
        }
        self.just_inferred.is_some()
    }

    /// Updates the state with a packet; `time` is in nanoseconds.
    pub(crate) fn observe(
        &mut self,
        packet_type: PacketType,
        direction: Direction,
        tree: &Tree<'_>,
        time: Option<u64>,
        recent: &mut RecentNegotiations,
    ) -> PacketFacts {
        match packet_type {
            PacketType::Connect => self.connect(tree, recent),
            PacketType::Connack => self.connack(tree, recent),
            PacketType::Disconnect => set(&mut self.has_disconnected, direction),
            _ => {}
        }
        let topic = (packet_type == PacketType::Publish).then(|| self.resolve(direction, tree)).flatten();
        let answers = self.exchange(packet_type, direction, tree, time);
        PacketFacts { topic, answers, inferred_version: self.just_inferred.take() }
    }

    /// The number of packets that wait for an answer.
    pub(crate) fn unanswered(&self) -> usize {
        self.exchanges.as_ref().map_or(0, |exchanges| exchanges.unanswered())
    }

    fn exchange(
        &mut self,
        packet_type: PacketType,
        direction: Direction,
        tree: &Tree<'_>,
        time: Option<u64>,
    ) -> Option<RoundTrip> {
        let exchanges = self.exchanges.get_or_insert_default();
        let answers = exchanges.observe(packet_type, direction, tree, time);
        self.exchanges.take_if(|exchanges| exchanges.is_empty());
        answers
    }

    /// Whether the sender of this direction has sent DISCONNECT.
    pub(crate) fn has_disconnected(&self, direction: Direction) -> bool {
        is_set(self.has_disconnected, direction)
    }

    /// Records that packets of this direction are missing or late.
    pub(crate) fn lag(&mut self, direction: Direction) {
        set(&mut self.lags, direction);
    }

    /// Whether the topic of an alias in this direction may not have been captured.
    pub(crate) fn misses_aliases(&self, direction: Direction) -> bool {
        is_set(self.misses_aliases, direction)
    }

    /// Whether packets of this direction are known to be missing.
    pub(crate) fn has_losses(&self, direction: Direction) -> bool {
        self.misses_aliases(direction) || is_set(self.lags, direction)
    }

    /// Drops state that lost bytes of this direction may have changed.
    pub(crate) fn forget(&mut self, direction: Direction) {
        if let Some(aliases) = self.aliases.as_mut().and_then(|all| all.get_mut(direction as usize)) {
            *aliases = Aliases::default();
        }
        set(&mut self.misses_aliases, direction);
        self.exchanges = None;
    }

    fn connect(&mut self, tree: &Tree<'_>, recent: &mut RecentNegotiations) {
        if let Some(version) = version::stated(tree) {
            self.version = Some(version);
            self.is_version_inferred = false;
        }
        self.client_id = tree.text(Name::ClientIdentifier).filter(|id| !id.is_empty()).map(Rc::from);
        self.keep_alive = tree.two_bytes(Name::KeepAlive);
        // A property that was not decoded is unknown rather than absent.
        if tree.is_decoded() {
            let read = || recent.connect(tree, version::stated(tree));
            self.negotiation.connect.get_or_insert_with(read);
        }
    }

    fn connack(&mut self, tree: &Tree<'_>, recent: &mut RecentNegotiations) {
        if let Some(assigned) = tree.text(Name::Property(PropertyId::AssignedClientIdentifier)) {
            self.client_id = Some(Rc::from(assigned));
        }
        if let Some(keep_alive) = tree.two_bytes(Name::Property(PropertyId::ServerKeepAlive)) {
            self.keep_alive = Some(keep_alive);
        }
        if tree.is_decoded() {
            self.negotiation.connack.get_or_insert_with(|| recent.connack(tree));
        }
    }

    /// Stores or resolves a topic alias.
    fn resolve(&mut self, direction: Direction, tree: &Tree<'_>) -> Option<Rc<str>> {
        if !tree.is_decoded() {
            // The undecoded part may have set an alias.
            set(&mut self.misses_aliases, direction);
        }
        let alias = tree.two_bytes(Name::Property(PropertyId::TopicAlias))?;
        match tree.find(Name::TopicName)?.value {
            Value::Text("") => self.aliases.as_ref()?.get(direction as usize)?.topic(alias),
            Value::Text(topic) => {
                let aliases = self.aliases.get_or_insert_default().get_mut(direction as usize)?;
                if !aliases.learn(alias, topic) {
                    set(&mut self.misses_aliases, direction);
                }
                None
            }
            _ => None,
        }
    }
}

fn set(flags: &mut [bool; 2], direction: Direction) {
    if let Some(flag) = flags.get_mut(direction as usize) {
        *flag = true;
    }
}

fn is_set([client, server]: [bool; 2], direction: Direction) -> bool {
    match direction {
        Direction::ClientToServer => client,
        Direction::ServerToClient => server,
    }
}
