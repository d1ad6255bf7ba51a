//! Limits how many clients connect at the same time and per second, and counts those that are connected.

use crate::bench::plan::Plan;
use std::cell::Cell;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};

/// The maximum number of clients of all threads that wait for CONNACK: about the length of mosquitto's accept queue.
const CONNECTING_AT_ONCE: usize = 96;

/// The admission of a thread's clients.
#[derive(Debug)]
pub(in crate::bench) struct Admission {
    /// A permit for each client that may wait for CONNACK.
    permits: Semaphore,
    /// The pause between two clients; `None` for no limit of the rate.
    pause: Option<Duration>,
    /// When the next client may begin to connect.
    next: Cell<Instant>,
    /// Clients that are connected.
    connected: Cell<usize>,
    /// Signals that a client has left.
    left: Notify,
}

impl Admission {
    pub(super) fn new(plan: &Plan) -> Admission {
        let pause = |rate: u32| Duration::from_secs_f64(plan.threads as f64 / f64::from(rate));
        Admission {
            permits: Semaphore::new(CONNECTING_AT_ONCE.div_ceil(plan.threads)),
            pause: plan.connect_rate.map(pause),
            next: Cell::new(Instant::now()),
            connected: Cell::default(),
            left: Notify::new(),
        }
    }

    /// Waits until one more client may connect. [`Admission::release`] has to follow.
    pub(in crate::bench) async fn admit(&self) {
        if let Some(pause) = self.pause {
            let at = self.next.get();
            self.next.set(at + pause);
            sleep_until(at).await;
        }
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }

    /// Releases the permit of a client that has connected, or failed to.
    pub(in crate::bench) fn release(&self) {
        self.permits.add_permits(1);
    }

    /// Starts the rate anew after a pause, for clients that reconnect or come later.
    pub(in crate::bench) fn restart(&self) {
        self.next.set(self.next.get().max(Instant::now()));
    }

    /// Counts a connected client, to wait for it at the end.
    pub(in crate::bench) fn enter(&self) {
        self.connected.set(self.connected.get() + 1);
    }

    /// Counts a client that has ended.
    pub(in crate::bench) fn leave(&self) {
        self.connected.set(self.connected.get() - 1);
        self.left.notify_waiters();
    }

    /// Waits until all clients have ended.
    pub(in crate::bench) async fn all_left(&self) {
        while self.connected.get() > 0 {
            self.left.notified().await;
        }
    }
}
