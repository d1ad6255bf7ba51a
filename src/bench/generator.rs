//! Generated values in payload templates: counters, random walks, sines and choices.
//!
//! A value follows from the seed of its publisher, its place in the template and the number of the message. Only a walk needs the
//! value before it, which each publisher keeps.

use crate::payload::placeholder::{self, MAX_DECIMALS, MAX_WITH_DECIMALS, PlaceholderError};
use fastrand::Rng;
use std::cell::Cell;
use std::f64::consts::TAU;
use std::fmt::{self, Write};

/// No publisher sends more messages.
pub(super) const MAX_MESSAGES: u64 = 1 << 47;

/// A generated value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Generator {
    /// `{counter:0}`, `{counter:0..100:5}`: a number that grows with each message, and begins again after `cycle` values.
    Counter { start: i64, step: i64, cycle: u64 },
    /// `{walk:18.0..25.0:0.1}`: a number that changes by at most a step.
    Walk(Range, f64),
    /// `{sine:18.0..25.0:100}`: a sine with a period in messages.
    Sine(Range, u64),
    /// `{choice:on|off}`: one of several texts.
    Choice(Vec<Box<str>>),
}

/// A range of numbers that includes both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    least: f64,
    most: f64,
    /// Digits after the point.
    decimals: usize,
}

/// The state of a publisher's generators.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GeneratorState<'a> {
    /// Differs between publishers and runs.
    pub(crate) seed: u64,
    /// The last value of each walk, by its place in the template.
    pub(crate) walks: &'a [Cell<f64>],
}

impl Generator {
    /// Whether braces with this content are a generator. A choice may contain any text.
    pub(crate) fn is_named(inside: &str) -> bool {
        ["counter:", "walk:", "sine:", "choice:"].iter().any(|name| inside.starts_with(name))
    }

    /// The generator with this name and these settings, if there is one.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub(crate) fn named(inside: &str) -> Result<Option<Generator>, PlaceholderError> {
        let Some((name, settings)) = inside.split_once(':') else { return Ok(None) };
        let (generator, usage) = match name {
            "counter" => (Generator::counter(settings), COUNTER),
            "walk" => (Generator::walk(settings), WALK),
            "sine" => (Generator::sine(settings), SINE),
            "choice" => (Generator::choice(settings), CHOICE),
            _ => return Ok(None),
        };
        generator.map(Some).ok_or_else(|| PlaceholderError::Generator(inside.to_owned(), usage))
    }

    fn counter(settings: &str) -> Option<Generator> {
        let (values, step) = settings.split_once(':').unwrap_or((settings, "1"));
        let step: i64 = step.parse().ok().filter(|step| *step != 0)?;
        let Some((start, end)) = values.split_once("..") else {
            return Some(Generator::Counter { start: values.parse().ok()?, step, cycle: u64::MAX });
        };
        let (start, end): (i64, i64) = (start.parse().ok()?, end.parse().ok()?);
        let is_towards_end = if step > 0 { start < end } else { start > end };
        let cycle = start.abs_diff(end).div_ceil(step.unsigned_abs());
        is_towards_end.then_some(Generator::Counter { start, step, cycle })
    }

    fn walk(settings: &str) -> Option<Generator> {
        let (range, step) = settings.split_once(':')?;
        let Range { least, most, decimals } = Range::parse(range)?;
        let range = Range { least, most, decimals: decimals.max(decimals_of(step)) };
        let step = number(step).filter(|step| *step > 0.0 && *step <= most - least)?;
        (range.decimals <= MAX_DECIMALS).then_some(Generator::Walk(range, step))
    }

    fn sine(settings: &str) -> Option<Generator> {
        let (range, period) = settings.split_once(':')?;
        let period = period.parse().ok().filter(|period| *period >= 2)?;
        Some(Generator::Sine(Range::parse(range)?, period))
    }

    fn choice(settings: &str) -> Option<Generator> {
        let is_valid = !settings.is_empty() && !settings.contains('{');
        is_valid.then(|| Generator::Choice(settings.split('|').map(Box::from).collect()))
    }

    /// The value of a walk before the first message; 0 for other generators.
    pub(crate) fn start(&self, seed: u64, place: usize) -> f64 {
        match self {
            Generator::Walk(range, _) => range.at(random(seed, place, u64::MAX).f64()),
            Generator::Counter { .. } | Generator::Sine(..) | Generator::Choice(_) => 0.0,
        }
    }

    /// Whether it needs the value before it.
    pub(crate) fn is_walk(&self) -> bool {
        matches!(self, Generator::Walk(..))
    }

    /// The lengths of the shortest and the longest value in bytes.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        match self {
            Generator::Counter { start, step, cycle } => {
                let steps = i64::try_from((*cycle).min(MAX_MESSAGES) - 1).unwrap_or(i64::MAX);
                let last = start.saturating_add(step.saturating_mul(steps));
                placeholder::lengths_of_integers(last.min(*start), last.max(*start))
            }
            Generator::Walk(range, _) | Generator::Sine(range, _) => {
                placeholder::lengths_of_decimals((range.least, range.most), range.decimals)
            }
            Generator::Choice(texts) => {
                let lengths = || texts.iter().map(|text| text.len());
                (lengths().min().unwrap_or_default(), lengths().max().unwrap_or_default())
            }
        }
    }

    /// Appends the value of a message.
    pub(crate) fn append(
        &self,
        place: usize,
        sequence: u64,
        state: GeneratorState<'_>,
        text: &mut impl Write,
    ) -> fmt::Result {
        let random = |number| random(state.seed, place, number);
        match self {
            Generator::Counter { start, step, cycle } => {
                let steps = (sequence % cycle) as i64;
                write!(text, "{}", start.wrapping_add(step.wrapping_mul(steps)))
            }
            Generator::Walk(range, step) => {
                let last = state.walks.get(place).map_or(range.least, Cell::get);
                let change = (random(sequence).f64() * 2.0 - 1.0) * step;
                let value = range.reflect(last + change);
                state.walks.get(place).iter().for_each(|walk| walk.set(value));
                range.append(value, text)
            }
            Generator::Sine(range, period) => {
                let turn = (sequence % period) as f64 / *period as f64 + random(u64::MAX).f64();
                range.append(range.at(f64::midpoint((turn * TAU).sin(), 1.0)), text)
            }
            Generator::Choice(texts) => {
                let index = random(sequence).usize(..texts.len().max(1));
                text.write_str(texts.get(index).map_or("", |text| text))
            }
        }
    }
}

