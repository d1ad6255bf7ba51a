//! MQTT-SN: decodes the messages of sensors and gateways, and keeps the state of each client.
//!
//! A message is a datagram, so it needs no stream. A connection is a pair of addresses; behind a forwarder it has several
//! clients, which differ in their node id.

mod client;
mod cursor;
mod decode;
mod dissect;
mod dissect_v2;
mod exchange;
pub(super) mod field_value;
mod findings;
pub(super) mod json;
pub(super) mod line;
mod lint;
mod lint_v2;
mod messages;
mod protection;
#[cfg(test)]
mod tests;
mod topics;
mod version;

pub(crate) use client::Client;
pub(crate) use messages::{Datagram, Messages};
pub(crate) use protection::{Keys, Verification};

use super::capture::Moment;
use super::field::Tree;
use super::{Direction, Finding, Name};
use crate::protocol::sn::v2::PacketType;
use crate::protocol::sn::{MessageType, PredefinedTopics, Version};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

/// Information from outside the capture.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The version of all clients.
    pub version: Option<Version>,
    /// The topics of predefined ids.
    pub predefined: Arc<PredefinedTopics>,
    /// The keys of protected packets.
    pub keys: Arc<Keys>,
}

/// The output for MQTT-SN.
#[derive(Debug)]
pub(crate) enum SnItem<'a> {
    /// The first message between two addresses follows.
    Opened(Opened),
    Message(Message<'a>),
    /// The last item of a client, if it has something to report.
    End(End),
    /// The last item of a connection; it is not shown.
    Closed {
        connection: u32,
        at: Moment,
    },
}

/// Two addresses that exchange messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    pub connection: u32,
    pub at: Moment,
    /// The client's or the forwarder's address, or that of a multicast group.
    pub client: SocketAddr,
    pub gateway: SocketAddr,
}

/// A message with its context.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub connection: u32,
    /// The sender's direction.
    pub direction: Direction,
    pub at: Moment,
    /// The captured bytes of the datagram.
    pub bytes: &'a [u8],
    /// The length of the datagram.
    pub length: usize,
    pub kind: MessageKind,
    /// The address behind a forwarder.
    pub envelope: Option<Envelope<'a>>,
    /// Its fields and findings.
    pub tree: &'a Tree<'a>,
    /// Facts that follow from the client's state.
    pub facts: &'a Facts,
    /// Findings that follow from the client's state.
    pub findings: &'a [Finding],
    /// The client's state after the message.
    pub client: &'a Client,
}

/// A client whose requests were not answered.
#[derive(Debug)]
pub(crate) struct End {
    pub connection: u32,
    pub at: Moment,
    /// The address behind a forwarder.
    pub node_id: Option<Box<[u8]>>,
    pub client_id: Option<Rc<str>>,
    pub unanswered: Vec<Unanswered>,
    pub findings: Vec<Finding>,
}

/// A request without an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unanswered {
    pub direction: Direction,
    pub kind: MessageKind,
    /// The message id; 0 if it has none.
    pub id: u16,
    /// The number of times that it was sent.
    pub sent: u32,
    /// Nanoseconds from the first time to the end.
    pub waited: Option<u64>,
}

/// The type of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum MessageKind {
    V12(MessageType),
    V20(PacketType),
    /// A type that the version does not define.
    Reserved(u8),
    /// A datagram without a type.
    #[default]
    Empty,
}

/// The address of a client behind a forwarder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub radius: u8,
    pub node_id: &'a [u8],
}

/// Facts about a message that follow from the client's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The topic of the message's topic id, or of the request that it answers.
    pub topic: Option<Rc<str>>,
    /// Nanoseconds since the request that the message answers.
    pub round_trip: Option<u64>,
    /// In PUBCOMP, nanoseconds since the PUBLISH.
    pub since_publish: Option<u64>,
    /// The number of times that the same request was sent before.
    pub repeats: u32,
    /// Nanoseconds since the previous message of the client, if it was asleep.
    pub slept: Option<u64>,
    /// The version, if it was inferred from this message.
    pub inferred_version: Option<Version>,
    /// The verification of a protected packet, if there are keys.
    pub verification: Option<Verification>,
}

/// The type of a message, as far as it was decoded, and the messages around it.
#[derive(Default)]
struct Outcome<'a> {
    kind: MessageKind,
    envelope: Option<Envelope<'a>>,
    /// The encapsulations of version 2.0 around the packet.
    enclosing: Vec<PacketType>,
    /// The packet in a Protection Encapsulation is decrypted.
    is_decrypted: bool,
}

impl Outcome<'_> {
    fn is_inside(&self, packet_type: PacketType) -> bool {
        self.enclosing.contains(&packet_type)
    }
}

/// A decoded message.
#[derive(Debug)]
struct Dissected<'a> {
    tree: Tree<'a>,
    kind: MessageKind,
    envelope: Option<Envelope<'a>>,
}

impl SnItem<'_> {
    /// The number of the connection.
    pub(crate) fn connection(&self) -> u32 {
        match self {
            SnItem::Opened(opened) => opened.connection,
            SnItem::Message(message) => message.connection,
            SnItem::End(end) => end.connection,
            SnItem::Closed { connection, .. } => *connection,
        }
    }

    /// The frame and time.
    pub(crate) fn at(&self) -> Moment {
        match self {
            SnItem::Opened(opened) => opened.at,
            SnItem::Message(message) => message.at,
            SnItem::End(end) => end.at,
            SnItem::Closed { at, .. } => *at,
        }
    }

    /// The findings that follow from the client's state.
    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            SnItem::Opened(_) | SnItem::Closed { .. } => &[],
            SnItem::Message(message) => message.findings,
            SnItem::End(end) => &end.findings,
        }
    }
}

impl Message<'_> {
    /// The message id of a message that has one.
    pub(crate) fn id(&self) -> Option<u32> {
        self.tree.number(Name::MessageId).or_else(|| self.tree.number(Name::PacketIdentifier))
    }

    /// The return code of an answer.
    pub(crate) fn code(&self) -> Option<u32> {
        self.tree.number(Name::ReturnCode).or_else(|| self.tree.number(Name::ReasonCode))
    }

    /// Whether the message rejects a request.
    pub(crate) fn is_rejection(&self) -> bool {
        exchange::is_rejection(self.tree)
    }

    /// The topic of a PUBLISH or of another message about a topic.
    pub(crate) fn topic(&self) -> Option<&str> {
        self.facts.topic.as_deref().or_else(|| self.tree.text(Name::TopicName))
    }

    /// The meaning of a coded number in its version.
    pub(crate) fn meaning(&self, name: Name, code: u8) -> Option<&'static str> {
        match self.kind {
            MessageKind::V20(_) => dissect_v2::meaning(self.kind, name, code),
            MessageKind::Reserved(_) if self.client.version == Some(Version::V20) => {
                dissect_v2::meaning(self.kind, name, code)
            }
            _ => dissect::meaning(name, code),
        }
    }
}

impl MessageKind {
    /// All types of all versions.
    pub(crate) fn all() -> impl Iterator<Item = MessageKind> {
        let v12 = MessageType::ALL.into_iter().map(MessageKind::V12);
        v12.chain(PacketType::ALL.into_iter().map(MessageKind::V20))
    }

    /// The name as the specification writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            MessageKind::V12(message_type) => message_type.name(),
            MessageKind::V20(packet_type) => packet_type.name(),
            MessageKind::Reserved(_) => "RESERVED",
            MessageKind::Empty => "EMPTY",
        }
    }
}
