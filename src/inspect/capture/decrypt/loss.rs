//! Finds the next record after bytes that are missing, by trying the numbers that it may have.

use super::keys::Keys;
use super::record::{HEADER, Record};

/// The shortest encrypted record.
const MIN_RECORD: u64 = 15;

/// The most missing records that are tried.
const MAX_LOST: u64 = 1000;

/// The number of bytes that may be decrypted in vain, and how many more for each byte that arrives.
const ATTEMPTS: u64 = 256 << 10;
const ATTEMPTS_PER_BYTE: u64 = 64;

/// Missing bytes whose end is not a record boundary.
pub(super) struct Loss {
    /// The number of bytes since the last record, on the wire.
    pub(super) bytes: u64,
}

/// The bytes that may still be decrypted in vain.
pub(super) struct Attempts(u64);

impl Loss {
    /// The number of records that are missing before this one, if it is authentic with these keys.
    pub(super) fn records_before(
        &self,
        record: &Record,
        keys: &Keys,
        attempts: &mut Attempts,
    ) -> Option<u64> {
        let most = (self.bytes / MIN_RECORD).min(MAX_LOST);
        (0..=most).find(|lost| attempts.take(record) && keys.fits(record, *lost))
    }
}

impl Attempts {
    pub(super) fn new() -> Attempts {
        Attempts(ATTEMPTS)
    }

    /// Allows more after bytes have arrived.
    pub(super) fn add(&mut self, arrived: usize) {
        self.0 = self.0.saturating_add(ATTEMPTS_PER_BYTE.saturating_mul(arrived as u64));
    }

    pub(super) fn are_spent(&self) -> bool {
        self.0 == 0
    }

    fn take(&mut self, record: &Record) -> bool {
        let cost = (HEADER + record.body.len()) as u64;
        let is_allowed = self.0 >= cost;
        self.0 = if is_allowed { self.0 - cost } else { 0 };
        is_allowed
    }
}
