//! The limits of `mq broker`: set by the options, and named when a client exceeds one.

use crate::broker::{Config, Excess, Reason};
use crate::cli::broker_limits::{Limit, LimitName};
use std::time::Duration;

/// Sets a limit of --limit; the values are within the ranges of their fields.
pub(super) fn set(config: &mut Config, limit: Limit) {
    let Limit { name, value } = limit;
    let count = usize::try_from(value).unwrap_or(usize::MAX);
    let short = u16::try_from(value).unwrap_or(u16::MAX);
    match name {
        LimitName::PacketSize => config.maximum_packet_size = u32::try_from(value).unwrap_or(u32::MAX),
        LimitName::ReceiveMaximum => config.receive_maximum = short,
        LimitName::TopicAliases => config.topic_alias_maximum = short,
        LimitName::InFlight => config.in_flight = short,
        LimitName::QueuedMessages => config.queued_messages = count,
        LimitName::Subscriptions => config.subscriptions = count,
        LimitName::Sessions => config.sessions = count,
        LimitName::RetainedMessages => config.retained_messages = count,
        LimitName::RetainedBytes => config.retained_bytes = count,
        LimitName::ConnectTime => config.connect_timeout = Duration::from_millis(value),
        LimitName::StallTime => config.stall_time = Duration::from_millis(value),
    }
}

/// A limit with its current value, as the option that sets it.
pub(super) fn describe(excess: Excess) -> String {
    match excess {
        Excess::ClientMemory(bytes) => format!("--client-memory {}", size(bytes)),
        Excess::Memory(bytes) => format!("its share of --memory {}", size(bytes)),
        Excess::MemoryOfStrangers { limit, memory } => {
            format!("{}, a part of --memory {}", size(limit), size(memory))
        }
        Excess::RequestSize(bytes) => {
            format!("{} for a packet other than PUBLISH, which is fixed", size(bytes as usize))
        }
        Excess::ReceiveMaximum(count) => format!("--limit receive-maximum={count}"),
        Excess::Subscriptions(count) => format!("--limit subscriptions={count}"),
        Excess::Sessions(count) => format!("--limit sessions={count}"),
        Excess::QueuedMessages(count) => format!("--limit queued-messages={count}"),
        Excess::PacketSizeOfClient => "the client's own maximum packet size".to_owned(),
        Excess::RetainedMessages(count) => format!("--limit retained-messages={count}"),
        Excess::RetainedBytes(bytes) => format!("--limit retained-bytes={}", size(bytes)),
        Excess::ConnectTime(time) => format!("--limit connect-time={}", duration(time)),
    }
}

/// The reason of a refusal, with the limit if there is one.
pub(super) fn describe_reason(reason: &Reason) -> String {
    let Reason { text, excess } = reason;
    match excess {
        Some(excess) => format!("{text} ({})", describe(*excess)),
        None => text.clone(),
    }
}

/// Bytes as an option takes them, in the largest unit that they are a multiple of.
fn size(bytes: usize) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    unit.map_or_else(|| bytes.to_string(), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// A time as an option takes it.
fn duration(time: Duration) -> String {
    match (time.subsec_millis(), time.as_secs()) {
        (0, seconds) => format!("{seconds}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_the_form_of_options() {
        let sizes = [0, 500, 1024, 64 << 20, 1 << 30, (1 << 30) + 1].map(size);
        assert_eq!(sizes, ["0", "500", "1KiB", "64MiB", "1GiB", "1073741825"]);
        assert_eq!(
            [100, 1500, 10_000].map(|ms| duration(Duration::from_millis(ms))),
            ["100ms", "1500ms", "10s"]
        );
    }
}
