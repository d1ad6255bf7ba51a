//! The types of Google's package in their own JSON forms. A value that its form cannot express is written as a plain message.

use super::super::link::Message;
use super::super::well_known::{MAX_DURATION, WellKnown};
use super::{Decoder, Occurrence, Part, UNKNOWN};
use crate::json::Writer;
use crate::message::to_base64;
use crate::payload::Problem;
use crate::payload::protobuf::{self, WireValue};
use jiff::SignedDuration;
use jiff::civil::{DateTime, datetime};

/// The time that seconds count from.
pub(in crate::payload::schema) const EPOCH: DateTime = datetime(1970, 1, 1, 0, 0, 0, 0);

/// The seconds of the years 1 to 9999.
pub(in crate::payload::schema) const TIMESTAMPS: std::ops::RangeInclusive<i64> =
    -62_135_596_800..=253_402_300_799;

const BILLION: i32 = 1_000_000_000;

impl<'s> Decoder<'s> {
    /// Writes a well-known type in its own form; `false` if it cannot express the value.
    pub(super) fn well_known(
        &mut self,
        known: WellKnown,
        message: &'s Message,
        parts: &[Part<'_>],
        json: &mut Writer<'_>,
    ) -> Result<bool, Problem> {
        let mut found = self.occurrences(message, parts)?;
        super::keep_last_of_oneofs(message, &mut found);
        if found.iter().any(|occurrence| occurrence.index.is_none()) {
            return Ok(false);
        }
        match known {
            WellKnown::Timestamp => Ok(written(timestamp(&found).as_deref(), json)),
            WellKnown::Duration => Ok(written(duration(&found).as_deref(), json)),
            WellKnown::FieldMask => Ok(written(field_mask(&found)?.as_deref(), json)),
            WellKnown::Any => self.any(&found, json),
            WellKnown::Wrapper | WellKnown::Struct | WellKnown::ListValue => {
                let Some(field) = message.field(1) else { return Ok(false) };
                self.path.push(&field.name);
                self.field(field, &found, json)?;
                self.path.pop();
                Ok(true)
            }
            WellKnown::Value => self.value(message, &found, json),
        }
    }

    fn value(
        &mut self,
        message: &'s Message,
        found: &[Occurrence<'_>],
        json: &mut Writer<'_>,
    ) -> Result<bool, Problem> {
        let index = found.last().and_then(|last| last.index);
        let Some(field) = index.and_then(|index| message.fields.get(index)) else {
            json.literal("null");
            return Ok(true);
        };
        self.path.push(&field.name);
        self.field(field, found, json)?;
        self.path.pop();
        Ok(true)
    }

    /// A message with its type beside it. Bytes of a type that the schema does not have are in Base64.
    fn any(&mut self, found: &[Occurrence<'_>], json: &mut Writer<'_>) -> Result<bool, Problem> {
        let url = match last(found, 1) {
            Some((WireValue::Bytes(url), at)) => protobuf::text(url, at)?,
            _ => "",
        };
        let (bytes, at) = match last(found, 2) {
            Some((WireValue::Bytes(bytes), at)) => (bytes, at),
            _ => (&[][..], 0),
        };
        if url.is_empty() && bytes.is_empty() {
            json.open_object();
            json.close_object();
            return Ok(true);
        }
        let schema = self.schema;
        let id = schema.find(url.rsplit('/').next().unwrap_or(url));
        json.open_object();
        json.key("@type");
        json.string(url);
        let part = Part { bytes, at };
        if self.path.len() > super::MAX_DEPTH {
            return Err(Problem { reason: "messages nested over 100 deep", at });
        }
        self.path.push("value");
        match id.map(|id| (id, schema.message(id))) {
            Some((id, message)) if message.known.is_some() => {
                json.key("value");
                self.message(id, &[part], json)?;
            }
            Some((_, message)) => self.members(message, &[part], json)?,
            None => {
                json.key(UNKNOWN);
                json.string(&to_base64(bytes));
            }
        }
        self.path.pop();
        json.close_object();
        Ok(true)
    }
}

/// Writes the text, if there is one.
fn written(text: Option<&str>, json: &mut Writer<'_>) -> bool {
    if let Some(text) = text {
        json.string(text);
    }
    text.is_some()
}

/// The value of the last field with this number, and its position.
fn last<'a>(found: &[Occurrence<'a>], number: u64) -> Option<(WireValue<'a>, usize)> {
    let last = found.iter().rfind(|occurrence| occurrence.field.number == number)?;
    Some((last.field.value, last.field.at))
}

#[allow(clippy::cast_possible_truncation)] // bits beyond the type's are ignored
fn seconds_and_nanoseconds(found: &[Occurrence<'_>]) -> (i64, i32) {
    let number = |wanted| match last(found, wanted) {
        Some((WireValue::Number(bits), _)) => bits,
        _ => 0,
    };
    (number(1).cast_signed(), number(2) as i32)
}

fn timestamp(found: &[Occurrence<'_>]) -> Option<String> {
    let (seconds, nanoseconds) = seconds_and_nanoseconds(found);
    if !TIMESTAMPS.contains(&seconds) || !(0..BILLION).contains(&nanoseconds) {
        return None;
    }
    // A civil time, since jiff's time zones leave the last day of the year 9999 out.
    let time = EPOCH.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    Some(format!("{}{}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), fraction(nanoseconds)))
}

fn duration(found: &[Occurrence<'_>]) -> Option<String> {
    let (seconds, nanoseconds) = seconds_and_nanoseconds(found);
    let is_in_range =
        (-MAX_DURATION..=MAX_DURATION).contains(&seconds) && (1 - BILLION..BILLION).contains(&nanoseconds);
    let has_one_sign = seconds == 0 || nanoseconds == 0 || (seconds < 0) == (nanoseconds < 0);
    let sign = if seconds < 0 || nanoseconds < 0 { "-" } else { "" };
    (is_in_range && has_one_sign)
        .then(|| format!("{sign}{}{}s", seconds.unsigned_abs(), fraction(nanoseconds.abs())))
}

/// No decimals, or 3, 6 or 9 of them.
fn fraction(nanoseconds: i32) -> String {
    match nanoseconds {
        0 => String::new(),
        _ if nanoseconds % 1_000_000 == 0 => format!(".{:03}", nanoseconds / 1_000_000),
        _ if nanoseconds % 1000 == 0 => format!(".{:06}", nanoseconds / 1000),
        _ => format!(".{nanoseconds:09}"),
    }
}

/// The paths with commas between them, in the names of JSON. A path that would not read back as it was has no such form.
fn field_mask(found: &[Occurrence<'_>]) -> Result<Option<String>, Problem> {
    let mut paths = Vec::new();
    for occurrence in found {
        let WireValue::Bytes(path) = occurrence.field.value else { continue };
        let path = protobuf::text(path, occurrence.field.at)?;
        let camel: Vec<_> = path.split('.').map(super::super::declaration::json_name).collect();
        let camel = camel.join(".");
        if snake(&camel) != path || path.contains(',') {
            return Ok(None);
        }
        paths.push(camel);
    }
    Ok(Some(paths.join(",")))
}

/// A name of JSON as it is in a source: `frameCount` is `frame_count`.
pub(in crate::payload::schema) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
