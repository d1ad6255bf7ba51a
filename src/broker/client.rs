//! A client's session: the state that outlives a connection, and its current connection.

use super::acl::{Intent, Subject};
use super::budget::{Account, Charge};
use super::link::Link;
use super::message::{Outbound, Share};
use super::outbox::Outbox;
use super::retained::Cursor;
use super::topic_tree::ClientKey;
use super::will::PendingWill;
use crate::protocol::session::{Role, Session};
use crate::protocol::{Qos, SubscriptionOptions, Version};
use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The session expiry interval that means "never" (MQTT 5.0, section 3.1.2.11.2).
pub(super) const NEVER: u32 = u32::MAX;

/// The cost of a client besides its counted memory: its state, its connection and its entries in the broker's tables.
const OVERHEAD: usize = 2048;

/// A client, connected or not. Only its own task uses `session`; any task may add to `outbox`.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) key: ClientKey,
    pub(super) id: Rc<str>,
    /// The client for the access rules. The user may differ in each connection.
    pub(super) subject: RefCell<Rc<Subject>>,
    pub(super) account: Rc<Account>,
    pub(super) session: RefCell<Session<Outbound>>,
    pub(super) outbox: RefCell<Outbox>,
    /// The filters as received, `$share` included.
    pub(super) subscriptions: RefCell<HashSet<Box<str>>>,
    /// New subscriptions whose retained messages were not all queued yet.
    pub(super) scans: RefCell<VecDeque<Scan>>,
    /// The session has ended; its subscriptions may be in the tree for a moment longer.
    pub(super) is_ended: Cell<bool>,
    pub(super) link: RefCell<Option<Rc<Link>>>,
    /// In seconds; 0 ends the session with the connection.
    pub(super) expiry_interval: Cell<u32>,
    pub(super) will: RefCell<Option<Box<PendingWill>>>,
    /// The keep alive timeout, 1.5 times the client's keep alive; zero for none.
    pub(super) keep_alive_timeout: Cell<Duration>,
    pub(super) is_bridge: Cell<bool>,
    /// The entry of this client in the routing of the current message: the routing's number, and the index.
    pub(super) routed: Cell<(u64, usize)>,
    /// The decision of the access rules in the routing of the current message: the routing's number, and whether it may be received.
    pub(super) decided: Cell<(u64, bool)>,
    /// The last routing whose message was withheld from this client.
    pub(super) withheld: Cell<u64>,
    /// Whether a denial was noted in this connection, of publishing and of receiving.
    denials: [Cell<bool>; 2],
    /// The time of each kind of deadline, as in the timers.
    pub(super) deadlines: Cell<[Option<Instant>; 4]>,
}

/// One entry of the topic tree.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) client: Rc<Client>,
    pub(super) options: SubscriptionOptions,
    /// The subscription identifier, none or one, shared with deliveries.
    pub(super) id: Option<Rc<[u32]>>,
    /// The shared subscription that it belongs to.
    pub(super) share: Option<Rc<Share>>,
    #[allow(dead_code)] // held for its drop
    pub(super) charge: Charge,
}

/// A subscription that waits for its retained messages.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) filter: Box<str>,
    pub(super) cursor: Cursor,
    pub(super) maximum_qos: Qos,
    pub(super) id: Option<Rc<[u32]>>,
    /// The number of the last routing before the subscription: it received later messages directly.
    pub(super) last_number: u64,
    /// Whether the broker's own topics, which are not in the store, are still to be checked.
    pub(super) wants_own: bool,
    #[allow(dead_code)] // held for its drop
    pub(super) charge: Charge,
}

impl Client {
    pub(super) fn new(
        key: ClientKey,
        id: &str,
        account: Rc<Account>,
        queued_messages: usize,
        version: Version,
        now: Instant,
    ) -> Client {
        let mut session = Session::new(Role::Server, version);
        session.choose_aliases();
        let id: Rc<str> = id.into();
        Client {
            key,
            subject: RefCell::new(Rc::new(Subject { client_id: Rc::clone(&id), user: None })),
            id,
            session: RefCell::new(session),
            outbox: RefCell::new(Outbox::new(&account, queued_messages, now)),
            account,
            subscriptions: RefCell::default(),
            scans: RefCell::default(),
            is_ended: Cell::new(false),
            link: RefCell::default(),
            expiry_interval: Cell::new(0),
            will: RefCell::default(),
            keep_alive_timeout: Cell::new(Duration::ZERO),
            is_bridge: Cell::new(false),
            routed: Cell::new((0, 0)),
            decided: Cell::new((0, false)),
            withheld: Cell::new(0),
            denials: Default::default(),
            deadlines: Cell::default(),
        }
    }

    /// The minimum cost of a client with this identifier.
    pub(super) fn base_cost(id: &str) -> usize {
        OVERHEAD + 2 * id.len()
    }

    /// Counts its memory besides its charges, with buffers of this size.
    pub(super) fn count_own(&self, buffers: usize) {
        let session = self.session.borrow().memory();
        self.account.set_own(Client::base_cost(&self.id) + session + buffers);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.link.borrow().is_some()
    }

    /// Whether this is the client's current connection, rather than a replaced one.
    pub(super) fn has_link(&self, link: &Rc<Link>) -> bool {
        self.link.borrow().as_ref().is_some_and(|present| Rc::ptr_eq(present, link))
    }

    /// Notes that the access rules denied something. Returns true if that is the first time in this connection.
    pub(super) fn note_denial(&self, intent: Intent) -> bool {
        let [publishing, receiving] = &self.denials;
        let noted = match intent {
            Intent::Write => publishing,
            Intent::Read => receiving,
        };
        !noted.replace(true)
    }

    /// Forgets the denials of earlier connections.
    pub(super) fn forget_denials(&self) {
        self.denials.iter().for_each(|noted| noted.set(false));
    }

    /// Wakes the client's task, if there is one.
    pub(super) fn signal(&self) {
        if let Some(link) = &*self.link.borrow() {
            link.signal();
        }
    }

    /// Whether it can receive messages now: connected, and without backlog.
    pub(super) fn is_ready(&self) -> bool {
        let outbox = self.outbox.borrow();
        self.is_connected() && !self.is_ended.get() && !outbox.has_waiting() && !outbox.is_stalled()
    }
}
