//! The embedded broker: for a first try, for tests, and as a baseline. It keeps everything in memory, and asks for passwords only
//! if it has users.
//!
//! It runs on one thread, without locks: [`Broker::run`] on a current-thread runtime, a task per connection, and the state in one
//! `RefCell` that is never borrowed across an await. `Handle`, for tests, starts its own thread.
//!
//! - `listener` accepts clients, or `front` processes do; `unix` creates the Unix socket, and `handshakes` bounds those of TLS,
//!   whose `computing` the networks share.
//!   `connection` serves one client, and `link` is the handle on it for other tasks.
//! - `users` checks passwords, on other threads; `scram` checks SCRAM proofs. `logins` slows down the guessing of passwords, by the
//!   failures that `guesses` counts. `acl` has the access rules for topics, and `denials` those of them that are
//!   reported.
//! - `state` holds sessions and deadlines (`client`, `timers`, `will`); `routing` moves messages along the `topic_tree` and
//!   the `retained` store into each subscriber's `outbox`.
//! - `budget` counts the broker's memory that clients cause. `excess` names the limits that they exceed. `network` is the origin
//!   that limits for strangers count by.
//! - `pace` keeps the log short.
//! - `sys` computes the `$SYS` topics, and `own_topics` says which topics no client may write.

mod acl;
mod budget;
mod client;
mod computing;
mod connection;
mod denials;
mod excess;
pub(crate) mod front;
mod guesses;
#[cfg(test)]
mod handle;
mod handshakes;
mod link;
mod listener;
mod logins;
mod message;
mod network;
mod outbox;
mod own_topics;
mod pace;
mod retained;
mod routing;
mod scram;
mod state;
mod sys;
mod target;
#[cfg(test)]
mod tests;
mod timers;
mod topic_tree;
mod unix;
mod users;
mod will;

use crate::protocol::session::Limits;
use crate::protocol::{MAX_PACKET_SIZE, ReasonCode, Version};
use crate::transport::tls::Acceptor;
#[cfg(any(test, fuzzing))]
pub(crate) use acl::fuzzing;
pub(crate) use acl::{Acl, AclError, Intent};
pub(crate) use excess::{Excess, Reason};
use front::Fronts;
pub(crate) use front::{Front, FrontStarter, Silence};
#[cfg(test)]
pub(crate) use handle::Handle;
use listener::{Gauge, Kind, Listener};
pub(crate) use listener::{ListenError, Peer};
pub(crate) use scram::{ScramAccess, ScramUsers};
use state::{EventHandler, Shared, State};
use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::LocalSet;
pub(crate) use users::{Access, Users};

/// The interval at which the broker checks for due work; keep alives, wills and expiries are as exact as this.
const TICK: Duration = Duration::from_millis(200);

/// The timeout for the clients' last packets when the broker stops.
const STOPPING_TIME: Duration = Duration::from_secs(2);

