//! Texts with placeholders in braces, such as `sensors/{i}`, and the values that are new for each message. The caller defines
//! all other placeholders and their values.

use fastrand::Rng;
use jiff::Timestamp;
use std::fmt::Write;
use std::io;
use std::ops::RangeInclusive;

/// A part of a text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<P> {
    /// Literal text.
    Text(String),
    Placeholder(P),
}

/// The reason why a text with placeholders is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceholderError {
    /// No placeholder has this name; the known ones follow.
    #[error("unknown placeholder {{{0}}}; the placeholders are {1}")]
    Unknown(String, &'static str),
    /// The closing brace is missing.
    #[error("placeholder {{{0} is not closed; add }}")]
    Open(String),
    /// The range of a `{rand:...}` is invalid.
    #[error(
        "invalid range {{rand:{0}}}; {{rand:0..100}} is a number from 0 to 99, {{rand:18.0..25.5}} one with a decimal"
    )]
    Range(String),
    /// The settings of a generated value are invalid; its usage follows.
    #[error("invalid placeholder {{{0}}}; {1}")]
    Generator(String, &'static str),
}

/// Splits a text into parts. Braces form a placeholder if `is_placeholder` accepts their content, and are text otherwise.
/// `named` returns the placeholder with a name, and `known` lists all of them for an error.
///
/// # Errors
/// If a placeholder is unknown or not closed, or `named` fails.
pub(crate) fn parse<P>(
    mut text: &str,
    is_placeholder: impl Fn(&str) -> bool,
    known: &'static str,
    named: impl Fn(&str) -> Result<Option<P>, PlaceholderError>,
) -> Result<Vec<Piece<P>>, PlaceholderError> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once('{') {
        push_text(&mut pieces, before);
        match rest.split_once('}').filter(|(name, _)| is_placeholder(name)) {
            Some((name, after)) => {
                let placeholder = named(name)?;
                let unknown = || PlaceholderError::Unknown(name.to_owned(), known);
                pieces.push(Piece::Placeholder(placeholder.ok_or_else(unknown)?));
                text = after;
            }
            None if is_placeholder(rest) => return Err(PlaceholderError::Open(rest.to_owned())),
            None => {
                push_text(&mut pieces, "{");
                text = rest;
            }
        }
    }
    push_text(&mut pieces, text);
    Ok(pieces)
}

/// Whether the content looks like a placeholder in a text that may also have literal braces, such as JSON.
pub(crate) fn is_word(inside: &str) -> bool {
    TimeForm::named(inside).is_some() || is_plain_word(inside)
}

fn is_plain_word(inside: &str) -> bool {
    inside.starts_with(|c: char| c.is_ascii_lowercase())
        && inside.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ":.-".contains(c))
}

fn push_text<P>(pieces: &mut Vec<Piece<P>>, words: &str) {
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.push_str(words);
    } else if !words.is_empty() {
        pieces.push(Piece::Text(words.to_owned()));
    }
}

/// A value that is new for each message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `{ts}` and its forms: the time.
    Time(TimeForm),
    /// `{uuid}`: a random UUID.
    Uuid,
    /// `{rand:0..100}`: a whole number.
    Random(RangeInclusive<i64>),
    /// `{rand:0.0..1.0}`: a number with this many decimals.
    RandomDecimal {
        range: RangeInclusive<f64>,
        /// The number of digits after the point.
        decimals: usize,
    },
}

/// The format of `{ts}`: RFC 3339, or a number since 1970 in this unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeForm {
    Rfc3339,
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// The maximum of decimals, which is the precision of a floating-point number.
pub(crate) const MAX_DECIMALS: usize = 15;

/// The largest number with decimals; numbers up to it are exact and short.
pub(crate) const MAX_WITH_DECIMALS: f64 = 1e15;

impl Value {
    /// The value with this name, if there is one.
    ///
    /// # Errors
    /// If it is a random number from an invalid range.
    pub(crate) fn named(inside: &str) -> Result<Option<Value>, PlaceholderError> {
        if let Some(range) = inside.strip_prefix("rand:") {
            return Value::random(range).map(Some).ok_or_else(|| PlaceholderError::Range(range.to_owned()));
        }
        Ok(TimeForm::named(inside).map(Value::Time).or((inside == "uuid").then_some(Value::Uuid)))
    }

    /// A half-open range of whole numbers, or a range of numbers with the decimals of its bounds.
    fn random(text: &str) -> Option<Value> {
        let (start, end) = text.split_once("..")?;
        let decimals = |number: &str| number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let most = decimals(start).max(decimals(end));
        if most == 0 {
            let (start, end): (i64, i64) = (start.parse().ok()?, end.parse().ok()?);
            return (start < end).then(|| Value::Random(start..=end - 1));
        }
        let (start, end): (f64, f64) = (start.parse().ok()?, end.parse().ok()?);
        // A larger number would have hundreds of digits.
        let is_valid = start < end && start.abs().max(end.abs()) <= MAX_WITH_DECIMALS && most <= MAX_DECIMALS;
        is_valid.then_some(Value::RandomDecimal { range: start..=end, decimals: most })
    }

