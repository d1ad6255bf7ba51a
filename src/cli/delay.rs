//! `--delay` and `--at`: delayed publication by EMQX, requested through the topic.

use super::values;
use crate::cli::Error;
use crate::cli::UsageError;
use clap::Args;
use jiff::Timestamp;
use std::time::SystemTime;

/// The longest delay that EMQX accepts, in seconds; it reads a larger number as a time since 1970 (module emqx_delayed).
const MAX_SECONDS: i64 = 42_949_670;

/// The longest delay documented for EMQX up to 5.8, in seconds.
const MAX_BEFORE: i64 = 4_294_967;

/// The time of publication.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Message")]
pub(crate) struct DelayArgs {
    /// Delay publication, such as by 90s, 15m or 1h30m. EMQX only: uses the topic $delayed/SECONDS/TOPIC
    #[arg(long, value_name = "DURATION", value_parser = delay, conflicts_with_all = ["at", "ndjson", "replay"])]
    pub delay: Option<i64>,
    /// Publish at this time, as in 2026-12-01T09:00Z. EMQX only, as for --delay
    #[arg(long, value_name = "TIME", value_parser = values::start_time, conflicts_with_all = ["ndjson", "replay"])]
    pub at: Option<SystemTime>,
}

/// A delay in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delay(i64);

impl DelayArgs {
    /// The delay from now on, if any.
    ///
    /// # Errors
    /// If the time is past, or further away than EMQX's maximum.
    pub(crate) fn counted_from(&self, now: Timestamp) -> Result<Option<Delay>, Error> {
        let Some(at) = self.at else {
            return Ok(self.delay.map(Delay));
        };
        let at = Timestamp::try_from(at).map_err(|error| Error::usage(UsageError::invalid("--at", error)))?;
        // Rounded up, so that the message is never early.
        let seconds = (at.duration_since(now).as_millis() + 999).div_euclid(1000);
        match i64::try_from(seconds) {
            Ok(seconds @ 1..=MAX_SECONDS) => Ok(Some(Delay(seconds))),
            Ok(..=0) => Err(Error::usage(format!("--at {at}: the time is in the past"))),
            _ => Err(Error::usage(format!(
                "--at {at}: EMQX delays messages by at most {MAX_SECONDS} s, about 497 days"
            ))),
        }
    }
}

impl Delay {
    /// The topic that requests this delay from EMQX.
    pub(crate) fn topic(self, topic: &str) -> String {
        format!("$delayed/{}/{topic}", self.0)
    }

    /// A warning if older releases of EMQX do not support the delay.
    pub(crate) fn warning(self) -> Option<String> {
        let Delay(seconds) = self;
        (seconds > MAX_BEFORE).then(|| {
            format!("EMQX before 5.9 delays messages by at most {MAX_BEFORE} s, not {seconds}; it may silently drop this one")
        })
    }
}

/// A duration in whole seconds, rounded up so that the message is never early.
fn delay(text: &str) -> Result<i64, String> {
    let duration = values::positive_duration(text)?;
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    match i64::try_from(seconds) {
        Ok(seconds @ ..=MAX_SECONDS) => Ok(seconds),
        _ => {
            Err(values::expected(format!("at most {MAX_SECONDS} s, about 497 days, which is EMQX's maximum")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_seconds_or_times_within_the_limit() {
        assert_eq!(delay("90"), Ok(90));
        assert_eq!(delay("15m"), Ok(900));
        assert_eq!(delay("1h30m"), Ok(5400));
        assert_eq!(delay("500ms"), Ok(1));
        assert_eq!(delay("42949670"), Ok(MAX_SECONDS));
        for text in ["", "0", "-5", "-5m", "soon", "42949671", "12000h"] {
            assert!(delay(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_as_far_away_as_it_is() {
        let now: Timestamp = "2026-01-31T12:00:00.25Z".parse().unwrap();
        let at = |text: &str| {
            let at = text.parse::<Timestamp>().unwrap().into();
            DelayArgs { delay: None, at: Some(at) }.counted_from(now)
        };
        assert_eq!(at("2026-01-31T12:00:01Z").unwrap(), Some(Delay(1)));
        assert_eq!(at("2026-01-31T12:01:00.25Z").unwrap(), Some(Delay(60)));
        assert!(at("2026-01-31T12:00:00Z").is_err());
        assert!(at("2028-01-31T12:00:00Z").is_err());
    }
}
