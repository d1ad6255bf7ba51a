//! The time at which a message is printed, in UTC and local time, and its strftime conversions.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A moment.
#[derive(Debug, Clone)]
pub(super) struct MessageTime(Zoned);

impl MessageTime {
    pub(super) fn now(zone: &TimeZone) -> MessageTime {
        MessageTime::new(Timestamp::now(), zone)
    }

    pub(super) fn new(timestamp: Timestamp, zone: &TimeZone) -> MessageTime {
        MessageTime(timestamp.to_zoned(zone.clone()))
    }

    /// The time in UTC.
    pub(super) fn timestamp(&self) -> Timestamp {
        self.0.timestamp()
    }

    /// The local time in this format.
    pub(super) fn format(&self, format: TimeFormat) -> String {
        // It fails only for years that have no two-digit form.
        strtime::format(format.0, &self.0).unwrap_or_default()
    }
}

/// A format of strftime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeFormat(&'static str);

impl TimeFormat {
    /// `%I` of mosquitto_sub.
    pub(super) const ISO_8601: TimeFormat = TimeFormat("%Y-%m-%dT%H:%M:%S%z");
    /// `tst` in its JSON.
    pub(super) const ISO_8601_MICROSECONDS: TimeFormat = TimeFormat("%Y-%m-%dT%H:%M:%S.%6f%z");

    /// The strftime conversion of that letter in the C locale; `N` is nanoseconds.
    pub(super) fn from_letter(letter: u8) -> Option<TimeFormat> {
        Some(TimeFormat(match letter {
            b'a' => "%a",
            b'A' => "%A",
            b'b' | b'h' => "%b",
            b'B' => "%B",
            b'c' => "%a %b %e %H:%M:%S %Y",
            b'C' => "%C",
            b'd' => "%d",
            b'D' | b'x' => "%m/%d/%y",
            b'e' => "%e",
            b'F' => "%Y-%m-%d",
            b'g' => "%g",
            b'G' => "%G",
            b'H' => "%H",
            b'I' => "%I",
            b'j' => "%j",
            b'k' => "%k",
            b'l' => "%l",
            b'm' => "%m",
            b'M' => "%M",
            b'n' => "\n",
            b'N' => "%9f",
            b'p' => "%p",
            b'P' => "%P",
            b'r' => "%I:%M:%S %p",
            b'R' => "%H:%M",
            b's' => "%s",
            b'S' => "%S",
            b't' => "\t",
            b'T' | b'X' => "%H:%M:%S",
            b'u' => "%u",
            b'U' => "%U",
            b'V' => "%V",
            b'w' => "%w",
            b'W' => "%W",
            b'y' => "%y",
            b'Y' => "%Y",
            b'z' => "%z",
            b'Z' => "%Z",
            b'%' => "%%",
            _ => return None,
        }))
    }
}
