//! The clients of all connections: takes datagrams, and hands out messages with their fields and context.

use super::client::{Client, Observed};
use super::version::rule_column;
use super::{
    Dissected, End, Facts, Message, MessageKind, Opened, Settings, SnItem, Verification, decode, lint,
};
use crate::inspect::Direction;
use crate::inspect::capture::Moment;
use crate::inspect::field::Tree;
use crate::inspect::{Finding, Name, Rule};
use crate::protocol::sn::v2::PacketType;
use crate::protocol::sn::{Header, MessageType, Version};
use std::collections::HashMap;
use std::net::SocketAddr;

/// The most clients of one connection, behind a forwarder. Further ones share their state.
const MAX_NODES: usize = 4096;

/// The types of encapsulated messages.
const ENCAPSULATED: u8 = MessageType::Encapsulated as u8;
const FORWARDER: u8 = PacketType::Forwarder as u8;

/// The longest node id, in bytes, that distinguishes clients.
const MAX_NODE_ID: usize = 64;

/// Decodes the messages of all connections.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    settings: Settings,
    connections: HashMap<u32, Connection>,
}

/// The clients at one address.
#[derive(Debug, Default)]
struct Connection {
    /// The client that sends without a forwarder.
    own: Client,
    /// The clients behind a forwarder.
    nodes: HashMap<Box<[u8]>, Client>,
}

/// A datagram between a client and a gateway.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub connection: u32,
    pub at: Moment,
    pub client: SocketAddr,
    pub gateway: SocketAddr,
    pub direction: Direction,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// The number of bytes that were not captured.
    pub missing: usize,
}

impl Messages {
    pub(crate) fn new(settings: Settings) -> Messages {
        Messages { settings, connections: HashMap::new() }
    }

    /// Opens a connection without an item, for typed messages.
    pub(crate) fn open(&mut self, number: u32) {
        self.connections.insert(number, Connection::default());
    }

    /// Takes a datagram.
    pub(crate) fn take(&mut self, datagram: &Datagram<'_>, sink: &mut impl FnMut(SnItem<'_>)) {
        let Datagram { connection: number, at, client, gateway, direction, bytes, missing } = *datagram;
        let connection = self.connections.entry(number).or_insert_with(|| {
            sink(SnItem::Opened(Opened { connection: number, at, client, gateway }));
            Connection::default()
        });
        let length = bytes.len() + missing;
        let opened = if missing == 0 { self.settings.open(bytes) } else { None };
        let (verification, decrypted) = opened.map_or((None, None), |(found, bytes)| (Some(found), bytes));
        let bytes = decrypted.as_deref().unwrap_or(bytes);
        let (node_id, inside) = split_envelope(bytes);
        let client = connection.client(node_id);
        let choice = client.choose_version(inside, self.settings.version);
        let Dissected { mut tree, kind, envelope } =
            decode::decode(bytes, length, choice.version, decrypted.is_some());
        if choice.is_unknown && !std::mem::replace(&mut client.has_unknown_version, true) {
            tree.findings.push(unknown_version(choice.version));
        }
        if verification == Some(Verification::WrongTag) {
            let range = tree.find(Name::AuthenticationTag).map_or(0..0, |tag| tag.range.clone());
            let detail = "the tag does not match the packet and the key of its sender";
            tree.findings.push(Finding::new(Rule::SnTag, rule_column(choice.version), range, detail));
        }
        let start = tree.find(Name::EncapsulatedMessage).map_or(0, |message| message.range.start);
        let observed = Observed { kind, direction, tree: &tree, bytes, start, time: at.time };
        let (facts, findings) = context(client, &observed, &self.settings);
        let facts =
            Facts { inferred_version: choice.is_new.then_some(choice.version), verification, ..facts };
        sink(SnItem::Message(Message {
            connection: number,
            direction,
            at,
            bytes,
            length,
            kind,
            envelope,
            tree: &tree,
            facts: &facts,
            findings: &findings,
            client,
        }));
    }

    /// Ends a connection, if it is one of these; returns whether it is.
    pub(crate) fn end(&mut self, number: u32, at: Moment, sink: &mut impl FnMut(SnItem<'_>)) -> bool {
        let Some(connection) = self.connections.remove(&number) else { return false };
        let mut nodes: Vec<_> = connection.nodes.into_iter().collect();
        nodes.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let nodes = nodes.into_iter().map(|(node_id, client)| (Some(node_id), client));
        for (node_id, client) in std::iter::once((None, connection.own)).chain(nodes) {
            let unanswered = client.unanswered(at.time);
            let findings = lint::check_end(&client, &unanswered, at.time);
            if !unanswered.is_empty() || !findings.is_empty() {
                let client_id = client.client_id.clone();
                sink(SnItem::End(End { connection: number, at, node_id, client_id, unanswered, findings }));
            }
        }
        sink(SnItem::Closed { connection: number, at });
        true
    }
}

/// Updates the client's state. A message that cannot be decoded does not change it.
fn context(client: &mut Client, message: &Observed<'_, '_>, settings: &Settings) -> (Facts, Vec<Finding>) {
    let findings = lint::check(client, message);
    let is_sound = is_sound(message.kind, message.tree);
    let facts = if is_sound { client.observe(message, settings) } else { Facts::default() };
    (facts, findings)
}

/// Whether the message was decoded to its end.
fn is_sound(kind: MessageKind, tree: &Tree<'_>) -> bool {
    matches!(kind, MessageKind::V12(_) | MessageKind::V20(_)) && tree.is_decoded()
}

/// A message that can be of both versions.
fn unknown_version(version: Version) -> Finding {
    let detail = "the message can be of MQTT-SN 1.2 or 2.0; it is decoded as 1.2";
    Finding::new(Rule::SnVersionUnknown, rule_column(version), 0..0, detail)
}

/// The address behind a forwarder or the client of a connection encapsulation, and the message inside.
fn split_envelope(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let split = || {
        let header = Header::read(bytes)?;
        let body = bytes.get(header.size()..)?;
        match header.type_octet {
            // Version 1.2: the length ends with the node id.
            ENCAPSULATED if header.announced < bytes.len() => {
                let node_id = bytes.get(header.size() + 1..header.announced)?;
                Some((node_id, bytes.get(header.announced..)?))
            }
            ENCAPSULATED => {
                let (length, rest) = body.split_first_chunk::<2>()?;
                let (client_id, _) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
                // Only version 2.0 has it.
                Some((client_id, bytes))
            }
            FORWARDER => {
                let (length, rest) = body.split_first()?;
                rest.split_at_checked(usize::from(*length))
            }
            _ => None,
        }
    };
    split().map_or((None, bytes), |(node_id, inside)| (Some(node_id), inside))
}

impl Connection {
    fn client(&mut self, node_id: Option<&[u8]>) -> &mut Client {
        let own = self.own.client_id.as_deref().map(str::as_bytes);
        let is_other = |node_id: &&[u8]| node_id.len() <= MAX_NODE_ID && own != Some(*node_id);
        let Some(node_id) = node_id.filter(is_other) else { return &mut self.own };
        if !self.nodes.contains_key(node_id) {
            if self.nodes.len() >= MAX_NODES {
                return &mut self.own;
            }
            self.nodes.insert(node_id.into(), Client::default());
        }
        self.nodes.get_mut(node_id).unwrap_or(&mut self.own)
    }
}
