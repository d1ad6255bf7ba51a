//! The options of `mq sub` for recording messages and for running commands.

use super::values::expected;
use crate::quantity;
use crate::recording::Rotation;
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// Destinations of messages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Recording and commands")]
pub(crate) struct RecordArgs {
    /// Record messages to this file, for `mq pub --replay`, instead of printing them. Appends JSON objects, one per
    /// line, or to a database if the name ends in .sqlite
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Start a new file at this size, such as 100MiB, or age, such as 1h or 1d. The time is appended to the name of
    /// the full file
    #[arg(long, value_name = "SIZE|DURATION", value_parser = rotation, requires = "record")]
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

impl RecordArgs {
    /// Whether messages have another destination than standard output.
    pub(crate) fn is_given(&self) -> bool {
        self.record.is_some() || self.exec.is_some()
    }
}

/// A size or an age, both with a unit: a bare number could be either.
fn rotation(text: &str) -> Result<Rotation, String> {
    let age = quantity::duration_with_unit(text).filter(|age| !age.is_zero()).map(Rotation::Age);
    let has_unit = text.trim_end().ends_with(char::is_alphabetic);
    let size = || quantity::size(text).filter(|bytes| has_unit && *bytes > 0).map(Rotation::Size);
    age.or_else(size).ok_or_else(|| expected("a size such as 100MiB, or an age such as 30m, 1h or 1d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_rotation_is_a_size_or_an_age() {
        assert_eq!(rotation("100M"), Ok(Rotation::Size(100 << 20)));
        assert_eq!(rotation("2G"), Ok(Rotation::Size(2 << 30)));
        assert_eq!(rotation("30min"), Ok(Rotation::Age(Duration::from_secs(1800))));
        assert_eq!(rotation("1d"), Ok(Rotation::Age(Duration::from_secs(86_400))));
        assert_eq!(rotation("1m"), Ok(Rotation::Age(Duration::from_secs(60))));
        for text in
            ["", "0", "3600", "0M", "M", "1x", "-1h", "99999999999999999999G", "18446744073709551615K", "é"]
        {
            assert!(rotation(text).is_err(), "{text}");
        }
    }
}
