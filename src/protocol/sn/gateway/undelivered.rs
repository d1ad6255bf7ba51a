//! The messages that a client did not get.

use std::ops::Add;

/// Counts of messages for a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Undelivered {
    /// Dropped without room for them, or since the client cannot take them.
    pub dropped: u64,
    /// Removed after their message expiry interval.
    pub expired: u64,
}

impl Add for Undelivered {
    type Output = Undelivered;

    fn add(self, other: Undelivered) -> Undelivered {
        Undelivered { dropped: self.dropped + other.dropped, expired: self.expired + other.expired }
    }
}
