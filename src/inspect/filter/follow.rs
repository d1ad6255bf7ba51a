//! Follows clients over all their connections.
//!
//! The client is known only from CONNECT on, so the events before it are held until then.

use super::test::is_like;
use crate::inspect::Item;
use crate::inspect::capture::conversation::ConversationEvent;
use crate::inspect::sn::SnItem;
use std::collections::HashMap;

/// The most connections whose client is unknown; events of others are not shown.
const MAX_UNKNOWN: usize = 100_000;

/// Selects the items of the followed clients.
#[derive(Debug)]
pub(crate) struct Follower {
    /// Client identifiers, in which `*` matches any text.
    patterns: Vec<String>,
    connections: HashMap<u32, State>,
}

#[derive(Debug)]
enum State {
    /// The client is unknown; these events precede its first packet.
    Unknown(Vec<ConversationEvent<'static>>),
    Followed,
}

impl Follower {
    /// Follows the clients whose identifiers match one of the patterns.
    pub(crate) fn new(patterns: Vec<String>) -> Follower {
        Follower { patterns, connections: HashMap::new() }
    }

    /// Passes the item on if it concerns a followed client, after the events held for its connection.
    pub(crate) fn select(&mut self, item: &Item<'_>, show: &mut dyn FnMut(&Item<'_>)) {
        match item {
            Item::Packet(packet) => {
                if let Some(client_id) = packet.tracker.client_id.as_deref() {
                    self.identify(packet.connection, client_id, show);
                }
            }
            Item::Sn(SnItem::Message(message)) => {
                if let Some(client_id) = message.client.client_id.as_deref() {
                    self.identify(message.connection, client_id, show);
                }
            }
            Item::Event(event) => self.hold(event),
            Item::Gap(_) | Item::Skipped(_) | Item::Sn(_) => {}
        }
        let connection = item.connection();
        if matches!(self.connections.get(&connection), Some(State::Followed)) {
            show(item);
        }
        if matches!(item, Item::Event(ConversationEvent::Closed { .. })) {
            self.connections.remove(&connection);
        }
    }

    fn identify(&mut self, connection: u32, client_id: &str, show: &mut dyn FnMut(&Item<'_>)) {
        let is_followed =
            self.patterns.iter().any(|pattern| is_like(pattern.as_bytes(), client_id.as_bytes()));
        if !is_followed {
            self.connections.remove(&connection);
        } else if let Some(State::Unknown(events)) = self.connections.insert(connection, State::Followed) {
            events.iter().for_each(|event| show(&Item::Event(event)));
        }
    }

    /// Keeps an event of a connection whose client is unknown.
    fn hold(&mut self, event: &ConversationEvent<'_>) {
        match *event {
            ConversationEvent::Opened { connection, at, client, server, transport, start }
                if self.connections.len() < MAX_UNKNOWN =>
            {
                let opened = ConversationEvent::Opened { connection, at, client, server, transport, start };
                self.connections.insert(connection, State::Unknown(vec![opened]));
            }
            ConversationEvent::ProxyHeader { connection, at, proxy, header } => {
                if let Some(State::Unknown(events)) = self.connections.get_mut(&connection) {
                    events.push(ConversationEvent::ProxyHeader { connection, at, proxy, header });
                }
            }
            _ => {}
        }
    }
}
