//! A time in few bytes, since there may be many connections.

use crate::inspect::capture::Moment;

/// Nanoseconds since 1970, or an unknown time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(u64);

impl Time {
    pub(super) const UNKNOWN: Time = Time(u64::MAX);

    pub(super) fn of(at: Moment) -> Time {
        at.time.map_or(Time::UNKNOWN, Time)
    }

    /// A period in the same form.
    pub(super) fn from_nanoseconds(nanoseconds: u64) -> Time {
        Time(nanoseconds)
    }

    pub(super) fn get(self) -> Option<u64> {
        (self != Time::UNKNOWN).then_some(self.0)
    }

    /// Nanoseconds from this time on; `None` if a time is unknown.
    pub(super) fn until(self, at: Moment) -> Option<u64> {
        at.time?.checked_sub(self.get()?)
    }
}
