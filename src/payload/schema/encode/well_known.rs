//! The types of Google's package from their own JSON forms.

use super::super::decode::{EPOCH, TIMESTAMPS, UNKNOWN, snake};
use super::super::link::Message;
use super::super::well_known::{MAX_DURATION, WellKnown};
use super::scalar::text;
use super::{Encoder, LENGTH, Step, kind_of, push_bytes, push_tag, push_varint};
use crate::message::Encoding;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

impl<'s> Encoder<'s> {
    pub(super) fn well_known(
        &mut self,
        known: WellKnown,
        message: &'s Message,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        // A value that its form cannot express is decoded as a plain message, and is read as one.
        if let (Value::Object(object), WellKnown::Timestamp | WellKnown::Duration | WellKnown::FieldMask) =
            (value, known)
        {
            return self.members(message, object, out);
        }
        match known {
            WellKnown::Timestamp => {
                push_time(timestamp(text(value, "a time such as \"2026-11-29T12:00:00Z\"")?)?, out);
            }
            WellKnown::Duration => push_time(duration(text(value, "a duration such as \"1.5s\"")?)?, out),
            WellKnown::FieldMask => {
                let paths = text(value, "paths with commas between them")?;
                for path in paths.split(',').filter(|path| !path.is_empty()) {
                    if path.contains('_') {
                        return Err(format!("invalid path \"{path}\": expected names such as \"userName\""));
                    }
                    push_tag(1, LENGTH, out);
                    push_bytes(snake(path).as_bytes(), out);
                }
            }
            WellKnown::Any => return self.any(value, out),
            WellKnown::Struct | WellKnown::ListValue | WellKnown::Wrapper => {
                let Some(field) = message.field(1) else { return Ok(()) };
                return self.field(field, value, out);
            }
            WellKnown::Value => return self.kind_of_value(message, value, out),
        }
        Ok(())
    }

    /// Writes the field of `Value` for this JSON, even if it has the default value.
    fn kind_of_value(
        &mut self,
        message: &'s Message,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let number = match value {
            Value::Null => 1,
            Value::Number(_) => 2,
            Value::String(_) => 3,
            Value::Bool(_) => 4,
            Value::Object(_) => 5,
            Value::Array(_) => 6,
        };
        message.field(number).map_or(Ok(()), |field| self.field(field, value, out))
    }

    fn any(&mut self, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let Value::Object(object) = value else {
            return Err(format!("expected an object with \"@type\" but found {}", kind_of(value)));
        };
        if object.is_empty() {
            return Ok(());
        }
        let Some(Value::String(url)) = object.get("@type") else {
            return Err("missing \"@type\", the type of the message".to_owned());
        };
        let content = self.any_content(url, object)?;
        push_tag(1, LENGTH, out);
        push_bytes(url.as_bytes(), out);
        if !content.is_empty() {
            push_tag(2, LENGTH, out);
            push_bytes(&content, out);
        }
        Ok(())
    }

    fn any_content(&mut self, url: &str, object: &Map<String, Value>) -> Result<Vec<u8>, String> {
        let schema = self.schema;
        if let Some(Value::String(bytes)) = object.get(UNKNOWN) {
            return Encoding::Base64.decode(bytes.clone());
        }
        let id = schema.named(url.rsplit('/').next().unwrap_or(url))?;
        let message = schema.message(id);
        let mut content = Vec::new();
        if message.known.is_some() {
            self.path.push(Step::Name("value".to_owned()));
            self.message(id, object.get("value").unwrap_or(&Value::Null), &mut content)?;
            self.path.pop();
        } else {
            let mut members = object.clone();
            members.remove("@type");
            self.members(message, &members, &mut content)?;
        }
        Ok(content)
    }
}

/// Writes seconds and nanoseconds, which both types have as their fields 1 and 2.
fn push_time((seconds, nanoseconds): (i64, i32), out: &mut Vec<u8>) {
    for (number, value) in [(1, seconds), (2, nanoseconds.into())] {
        if value != 0 {
            push_tag(number, 0, out);
            push_varint(value.cast_unsigned(), out);
        }
    }
}

fn timestamp(text: &str) -> Result<(i64, i32), String> {
    let invalid = || format!("invalid time \"{text}\": expected one such as \"2026-11-29T12:00:00Z\"");
    let (local, offset) = without_offset(text).ok_or_else(invalid)?;
    let local: DateTime = local.parse().map_err(|_| invalid())?;
    let since = local.duration_since(EPOCH);
    // Nanoseconds count forward, also before 1970.
    let nanoseconds = since.as_nanos().rem_euclid(1_000_000_000) as i32;
    let seconds = since.as_nanos().div_euclid(1_000_000_000) as i64 - offset;
    TIMESTAMPS.contains(&seconds).then_some((seconds, nanoseconds)).ok_or_else(invalid)
}

/// A time without its offset from UTC, and the offset in seconds.
fn without_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, 0)).filter(|(time, _)| time.contains(['T', 't']));
    }
    let (time, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.strip_prefix(['+', '-'])?.split_once(':')?;
    let number = |digits: &str, end: i64| {
        let is_valid = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|number| is_valid && *number < end)
    };
    let offset = sign * (number(hours, 24)? * 3600 + number(minutes, 60)? * 60);
    time.contains(['T', 't']).then_some((time, offset))
}

fn duration(text: &str) -> Result<(i64, i32), String> {
    let invalid = || format!("invalid duration \"{text}\": expected seconds such as \"1.5s\"");
    let digits = text.strip_suffix('s').ok_or_else(invalid)?;
    let (sign, digits) = digits.strip_prefix('-').map_or((1, digits), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_valid = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !is_valid(whole) || !is_valid(fraction) {
        return Err(invalid());
    }
    let seconds: i64 = whole.parse().map_err(|_| invalid())?;
    if seconds > MAX_DURATION {
        return Err(invalid());
    }
    let nanoseconds: i32 = format!("{fraction:0<9}").parse().map_err(|_| invalid())?;
    Ok((sign * seconds, sign as i32 * nanoseconds))
}
