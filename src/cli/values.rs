//! Parses single values. The errors describe the valid values.

use super::numbers::is_whole;
use crate::bench::shard::Shard;
use crate::protocol::sn::PublishQos;
use crate::protocol::{Qos, RetainHandling, TopicFilter, TopicName, Version};
use crate::quantity;
use crate::suggestion::did_you_mean;
use crate::transport::tls;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::IntErrorKind;
use std::time::{Duration, SystemTime};

pub(super) fn qos(text: &str) -> Result<Qos, String> {
    let number = text.parse().map_err(|_| expected("0, 1 or 2"))?;
    Qos::from_u8(number).ok_or_else(|| expected("0, 1 or 2"))
}

/// QoS of `mq pub`, which may be -1.
pub(super) fn publish_qos(text: &str) -> Result<PublishQos, String> {
    match text {
        "-1" => Ok(PublishQos::MinusOne),
        _ => qos(text)
            .map(PublishQos::Connected)
            .map_err(|_| expected("0, 1 or 2, or -1 with an MQTT-SN gateway")),
    }
}

pub(super) fn version(text: &str) -> Result<Version, String> {
    match text {
        "31" | "3.1" | "mqttv31" => Ok(Version::V31),
        "311" | "3.1.1" | "mqttv311" => Ok(Version::V311),
        "5" | "5.0" | "mqttv5" => Ok(Version::V5),
        _ => Err(expected("31, 311 or 5 (or mqttv31, mqttv311, mqttv5)")),
    }
}

pub(super) fn authentication_method(text: &str) -> Result<String, String> {
    match text {
        "" => Err(expected("the name of a method")),
        text if text.chars().any(char::is_control) => Err(expected("a name without control characters")),
        text if text.len() > usize::from(u16::MAX) => Err(expected("at most 65535 bytes")),
        text => Ok(text.to_owned()),
    }
}

pub(super) fn tls_version(text: &str) -> Result<tls::Version, String> {
    match text {
        "tlsv1.2" | "1.2" => Ok(tls::Version::Tls12),
        "tlsv1.3" | "1.3" => Ok(tls::Version::Tls13),
        "tlsv1.1" | "1.1" | "tlsv1.0" | "1.0" | "tlsv1" => {
            Err(expected("tlsv1.2 or tlsv1.3; older versions are insecure and not supported"))
        }
        _ => Err(expected("tlsv1.2 (or newer) or tlsv1.3")),
    }
}

/// Names separated by colons or commas.
pub(super) fn key_exchange_groups(text: &str) -> Result<tls::KeyExchangeGroups, String> {
    let describe = |error| algorithm_problem(&error, &tls::KeyExchangeGroups::names());
    tls::KeyExchangeGroups::parse(text).map_err(describe)
}

/// Names separated by colons or commas.
pub(super) fn signature_schemes(text: &str) -> Result<tls::SignatureSchemes, String> {
    let describe = |error| algorithm_problem(&error, &tls::SignatureSchemes::names());
    tls::SignatureSchemes::parse(text).map_err(describe)
}

fn algorithm_problem(error: &tls::AlgorithmError, names: &[&str]) -> String {
    match error {
        tls::AlgorithmError::Duplicate(name) => format!("duplicate {name}"),
        tls::AlgorithmError::Unknown(name) => {
            let suggestion = did_you_mean(name, names.iter().copied());
            format!("unknown {name:?}: {}{suggestion}", expected(one_of(names)))
        }
    }
}

pub(super) fn topic_name(text: &str) -> Result<TopicName, String> {
    TopicName::parse(text).map_err(|error| error.to_string())
}

pub(super) fn topic_filter(text: &str) -> Result<TopicFilter, String> {
    TopicFilter::parse(text).map_err(|error| error.to_string())
}

pub(super) fn retain_handling(text: &str) -> Result<RetainHandling, String> {
    match text {
        "always" => Ok(RetainHandling::Always),
        "new" => Ok(RetainHandling::New),
        "never" => Ok(RetainHandling::Never),
        _ => Err(expected("always, new or never")),
    }
}

/// An address and a port; a port alone is on the loopback address.
pub(super) fn socket_address(place: &str) -> Result<SocketAddr, String> {
    let problem = expected("PORT or ADDR:PORT, such as 1884, 0.0.0.0:1884 or [::1]:1884");
    let (address, port) = place.rsplit_once(':').unwrap_or(("localhost", place));
    let port = port.parse().map_err(|_| port_problem(port).unwrap_or_else(|| problem.clone()))?;
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    match address.parse::<IpAddr>() {
        Ok(address) => Ok(SocketAddr::new(address, port)),
        Err(_) if address == "localhost" => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => Err(problem),
    }
}

