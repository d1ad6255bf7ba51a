//! `--delay` and `--at`: messages that EMQX keeps back, by the topic that asks it to.

use super::values;
use crate::error::Error;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use std::time::SystemTime;

/// The most seconds that EMQX takes; what is more is a time since 1970 to it (its module emqx_delayed).
const MOST: i64 = 42_949_670;

/// The most seconds that EMQX documented up to 5.8.
const MOST_BEFORE: i64 = 4_294_967;

/// When a message is to be published.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Message")]
pub struct DelayArgs {
    /// Let EMQX publish the message after this time, as in 90, 15m or 1h30m, by the topic $delayed/SECONDS/TOPIC
    #[arg(long, value_name = "TIME", value_parser = delay, conflicts_with_all = ["at", "ndjson", "replay"])]
    pub delay: Option<i64>,
    /// Let EMQX publish the message at this time, as in 2026-12-01T09:00Z
    #[arg(long, value_name = "TIME", value_parser = values::start_time, conflicts_with_all = ["ndjson", "replay"])]
    pub at: Option<SystemTime>,
}

/// How long a message is kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay(i64);

impl DelayArgs {
    /// How long the message is kept back from now on, if it is.
    ///
    /// # Errors
    /// When the time is past, or further away than EMQX keeps messages.
    pub fn from_now(&self, now: Timestamp) -> Result<Option<Delay>, Error> {
        let Some(at) = self.at else {
            return Ok(self.delay.map(Delay));
        };
        let at = Timestamp::try_from(at).map_err(|error| Error::Usage(format!("--at: {error}")))?;
        // The first moment that is not too early.
        let seconds = (at.duration_since(now).as_millis() + 999).div_euclid(1000);
        match i64::try_from(seconds) {
            Ok(seconds @ 1..=MOST) => Ok(Some(Delay(seconds))),
            Ok(..=0) => Err(Error::Usage(format!("--at {at}: that is past"))),
            _ => Err(Error::Usage(format!(
                "--at {at}: EMQX keeps messages for {MOST} s at most, about 497 days"
            ))),
        }
    }
}

impl Delay {
    /// The topic by which EMQX keeps a message back.
    pub fn topic(self, topic: &str) -> String {
        format!("$delayed/{}/{topic}", self.0)
    }

    /// What may go wrong with it, if something may.
    pub fn warning(self) -> Option<String> {
        let Delay(seconds) = self;
        (seconds > MOST_BEFORE).then(|| {
            format!("EMQX before 5.9 keeps messages for {MOST_BEFORE} s at most, not {seconds}; it may drop this one without a word")
        })
    }
}

/// Seconds, or a time with units.
fn delay(text: &str) -> Result<i64, String> {
    let seconds = text.parse().ok().or_else(|| {
        let duration: SignedDuration = text.parse().ok()?;
        Some(duration.as_secs())
    });
    match seconds {
        Some(seconds @ 1..=MOST) => Ok(seconds),
        Some(seconds) if seconds > MOST => {
            Err(format!("EMQX keeps messages for {MOST} s at most, about 497 days"))
        }
        _ => Err("it takes seconds or a time as in 15m or 1h30m, at least 1 s".to_owned()),
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
        assert_eq!(delay("42949670"), Ok(MOST));
        for text in ["", "0", "-5", "-5m", "soon", "42949671", "12000h"] {
            assert!(delay(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_as_far_away_as_it_is() {
        let now: Timestamp = "2026-01-31T12:00:00.25Z".parse().unwrap();
        let at = |text: &str| {
            let at = text.parse::<Timestamp>().unwrap().into();
            DelayArgs { delay: None, at: Some(at) }.from_now(now)
        };
        assert_eq!(at("2026-01-31T12:00:01Z").unwrap(), Some(Delay(1)));
        assert_eq!(at("2026-01-31T12:01:00.25Z").unwrap(), Some(Delay(60)));
        assert!(at("2026-01-31T12:00:00Z").is_err());
        assert!(at("2028-01-31T12:00:00Z").is_err());
    }
}
