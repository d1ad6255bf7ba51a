//! Rules across connections: a client that is connected twice, and a session that should have ended.

use super::CaptureCoverage;
use super::packet_context::PacketContext;
use super::report::FindingList;
use crate::inspect::Rule;
use crate::inspect::timing::SECOND;
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
type ClientKey = u64;

/// All clients of the capture.
#[derive(Debug, Default)]
pub(super) struct Clients {
    open: HashMap<u32, OpenConnection, RandomState>,
    clients: HashMap<ClientKey, KnownClient, RandomState>,
    /// Connections that a later one took over, with the time of that.
    taken_over: HashMap<u32, Option<u64>, RandomState>,
}

#[derive(Debug)]
struct OpenConnection {
    /// The hash of its address.
    server: u64,
    key: Option<ClientKey>,
}

#[derive(Debug)]
struct KnownClient {
    connection: Option<u32>,
    /// The session ends with that connection even if the server does not end it.
    is_session_brief: bool,
}

impl Clients {
    pub(super) fn open(&mut self, connection: u32, server: SocketAddr) {
        let server = self.clients.hasher().hash_one(server);
        self.open.insert(connection, OpenConnection { server, key: None });
    }

    pub(super) fn close(&mut self, connection: u32) {
        self.taken_over.remove(&connection);
        if let Some(OpenConnection { key: Some(key), .. }) = self.open.remove(&connection)
            && let Some(client) = self.clients.get_mut(&key).filter(|it| it.connection == Some(connection))
        {
            client.connection = None;
        }
    }

    pub(super) fn check(
        &mut self,
        context: &PacketContext<'_>,
        coverage: CaptureCoverage,
        report: &mut FindingList,
    ) {
        if context.is_from_client() {
            return;
        }
        if context.kind == PacketType::Connack && coverage.beginning {
            self.connack(context, report);
        } else if !self.taken_over.is_empty() && context.kind != PacketType::Disconnect {
            self.sent_after_takeover(context, report);
        }
    }

    fn connack(&mut self, context: &PacketContext<'_>, report: &mut FindingList) {
        let tracker = context.packet.tracker;
        let (Some(connect), Some(connack), Some(client_id), Some(connection_entry)) = (
            &tracker.negotiation.connect,
            &tracker.negotiation.connack,
            &tracker.client_id,
            self.open.get_mut(&context.packet.connection),
        ) else {
            return;
        };
        if !connack.is_accepted {
            return;
        }
        let key = self.clients.hasher().hash_one((connection_entry.server, client_id));
        let earlier = self.clients.get(&key);
        if let Some(old) = earlier.and_then(|client| client.connection) {
            self.taken_over.insert(old, context.time());
        }
        let was_brief = earlier.is_some_and(|it| it.is_session_brief && it.connection.is_none());
        if connack.session_present && was_brief {
            let detail = "Session Present is set, but the session ended with the client's last connection";
            report.find(Rule::SessionResurrected, context.whole(), detail);
        }
        if earlier.is_some() || self.clients.len() < MAX_CLIENTS {
            let is_session_brief = if context.is_v5() {
                connect.session_expiry_interval == 0
                    && context.property(PropertyId::SessionExpiryInterval).is_none()
            } else {
                connect.clean_start
            };
            connection_entry.key = Some(key);
            let connection = Some(context.packet.connection);
            self.clients.insert(key, KnownClient { connection, is_session_brief });
        }
    }

    /// Reports packets that the server sends on a connection after its client has connected again.
    fn sent_after_takeover(&mut self, context: &PacketContext<'_>, report: &mut FindingList) {
        let number = context.packet.connection;
        let Some(Some(since)) = self.taken_over.get(&number).copied() else { return };
        if context.time().is_some_and(|now| now > since.saturating_add(CLOSE_TIMEOUT)) {
            self.taken_over.remove(&number);
            let detail = format!("{} on this connection after the client has connected again", context.kind);
            report.find(Rule::TakenOver, context.whole(), detail);
        }
    }
}