/// The reason why a whole number is not a port.
pub(super) fn port_problem(text: &str) -> Option<String> {
    is_whole(text).then(|| expected(format!("a port from 0 to {}", u16::MAX)))
}

/// A topic filter after its QoS, as in `2:alarms/#`.
pub(super) fn qos_and_filter(text: &str) -> Result<(Qos, TopicFilter), String> {
    let (number, filter) = text.split_once(':').ok_or_else(|| expected("QOS:FILTER, such as 2:alarms/#"))?;
    Ok((qos(number)?, topic_filter(filter)?))
}

/// Local addresses in the order typed; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalAddresses(pub Vec<IpAddr>);

/// Maximum size of a range, enough for all clients of one machine.
const MAX_LOCAL_ADDRESSES: usize = 65_536;

/// Addresses and ranges, separated by commas, as in `10.0.0.7,127.0.0.2-127.0.0.9`.
pub(super) fn local_addresses(text: &str) -> Result<LocalAddresses, String> {
    let mut addresses = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = address_range(local_address(first)?, local_address(last)?)
            .ok_or_else(|| expected(format!("an ascending range, but found {part}")))?;
        addresses.extend(range.take(MAX_LOCAL_ADDRESSES + 1));
        if addresses.len() > MAX_LOCAL_ADDRESSES {
            return Err(expected(format!("at most {MAX_LOCAL_ADDRESSES} addresses")));
        }
    }
    Ok(LocalAddresses(addresses))
}

fn local_address(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| expected("addresses such as 10.0.0.7 or 127.0.0.2-127.0.0.9"))
}

fn address_range(first: IpAddr, last: IpAddr) -> Option<Box<dyn Iterator<Item = IpAddr>>> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Some(Box::new((first.to_bits()..=last.to_bits()).map(|bits| Ipv4Addr::from_bits(bits).into())))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Some(Box::new((first.to_bits()..=last.to_bits()).map(|bits| Ipv6Addr::from_bits(bits).into())))
        }
        _ => None,
    }
}

/// One of N shards, as in `2/3`.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    let shard = numbers.and_then(|(number, count)| Shard::new(number, count));
    shard.ok_or_else(|| expected("K/N, such as 2/3 for the second of three"))
}

/// A time: RFC 3339, seconds since 1970, or a duration from now with a `+`.
pub(super) fn start_time(text: &str) -> Result<SystemTime, String> {
    let now = SystemTime::now();
    let time = if let Some(later) = text.strip_prefix('+') {
        now.checked_add(duration(later)?)
    } else if let Some(since) = text.parse().ok().and_then(quantity::from_seconds) {
        SystemTime::UNIX_EPOCH.checked_add(since)
    } else {
        text.parse().ok().map(|time: Timestamp| SystemTime::from(time))
    };
    time.ok_or_else(|| expected("a time such as 2026-01-31T12:00:00Z, seconds since 1970, or +30s from now"))
}

/// A percentage from 0.1 to 100.
pub(super) fn percentage(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent),
        _ => Err(expected("a number from 0.1 to 100")),
    }
}

/// A percentage, as in 10% or 2.5.
pub(super) fn tolerance(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).trim_end().parse() {
        Ok(percent) if (0.0..=1000.0).contains(&percent) => Ok(percent),
        _ => Err(expected("a percentage from 0 to 1000, such as 10%")),
    }
}

/// A count of at least one.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(count) if count > 0 => Ok(count),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => {
            Err(expected(format!("a number from 1 to {}", u64::MAX)))
        }
        _ => Err(expected("a whole number, at least 1")),
    }
}

/// The end of an error message about an invalid value.
pub(super) fn expected(form: impl fmt::Display) -> String {
    format!("expected {form}")
}

/// Words as `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A duration, zero allowed.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    quantity::duration(text).ok_or_else(|| expected(quantity::DURATION))
}

/// A duration of more than zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err(expected("a duration greater than 0, such as 500ms, 5s or 2m")),
        duration => Ok(duration),
    }
}

/// The keep-alive interval in seconds: the specification allows 0, but mosquitto's tools need at least 5.
pub(super) fn keep_alive(text: &str) -> Result<u16, String> {
    let seconds = whole_seconds(text).and_then(|seconds| u16::try_from(seconds).ok());
    seconds
        .filter(|seconds| *seconds >= 5)
        .ok_or_else(|| expected("whole seconds from 5 to 65535, such as 60 or 1m"))
}

