//! Points in time as users write them: `+5m`, `10:15:00`, `2026-11-28T10:15:00Z`, `1764324900.5`.

use crate::inspect::timing::SECOND;
use crate::quantity;
use crate::time_zone;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The accepted texts, for error messages.
pub(crate) const TIME: &str =
    "a time such as +5m from the first packet, 10:15:00, 2026-11-28T10:15:00Z or seconds since 1970";

/// A time of day this much before the first packet is meant to be on the next day.
const HALF_A_DAY: i64 = 12 * 3600;

/// The shortest number of seconds since 1970, which is in 1973.
const MIN_EPOCH_DIGITS: usize = 9;

/// A point in time, which may refer to the first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimePoint {
    /// Nanoseconds since 1970.
    Absolute(u64),
    /// Nanoseconds since the first packet.
    SinceStart(u64),
    /// A local time on the day of the first packet, or on the next day.
    TimeOfDay(Time),
}

impl TimePoint {
    pub(crate) fn parse(text: &str) -> Option<TimePoint> {
        if let Some(text) = text.strip_prefix('+') {
            let duration = quantity::duration(text)?;
            return u64::try_from(duration.as_nanos()).ok().map(TimePoint::SinceStart);
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return absolute(timestamp);
        }
        if let Some(seconds) = since_1970(text) {
            return Some(TimePoint::Absolute(seconds));
        }
        if !text.contains('-') && text.contains(':') {
            return text.parse().ok().map(TimePoint::TimeOfDay);
        }
        let local = text.parse::<DateTime>().ok()?.to_zoned(time_zone::local().0).ok()?;
        absolute(local.timestamp())
    }

    /// Nanoseconds since 1970, where the first packet was captured at `start`.
    pub(in crate::inspect) fn resolve(self, start: u64) -> u64 {
        match self {
            TimePoint::Absolute(time) => time,
            TimePoint::SinceStart(duration) => start.saturating_add(duration),
            TimePoint::TimeOfDay(time) => on_the_day_of(start, time, time_zone::local().0).unwrap_or(start),
        }
    }
}

fn absolute(timestamp: Timestamp) -> Option<TimePoint> {
    u64::try_from(timestamp.as_nanosecond()).ok().map(TimePoint::Absolute)
}

/// A decimal number of seconds since 1970, exactly.
fn since_1970(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.len() < MIN_EPOCH_DIGITS || !is_number(seconds) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanoseconds: u64 = format!("{fraction:0<9}").parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(SECOND)?.checked_add(nanoseconds)
}

fn on_the_day_of(start: u64, time: Time, zone: TimeZone) -> Option<u64> {
    let start = Timestamp::from_nanosecond(i128::from(start)).ok()?.to_zoned(zone);
    let same_day = start.date().to_datetime(time);
    let is_next_day = start.datetime().duration_since(same_day).as_secs() > HALF_A_DAY;
    let moment = if is_next_day { same_day.checked_add(Span::new().days(1)).ok()? } else { same_day };
    let timestamp = moment.to_zoned(start.time_zone().clone()).ok()?.timestamp();
    u64::try_from(timestamp.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14 22:13:20 UTC.
    const START: u64 = 1_700_000_000 * SECOND;

    fn seconds_after_start(text: &str) -> Option<i64> {
        let time = match TimePoint::parse(text)? {
            TimePoint::TimeOfDay(time) => on_the_day_of(START, time, TimeZone::UTC)?,
            other => other.resolve(START),
        };
        Some((time / SECOND) as i64 - (START / SECOND) as i64)
    }

    #[test]
    fn times_are_relative_or_absolute() {
        for (text, seconds) in [
            ("+0", 0),
            ("+5m", 300),
            ("+1m30s", 90),
            ("1700000010", 10),
            ("1700000010.9", 10),
            ("2023-11-14T22:13:25Z", 5),
            ("2023-11-14T23:13:25.5+01:00", 5),
            ("2023-11-14 22:13:30Z", 10),
            ("22:13:30", 10),
            ("22:13", -20),
            ("11:00", -40_400),
            ("00:10", 7_000),
            ("10:13", 43_180),
        ] {
            assert_eq!(seconds_after_start(text), Some(seconds), "{text}");
        }
        for text in ["", "+", "+x", "5m", "17", "25:00", "2023-13-01", "now", "1970", "-5m", "1700000010.x"] {
            assert_eq!(TimePoint::parse(text), None, "{text}");
        }
    }
}