const COUNTER: &str =
    "{counter:1} counts messages from 1, {counter:0..100:5} from 0 to 95 in steps of 5, and again";
const WALK: &str =
    "{walk:18.0..25.0:0.1} stays between 18.0 and 25.0 and changes by at most 0.1 with each message";
const SINE: &str = "{sine:18.0..25.0:100} is a sine between 18.0 and 25.0 with a period of 100 messages";
const CHOICE: &str = "{choice:on|off|fault} is one of these texts, which cannot contain braces";

impl Range {
    fn parse(text: &str) -> Option<Range> {
        let (least, most) = text.split_once("..")?;
        let decimals = decimals_of(least).max(decimals_of(most));
        let (least, most) = (number(least)?, number(most)?);
        (least < most && decimals <= MAX_DECIMALS).then_some(Range { least, most, decimals })
    }

    /// The number at a part from 0 to 1.
    fn at(self, part: f64) -> f64 {
        self.least + part * (self.most - self.least)
    }

    /// Reflects a number that is at most a range away at the end that it has passed.
    fn reflect(self, value: f64) -> f64 {
        let inside = if value > self.most { 2.0 * self.most - value } else { value };
        let inside = if inside < self.least { 2.0 * self.least - inside } else { inside };
        inside.clamp(self.least, self.most)
    }

    fn append(self, value: f64, text: &mut impl Write) -> fmt::Result {
        // A negative number that is rounded to 0 would have a sign.
        let half = 0.5 / 10_f64.powi(self.decimals as i32);
        let value = if value < 0.0 && value >= -half { 0.0 } else { value };
        write!(text, "{value:.*}", self.decimals)
    }
}

