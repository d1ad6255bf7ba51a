//! The connections of the picture, with their clients and servers.

use crate::escape;
use crate::html;
use crate::inspect::Item;
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::ConversationEvent;
use crate::inspect::capture::reassembly::{Close, Start};
use crate::inspect::slots::ConnectionTable;
use foldhash::HashMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;

/// The most open connections to know.
const MAX_OPEN: usize = 100_000;

/// The approximate bytes of a connection in the page.
const FIXED: usize = 130;

/// The most characters of a client identifier to show.
const MAX_IDENTIFIER: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Connections {
    /// By number: open connections, and closed ones until their end was drawn.
    open: ConnectionTable<Known>,
    /// The connection that ended with the last item.
    ended: Option<u32>,
    /// Those in the picture, and their places by number.
    drawn: Vec<DrawnConnection>,
    by_number: HashMap<u32, usize>,
    clients: Vec<Client>,
    /// By the hash of the client identifier, which may be long.
    by_id: HashMap<u64, usize>,
    servers: Vec<SocketAddr>,
    by_server: HashMap<SocketAddr, usize>,
    /// The approximate size of all of this in the page.
    bytes: usize,
}

/// A connection as far as it is known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    ends: Option<(SocketAddr, SocketAddr)>,
    opened: Option<u64>,
    closed: Option<u64>,
    client: Option<Identified>,
    has_fin: bool,
}

/// The hash of a client identifier, and the part of it that is shown.
#[derive(Debug, Clone)]
struct Identified {
    hash: u64,
    name: Rc<str>,
}

/// A connection in the picture.
#[derive(Debug)]
pub(super) struct DrawnConnection {
    pub(super) number: u32,
    pub(super) client: usize,
    pub(super) server: Option<usize>,
    pub(super) address: Option<SocketAddr>,
    /// Nanoseconds since 1970; `None` if the beginning was not captured.
    pub(super) opened: Option<u64>,
    /// `None` if it was open at the end.
    pub(super) closed: Option<u64>,
}

/// A client in the picture: a client identifier, or an address if that is unknown.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: Rc<str>,
    /// The hash of the client identifier; `None` if it is unknown.
    pub(super) id: Option<u64>,
}

impl Connections {
    pub(super) fn see(&mut self, item: &Item<'_>) {
        if let Some(ended) = self.ended.take() {
            self.open.remove(ended);
        }
        match item {
            Item::Packet(packet) => {
                if let Some(id) = &packet.tracker.client_id {
                    self.identify(packet.connection, id);
                }
            }
            Item::Event(ConversationEvent::Opened { connection, at, client, server, start, .. }) => {
                let opened = at.time.filter(|_| matches!(start, Start::Handshake { .. }));
                self.open(*connection, Known::new(Some((*client, *server)), opened));
            }
            // It has one row and no packets, so it has no length either.
            Item::Event(ConversationEvent::OtherProtocol { connection, at, client, server, .. }) => {
                let known = Known::new(Some((*client, *server)), at.time);
                self.open(*connection, Known { closed: at.time, ..known });
            }
            Item::Event(ConversationEvent::Closed { connection, at, by, .. }) => {
                if !matches!(by, Close::EndOfCapture | Close::Evicted) {
                    self.close(*connection, *at);
                }
                self.ended = Some(*connection);
            }
            Item::Event(ConversationEvent::Fin { connection, at, .. }) => self.close(*connection, *at),
            Item::Gap(_) | Item::Skipped(_) | Item::Event(_) | Item::Sn(_) => {}
        }
    }

    fn close(&mut self, number: u32, at: Moment) {
        let Some(known) = self.open.get_mut(number) else { return };
        known.closed = known.closed.or(at.time);
        if let Some(drawn) = self.by_number.get(&number).and_then(|drawn| self.drawn.get_mut(*drawn)) {
            drawn.closed = known.closed;
        }
    }

    /// Records a FIN; returns whether it is the first one of the connection.
    pub(super) fn fin(&mut self, number: u32) -> bool {
        self.open.get_mut(number).is_some_and(|known| !std::mem::replace(&mut known.has_fin, true))
    }

    /// A connection as it is now.
    pub(super) fn known(&self, number: u32) -> Known {
        self.open.get(number).cloned().unwrap_or_else(|| Known::new(None, None))
    }

    /// The index of a connection in the picture. One that has ended is drawn as it was.
    pub(super) fn draw(&mut self, number: u32, as_it_was: Known) -> usize {
        if let Some(drawn) = self.by_number.get(&number) {
            return *drawn;
        }
        let Known { ends, opened, closed, client, .. } = self.open.get(number).cloned().unwrap_or(as_it_was);
        let (address, server) = ends.unzip();
        let client = match client {
            Some(client) => self.identified(&client),
            None => {
                let name = address.map_or_else(|| format!("connection {number}"), |it| it.to_string());
                self.clients.push(Client { name: Rc::from(name), id: None });
                self.clients.len() - 1
            }
        };
        let server = server.map(|server| self.server(server));
        let index = self.drawn.len();
        self.bytes += FIXED;
        self.drawn.push(DrawnConnection { number, client, server, address, opened, closed });
        self.by_number.insert(number, index);
        index
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn drawn(&self) -> &[DrawnConnection] {
        &self.drawn
    }

    pub(super) fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The clients with connections in the picture, in order, and the place of each client among them. Others were an address
    /// until their identifier was known.
    pub(super) fn used_clients(&self) -> (Vec<&Client>, HashMap<usize, u64>) {
        let used: BTreeSet<usize> = self.drawn.iter().map(|connection| connection.client).collect();
        let places = used.iter().enumerate().map(|(place, client)| (*client, place as u64)).collect();
        (used.iter().filter_map(|client| self.clients.get(*client)).collect(), places)
    }

    pub(super) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    fn open(&mut self, number: u32, known: Known) {
        if self.open.len() < MAX_OPEN && !self.open.contains(number) {
            self.open.insert(number, known);
        }
    }

    /// The first client identifier of a connection names it, also for its rows up to now.
    fn identify(&mut self, number: u32, id: &Rc<str>) {
        let Some(known) = self.open.get_mut(number).filter(|known| known.client.is_none()) else { return };
        let name = html::shortened(&escape::line(id), MAX_IDENTIFIER);
        let name = if name == **id { Rc::clone(id) } else { Rc::from(name) };
        let identified = Identified { hash: super::row::hash(id), name };
        known.client = Some(identified.clone());
        if let Some(drawn) = self.by_number.get(&number).copied() {
            let client = self.identified(&identified);
            if let Some(drawn) = self.drawn.get_mut(drawn) {
                drawn.client = client;
            }
        }
    }

    fn identified(&mut self, client: &Identified) -> usize {
        *self.by_id.entry(client.hash).or_insert_with(|| {
            self.bytes += super::row::size(&client.name);
            self.clients.push(Client { name: Rc::clone(&client.name), id: Some(client.hash) });
            self.clients.len() - 1
        })
    }

    fn server(&mut self, server: SocketAddr) -> usize {
        *self.by_server.entry(server).or_insert_with(|| {
            self.servers.push(server);
            self.servers.len() - 1
        })
    }
}

impl Known {
    fn new(ends: Option<(SocketAddr, SocketAddr)>, opened: Option<u64>) -> Known {
        Known { ends, opened, closed: None, client: None, has_fin: false }
    }
}
