//! The options of `mq pub --replay`.

use super::bench::rate;
use super::values;
use crate::bench::rate::Rate;
use crate::protocol::TopicName;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Recordings to replay, their speed and their topics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Replay")]
pub(crate) struct ReplayArgs {
    /// Replay a recording of `mq sub --record`, with its pauses; chooses MQTT 5. Can be repeated, to replay several
    /// in sequence
    #[arg(long, group = "payload", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub replay: Vec<PathBuf>,
    /// Replay at this multiple of the recorded speed, as in 2 or 0.5; max is as fast as possible
    #[arg(long, value_name = "FACTOR", value_parser = speed)]
    pub speed: Option<Speed>,
    /// Replay this many messages a second, as in 500, 5k or 30/min, regardless of the pauses
    #[arg(long, value_parser = rate, conflicts_with = "speed")]
    pub rate: Option<Rate>,
    /// Replace a prefix of topics, as in home=test/home; =test adds a prefix to all topics. Can be repeated; the
    /// first match applies
    #[arg(long, value_name = "FROM=TO", value_parser = rewrite)]
    pub rewrite: Vec<Rewrite>,
}

/// The speed of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    /// A multiple of the recorded speed.
    Times(f64),
    /// As fast as possible.
    Max,
}

/// A replacement for a prefix of topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rewrite {
    from: String,
    to: String,
}

impl Rewrite {
    /// The topic with its prefix replaced; `None` if it has another one.
    pub(crate) fn apply(&self, topic: &str) -> Option<String> {
        if self.from.is_empty() {
            return Some(format!("{}/{topic}", self.to));
        }
        let rest = topic.strip_prefix(&self.from)?;
        match (rest.is_empty(), rest.strip_prefix('/')) {
            (true, _) if !self.to.is_empty() => Some(self.to.clone()),
            (false, Some(below)) if self.to.is_empty() => Some(below.to_owned()),
            (false, Some(below)) => Some(format!("{}/{below}", self.to)),
            _ => None,
        }
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.parse() {
        Ok(times) if (0.001..=1e6).contains(&times) => Ok(Speed::Times(times)),
        _ => Err(values::expected("a number from 0.001 to 1000000, or max")),
    }
}

fn rewrite(text: &str) -> Result<Rewrite, String> {
    let (from, to) = text.split_once('=').ok_or_else(|| values::expected("FROM=TO, two topics"))?;
    if from.is_empty() && to.is_empty() {
        return Err(values::expected("FROM=TO, two topics, of which one may be empty"));
    }
    for topic in [from, to].into_iter().filter(|topic| !topic.is_empty()) {
        TopicName::parse(topic).map_err(|error| format!("'{topic}': {error}"))?;
    }
    Ok(Rewrite { from: from.to_owned(), to: to.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_levels_are_rewritten() {
        let apply = |words: &str, topic: &str| rewrite(words).unwrap().apply(topic);
        assert_eq!(apply("home=house", "home/door").as_deref(), Some("house/door"));
        assert_eq!(apply("home=a/b", "home").as_deref(), Some("a/b"));
        assert_eq!(apply("home=house", "homework"), None);
        assert_eq!(apply("=test", "home/door").as_deref(), Some("test/home/door"));
        assert_eq!(apply("home=", "home/door").as_deref(), Some("door"));
        assert_eq!(apply("home=", "home"), None, "nothing would be left");
        for text in ["", "=", "home", "a/#=b", "a=+"] {
            assert!(rewrite(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_speed_is_a_factor_or_max() {
        assert_eq!(speed("max"), Ok(Speed::Max));
        assert_eq!(speed("0.5"), Ok(Speed::Times(0.5)));
        for text in ["", "0", "-1", "nan", "inf", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
    }
}
