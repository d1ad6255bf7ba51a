//! The options of `mq sub` for recording messages and for running commands.

use crate::recording::Rotation;
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Destinations of messages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Recording and commands")]
pub struct KeepArgs {
    /// Record messages to this file, for `mq pub --replay`, instead of printing them. Appends JSON objects, one per
    /// line, or to a database if the name ends in .sqlite
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Start a new file at this size, as in 100M, or age, as in 1h or 1d. The time is appended to the name of the
    /// full file
    #[arg(long, value_name = "SIZE|AGE", value_parser = rotation, requires = "record")]
    pub rotate: Option<Rotation>,
    /// Run this shell command for each message instead of printing it. The payload is on its standard input, the rest
    /// in MQTT_TOPIC, MQTT_QOS, MQTT_RETAIN, MQTT_TIME, MQTT_CONTENT_TYPE, MQTT_RESPONSE_TOPIC, MQTT_CORRELATION_DATA
    /// (in hex), MQTT_USER_PROPERTIES (in JSON)
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub exec: Option<OsString>,
    /// Maximum number of concurrent --exec commands. Nothing is read from the broker while messages wait
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), requires = "exec")]
    pub exec_jobs: u16,
}

impl KeepArgs {
    /// Whether messages have another destination than standard output.
    pub fn is_given(&self) -> bool {
        self.record.is_some() || self.exec.is_some()
    }
}

/// A size in K, M or G (of 1024), or an age in s, min, h or d.
fn rotation(text: &str) -> Result<Rotation, String> {
    let wrong = || "it takes a size as in 100M or 2G, or an age as in 30min, 1h or 1d".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    let size = |unit: u64| number.checked_mul(unit).map(Rotation::Size);
    let age = |unit: u64| number.checked_mul(unit).map(|seconds| Rotation::Age(Duration::from_secs(seconds)));
    let rotation = match text.get(digits.len()..).unwrap_or_default() {
        "K" => size(1 << 10),
        "M" => size(1 << 20),
        "G" => size(1 << 30),
        "s" => age(1),
        "min" => age(60),
        "h" => age(60 * 60),
        "d" => age(24 * 60 * 60),
        _ => None,
    };
    rotation.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_a_size_or_an_age() {
        assert_eq!(rotation("100M"), Ok(Rotation::Size(100 << 20)));
        assert_eq!(rotation("2G"), Ok(Rotation::Size(2 << 30)));
        assert_eq!(rotation("30min"), Ok(Rotation::Age(Duration::from_secs(1800))));
        assert_eq!(rotation("1d"), Ok(Rotation::Age(Duration::from_secs(86_400))));
        for text in ["", "0M", "5", "M", "1m", "-1h", "99999999999999999999G", "18446744073709551615K", "é"]
        {
            assert!(rotation(text).is_err(), "{text}");
        }
    }
}
