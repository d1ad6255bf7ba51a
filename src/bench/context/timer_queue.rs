//! Wakes the clients of a thread at the times that they ask for. They share one heap and one alarm: a client has no
//! timer of its own, and asks again only after it was woken.

use crate::transport::PreciseTimer;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// The pending wake-ups. Times are nanoseconds since the run's start; clients are numbered per worker.
#[derive(Debug)]
pub(super) struct TimerQueue {
    entries: RefCell<BinaryHeap<Reverse<(u64, usize)>>>,
    alarm: PreciseTimer,
    /// The time that the alarm is set to; `u64::MAX` if it is not set.
    set_to: Cell<u64>,
    /// All entries up to this time have been woken.
    woken_until: Cell<u64>,
}

impl TimerQueue {
    pub(super) fn new(alarm: PreciseTimer) -> TimerQueue {
        TimerQueue {
            entries: RefCell::default(),
            alarm,
            set_to: Cell::new(u64::MAX),
            woken_until: Cell::default(),
        }
    }

    /// Schedules a wake-up of a client.
    pub(super) fn insert(&self, client: usize, time: u64, now: u64) {
        self.entries.borrow_mut().push(Reverse((time, client)));
        self.set(time, now);
    }

    fn set(&self, time: u64, now: u64) {
        if time < self.set_to.get() {
            self.set_to.set(time);
            self.alarm.set(Duration::from_nanos(time.saturating_sub(now)));
        }
    }

    /// The time up to which all clients have been woken.
    pub(super) fn woken_until(&self) -> u64 {
        self.woken_until.get()
    }

    /// Waits until a client may be due.
    pub(super) async fn wait(&self) {
        self.alarm.wait().await;
    }

    /// Wakes all clients that are due and sets the alarm for the next one. Returns the earliest time that one of them
    /// asked for.
    pub(super) fn wake_due(&self, now: u64, wake: impl Fn(usize)) -> Option<u64> {
        let mut entries = self.entries.borrow_mut();
        let first = entries.peek().map(|&Reverse((time, _))| time).filter(|&time| time <= now);
        while let Some(&Reverse((time, client))) = entries.peek().filter(|Reverse((time, _))| *time <= now) {
            debug_assert!(time <= now);
            entries.pop();
            wake(client);
        }
        self.woken_until.set(now);
        self.set_to.set(u64::MAX);
        if let Some(&Reverse((time, _))) = entries.peek() {
            self.set(time, now);
        }
        first
    }
}
