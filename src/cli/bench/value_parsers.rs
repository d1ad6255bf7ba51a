//! Value types of `mq bench`, for the command line and scenario files.

use crate::bench::broker_watch::WatchSource;
use crate::bench::plan::Hold;
use crate::bench::rate::Rate;
use crate::bench::rate_profile::{LONGEST_STAGES, MAX_STAGES, Stage};
use crate::bench::schedule::{Arrivals, DutyCycle};
use crate::cli::{url, values};
use crate::suggestion::did_you_mean;
use clap::ValueEnum;
use std::sync::Arc;
use std::time::Duration;

/// The assignment of subscribers to publishers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Topology {
    /// Each publisher has its own subscriber.
    Pairs,
    /// One subscriber, or a few, for all publishers.
    FanIn,
    /// One publisher, or a few, for all subscribers.
    FanOut,
    /// All subscribers receive the messages of all publishers.
    Mesh,
}

/// `$SYS` for the topics, or the URL of a page.
pub(super) fn watch_source(text: &str) -> Result<WatchSource, String> {
    if text == "$SYS" { Ok(WatchSource::Sys) } else { url::page(text).map(WatchSource::Page) }
}

/// Messages per time: `500`, `5k`, `1000/s`, `30/min`.
pub(in crate::cli) fn rate(text: &str) -> Result<Rate, String> {
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let seconds = match unit {
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(values::expected("a rate with the unit /s, /min or /h")),
    };
    let (digits, factor) = match number.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1e3),
        None => number.strip_suffix('M').map_or((number, 1.0), |digits| (digits, 1e6)),
    };
    let wrong =
        || values::expected(format!("a rate such as 500, 5k or 30/min, up to {}M", Rate::HIGHEST / 1e6));
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    Rate::per_second(number * factor / seconds).ok_or_else(wrong)
}

/// The shortest and the longest think time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Think {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

/// A duration, or two as in `50ms..2s`.
pub(super) fn think(text: &str) -> Result<Think, String> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let think = Think { least: values::duration(least)?, most: values::positive_duration(most)? };
    match think.least <= think.most {
        true => Ok(think),
        false => Err(values::expected("the shorter duration first, as in 50ms..2s")),
    }
}

/// A duration, or `forever`.
pub(super) fn hold(text: &str) -> Result<Hold, String> {
    if text == "forever" {
        return Ok(Hold::UntilInterrupted);
    }
    values::positive_duration(text).map(Hold::For)
}

/// The ramp of the rate: up from 0 within a time, or from one rate to another over the duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ramping {
    FromNothing(Duration),
    Between(Rate, Rate),
}

/// A duration, or two rates as in `100..5k`.
pub(super) fn ramp(text: &str) -> Result<Ramping, String> {
    match text.split_once("..") {
        Some((from, to)) => Ok(Ramping::Between(rate(from)?, rate(to)?)),
        None => values::duration(text)
            .map(Ramping::FromNothing)
            .map_err(|_| values::expected("a duration such as 5s, or two rates such as 100..5k")),
    }
}

/// Rates one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stages(pub(super) Arc<[Stage]>);

