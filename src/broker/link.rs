//! The broker's handle on one connection: wakes its task, ends it, or makes it wait.

use crate::protocol::ReasonCode;
use std::cell::{Cell, RefCell};
use std::task::{Context, Waker};
use std::time::Instant;

/// A handle on one connection, for use outside its task.
#[derive(Debug)]
pub(super) struct Link {
    waker: RefCell<Option<Waker>>,
    is_signalled: Cell<bool>,
    order: Cell<Option<ReasonCode>>,
    /// The number of subscribers' queues that must drain before more is read from this client.
    waits: Cell<u32>,
    /// The time at which bytes last arrived.
    last_received: Cell<Instant>,
}

impl Link {
    pub(super) fn new(now: Instant) -> Link {
        Link {
            waker: RefCell::new(None),
            is_signalled: Cell::new(false),
            order: Cell::new(None),
            waits: Cell::new(0),
            last_received: Cell::new(now),
        }
    }

    /// Wakes the task: there is something to send, or something changed.
    pub(super) fn signal(&self) {
        if self.is_signalled.replace(true) {
            return;
        }
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Lets the task continue without waiting. For the task itself: to wake it would give it its next turn before the clients whose
    /// sockets have not been looked at.
    pub(super) fn stay_awake(&self) {
        self.is_signalled.set(true);
    }

    /// Whether it was signalled since the last time; if not, the task is woken when it is.
    pub(super) fn take_signal(&self, cx: &Context<'_>) -> bool {
        if self.is_signalled.replace(false) {
            return true;
        }
        let mut waker = self.waker.borrow_mut();
        match &mut *waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        false
    }

    /// Orders the connection to end with this reason code.
    pub(super) fn end(&self, reason_code: ReasonCode) {
        self.order.set(Some(reason_code));
        self.signal();
    }

    /// The reason code from [`Link::end`].
    pub(super) fn order(&self) -> Option<ReasonCode> {
        self.order.get()
    }

    /// Whether reading from this client is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.waits.get() > 0
    }

    /// Makes the client wait for one more queue.
    pub(super) fn pause(&self) {
        self.waits.set(self.waits.get() + 1);
    }

    /// Reverts one [`Link::pause`].
    pub(super) fn resume(&self, now: Instant) {
        self.waits.set(self.waits.get().saturating_sub(1));
        if !self.is_paused() {
            // The keep alive runs only while the connection is being read.
            self.last_received.set(now);
            self.signal();
        }
    }

    pub(super) fn received(&self, now: Instant) {
        self.last_received.set(now);
    }

    pub(super) fn last_received(&self) -> Instant {
        self.last_received.get()
    }
}
