//! Reads single values: what a word stands for, or a sentence that says what it should have been.

use crate::protocol::{Qos, RetainHandling, TopicFilter, TopicName, Version};
use crate::transport::tls;
use std::ffi::OsStr;
use std::time::Duration;

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

/// Parts of a hundred, from 0.1 to 100.
pub(super) fn percentage(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent),
        _ => Err("it takes a number from 0.1 to 100".to_owned()),
    }
}

/// A number of things, at least one.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("it takes a whole number, at least 1".to_owned()),
    }
}

/// Seconds with decimals, zero allowed.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it takes a number of seconds, as in 0.5")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "it takes seconds that are not negative".to_owned())
}

/// Seconds with decimals, over zero.
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

/// A session's life in seconds: decimal, `0x` hexadecimal or `0` octal, or for ever as `-1` or `∞`.
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

/// A word's bytes, whether or not they are UTF-8.
pub(super) fn bytes(word: &OsStr) -> Vec<u8> {
    word.as_encoded_bytes().to_vec()
}