/// The broker's addresses and limits. Together the limits keep clients from exhausting the memory.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The address to listen on, if any; port 0 picks a free one.
    pub listen: Option<SocketAddr>,
    /// The address to listen on for WebSockets, if any; port 0 picks a free one.
    pub listen_web_socket: Option<SocketAddr>,
    /// The address to listen on for TLS, if any; port 0 picks a free one.
    pub listen_tls: Option<SocketAddr>,
    /// The address to listen on for WebSockets over TLS, if any; port 0 picks a free one.
    pub listen_web_socket_tls: Option<SocketAddr>,
    /// The certificate for TLS; a change applies to later connections.
    pub tls: Option<watch::Receiver<Arc<Acceptor>>>,
    /// The path of the Unix socket to listen on, if any.
    pub listen_unix: Option<PathBuf>,
    /// The credentials that clients need; `None` admits every client.
    pub access: Option<Access>,
    /// The access rules, if any; a change applies at once.
    pub acl: Option<watch::Receiver<Arc<Acl>>>,
    /// The maximum packet size in bytes, fixed header included.
    pub maximum_packet_size: u32,
    /// The maximum of unacknowledged QoS 1 and 2 messages of an MQTT 5 client; other clients do not learn it and are not held to it.
    pub receive_maximum: u16,
    /// The largest topic alias that clients may set; 0 for none.
    pub topic_alias_maximum: u16,
    /// The maximum of unacknowledged QoS 1 and 2 messages sent to a client.
    pub in_flight: u16,
    /// The bytes that the broker holds for one client: its subscriptions, its will, its buffers and its undelivered messages.
    /// Beyond that, requests are refused and messages dropped.
    pub client_memory: usize,
    /// The maximum of bytes held for all clients together.
    pub memory: usize,
    /// The maximum of messages queued for one subscriber; further ones are dropped.
    pub queued_messages: usize,
    /// Publishers wait for a subscriber that falls behind, unless it has read nothing for this time; messages that then exceed
    /// its queue are dropped.
    pub stall_time: Duration,
    /// The maximum of subscriptions per client.
    pub subscriptions: usize,
    /// The maximum of sessions, connected or not.
    pub sessions: usize,
    /// The maximum of retained messages.
    pub retained_messages: usize,
    /// The maximum of bytes in retained messages.
    pub retained_bytes: usize,
    /// The timeout for CONNECT on a new connection.
    pub connect_timeout: Duration,
    /// The value of `$SYS/broker/version`.
    pub version: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 1883))),
            listen_web_socket: None,
            listen_tls: None,
            listen_web_socket_tls: None,
            tls: None,
            listen_unix: None,
            access: None,
            acl: None,
            maximum_packet_size: MAX_PACKET_SIZE,
            // Large enough that publishers do not wait for acknowledgements, small enough that a client can reach it.
            receive_maximum: 1024,
            // More are hardly useful to a client, and the topics are stored per connection.
            topic_alias_maximum: 64,
            in_flight: 1024,
            client_memory: 64 << 20,
            memory: 1 << 30,
            // A flooded subscriber may be away for seconds. Messages are shared, so the cost is that of the queue entries.
            queued_messages: 100_000,
            stall_time: Duration::from_secs(5),
            subscriptions: 100_000,
            sessions: 1_000_000,
            retained_messages: 1_000_000,
            retained_bytes: 256 << 20,
            connect_timeout: Duration::from_secs(10),
            version: concat!("mq version ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Config {
    /// The limits for a client of that version. A client that cannot learn of a limit is not held to it.
    fn accepts(&self, version: Version) -> Limits {
        let largest = u32::try_from(self.client_memory).unwrap_or(u32::MAX);
        let maximum_packet_size = self.maximum_packet_size.min(largest);
        let limits = Limits { maximum_packet_size, ..Limits::default() };
        if !version.is_v5() {
            return limits;
        }
        let (receive_maximum, topic_alias_maximum) = (self.receive_maximum, self.topic_alias_maximum);
        let retain_available = self.no_retained().is_none();
        Limits { receive_maximum, topic_alias_maximum, retain_available, ..limits }
    }

    /// The limit that has room for no retained message, if there is one.
    fn no_retained(&self) -> Option<Excess> {
        match (self.retained_messages, self.retained_bytes) {
            (0, _) => Some(Excess::RetainedMessages(0)),
            (_, 0) => Some(Excess::RetainedBytes(0)),
            _ => None,
        }
    }
}

