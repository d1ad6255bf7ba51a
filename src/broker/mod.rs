//! The embedded broker: for a first try, for tests, and as a yardstick. It keeps everything in memory and asks nobody for a
//! password.
//!
//! One thread does it all, without locks: [`Broker::run`] on a current-thread runtime, a task per connection, and the state
//! behind one `RefCell` that is never borrowed across an await. [`Handle`] brings a thread of its own.
//!
//! - `listener` accepts; `connection` serves one client, and `link` is what others see of it.
//! - `state` holds sessions and deadlines (`client`, `timers`, `will`); `routing` moves messages along the `topic_tree` and
//!   the `retained` store into each subscriber's `outbox`.
//! - `sys` computes the `$SYS` topics.

mod client;
mod connection;
mod handle;
mod link;
mod listener;
mod message;
mod outbox;
mod retained;
mod routing;
mod state;
mod sys;
#[cfg(test)]
mod tests;
mod timers;
mod topic_tree;
mod will;

use crate::protocol::session::Limits;
use crate::protocol::{MAX_PACKET_SIZE, ReasonCode, Version};
pub use handle::Handle;
use listener::{Gauge, Kind};
use state::{EventHandler, Shared, State};
use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::LocalSet;

/// How often the broker looks for what is due; keep alives, wills and expiries are as exact as this.
const TICK: Duration = Duration::from_millis(200);

/// How long the clients have to take their last packet when the broker stops.
const STOPPING_TIME: Duration = Duration::from_secs(2);

/// Where the broker listens and how much it takes. Every bound is there so that no client can use up the memory.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The address to listen on for WebSockets, if any; port 0 picks a free one.
    pub listen_web_socket: Option<SocketAddr>,
    /// The largest packet in bytes that is taken, fixed header included.
    pub maximum_packet_size: u32,
    /// How many messages of QoS 1 and 2 a client of MQTT 5 may have unacknowledged; others are not told and not held to it.
    pub receive_maximum: u16,
    /// The largest topic alias that clients may set; 0 for none.
    pub topic_alias_maximum: u16,
    /// How many messages of QoS 1 and 2 are sent to a client of MQTT 3 before it acknowledges one.
    pub in_flight_v3: u16,
    /// How many messages wait for one subscriber before further ones are dropped.
    pub queued_messages: usize,
    /// How many bytes wait for one subscriber before further messages are dropped.
    pub queued_bytes: usize,
    /// Publishers wait for a subscriber that is behind, unless it has taken nothing for so long; what then does not fit its
    /// queue is dropped.
    pub stall_time: Duration,
    /// How many subscriptions one client may have.
    pub subscriptions: usize,
    /// How many sessions there may be, connected or not.
    pub sessions: usize,
    /// How many messages are retained.
    pub retained_messages: usize,
    /// How many bytes of messages are retained.
    pub retained_bytes: usize,
    /// How long a new connection may take to send CONNECT.
    pub connect_timeout: Duration,
    /// What `$SYS/broker/version` says.
    pub version: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            listen_web_socket: None,
            maximum_packet_size: MAX_PACKET_SIZE,
            // Large enough that a publisher is never idle for want of acknowledgements, small enough to be met.
            receive_maximum: 1024,
            // As many as a client can use with profit; the topics are kept for each connection.
            topic_alias_maximum: 64,
            in_flight_v3: 1024,
            // A subscriber may be away for seconds in a flood. What waits is shared, so the place in the queue is what costs.
            queued_messages: 100_000,
            queued_bytes: 64 << 20,
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
    /// What is accepted from a client of that version. One that cannot be told of a limit is not held to it.
    fn accepts(&self, version: Version) -> Limits {
        let limits = Limits { maximum_packet_size: self.maximum_packet_size, ..Limits::default() };
        if !version.is_v5() {
            return limits;
        }
        let (receive_maximum, topic_alias_maximum) = (self.receive_maximum, self.topic_alias_maximum);
        Limits { receive_maximum, topic_alias_maximum, ..limits }
    }
}

