//! The clients of all connections: takes datagrams, and hands out messages with their fields and context.

use super::client::{Client, Observed};
use super::{Dissected, End, Facts, Message, MessageKind, Opened, Settings, SnItem, dissect, lint};
use crate::inspect::Direction;
use crate::inspect::capture::Moment;
use crate::inspect::field::Tree;
use crate::inspect::{Name, finding::Finding};
use crate::protocol::sn::Version;
use std::collections::HashMap;
use std::net::SocketAddr;

/// The most clients of one connection, behind a forwarder. Further ones share their state.
const MAX_NODES: usize = 4096;

/// The longest node id that tells clients apart.
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
        let Dissected { tree, kind, envelope } = dissect::dissect(bytes, length);
        let client = connection.client(envelope.map(|envelope| envelope.node_id));
        client.version = self.settings.version.or(Some(Version::V12));
        let start = tree.find(Name::EncapsulatedMessage).map_or(0, |message| message.range.start);
        let observed = Observed { kind, direction, tree: &tree, bytes, start, time: at.time };
        let (facts, findings) = context(client, &observed, &self.settings);
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
    matches!(kind, MessageKind::V12(_)) && tree.is_decoded()
}

impl Connection {
    fn client(&mut self, node_id: Option<&[u8]>) -> &mut Client {
        let Some(node_id) = node_id.filter(|node_id| node_id.len() <= MAX_NODE_ID) else {
            return &mut self.own;
        };
        if !self.nodes.contains_key(node_id) {
            if self.nodes.len() >= MAX_NODES {
                return &mut self.own;
            }
            self.nodes.insert(node_id.into(), Client::default());
        }
        self.nodes.get_mut(node_id).unwrap_or(&mut self.own)
    }
}