/// A notable event, for the handler.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum Event {
    /// A client was accepted.
    Connected {
        /// Its client identifier.
        client_id: String,
        /// Its address.
        peer: Peer,
        /// Its MQTT version.
        version: Version,
    },
    /// A client's connection ended.
    Disconnected {
        /// Its client identifier.
        client_id: String,
        /// Success after DISCONNECT, an error if the broker closed the connection, `None` if it was lost.
        reason: Option<ReasonCode>,
        /// The client's violation, if it sent a forbidden packet.
        fault: Option<String>,
    },
    /// A connection was refused.
    Refused {
        /// The client's address.
        peer: Peer,
        reason: Reason,
        /// Whether [`Event::RefusedMore`] counts it as well.
        is_summed: bool,
    },
    /// Further connections were refused, in the seconds after a reported refusal.
    RefusedMore {
        /// Their number.
        count: u64,
        last_reason: Reason,
    },
    /// A client's message was not published, or one for it not delivered, since the access rules do not allow it. Of those that are
    /// not delivered, only the first one of a connection is an event.
    Denied {
        /// Its client identifier.
        client_id: String,
        /// Its user name, if it has one.
        user: Option<String>,
        topic: String,
        intent: Intent,
        /// Whether it is not the first one of the connection, or [`Event::DeniedMore`] counts it as well.
        is_detail: bool,
    },
    /// The access rules denied something to further connections, in the seconds after a reported one.
    DeniedMore {
        /// The number of first denials.
        count: u64,
    },
    /// A client's request was refused or its connection closed, since it exceeded a limit of the broker.
    QuotaExceeded {
        /// Its client identifier.
        client_id: String,
        /// The limit, the first one since the last such event.
        excess: Excess,
    },
    /// Messages for a client were dropped.
    Dropped {
        /// Its client identifier.
        client_id: String,
        /// The number since the last such event.
        count: u64,
        /// The limit that the last one exceeded.
        excess: Excess,
    },
    /// Messages were delivered but not retained, since the store is full.
    RetainedStoreFull {
        /// The number since the last such event.
        count: u64,
        /// The limit that the last one exceeded.
        excess: Excess,
    },
    /// The system refuses new connections; accepting is retried.
    AcceptFailed(io::Error),
    /// A front process accepts clients.
    FrontStarted {
        /// Its process identifier.
        process: u32,
    },
    /// A front process ended, and its clients were lost. Another one is started.
    FrontEnded {
        /// Its process identifier.
        process: u32,
        /// Its end in words.
        end: String,
        /// The number of its connections.
        clients: usize,
        /// The time until the start of the next one.
        pause: Duration,
    },
    /// A front process does not respond; its clients wait.
    FrontSilent(Silence),
    /// It responds again.
    FrontResponds(Silence),
    /// No front process could be started in place of one that ended. The start is retried.
    FrontFailed {
        error: io::Error,
        /// The time until the next attempt.
        pause: Duration,
    },
}

/// The totals of a broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Accepted clients.
    pub connections: u64,
    /// Refused connections.
    pub refused: u64,
    /// The maximum of clients at a time.
    pub maximum_connected: u64,
    /// Sessions whose expiry interval passed.
    pub sessions_expired: u64,
    /// PUBLISH packets from clients, repeated ones of QoS 2 not counted.
    pub messages_received: u64,
    /// PUBLISH packets to clients, repeated ones not counted.
    pub messages_sent: u64,
    /// Messages dropped for a subscriber.
    pub messages_dropped: u64,
    /// PUBLISH packets from clients, and wills, that the access rules do not allow.
    pub messages_denied: u64,
    /// Messages not delivered to a subscriber, since the access rules do not allow it.
    pub messages_withheld: u64,
    /// Requests refused since the client exceeded a limit.
    pub quota_exceeded: u64,
    /// Messages that expired before they were delivered to a subscriber.
    pub messages_expired: u64,
    /// Packets of any kind from clients.
    pub packets_received: u64,
    /// Packets of any kind to clients.
    pub packets_sent: u64,
    /// Bytes from clients.
    pub bytes_received: u64,
    /// Bytes to clients.
    pub bytes_sent: u64,
}

/// A broker that listens and is ready to run.
pub(crate) struct Broker {
    listeners: Listeners,
    fronts: Option<Fronts>,
    config: Config,
    handler: EventHandler,
}

/// The sockets that a broker listens on.
struct Listeners {
    tcp: Option<Listener>,
    web_socket: Option<Listener>,
    tls: Option<Listener>,
    web_socket_tls: Option<Listener>,
    unix: Option<Listener>,
}

impl Broker {
    /// Opens the listening sockets. Clients may connect from now on; they are answered once it runs.
    ///
    /// # Errors
    /// The address or path that cannot be listened on, with the cause.
    #[allow(clippy::unused_async)] // async, since it needs a runtime
    pub(crate) async fn bind(config: Config) -> Result<Broker, ListenError> {
        let tcp = |address: Option<SocketAddr>, kind| {
            address.map(|address| Listener::tcp(address, kind)).transpose()
        };
        let listeners = Listeners {
            tcp: tcp(config.listen, Kind::Plain)?,
            web_socket: tcp(config.listen_web_socket, Kind::WebSocket)?,
            tls: tcp(config.listen_tls, Kind::Tls)?,
            web_socket_tls: tcp(config.listen_web_socket_tls, Kind::WebSocketTls)?,
            unix: config.listen_unix.as_deref().map(Listener::unix).transpose()?,
        };
        Ok(Broker { listeners, fronts: None, config, handler: Box::new(|_| {}) })
    }

