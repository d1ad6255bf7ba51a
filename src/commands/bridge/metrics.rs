//! `--metrics`: the counts of bridges in the text format of Prometheus, over HTTP.
//!
//! The counts live on the thread of the bridges, so each request asks for the page there.

use crate::bridge::{DirectionSnapshot, SideSnapshot, SideState, Snapshot};
use crate::commands::error::Error;
use crate::commands::http_message::{self, METRICS_TYPE, Request, TIME_LIMIT, respond};
use crate::commands::http_places::{Place, Places};
use crate::prometheus::{Label, Page};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The maximum of simultaneous requests; others wait in the kernel's backlog.
const MAX_REQUESTS: usize = 16;

/// A request for the page, and the place for it.
type Asked = oneshot::Sender<String>;

/// The server of metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    address: Option<SocketAddr>,
    requests: mpsc::Receiver<Asked>,
}

impl Metrics {
    /// Listens on an address. Call it inside the runtime.
    pub(super) fn bind(address: SocketAddr) -> Result<Metrics, Error> {
        let bind = || {
            let socket = StdListener::bind(address)?;
            socket.set_nonblocking(true)?;
            Ok((socket.local_addr().ok(), TcpListener::from_std(socket)?))
        };
        let failed = |source| Error::system(format!("listen on {address} for --metrics"), source);
        let (address, listener) = bind().map_err(failed)?;
        let (sender, requests) = mpsc::channel(MAX_REQUESTS);
        tokio::spawn(accept(listener, sender));
        Ok(Metrics { address, requests })
    }

    /// The address with its port.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The next request for the page.
    pub(super) async fn asked(&mut self) -> Asked {
        match self.requests.recv().await {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }
}

async fn accept(listener: TcpListener, sender: mpsc::Sender<Asked>) {
    let mut places = Places::new(MAX_REQUESTS);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let place = places.take().await;
                tokio::spawn(timeout(TIME_LIMIT, answer(stream, place, sender.clone())));
            }
            // Without descriptors, the next attempt fails as well.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, mut place: Place, sender: mpsc::Sender<Asked>) -> std::io::Result<()> {
    let Some(head) = place.read_head(&mut stream).await? else { return Ok(()) };
    let response = match Request::of(&head, &["/metrics"], "use /metrics") {
        Ok(Request { has_body, .. }) => {
            let (asked, page) = oneshot::channel();
            // The bridge ends.
            let Ok(()) = sender.send(asked).await else { return Ok(()) };
            let page = page.await.unwrap_or_default();
            respond("200 OK", METRICS_TYPE, "", &page, has_body)
        }
        Err(refusal) => refusal,
    };
    http_message::send(stream, &response).await
}

/// A count of a direction: its name, type and help.
type Metric = (&'static str, &'static str, &'static str, fn(&DirectionSnapshot) -> u64);

const METRICS: [Metric; 9] = [
    ("received_total", "counter", "Messages from the source.", |direction| direction.counts.received),
    ("forwarded_total", "counter", "Copies that the target has.", |direction| direction.counts.forwarded),
    ("redelivered_total", "counter", "Repetitions that were not forwarded again.", |direction| {
        direction.counts.redelivered
    }),
    ("maybe_doubled_total", "counter", "Copies sent again after the target lost its session.", |direction| {
        direction.counts.maybe_doubled
    }),
    ("downgraded_total", "counter", "Copies whose QoS or RETAIN was lowered.", |direction| {
        direction.counts.downgraded
    }),
    ("sessions_lost_total", "counter", "Sessions that the source lost.", |direction| {
        direction.counts.sessions_lost
    }),
    ("in_flight", "gauge", "Messages that the target has to acknowledge.", |direction| {
        direction.in_flight as u64
    }),
    ("queued_messages", "gauge", "Messages that were not sent yet.", |direction| direction.queued as u64),
    ("queued_bytes", "gauge", "Bytes of these messages.", |direction| direction.queued_bytes as u64),
];

/// The page of metrics.
pub(super) fn page(snapshots: &[Snapshot]) -> String {
    let mut page = Page::new("mq_bridge_");
    page.head("connected", "gauge", "Whether the connection to a broker is up.");
    for_each_side(snapshots, |labels, side| {
        page.value("connected", labels, u8::from(matches!(side.state, SideState::Connected)));
    });
    page.head("connections_total", "counter", "Connections that a broker accepted.");
    for_each_side(snapshots, |labels, side| page.value("connections_total", labels, side.connections));
    for (name, kind, help, count) in METRICS {
        page.head(name, kind, help);
        for_each_direction(snapshots, |labels, direction| page.value(name, &labels, count(direction)));
    }
    page.head("dropped_total", "counter", "Messages that were not forwarded, by reason.");
    for_each_direction(snapshots, |[bridge, direction], snapshot| {
        let counts = &snapshot.counts;
        let reasons = [
            ("queue_full", counts.dropped),
            ("too_large", counts.too_large),
            ("rejected", counts.rejected),
            ("expired", counts.expired),
            ("looped", counts.looped),
            ("unmatched", counts.unmatched),
        ];
        for (reason, count) in reasons {
            page.value("dropped_total", &[bridge, direction, ("reason", reason)], count);
        }
    });
    page.head("delay_seconds", "gauge", "Time from arrival to the target's acknowledgement, by quantile.");
    for_each_direction(snapshots, |[bridge, direction], snapshot| {
        for (quantile, delay) in [("0.5", snapshot.delay_p50), ("0.99", snapshot.delay_p99)] {
            if let Some(delay) = delay {
                let labels = [bridge, direction, ("quantile", quantile)];
                page.value("delay_seconds", &labels, delay.as_secs_f64());
            }
        }
    });
    page.into_text()
}

fn for_each_side(snapshots: &[Snapshot], mut write: impl FnMut(&[Label<'_>], &SideSnapshot)) {
    for snapshot in snapshots {
        for (word, side) in [("local", &snapshot.local), ("remote", &snapshot.remote)] {
            write(&[("bridge", &snapshot.name), ("side", word)], side);
        }
    }
}

fn for_each_direction(snapshots: &[Snapshot], mut write: impl FnMut([Label<'_>; 2], &DirectionSnapshot)) {
    for snapshot in snapshots {
        for (word, direction) in [("out", &snapshot.out), ("in", &snapshot.incoming)] {
            write([("bridge", &snapshot.name), ("direction", word)], direction);
        }
    }
}
