//! `--limit NAME=VALUE` of `mq broker`.

use super::values::{expected, one_of};
use crate::protocol::MAX_PACKET_SIZE;
use crate::quantity;
use crate::suggestion::did_you_mean;
use std::ops::RangeInclusive;

/// A limit with its value: a number, bytes, or milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub name: LimitName,
    pub value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitName {
    PacketSize,
    ReceiveMaximum,
    TopicAliases,
    InFlight,
    QueuedMessages,
    Subscriptions,
    Sessions,
    RetainedMessages,
    RetainedBytes,
    ConnectTime,
    StallTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Count,
    Bytes,
    Milliseconds,
}

/// The longest time of a limit: an hour, in milliseconds.
const LONGEST: u64 = 3_600_000;

/// The most entries of a table.
const MAX_COUNT: u64 = u32::MAX as u64;

/// Each limit with its word, its unit and its range.
const LIMITS: [(&str, LimitName, Unit, RangeInclusive<u64>); 11] = [
    ("packet-size", LimitName::PacketSize, Unit::Bytes, 64..=MAX_PACKET_SIZE as u64),
    ("receive-maximum", LimitName::ReceiveMaximum, Unit::Count, 1..=65_535),
    ("topic-aliases", LimitName::TopicAliases, Unit::Count, 0..=65_535),
    ("in-flight", LimitName::InFlight, Unit::Count, 1..=65_535),
    ("queued-messages", LimitName::QueuedMessages, Unit::Count, 1..=MAX_COUNT),
    ("subscriptions", LimitName::Subscriptions, Unit::Count, 0..=MAX_COUNT),
    ("sessions", LimitName::Sessions, Unit::Count, 1..=MAX_COUNT),
    ("retained-messages", LimitName::RetainedMessages, Unit::Count, 0..=MAX_COUNT),
    ("retained-bytes", LimitName::RetainedBytes, Unit::Bytes, 0..=u64::MAX),
    ("connect-time", LimitName::ConnectTime, Unit::Milliseconds, 1..=LONGEST),
    ("stall-time", LimitName::StallTime, Unit::Milliseconds, 1..=LONGEST),
];

/// The words of all limits.
pub(super) fn words() -> [&'static str; LIMITS.len()] {
    LIMITS.each_ref().map(|(word, ..)| *word)
}

/// Parses `NAME=VALUE`.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    let Some((word, value)) = text.split_once('=') else {
        return Err(expected("NAME=VALUE, such as sessions=10"));
    };
    let Some((_, name, unit, range)) = LIMITS.iter().find(|(known, ..)| *known == word) else {
        let suggestion = did_you_mean(word, words());
        return Err(format!("{}{suggestion}", expected(one_of(&words()))));
    };
    let (parsed, form) = match unit {
        Unit::Count => (value.parse().ok(), "a number"),
        Unit::Bytes => (quantity::size(value), "a size, such as 64KiB,"),
        Unit::Milliseconds => {
            let time = quantity::duration(value).and_then(|time| u64::try_from(time.as_millis()).ok());
            (time, "a time, such as 500ms or 5s,")
        }
    };
    let valid = parsed.filter(|parsed| range.contains(parsed));
    let unit = if *unit == Unit::Milliseconds { " ms" } else { "" };
    let form = format!("{form} from {} to {}{unit} for {word}", range.start(), range.end());
    valid.map(|value| Limit { name: *name, value }).ok_or_else(|| expected(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_name_and_a_value_in_its_range() {
        let parsed = |text| limit(text).map(|limit| (limit.name, limit.value));
        assert_eq!(parsed("sessions=10"), Ok((LimitName::Sessions, 10)));
        assert_eq!(parsed("packet-size=4KiB"), Ok((LimitName::PacketSize, 4096)));
        assert_eq!(parsed("stall-time=1m"), Ok((LimitName::StallTime, 60_000)));
        for text in
            ["sessions", "=1", "sessions=", "sessions=0", "sessions=x", "in-flight=65536", "stall-time=2h"]
        {
            assert!(limit(text).is_err(), "{text}");
        }
        assert!(limit("session=1").unwrap_err().ends_with("did you mean 'sessions'?"));
    }
}
