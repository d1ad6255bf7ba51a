//! The simultaneous connections of an HTTP server. If all places are taken, a new connection gets the place of the one that has been
//! silent for the longest time, so that connections without a request keep nobody out for long.

use super::http_message;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until};

/// The time for a request to arrive, during which no other connection gets the place.
const MIN_SILENCE: Duration = Duration::from_millis(100);

/// The places of a server.
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// Those whose request has not arrived, the oldest first.
    silent: VecDeque<Silent>,
}

struct Silent {
    since: Instant,
    /// Without it, the connection ends.
    hold: oneshot::Sender<()>,
}

/// The place of a connection, from its start to its response.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    taken_back: oneshot::Receiver<()>,
}

impl Places {
    pub(super) fn new(count: usize) -> Places {
        Places { free: Arc::new(Semaphore::new(count)), silent: VecDeque::new() }
    }

    /// The place of a new connection. If all are taken by requests that are being answered, it waits for one of them.
    pub(super) async fn take(&mut self) -> Place {
        let permit = loop {
            self.silent.retain(|connection| !connection.hold.is_closed());
            let oldest = self.silent.front().map(|connection| connection.since);
            tokio::select! {
                biased;
                permit = free_place(&self.free) => break permit,
                () = has_been_silent(oldest) => {
                    if self.silent.pop_front().is_some_and(|connection| !connection.hold.is_closed()) {
                        break free_place(&self.free).await;
                    }
                }
            }
        };
        let (hold, taken_back) = oneshot::channel();
        self.silent.push_back(Silent { since: Instant::now(), hold });
        Place { _permit: permit, taken_back }
    }
}

async fn free_place(free: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(free).acquire_owned().await.expect("the semaphore is never closed")
}

async fn has_been_silent(since: Option<Instant>) {
    match since {
        Some(since) => sleep_until(since + MIN_SILENCE).await,
        None => pending().await,
    }
}

impl Place {
    /// Reads a request as [`http_message::read_head`] does. `None` also if another connection needs the place.
    pub(super) async fn read_head(&mut self, stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
        let head = tokio::select! {
            head = http_message::read_head(stream) => head,
            _ = &mut self.taken_back => Ok(None),
        };
        self.taken_back.close();
        head
    }
}
