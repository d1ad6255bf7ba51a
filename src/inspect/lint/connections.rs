//! Rules across connections: a client that is connected twice, and a session that should have ended.

use super::packet_context::Subject;
use super::report::Report;
use super::{Premises, SECOND};
use crate::inspect::Rule;
use crate::protocol::{PacketType, PropertyId};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::SocketAddr;

/// Maximum number of clients to remember.
const MAX_CLIENTS: usize = 100_000;

/// Time that a server has to close the earlier connection.
const CLOSE_TIMEOUT: u64 = SECOND;

/// Hash of a server's address and a client identifier.
type Key = u64;

/// All clients of the capture.
#[derive(Debug, Default)]
pub(super) struct Clients {
    open: HashMap<u32, Place, RandomState>,
    clients: HashMap<Key, Client, RandomState>,
    /// Connections that a later one took over, with the time of that.
    taken_over: HashMap<u32, Option<u64>, RandomState>,
}

#[derive(Debug)]
struct Place {
    server: SocketAddr,
    key: Option<Key>,
}

#[derive(Debug)]
struct Client {
    connection: Option<u32>,
    /// The session ends with that connection even if the server does not end it.
    is_session_brief: bool,
}

impl Clients {
    pub(super) fn open(&mut self, connection: u32, server: SocketAddr) {
        self.open.insert(connection, Place { server, key: None });
    }

    pub(super) fn close(&mut self, connection: u32) {
        self.taken_over.remove(&connection);
        if let Some(Place { key: Some(key), .. }) = self.open.remove(&connection)
            && let Some(client) = self.clients.get_mut(&key).filter(|it| it.connection == Some(connection))
        {
            client.connection = None;
        }
    }

    pub(super) fn check(&mut self, subject: &Subject<'_>, premises: Premises, report: &mut Report) {
        if subject.is_from_client() {
            return;
        }
        if subject.kind == PacketType::Connack && premises.beginning {
            self.connack(subject, report);
        } else if !self.taken_over.is_empty() && subject.kind != PacketType::Disconnect {
            self.still_there(subject, report);
        }
    }

    fn connack(&mut self, subject: &Subject<'_>, report: &mut Report) {
        let tracker = subject.packet.tracker;
        let (Some(connect), Some(connack), Some(client_id), Some(place)) = (
            &tracker.agreement.connect,
            &tracker.agreement.connack,
            &tracker.client_id,
            self.open.get_mut(&subject.packet.connection),
        ) else {
            return;
        };
        if !connack.is_accepted {
            return;
        }
        let key = self.clients.hasher().hash_one((place.server, client_id));
        let earlier = self.clients.get(&key);
        if let Some(old) = earlier.and_then(|client| client.connection) {
            self.taken_over.insert(old, subject.time());
        }
        let was_brief = earlier.is_some_and(|it| it.is_session_brief && it.connection.is_none());
        if connack.session_present && was_brief {
            let detail = "Session Present is set, but the session ended with the client's last connection";
            report.find(Rule::SessionResurrected, subject.whole(), detail);
        }
        if earlier.is_some() || self.clients.len() < MAX_CLIENTS {
            let is_session_brief = if subject.is_v5() {
                connect.session_expiry_interval == 0
                    && subject.property(PropertyId::SessionExpiryInterval).is_none()
            } else {
                connect.clean_start
            };
            place.key = Some(key);
            let connection = Some(subject.packet.connection);
            self.clients.insert(key, Client { connection, is_session_brief });
        }
    }

    /// Reports packets that the server sends on a connection after its client has connected again.
    fn still_there(&mut self, subject: &Subject<'_>, report: &mut Report) {
        let number = subject.packet.connection;
        let Some(Some(since)) = self.taken_over.get(&number).copied() else { return };
        if subject.time().is_some_and(|now| now > since.saturating_add(CLOSE_TIMEOUT)) {
            self.taken_over.remove(&number);
            let detail = format!("{} on this connection after the client has connected again", subject.kind);
            report.find(Rule::TakenOver, subject.whole(), detail);
        }
    }
}
