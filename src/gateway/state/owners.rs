//! The connections to the broker report to the gateway's state: those of clients, and the one for messages of QoS -1.

use super::Shared;
use crate::client::{self, Options, Terms};
use crate::gateway::broker_connection::{Owner, serve};
use crate::gateway::key::Key;
use crate::gateway::link::Link;
use crate::gateway::random_client_id;
use crate::protocol::Packet;
use std::rc::Rc;
use std::time::Instant;
use tokio::task::spawn_local;

/// A client as the owner of its connection.
pub(super) struct ClientOwner {
    pub(super) shared: Shared,
    pub(super) key: Key,
    /// One of the tasks that the client's slot counts.
    pub(super) _task: Rc<()>,
}

impl Owner for ClientOwner {
    fn accepted(&self, link: &Rc<Link>, terms: &Terms) {
        self.shared.borrow_mut().broker_accepted(self.key, link, terms, Instant::now());
    }

    fn refused(&self, link: &Rc<Link>, error: &client::Error) {
        self.shared.borrow_mut().broker_refused(self.key, link, error, Instant::now());
    }

    fn receive(&self, _: &Rc<Link>, packet: &Packet<'_>) {
        self.shared.borrow_mut().receive_packet(self.key, packet, Instant::now());
    }

    fn has_room(&self) -> bool {
        self.shared.borrow().has_room(self.key)
    }

    fn lost(&self, link: &Rc<Link>, reason: String) {
        self.shared.borrow_mut().broker_lost(self.key, link, reason, Instant::now());
    }
}

/// Opens the gateway's own connection, for messages of QoS -1.
pub(super) fn open_unconnected(options: &Options, shared: &Shared) -> Rc<Link> {
    let options = Options { client_id: random_client_id(), clean_start: true, will: None, ..options.clone() };
    let link = Rc::new(Link::default());
    let owner = UnconnectedOwner { shared: Rc::clone(shared) };
    spawn_local(serve(owner, Rc::clone(&link), Box::new(options), None));
    link
}

struct UnconnectedOwner {
    shared: Shared,
}

impl Owner for UnconnectedOwner {
    fn accepted(&self, _: &Rc<Link>, terms: &Terms) {
        self.shared.borrow_mut().unconnected_accepted(&terms.peer_accepts);
    }

    fn refused(&self, _: &Rc<Link>, error: &client::Error) {
        self.shared.borrow_mut().unconnected_ended(error.to_string(), Instant::now());
    }

    fn receive(&self, _: &Rc<Link>, _: &Packet<'_>) {}

    fn has_room(&self) -> bool {
        true
    }

    fn lost(&self, _: &Rc<Link>, reason: String) {
        self.shared.borrow_mut().unconnected_ended(reason, Instant::now());
    }
}

/// The connection of an aggregating gateway.
pub(super) struct SharedOwner {
    pub(super) shared: Shared,
}

impl Owner for SharedOwner {
    fn accepted(&self, link: &Rc<Link>, terms: &Terms) {
        self.shared.borrow_mut().shared_accepted(link, terms, Instant::now());
    }

    fn refused(&self, link: &Rc<Link>, error: &client::Error) {
        self.shared.borrow_mut().shared_refused(link, error, Instant::now());
    }

    fn receive(&self, link: &Rc<Link>, packet: &Packet<'_>) {
        self.shared.borrow_mut().shared_received(link, packet, Instant::now());
    }

    /// Slow clients have queues of their own, and must not stop the others.
    fn has_room(&self) -> bool {
        true
    }

    fn lost(&self, link: &Rc<Link>, reason: String) {
        self.shared.borrow_mut().shared_ended(link, reason, Instant::now());
    }
}
