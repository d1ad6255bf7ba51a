//! What a connection has agreed on, and what is under way in it: the version, topic aliases, limits, and packets that wait for an
//! answer. It takes one packet after another, and judges nothing.

pub mod agreement;
mod aliases;
mod exchange;
mod version;

use super::dissect::{RawPacket, dissect};
use super::field::Tree;
use super::{Direction, Name, Value};
use crate::protocol::{PacketType, PropertyId, Version};
pub use agreement::Agreement;
use agreement::{Connack, Connect};
use aliases::Aliases;
pub use exchange::{Exchanges, RoundTrip, Step};
use std::rc::Rc;

/// A connection's state.
#[derive(Debug, Default)]
pub struct Tracker {
    /// The version that it speaks, once that is known.
    pub version: Option<Version>,
    /// Whether the version was not stated, but found out.
    pub is_version_inferred: bool,
    /// The client's identifier, its own or the one it was given.
    pub client_id: Option<Rc<str>>,
    /// Seconds that the client may be silent; the server's word counts.
    pub keep_alive: Option<u16>,
    /// What client and server said about themselves.
    pub agreement: Agreement,
    /// Who said DISCONNECT.
    has_disconnected: [bool; 2],
    /// In which directions packets were sent that are not known here, or come late.
    lags: [bool; 2],
    /// The topics that stand behind aliases, by the direction they are used in.
    aliases: [Aliases; 2],
    /// In which directions an alias may stand for a topic that is not known here.
    misses_aliases: [bool; 2],
    /// The version was found out with the packet that was taken apart last.
    just_inferred: Option<Version>,
    exchanges: Exchanges,
}

/// What became known of a packet beyond its own bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The topic that a topic alias stands for.
    pub topic: Option<Rc<str>>,
    /// The packet answers another one.
    pub answers: Option<RoundTrip>,
    /// This packet gave away the version, which nobody stated.
    pub inferred_version: Option<Version>,
}

impl Tracker {
    /// A connection whose version may have been told.
    pub fn new(version: Option<Version>) -> Tracker {
        Tracker { version, ..Tracker::default() }
    }

    /// Takes the packet apart in the connection's version; finds that out first where it can be.
    pub fn dissect<'a>(&mut self, packet: &RawPacket<'a>, direction: Direction) -> Tree<'a> {
        let is_stated = self.version.is_some() && !self.is_version_inferred;
        if self.version.is_none() && packet.packet_type() != Some(PacketType::Connect) {
            self.infer(packet, direction);
        }
        let tree = dissect(packet, self.version.unwrap_or(Version::V311), Some(direction));
        if is_stated || self.just_inferred.is_some() || !tree.is_malformed() {
            return tree;
        }
        // What looked like one version may turn out to be another.
        if !self.infer(packet, direction) {
            return tree;
        }
        dissect(packet, self.version.unwrap_or(Version::V311), Some(direction))
    }

    /// Finds out the version from a packet that only one version can read, if it is one.
    fn infer(&mut self, packet: &RawPacket<'_>, direction: Direction) -> bool {
        self.just_inferred = version::inferred(packet, direction);
        if self.just_inferred.is_some() {
            self.version = self.just_inferred;
            self.is_version_inferred = true;
        }
        self.just_inferred.is_some()
    }

    /// Takes note of a packet that was sent at that time, in nanoseconds.
    pub fn observe(
        &mut self,
        packet_type: PacketType,
        direction: Direction,
        tree: &Tree<'_>,
        time: Option<u64>,
    ) -> Seen {
        match packet_type {
            PacketType::Connect => self.connect(tree),
            PacketType::Connack => self.connack(tree),
            PacketType::Disconnect => set(&mut self.has_disconnected, direction),
            _ => {}
        }
        let topic = (packet_type == PacketType::Publish).then(|| self.resolve(direction, tree)).flatten();
        let answers = self.exchanges.observe(packet_type, direction, tree, time);
        Seen { topic, answers, inferred_version: self.just_inferred.take() }
    }

    /// What waits for an answer.
    pub fn exchanges(&self) -> &Exchanges {
        &self.exchanges
    }

    /// Whether that side said DISCONNECT.
    pub fn has_disconnected(&self, direction: Direction) -> bool {
        is_set(self.has_disconnected, direction)
    }

    /// Packets of that direction are missing, or come late.
    pub fn lag(&mut self, direction: Direction) {
        set(&mut self.lags, direction);
    }

    /// Whether an alias that is used in that direction may stand for a topic that is not known here.
    pub fn misses_aliases(&self, direction: Direction) -> bool {
        is_set(self.misses_aliases, direction)
    }

    /// Whether something of that direction was not captured, as far as can be told.
    pub fn has_losses(&self, direction: Direction) -> bool {
        self.misses_aliases(direction) || is_set(self.lags, direction)
    }

    /// Bytes of that direction were lost, and nobody knows what they changed.
    pub fn forget(&mut self, direction: Direction) {
        if let Some(aliases) = self.aliases.get_mut(direction as usize) {
            aliases.clear();
        }
        set(&mut self.misses_aliases, direction);
        self.exchanges.forget();
    }

    fn connect(&mut self, tree: &Tree<'_>) {
        if let Some(version) = version::stated(tree) {
            self.version = Some(version);
            self.is_version_inferred = false;
        }
        self.client_id = tree.text(Name::ClientIdentifier).filter(|id| !id.is_empty()).map(Rc::from);
        self.keep_alive = tree.two_bytes(Name::KeepAlive);
        // What was not decoded is not known, which is not the same as left out.
        if tree.is_decoded() {
            self.agreement.connect.get_or_insert_with(|| Connect::read(tree, version::stated(tree)));
        }
    }

    fn connack(&mut self, tree: &Tree<'_>) {
        if let Some(assigned) = tree.text(Name::Property(PropertyId::AssignedClientIdentifier)) {
            self.client_id = Some(Rc::from(assigned));
        }
        if let Some(keep_alive) = tree.two_bytes(Name::Property(PropertyId::ServerKeepAlive)) {
            self.keep_alive = Some(keep_alive);
        }
        if tree.is_decoded() {
            self.agreement.connack.get_or_insert_with(|| Connack::read(tree));
        }
    }

    /// Learns or resolves a topic alias.
    fn resolve(&mut self, direction: Direction, tree: &Tree<'_>) -> Option<Rc<str>> {
        if !tree.is_decoded() {
            // An alias may have been among what was not read.
            set(&mut self.misses_aliases, direction);
        }
        let alias = tree.two_bytes(Name::Property(PropertyId::TopicAlias))?;
        let aliases = self.aliases.get_mut(direction as usize)?;
        match tree.find(Name::TopicName)?.value {
            Value::Text("") => aliases.topic(alias),
            Value::Text(topic) => {
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