fn decimals_of(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// Parses a number in decimal digits.
fn number(text: &str) -> Option<f64> {
    let is_plain = text.chars().all(|c| c.is_ascii_digit() || ".-".contains(c));
    text.parse().ok().filter(|number: &f64| is_plain && number.abs() <= MAX_WITH_DECIMALS)
}

/// Random numbers that are the same again for the same arguments.
pub(super) fn random(seed: u64, place: usize, number: u64) -> Rng {
    let of_place = Rng::with_seed(seed).u64(..).wrapping_add(place as u64);
    let of_place = Rng::with_seed(of_place).u64(..);
    Rng::with_seed(of_place ^ number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, seed: u64, count: u64) -> Vec<String> {
        let generator = Generator::named(text).unwrap().unwrap();
        let walks = [Cell::new(generator.start(seed, 0))];
        let value = |sequence| {
            let mut value = String::new();
            generator.append(0, sequence, GeneratorState { seed, walks: &walks }, &mut value).unwrap();
            value
        };
        (0..count).map(value).collect()
    }

    fn numbers(text: &str, seed: u64, count: u64) -> Vec<f64> {
        values(text, seed, count).iter().map(|value| value.parse().unwrap()).collect()
    }

    #[test]
    fn counters_count_and_begin_again() {
        assert_eq!(values("counter:7", 1, 3), ["7", "8", "9"]);
        assert_eq!(values("counter:0..10:5", 1, 5), ["0", "5", "0", "5", "0"]);
        assert_eq!(values("counter:0..11:5", 1, 4), ["0", "5", "10", "0"]);
        assert_eq!(values("counter:3..0:-1", 1, 4), ["3", "2", "1", "3"]);
        assert_eq!(
            values("counter:-9223372036854775808..9223372036854775807", 1, 1),
            ["-9223372036854775808"]
        );
    }

    #[test]
    fn a_walk_stays_in_its_range_and_moves_by_small_steps() {
        let walk = numbers("walk:18.0..20.0:0.3", 5, 2000);
        assert!(walk.iter().all(|value| (18.0..=20.0).contains(value)));
        assert!(walk.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.3001), "{walk:?}");
        let (least, most) =
            (walk.iter().copied().fold(f64::MAX, f64::min), walk.iter().copied().fold(0.0, f64::max));
        assert!(least < 18.2 && most > 19.8, "it reaches both ends: {least} to {most}");
        assert!(numbers("walk:0..9:9", 5, 500).iter().all(|value| (0.0..=9.0).contains(value)));
    }

    #[test]
    fn a_sine_has_its_range_and_period() {
        let sine = numbers("sine:-10.00..30.00:40", 7, 120);
        assert_eq!(sine[..40], sine[40..80]);
        let highest = sine.iter().copied().fold(f64::MIN, f64::max);
        let lowest = sine.iter().copied().fold(f64::MAX, f64::min);
        assert!((29.8..=30.0).contains(&highest) && (-10.0..-9.8).contains(&lowest), "{lowest} to {highest}");
    }

    #[test]
    fn choices_are_equally_frequent() {
        let choices = values("choice:on|off|\"in between\"", 3, 3000);
        for choice in ["on", "off", "\"in between\""] {
            let count = choices.iter().filter(|value| *value == choice).count();
            assert!((900..1100).contains(&count), "{choice}: {count}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_values_and_another_one_does_not() {
        for text in ["walk:0.0..1.0:0.1", "sine:0.00..1.00:50", "choice:a|b|c"] {
            assert_eq!(values(text, 11, 20), values(text, 11, 20));
            assert_ne!(values(text, 11, 20), values(text, 12, 20), "{text}");
        }
    }

    #[test]
    fn no_number_is_minus_zero() {
        assert!(!values("walk:-1..1:1", 4, 1000).contains(&"-0".to_owned()));
    }

    #[test]
    fn invalid_settings_are_refused() {
        for text in [
            "counter:",
            "counter:x",
            "counter:1:0",
            "counter:5..5",
            "counter:1..5:-1",
            "counter:1..5:1:1",
            "walk:1..2",
            "walk:2..1:1",
            "walk:0..1:0",
            "walk:0..1:2",
            "walk:0..1e30:1",
            "walk:0..inf:1",
            "walk:0..nan:1",
            "walk:0..1:-1",
            "walk:0..1:0.0000000000000001",
            "sine:0..1",
            "sine:0..1:1",
            "sine:0..1:x",
            "choice:",
            "choice:a|{b",
        ] {
            assert!(Generator::named(text).is_err(), "{text}");
        }
        assert_eq!(Generator::named("seq"), Ok(None));
        assert_eq!(Generator::named("rand:0..5"), Ok(None));
    }
}