    /// Appends the value for a message created at this time.
    ///
    /// # Errors
    /// If the operating system's random number generator fails.
    pub(crate) fn append(&self, now: Timestamp, text: &mut impl Write) -> io::Result<()> {
        let random = if matches!(self, Value::Time(_)) { 0 } else { random_bits()? };
        // Writing to memory does not fail.
        let _ = self.append_with(now, random, text);
        Ok(())
    }

    /// Appends the value for a message created at this time, made of these random bits. The same bits make the same value.
    ///
    /// # Errors
    /// If the text cannot be written.
    pub(crate) fn append_with(
        &self,
        now: Timestamp,
        random: u128,
        text: &mut impl Write,
    ) -> std::fmt::Result {
        let mut numbers = Rng::with_seed((random >> 64) as u64 ^ random as u64);
        match self {
            Value::Time(form) => form.append(now, text),
            Value::Uuid => append_uuid(random, text),
            Value::Random(range) => write!(text, "{}", numbers.i64(range.clone())),
            Value::RandomDecimal { range, decimals } => {
                let value = range.start() + numbers.f64() * (range.end() - range.start());
                write!(text, "{value:.decimals$}")
            }
        }
    }

    /// The lengths in bytes of its shortest and its longest text.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        match self {
            Value::Time(form) => form.lengths(),
            Value::Uuid => (36, 36),
            Value::Random(range) => lengths_of_integers(*range.start(), *range.end()),
            Value::RandomDecimal { range, decimals } => {
                lengths_of_decimals((*range.start(), *range.end()), *decimals)
            }
        }
    }
}

impl TimeForm {
    /// `ts`, `ts:ms` or `ts_ms`, and so on.
    fn named(inside: &str) -> Option<TimeForm> {
        Some(match inside {
            "ts" => TimeForm::Rfc3339,
            "ts:s" | "ts_s" => TimeForm::Seconds,
            "ts:ms" | "ts_ms" => TimeForm::Milliseconds,
            "ts:us" | "ts_us" => TimeForm::Microseconds,
            "ts:ns" | "ts_ns" => TimeForm::Nanoseconds,
            _ => return None,
        })
    }

    /// The lengths of all times of this century, and of the next one.
    fn lengths(self) -> (usize, usize) {
        let digits = match self {
            TimeForm::Rfc3339 => 24,
            TimeForm::Seconds => 10,
            TimeForm::Milliseconds => 13,
            TimeForm::Microseconds => 16,
            TimeForm::Nanoseconds => 19,
        };
        (digits, digits)
    }

    fn append(self, now: Timestamp, text: &mut impl Write) -> std::fmt::Result {
        match self {
            TimeForm::Rfc3339 => write!(text, "{now:.3}"),
            TimeForm::Seconds => write!(text, "{}", now.as_second()),
            TimeForm::Milliseconds => write!(text, "{}", now.as_millisecond()),
            TimeForm::Microseconds => write!(text, "{}", now.as_microsecond()),
            TimeForm::Nanoseconds => write!(text, "{}", now.as_nanosecond()),
        }
    }
}

/// The lengths of the shortest and the longest whole number in a range that includes both ends.
pub(crate) fn lengths_of_integers(least: i64, most: i64) -> (usize, usize) {
    let length = |number: i64| number.to_string().len();
    let longest = length(least).max(length(most));
    // The numbers next to 0 are the shortest ones.
    let shortest = length(0.clamp(least, most));
    (shortest.min(longest), longest)
}

/// The same for numbers with decimals. A bound that rounding reaches may be longer or shorter than the numbers inside.
pub(crate) fn lengths_of_decimals((least, most): (f64, f64), decimals: usize) -> (usize, usize) {
    let length = |number: f64| format!("{number:.decimals$}").len();
    let longest = length(least).max(length(most));
    let shortest = length(0_f64.clamp(least, most));
    (shortest.min(longest), longest)
}

fn random_bits() -> io::Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u128::from_be_bytes(bytes))
}

/// Appends a random UUID (RFC 9562, version 4).
fn append_uuid(random: u128, text: &mut impl Write) -> std::fmt::Result {
    let bits = random & !(0xf000 << 64 | 0xc000 << 48) | 0x4000 << 64 | 0x8000 << 48;
    let [a, b, c, d] = [bits >> 96, bits >> 80 & 0xffff, bits >> 64 & 0xffff, bits >> 48 & 0xffff];
    write!(text, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", bits & 0xffff_ffff_ffff)
}
