//! The TLS session of one client, for its next connection. The store of rustls is by server name, so that thousands of clients of
//! one server would share its few tickets.

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The newest session of a client: at most one of each version, whatever the server sends.
#[derive(Debug, Default)]
pub(super) struct OwnSession(Mutex<Newest>);

#[derive(Debug, Default)]
struct Newest {
    group: Option<NamedGroup>,
    tls_12: Option<Box<Tls12ClientSessionValue>>,
    tls_13: Option<Box<Tls13ClientSessionValue>>,
}

impl OwnSession {
    fn newest(&self) -> MutexGuard<'_, Newest> {
        let OwnSession(newest) = self;
        newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for OwnSession {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.newest().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.newest().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.newest().tls_12 = Some(Box::new(session));
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.newest().tls_12.as_deref().cloned()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.newest().tls_12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.newest().tls_13 = Some(Box::new(ticket));
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.newest().tls_13.take().map(|ticket| *ticket)
    }
}