    /// The TCP address for clients, if any, with the actual port.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.listeners.tcp.as_ref()?.address()
    }

    /// The WebSocket address for clients, if any, with the actual port.
    pub(crate) fn web_socket_address(&self) -> Option<SocketAddr> {
        self.listeners.web_socket.as_ref()?.address()
    }

    /// The TLS address for clients, if any, with the actual port.
    pub(crate) fn tls_address(&self) -> Option<SocketAddr> {
        self.listeners.tls.as_ref()?.address()
    }

    /// The address for clients with WebSocket over TLS, if any, with the actual port.
    pub(crate) fn web_socket_tls_address(&self) -> Option<SocketAddr> {
        self.listeners.web_socket_tls.as_ref()?.address()
    }

    /// The path of the Unix socket, if any.
    pub(crate) fn unix_path(&self) -> Option<&Path> {
        self.config.listen_unix.as_deref()
    }

    /// Lets a number of front processes accept the clients of one port: of the WebSocket port, or else of the plain TCP port, or
    /// else of a TLS port. Returns false without a port.
    ///
    /// # Errors
    /// If one cannot be started.
    pub(crate) fn start_fronts(&mut self, starter: Box<dyn FrontStarter>, count: u16) -> io::Result<bool> {
        let Listeners { tcp, web_socket, tls, web_socket_tls, .. } = &self.listeners;
        let listeners = [web_socket, tcp, web_socket_tls, tls];
        let Some(Listener::Tcp { listener, kind }) = listeners.into_iter().flatten().next() else {
            return Ok(false);
        };
        let listener = listener.as_fd().try_clone_to_owned()?;
        self.fronts = Some(Fronts::start(*kind, listener, starter, count)?);
        Ok(true)
    }

    /// Sets the handler for events. It is called from within the broker and must not block.
    pub(crate) fn on_event(&mut self, handler: impl FnMut(Event) + Send + 'static) {
        self.handler = Box::new(handler);
    }

    /// Serves clients until `stop` resolves, then disconnects them and returns.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> Report {
        let state = State::new(self.config, self.handler, Instant::now());
        let shared: Shared = Rc::new(RefCell::new(state));
        let local = LocalSet::new();
        local.run_until(serve_until(stop, self.listeners, self.fronts, &shared)).await;
        drop(local);
        shared.borrow().report.clone()
    }
}

async fn serve_until(
    stop: impl Future<Output = ()>,
    listeners: Listeners,
    fronts: Option<Fronts>,
    shared: &Shared,
) {
    let gauge = Gauge::default();
    let of_fronts = fronts.as_ref().map(|fronts| fronts.kind);
    let is_own = |listener: &&Listener| listener.kind().is_none_or(|kind| Some(kind) != of_fronts);
    let accept_at = |listener| listener::accept_all(listener, shared, &gauge);
    if let Some(fronts) = fronts {
        fronts.serve(shared, &gauge);
    }
    tokio::select! {
        () = stop => {}
        () = accept_at(listeners.tcp.as_ref().filter(is_own)) => {}
        () = accept_at(listeners.web_socket.as_ref().filter(is_own)) => {}
        () = accept_at(listeners.tls.as_ref().filter(is_own)) => {}
        () = accept_at(listeners.web_socket_tls.as_ref().filter(is_own)) => {}
        () = accept_at(listeners.unix.as_ref().filter(is_own)) => {}
        () = follow_acl(shared) => {}
        () = publish_wills(shared) => {}
        () = tick(shared) => {}
    }
    drop(listeners);
    shared.borrow_mut().shut_down(Instant::now());
    let deadline = Instant::now() + STOPPING_TIME;
    while gauge.value() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Applies changed access rules.
async fn follow_acl(shared: &Shared) {
    let receiver = shared.borrow().config.acl.clone();
    if let Some(mut receiver) = receiver {
        while receiver.changed().await.is_ok() {
            let acl = Arc::clone(&receiver.borrow_and_update());
            shared.borrow_mut().change_acl(acl);
        }
    }
    std::future::pending::<()>().await;
}

/// Publishes the wills that are due, in turns with the clients.
async fn publish_wills(shared: &Shared) {
    let used = shared.borrow().used_by_wills();
    loop {
        used.notified().await;
        connection::give_way().await;
        shared.borrow_mut().renew_share_of_wills(Instant::now());
    }
}

async fn tick(shared: &Shared) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        while shared.borrow_mut().tick(Instant::now()) {
            tokio::task::yield_now().await;
        }
    }
}