impl Stages {
    /// The time of all stages together.
    pub(super) fn time(&self) -> Duration {
        self.0.iter().map(|stage| stage.time).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Checks the stages together.
    pub(super) fn new(stages: Vec<Stage>) -> Result<Stages, String> {
        let count = stages.len();
        let stages = Stages(stages.into());
        if count > MAX_STAGES {
            return Err(values::expected(format!("at most {MAX_STAGES} stages, found {count}")));
        }
        if stages.time() > LONGEST_STAGES {
            return Err(values::expected("stages of at most 30 days together"));
        }
        if stages.0.iter().all(|stage| stage.from.is_none() && stage.to.is_none()) {
            return Err(values::expected("a stage with a rate above 0, such as \"100 for 30s\""));
        }
        Ok(stages)
    }
}

/// Stages in one text, separated by commas.
pub(super) fn stages(text: &str) -> Result<Stages, String> {
    Stages::new(text.split(',').map(|part| stage(part.trim())).collect::<Result<_, _>>()?)
}

/// A rate or two, and a duration: `100 for 30s`, `100..1k for 1m`, `0 for 10s`.
pub(super) fn stage(text: &str) -> Result<Stage, String> {
    let form = || values::expected("a stage such as \"100 for 30s\", \"100..1k for 1m\" or \"0 for 10s\"");
    let (rates, time) = text.split_once(" for ").ok_or_else(form)?;
    let (from, to) = rates.split_once("..").unwrap_or((rates, rates));
    let rate = |text: &str| match text.trim() {
        "0" => Ok(None),
        text => rate(text).map(Some),
    };
    let time = values::positive_duration(time.trim())?;
    Ok(Stage { from: rate(from)?, to: rate(to)?, time })
}

/// Two durations: `10s/50s`.
pub(super) fn on_off(text: &str) -> Result<DutyCycle, String> {
    let form = || values::expected("the on and the off time, such as \"10s/50s\"");
    let (on, off) = text.split_once('/').ok_or_else(form)?;
    let time = |text: &str| {
        let time = values::positive_duration(text.trim())?;
        if time > LONGEST_STAGES { Err(values::expected("a time of at most 30 days")) } else { Ok(time) }
    };
    Ok(DutyCycle { on: time(on)?, off: time(off)? })
}

/// The distribution of planned sends.
pub(super) fn arrivals(text: &str) -> Result<Arrivals, String> {
    match text {
        "constant" => Ok(Arrivals::Constant),
        "poisson" => Ok(Arrivals::Poisson),
        _ => Err(values::expected("constant or poisson") + &did_you_mean(text, ["constant", "poisson"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_in_every_notation() {
        let per_second = |text| rate(text).map(Rate::as_per_second);
        assert_eq!(per_second("500"), Ok(500.0));
        assert_eq!(per_second("5k"), Ok(5000.0));
        assert_eq!(per_second("1.5M"), Ok(1_500_000.0));
        assert_eq!(per_second("1000/s"), Ok(1000.0));
        assert_eq!(per_second("30/min"), Ok(0.5));
        for text in ["", "0", "-5", "k", "5/", "5/x", "nan", "inf", "1e30"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn stages_are_rates_and_times() {
        let text =
            |text: &str| stages(text).map(|Stages(all)| all.iter().map(Stage::to_string).collect::<Vec<_>>());
        let expected =
            ["100 for 30s", "100..1000 for 60s", "0 for 10s", "0.5..0 for 0.2s"].map(str::to_owned);
        assert_eq!(
            text("100 for 30s, 100..1k for 1m,0 for 10s , 30/min..0 for 200ms"),
            Ok(expected.to_vec())
        );
        for wrong in
            ["", "100", "100 for", "100 for 0", "-1 for 5s", "1..2..3 for 5s", "100 for 5s,", "2G for 1s"]
        {
            assert!(stages(wrong).is_err(), "{wrong}");
        }
        for (wrong, why) in
            [("0 for 5s, 0..0 for 1s", "above 0"), ("1 for 31d", "30 days"), ("1 for 721h", "30 days")]
        {
            assert!(stages(wrong).unwrap_err().contains(why), "{wrong}: {:?}", stages(wrong));
        }
    }

    #[test]
    fn a_ramp_is_a_time_or_two_rates() {
        let rate = |number| Rate::per_second(number).unwrap();
        assert_eq!(ramp("5"), Ok(Ramping::FromNothing(Duration::from_secs(5))));
        assert_eq!(ramp("100..5k"), Ok(Ramping::Between(rate(100.0), rate(5000.0))));
        assert_eq!(ramp("30/min..0.1"), Ok(Ramping::Between(rate(0.5), rate(0.1))));
        for text in ["", "x", "0..5", "5..", "..5", "1..2..3"] {
            assert!(ramp(text).is_err(), "{text}");
        }
    }
}
