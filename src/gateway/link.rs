//! The handle on a connection to the broker, for the rest of the gateway.

use std::cell::{Cell, RefCell};
use tokio::sync::Notify;

/// The bytes for the broker beyond which messages are rejected as congestion.
pub(super) const CONGESTED: usize = 256 * 1024;

/// How the connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// Send the packets and DISCONNECT.
    Orderly,
    /// Without DISCONNECT, so that the broker publishes the will.
    Abrupt,
}

/// The packets for a connection, and the order to close it.
#[derive(Debug, Default)]
pub(super) struct Link {
    output: RefCell<Vec<u8>>,
    closing: Cell<Option<Closing>>,
    /// The session expiry interval for DISCONNECT, in seconds.
    session_expiry: Cell<Option<u32>>,
    notify: Notify,
}

impl Link {
    /// Appends packets.
    pub(super) fn send(&self, packets: &mut Vec<u8>) {
        if !packets.is_empty() {
            self.output.borrow_mut().append(packets);
            self.notify.notify_one();
        }
    }

    /// Moves the packets to a send buffer.
    pub(super) fn move_to(&self, output: &mut Vec<u8>) {
        let packets = &mut *self.output.borrow_mut();
        if output.is_empty() {
            std::mem::swap(output, packets);
        } else {
            output.append(packets);
        }
    }

    /// Whether the broker does not take the packets.
    pub(super) fn is_congested(&self) -> bool {
        self.output.borrow().len() >= CONGESTED
    }

    pub(super) fn close(&self, closing: Closing) {
        self.closing.set(Some(closing));
        self.notify.notify_one();
    }

    /// Sets the session expiry interval for DISCONNECT.
    pub(super) fn set_session_expiry(&self, seconds: u32) {
        self.session_expiry.set(Some(seconds));
    }

    pub(super) fn session_expiry(&self) -> Option<u32> {
        self.session_expiry.get()
    }

    pub(super) fn closing(&self) -> Option<Closing> {
        self.closing.get()
    }

    /// Lets the connection check whether it may read.
    pub(super) fn signal(&self) {
        self.notify.notify_one();
    }

    /// Waits for packets or an order.
    pub(super) async fn signalled(&self) {
        self.notify.notified().await;
    }

    /// Waits for the order to close.
    pub(super) async fn closed(&self) {
        while self.closing.get().is_none() {
            self.notify.notified().await;
        }
        // The order is still there for the next check.
        self.notify.notify_one();
    }
}