/// Something that whoever runs the broker may want to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client was let in.
    Connected {
        /// Its client identifier.
        client_id: String,
        /// Where it is.
        peer: SocketAddr,
        /// What it speaks.
        version: Version,
    },
    /// A client is gone.
    Disconnected {
        /// Its client identifier.
        client_id: String,
        /// Success after DISCONNECT, an error when the broker ended the connection, `None` when it was lost.
        reason: Option<ReasonCode>,
    },
    /// A connection was not let in.
    Refused {
        /// Where it came from.
        peer: SocketAddr,
        /// Why.
        reason: String,
    },
    /// A client did not get messages: its queue was full, or they were larger than it takes.
    Dropped {
        /// Its client identifier.
        client_id: String,
        /// How many since this was last said.
        count: u64,
    },
    /// Messages were delivered but not retained, since the store is full.
    RetainedStoreFull {
        /// How many since this was last said.
        count: u64,
    },
    /// The system gives no more connections; accepting goes on when it does.
    AcceptFailed(io::Error),
}

/// What went through a broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Clients that were let in.
    pub connections: u64,
    /// Connections that were not.
    pub refused: u64,
    /// The most clients at a time.
    pub maximum_connected: u64,
    /// Sessions whose expiry interval passed.
    pub sessions_expired: u64,
    /// PUBLISH packets from clients, repeated ones of QoS 2 not counted.
    pub messages_received: u64,
    /// PUBLISH packets to clients, repeated ones not counted.
    pub messages_sent: u64,
    /// Messages that a subscriber should have got and did not.
    pub messages_dropped: u64,
    /// Messages that expired before a subscriber took them.
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
pub struct Broker {
    listener: TcpListener,
    web_socket_listener: Option<TcpListener>,
    address: SocketAddr,
    config: Config,
    handler: EventHandler,
}

impl Broker {
    /// Opens the listening sockets. Clients may connect from now on; they are answered once it runs.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    #[allow(clippy::unused_async)] // needs a runtime, and says so
    pub async fn bind(config: Config) -> io::Result<Broker> {
        let listener = listener::listen(config.listen)?;
        let address = listener.local_addr()?;
        let web_socket_listener = config.listen_web_socket.map(listener::listen).transpose()?;
        Ok(Broker { listener, web_socket_listener, address, config, handler: Box::new(|_| {}) })
    }

    /// The address that clients connect to, with the port that was picked.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// The address for WebSockets, with the port that was picked.
    pub fn web_socket_address(&self) -> Option<SocketAddr> {
        self.web_socket_listener.as_ref()?.local_addr().ok()
    }

    /// Has `handler` called with everything notable. It is called from within the broker and must not wait.
    pub fn on_event(&mut self, handler: impl FnMut(Event) + Send + 'static) {
        self.handler = Box::new(handler);
    }

    /// Serves clients until `stop` is done, then tells them and ends.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Report {
        let state = State::new(self.config, self.handler, Instant::now());
        let shared: Shared = Rc::new(RefCell::new(state));
        let local = LocalSet::new();
        local.run_until(serve_until(stop, self.listener, self.web_socket_listener, &shared)).await;
        drop(local);
        shared.borrow().report.clone()
    }
}

async fn serve_until(
    stop: impl Future<Output = ()>,
    listener: TcpListener,
    web_socket_listener: Option<TcpListener>,
    shared: &Shared,
) {
    let gauge = Gauge::default();
    let accept_web_sockets = async {
        match &web_socket_listener {
            Some(listener) => listener::accept_all(listener, Kind::WebSocket, shared, &gauge).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = stop => {}
        () = listener::accept_all(&listener, Kind::Plain, shared, &gauge) => {}
        () = accept_web_sockets => {}
        () = tick(shared) => {}
    }
    drop((listener, web_socket_listener));
    shared.borrow_mut().shut_down();
    let deadline = Instant::now() + STOPPING_TIME;
    while gauge.value() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn tick(shared: &Shared) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        shared.borrow_mut().tick(Instant::now());
    }
}
