//! Parses single values, or explains which values are valid.

use super::connection::LocalAddresses;
use crate::bench::shard::Shard;
use crate::protocol::{Qos, RetainHandling, TopicFilter, TopicName, Version};
use crate::transport::tls;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

pub(super) fn qos(text: &str) -> Result<Qos, String> {
    let number = text.parse().map_err(|_| "QoS is 0, 1 or 2")?;
    Qos::from_u8(number).ok_or_else(|| "QoS is 0, 1 or 2".to_owned())
}

pub(super) fn version(text: &str) -> Result<Version, String> {
    match text {
        "31" | "3.1" | "mqttv31" => Ok(Version::V31),
        "311" | "3.1.1" | "mqttv311" => Ok(Version::V311),
        "5" | "5.0" | "mqttv5" => Ok(Version::V5),
        _ => Err("the versions are 31, 311 and 5 (or mqttv31, mqttv311, mqttv5)".to_owned()),
    }
}

pub(super) fn authentication_method(text: &str) -> Result<String, String> {
    match text {
        "" => Err("the method's name is empty".to_owned()),
        text if text.chars().any(char::is_control) => Err("it has a control character".to_owned()),
        text if text.len() > usize::from(u16::MAX) => Err("MQTT carries 65535 bytes at most".to_owned()),
        text => Ok(text.to_owned()),
    }
}

pub(super) fn tls_version(text: &str) -> Result<tls::Version, String> {
    match text {
        "tlsv1.2" | "1.2" => Ok(tls::Version::Tls12),
        "tlsv1.3" | "1.3" => Ok(tls::Version::Tls13),
        "tlsv1.1" | "1.1" | "tlsv1.0" | "1.0" | "tlsv1" => {
            Err("it has been broken for years and is not supported; tlsv1.2 and tlsv1.3 are".to_owned())
        }
        _ => Err("the versions are tlsv1.2 (or newer) and tlsv1.3".to_owned()),
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
        _ => Err("it takes always, new or never".to_owned()),
    }
}

/// A topic filter with the QoS to subscribe at in front, as in `2:alarms/#`.
pub(super) fn qos_and_filter(text: &str) -> Result<(Qos, TopicFilter), String> {
    let (number, filter) = text.split_once(':').ok_or("it takes QOS:FILTER, as in 2:alarms/#")?;
    Ok((qos(number)?, topic_filter(filter)?))
}

/// Maximum size of a range, enough for all clients of one machine.
const MOST_LOCAL_ADDRESSES: usize = 65_536;

/// Addresses and ranges, separated by commas, as in `10.0.0.7,127.0.0.2-127.0.0.9`.
pub(super) fn local_addresses(text: &str) -> Result<LocalAddresses, String> {
    let mut addresses = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = address_range(local_address(first)?, local_address(last)?).ok_or_else(|| {
            format!("invalid range {part}; the first address must not come after the last one")
        })?;
        addresses.extend(range.take(MOST_LOCAL_ADDRESSES + 1));
        if addresses.len() > MOST_LOCAL_ADDRESSES {
            return Err(format!("more than {MOST_LOCAL_ADDRESSES} addresses"));
        }
    }
    Ok(LocalAddresses(addresses))
}

fn local_address(text: &str) -> Result<IpAddr, String> {
    let wanted = "it takes addresses, as in 10.0.0.7 or 127.0.0.2-127.0.0.9";
    text.trim().parse().map_err(|_| format!("'{text}' is not an address; {wanted}"))
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
    shard.ok_or_else(|| "it takes K/N, as in 2/3 for the second of three".to_owned())
}

/// A time: RFC 3339, seconds since 1970, or seconds from now with a `+`.
pub(super) fn start_time(text: &str) -> Result<SystemTime, String> {
    let now = SystemTime::now();
    let time = if let Some(later) = text.strip_prefix('+') {
        now.checked_add(seconds(later)?)
    } else if let Ok(since) = seconds(text) {
        SystemTime::UNIX_EPOCH.checked_add(since)
    } else {
        text.parse().ok().map(|time: Timestamp| SystemTime::from(time))
    };
    time.ok_or_else(|| {
        "it takes a time as in 2026-01-31T12:00:00Z, seconds since 1970, or +SECONDS from now".to_owned()
    })
}

/// A percentage from 0.1 to 100.
pub(super) fn percentage(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent),
        _ => Err("it takes a number from 0.1 to 100".to_owned()),
    }
}

/// A percentage, as in 10% or 2.5.
pub(super) fn tolerance(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).trim_end().parse() {
        Ok(percent) if (0.0..=1000.0).contains(&percent) => Ok(percent),
        _ => Err("it takes a percentage from 0 to 1000, as in 10%".to_owned()),
    }
}

/// A count of at least one.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("it takes a whole number, at least 1".to_owned()),
    }
}

/// About three hundred years, which includes current times since 1970; sums of a few such times do not overflow.
const MOST_SECONDS: f64 = 1e10;

/// Seconds with decimals, zero allowed.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    time_of(text.parse().map_err(|_| "it takes a number of seconds, as in 0.5")?)
}

/// A finite time that is not negative.
pub(super) fn time_of(seconds: f64) -> Result<Duration, String> {
    let time = Duration::try_from_secs_f64(seconds).ok().filter(|_| seconds <= MOST_SECONDS);
    time.ok_or_else(|| format!("it takes seconds from 0 to {MOST_SECONDS}, as in 0.5"))
}

/// Seconds with decimals, more than zero.
pub(super) fn positive_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("it takes more than 0 seconds".to_owned()),
        seconds => Ok(seconds),
    }
}

/// Whole seconds, at least one.
pub(super) fn whole_seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds) if seconds >= 1 => Ok(Duration::from_secs(seconds)),
        _ => Err("it takes a whole number of seconds, at least 1".to_owned()),
    }
}

/// A session expiry interval in seconds: decimal, `0x` hexadecimal or `0` octal, or never as `-1` or `∞`.
pub(super) fn session_expiry(text: &str) -> Result<u32, String> {
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
    number
        .map_err(|_| "it takes seconds from 0 to 4294967295, or -1 for a session that never ends".to_owned())
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
const MOST_BYTES: usize = 268_000_000;

/// Minimum and maximum length of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub struct Sizes {
    pub least: usize,
    pub most: usize,
}

/// A size or a range: `64`, `64..1024`.
pub(super) fn sizes(text: &str) -> Result<Sizes, String> {
    let number = |text: &str| {
        let number = text.parse().ok().filter(|&bytes: &usize| bytes <= MOST_BYTES);
        number.ok_or_else(|| format!("it takes bytes from 0 to {MOST_BYTES}, or a range as in 64..1024"))
    };
    let (least, most) = match text.split_once("..") {
        Some((least, most)) => (number(least)?, number(most)?),
        None => (number(text)?, number(text)?),
    };
    if least > most {
        return Err(format!("it takes the smaller number first: {most}..{least}"));
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
        for text in ["", "..", "5..", "9..5", "-1", "300000000"] {
            assert!(sizes(text).is_err(), "{text}");
        }
    }
}