/// A duration in whole seconds.
pub(super) fn whole_seconds(text: &str) -> Option<u64> {
    quantity::duration(text)
        .filter(|duration| duration.subsec_nanos() == 0)
        .map(|duration| duration.as_secs())
}

/// A session expiry interval in seconds: a duration, `0x` hexadecimal or `0` octal, or never as `-1` or `∞`.
pub(super) fn session_expiry(text: &str) -> Result<u32, String> {
    let has_unit = text.ends_with(|c: char| c.is_ascii_lowercase());
    match whole_seconds(text).filter(|_| has_unit).map(u32::try_from) {
        Some(Ok(seconds)) => Ok(seconds),
        Some(Err(_)) | None => plain_session_expiry(text),
    }
}

/// A session expiry interval without a unit, as mosquitto's tools read it.
pub(super) fn plain_session_expiry(text: &str) -> Result<u32, String> {
    if matches!(text, "-1" | "∞") {
        return Ok(u32::MAX);
    }
    let number = if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        u32::from_str_radix(digits, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        u32::from_str_radix(text, 8)
    } else {
        text.parse()
    };
    number.map_err(|_| expected("seconds from 0 to 4294967295, such as 3600 or 1h, or -1 for no expiry"))
}

/// A number of seconds as mosquitto's tools read it: whole, at least one.
pub(super) fn plain_whole_seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds) if seconds >= 1 => Ok(Duration::from_secs(seconds)),
        _ => Err(expected("whole seconds, at least 1")),
    }
}

/// A number of seconds as mosquitto's tools read it, with decimals.
pub(super) fn plain_seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(quantity::from_seconds)
        .ok_or_else(|| expected("a number of seconds, such as 0.5"))
}

/// Bytes in hexadecimal, at least one; `None` if invalid.
pub(super) fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// A word's bytes, UTF-8 or not.
pub(super) fn bytes(word: &OsStr) -> Vec<u8> {
    word.as_encoded_bytes().to_vec()
}

/// The longest payload that fits into a packet together with its topic.
const MAX_PAYLOAD: u64 = 268_000_000;

/// Minimum and maximum length of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub least: usize,
    pub most: usize,
}

/// A payload size or a range: `64`, `64..1024`, `1KiB..4KiB`.
pub(super) fn sizes(text: &str) -> Result<Sizes, String> {
    let size = |text: &str| {
        let size = quantity::size(text).filter(|bytes| *bytes <= MAX_PAYLOAD);
        size.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| {
            expected(format!("{}, or a range such as 64..1KiB; at most {MAX_PAYLOAD} bytes", quantity::SIZE))
        })
    };
    let (least, most) = match text.split_once("..") {
        Some((least, most)) => (size(least)?, size(most)?),
        None => (size(text)?, size(text)?),
    };
    if least > most {
        return Err(expected(format!("the smaller size first: {most}..{least}")));
    }
    Ok(Sizes { least, most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_lists_and_ranges() {
        let texts = |words| -> Vec<String> {
            let LocalAddresses(addresses) = local_addresses(words).unwrap();
            addresses.iter().map(IpAddr::to_string).collect()
        };
        assert_eq!(texts("::1"), ["::1"]);
        assert_eq!(
            texts("10.0.0.7, 127.0.0.254-127.0.1.0"),
            ["10.0.0.7", "127.0.0.254", "127.0.0.255", "127.0.1.0"]
        );
        assert_eq!(texts("fe80::1-fe80::2"), ["fe80::1", "fe80::2"]);
        for words in [
            "",
            "a",
            "1.2.3.4,",
            "1.2.3.4-",
            "1.2.3.9-1.2.3.4",
            "1.2.3.4-::1",
            "0.0.0.0-255.255.255.255",
            "::-ff::",
        ] {
            assert!(local_addresses(words).is_err(), "{words}");
        }
    }

    #[test]
    fn sizes_are_one_number_or_two() {
        assert_eq!(sizes("64"), Ok(Sizes { least: 64, most: 64 }));
        assert_eq!(sizes("64..1024"), Ok(Sizes { least: 64, most: 1024 }));
        assert_eq!(sizes("1KiB..1.5KiB"), Ok(Sizes { least: 1024, most: 1536 }));
        for text in ["", "..", "5..", "9..5", "-1", "300000000"] {
            assert!(sizes(text).is_err(), "{text}");
        }
    }
}
