//! The MQTT-SN gateway: clients at a UDP port, each with an MQTT connection of its own to a broker (a transparent gateway), or all
//! with one (an aggregating gateway).
//!
//! It runs on one thread, without locks: the state in one `RefCell` that is never borrowed across an await, and a task per
//! connection to the broker.
//!
//! - `state` has the clients, finds them by address and identifier, and carries out the actions that their state machines
//!   (`protocol::sn::gateway`) return.
//! - `broker_connection` serves one connection to the broker, and `link` is the handle on it.
//! - `aggregate` is the broker of the clients that share a connection.
//! - `peer` is the address of a client, perhaps behind a forwarder.
//! - `unconnected` publishes messages of QoS -1 from clients without a connection.
//! - `event_sum` sums up frequent events, such as datagrams that cannot be read.

mod aggregate;
mod broker_connection;
mod event_sum;
mod key;
mod link;
mod peer;
mod state;
mod unconnected;

use crate::client::Options;
use crate::protocol::sn::gateway::Settings;
use crate::protocol::sn::{PredefinedTopics, Version};
use crate::transport::{DatagramBatch, DatagramSocket};
pub(crate) use peer::Peer;
use state::{Shared, State};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// The datagrams after which other work gets its turn.
const DATAGRAMS_PER_TURN: usize = 64;

/// The time for the last packets to the broker when the gateway stops.
const STOPPING_TIME: Duration = Duration::from_secs(2);

/// The longest wait without a timer.
const FAR: Duration = Duration::from_secs(24 * 3600);

/// The addresses and limits of a gateway.
#[derive(Debug)]
pub(crate) struct Config {
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The gateway's number in ADVERTISE and GWINFO.
    pub gateway_id: u8,
    /// The address, usually a multicast group, and the interval of ADVERTISE.
    pub advertise: Option<(SocketAddr, Duration)>,
    /// The connections to the broker; identifier, session and will are those of each client.
    pub broker: Options,
    /// All clients share one connection to the broker, with these options. It needs MQTT 5.
    pub aggregates: bool,
    /// The version of MQTT-SN of all clients; `None` for that of each client.
    pub version: Option<Version>,
    /// The topics of predefined ids.
    pub predefined: PredefinedTopics,
    /// The limits and timers of each client.
    pub settings: Settings,
    /// The maximum of clients, connected or remembered.
    pub clients: usize,
}

/// An event for the log.
#[derive(Debug)]
pub(crate) enum Event {
    Connected {
        client_id: String,
        peer: Peer,
        version: Version,
    },
    Disconnected {
        client_id: String,
    },
    Asleep {
        client_id: String,
        duration: Duration,
    },
    /// Nothing arrived within the keep alive or the sleep of the client.
    Silent {
        client_id: String,
    },
    /// The client did not answer a repeated message.
    NoAnswer {
        client_id: String,
    },
    /// Clients that were silent for the longest time made room for others. This is the last of them.
    GaveWay {
        count: u64,
        client_id: String,
        peer: Peer,
        /// The number of clients at its address, if it went because they were the most.
        crowd: Option<usize>,
    },
    /// The messages of the broker exceeded its queue by far, so it was disconnected.
    Overrun {
        client_id: String,
    },
    /// Clients were not accepted, the last of them for this reason.
    Refused {
        count: u64,
        client_id: String,
        peer: Peer,
        reason: String,
    },
    /// The connection to the broker ended.
    BrokerLost {
        client_id: String,
        reason: String,
    },
    /// Messages for the client were dropped.
    Dropped {
        client_id: String,
        count: u64,
    },
    /// Messages expired before the client took them.
    Expired {
        client_id: String,
        count: u64,
    },
    /// Messages of QoS -1 could not be published.
    UnconnectedDropped {
        count: u64,
        reason: String,
    },
    /// The broker has accepted the connection that all clients share.
    SharedAccepted,
    /// This connection failed or ended; the next one is opened after the pause.
    SharedLost {
        reason: String,
        pause: Duration,
    },
    /// The broker lost the session of this connection amid these exchanges of QoS 2.
    DeliveryUnknown {
        count: usize,
    },
    /// Datagrams were ignored.
    Malformed {
        count: u64,
        peer: Peer,
        reason: String,
    },
}

/// A client identifier for the gateway itself.
pub(crate) fn random_client_id() -> String {
    "mq-gateway-".chars().chain((0..10).map(|_| fastrand::alphanumeric())).collect()
}

/// A gateway that listens and is ready to run.
pub(crate) struct Gateway {
    socket: DatagramSocket,
    config: Config,
    handler: Box<dyn FnMut(Event)>,
}

impl Gateway {
    /// Opens the port.
    ///
    /// # Errors
    /// If the port is in use, or the address is not local.
    pub(crate) async fn bind(config: Config) -> io::Result<Gateway> {
        let socket = DatagramSocket::bind(config.listen).await?;
        if let Some((group, _)) = &config.advertise {
            socket.prepare_multicast(group.ip())?;
        }
        Ok(Gateway { socket, config, handler: Box::new(|_| {}) })
    }

    /// The address for clients, with the actual port.
    pub(crate) fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_address()
    }

    /// Sets the handler for events, which must not block.
    pub(crate) fn on_event(&mut self, handler: impl FnMut(Event) + 'static) {
        self.handler = Box::new(handler);
    }

    /// Serves clients until `stop` resolves, then disconnects them and returns.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        let Gateway { socket, config, handler } = self;
        let shared: Shared =
            Rc::new_cyclic(|this| RefCell::new(State::new(config, socket, handler, this.clone())));
        let local = LocalSet::new();
        local
            .run_until(async {
                tokio::select! {
                    () = stop => {}
                    () = serve(&shared) => {}
                }
                shared.borrow_mut().shut_down(Instant::now());
                let deadline = Instant::now() + STOPPING_TIME;
                while shared.borrow().has_connections() && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
            .await;
    }
}

async fn serve(shared: &Shared) {
    let wake = Rc::clone(shared.borrow().wake());
    let mut batch = DatagramBatch::new();
    loop {
        let due = shared.borrow_mut().run_timers(Instant::now());
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(due.into()) => {}
            () = receive(shared, &mut batch) => tokio::task::yield_now().await,
            () = wake.notified() => {}
        }
    }
}

/// Waits for datagrams, and handles those that have arrived.
async fn receive(shared: &Shared, batch: &mut DatagramBatch) {
    poll_fn(|cx| {
        // One for all of them, which are handled within a millisecond.
        let now = Instant::now();
        let mut handled = 0;
        while handled < DATAGRAMS_PER_TURN {
            let mut state = shared.borrow_mut();
            match state.poll_receive(cx, batch) {
                Poll::Ready(Ok(())) => {
                    batch.iter().for_each(|(datagram, address)| state.receive(datagram, address, now));
                    handled += batch.len();
                    if !batch.is_full() {
                        break;
                    }
                }
                // An ICMP error about an earlier datagram.
                Poll::Ready(Err(_)) => handled += 1,
                Poll::Pending if handled == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(())
    })
    .await;
}
