//! The clock of a run, and the wake-ups of a thread's clients.
//!
//! A client is woken by its socket, together with all others by [`Timers::tick`] for new control data and for keep
//! alive, and at the times that it asks for. It has no timer of its own.

use super::timer_queue::TimerQueue;
use crate::transport::PreciseTimer;
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io;
use std::task::Waker;
use std::time::{Duration, Instant};

/// The number of keep alive checks per interval.
pub(in crate::bench) const CHECKS_PER_KEEP_ALIVE: u32 = 4;

/// The interval of checks without keep alive.
const LONGEST_CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// The clock and the wake-ups.
#[derive(Debug)]
pub(in crate::bench) struct Timers {
    start: Instant,
    /// Only planned sends and think times need one.
    queue: Option<TimerQueue>,
    ticks: Cell<u32>,
    wakers: RefCell<Vec<Waker>>,
}

impl Timers {
    /// # Errors
    /// If the operating system has no more timers.
    pub(super) fn new(start: Instant, has_wake_ups: bool) -> io::Result<Timers> {
        let queue = has_wake_ups.then(|| PreciseTimer::new().map(TimerQueue::new)).transpose()?;
        Ok(Timers { start, queue, ticks: Cell::default(), wakers: RefCell::default() })
    }

    /// A time as nanoseconds since the run's start.
    pub(in crate::bench) fn nanoseconds(&self, time: Instant) -> u64 {
        nanoseconds(time.saturating_duration_since(self.start))
    }

    pub(in crate::bench) fn now(&self) -> u64 {
        self.nanoseconds(Instant::now())
    }

    /// Waits until a time of the run.
    pub(in crate::bench) async fn reach(&self, time: u64) {
        if let Some(at) = self.start.checked_add(Duration::from_nanos(time)) {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// The number of ticks so far. A client that sees a new one checks the phase and its keep alive.
    pub(in crate::bench) fn ticks(&self) -> u32 {
        self.ticks.get()
    }

    /// Registers a client to be woken by ticks. Returns the number to wake it individually.
    pub(in crate::bench) fn register(&self, waker: &Waker) -> usize {
        let wakers = &mut *self.wakers.borrow_mut();
        wakers.push(waker.clone());
        wakers.len() - 1
    }

    /// Schedules a wake-up of a client.
    pub(in crate::bench) fn wake_at(&self, client: usize, time: u64) {
        if let Some(queue) = &self.queue {
            queue.insert(client, time, self.now());
        }
    }

    /// The time up to which all clients have been woken.
    pub(in crate::bench) fn woken_until(&self) -> u64 {
        self.queue.as_ref().map_or(0, TimerQueue::woken_until)
    }

    /// Waits until a client may be due.
    pub(in crate::bench) async fn due(&self) {
        match &self.queue {
            Some(queue) => queue.wait().await,
            None => pending().await,
        }
    }

    /// Wakes the clients that are due. Returns the delay of the earliest one in nanoseconds.
    pub(in crate::bench) fn wake_due(&self) -> Option<u64> {
        let now = self.now();
        let wakers = self.wakers.borrow();
        let wake = |client: usize| wakers.get(client).into_iter().for_each(Waker::wake_by_ref);
        self.queue.as_ref()?.wake_due(now, wake).map(|due| now - due)
    }

    /// Wakes all clients.
    pub(in crate::bench) fn tick(&self) {
        self.ticks.set(self.ticks.get().wrapping_add(1));
        self.wakers.borrow().iter().for_each(Waker::wake_by_ref);
    }
}

/// The interval between two ticks, for a keep alive in seconds.
pub(in crate::bench) fn tick_interval(keep_alive: u16) -> Duration {
    match keep_alive {
        0 => LONGEST_CHECK_INTERVAL,
        seconds => Duration::from_secs(seconds.into()) / CHECKS_PER_KEEP_ALIVE,
    }
}

pub(in crate::bench) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
