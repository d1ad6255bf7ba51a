//! When to connect again after a failure, and after which pause.

use super::error::Error;
use super::failure::Failure;
use super::options::Retries;
use std::time::Duration;

/// The maximum of the first pause before a reconnect.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The maximum pause before a reconnect.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Counts attempts to connect, and increases the pause between them.
pub(super) struct Attempts {
    retries: Retries,
    failed: u32,
    /// Whether the server has accepted a connection.
    pub(super) was_connected: bool,
}

impl Attempts {
    pub(super) fn new(retries: Retries) -> Attempts {
        Attempts { retries, failed: 0, was_connected: false }
    }

    pub(super) fn connected(&mut self) {
        self.was_connected = true;
    }

    /// The last connection worked, so the count restarts.
    pub(super) fn proved(&mut self) {
        self.failed = 0;
    }

    /// The client's error and the pause before the next attempt.
    ///
    /// # Errors
    /// If there is no further attempt: the cause of the failure.
    pub(super) fn next_pause<E: From<Error>>(&mut self, failure: Failure<E>) -> Result<(Error, Duration), E> {
        let error = match failure {
            Failure::Client(error) => error,
            Failure::Application(error) => return Err(error),
        };
        let is_used_up = self.retries.limit.is_some_and(|limit| self.failed >= limit);
        let is_first = !self.was_connected && !self.retries.include_first;
        if is_first || is_used_up || !error.is_worth_retrying() {
            return Err(error.into());
        }
        let pause = pause_after(self.failed);
        self.failed = self.failed.saturating_add(1);
        Ok((error, pause))
    }
}

/// The pause before the next attempt to connect, after this number of failed attempts in a row.
pub(crate) fn pause_after(failed: u32) -> Duration {
    pause_between(FIRST_PAUSE, LONGEST_PAUSE, failed)
}

/// As [`pause_after`], with the limits of the pause.
pub(crate) fn pause_between(first: Duration, longest: Duration, failed: u32) -> Duration {
    let doubled = first.saturating_mul(1 << failed.min(16)).min(longest.max(first));
    // Between half and all of it, so that many clients do not reconnect at the same time.
    doubled.mul_f64(0.5 + fastrand::f64() / 2.0)
}
