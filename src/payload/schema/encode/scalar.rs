//! Numbers, texts, bytes and enumerations from JSON. Numbers may be strings, and bytes may use either alphabet of Base64.

use super::super::declaration::Scalar;
use super::super::link::{Enum, Kind};
use super::super::well_known::NULL_VALUE;
use super::{kind_of, push_varint};
use crate::message::Encoding;
use crate::suggestion::did_you_mean;
use serde_json::Value;

/// Appends a value. Texts and bytes have no length here.
pub(super) fn push(scalar: Scalar, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
    match scalar {
        Scalar::Double => out.extend(float(value, scalar)?.to_le_bytes()),
        Scalar::Float => out.extend(single(value)?.to_le_bytes()),
        Scalar::Int32 | Scalar::Int64 => push_varint(signed(scalar, value)?.cast_unsigned(), out),
        Scalar::Uint32 | Scalar::Uint64 => push_varint(unsigned(scalar, value)?, out),
        Scalar::Sint32 | Scalar::Sint64 => {
            let number = signed(scalar, value)?;
            push_varint((number << 1 ^ number >> 63).cast_unsigned(), out);
        }
        Scalar::Fixed32 => out.extend((unsigned(scalar, value)? as u32).to_le_bytes()),
        Scalar::Fixed64 => out.extend(unsigned(scalar, value)?.to_le_bytes()),
        Scalar::Sfixed32 => out.extend((signed(scalar, value)? as i32).to_le_bytes()),
        Scalar::Sfixed64 => out.extend(signed(scalar, value)?.to_le_bytes()),
        Scalar::Bool => match value {
            Value::Bool(value) => push_varint((*value).into(), out),
            other => return Err(format!("expected true or false but found {}", kind_of(other))),
        },
        Scalar::String | Scalar::UncheckedString => {
            out.extend_from_slice(text(value, "a string")?.as_bytes());
        }
        Scalar::Bytes => {
            let text = text(value, "a string in Base64")?;
            // The alphabet for URLs has other characters for the last two digits.
            out.extend(Encoding::Base64.decode(text.replace('-', "+").replace('_', "/"))?);
        }
    }
    Ok(())
}

pub(super) fn push_enum(declared: &Enum, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
    let number = match value {
        Value::Null if declared.name == NULL_VALUE => 0,
        Value::String(name) => match declared.values.iter().find(|(known, _)| known == name) {
            Some((_, number)) => *number,
            None => {
                let names = declared.values.iter().map(|(known, _)| known.as_str());
                let tip = did_you_mean(name, names);
                return Err(format!("unknown value \"{name}\" of {}{tip}", declared.name));
            }
        },
        Value::Number(_) => signed(Scalar::Int32, value)? as i32,
        other => return Err(format!("expected a value of {} but found {}", declared.name, kind_of(other))),
    };
    push_varint(i64::from(number).cast_unsigned(), out);
    Ok(())
}

/// The key of a map, which is always a string in JSON.
pub(super) fn map_key(kind: Kind, key: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    match (kind, key) {
        (Kind::Scalar(Scalar::Bool), "true" | "false") => push_varint((key == "true").into(), &mut out),
        (Kind::Scalar(scalar), _) => push(scalar, &Value::String(key.to_owned()), &mut out)?,
        (Kind::Message(_) | Kind::Enum(_), _) => {}
    }
    Ok(out)
}

/// The value, which must be a string.
pub(super) fn text<'v>(value: &'v Value, expected: &str) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| format!("expected {expected} but found {}", kind_of(value)))
}

/// The digits of a number, which may be a string.
fn digits(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if is_number(text) => Some(text.clone()),
        _ => None,
    }
}

/// Whether a text is a number of JSON: no plus sign, no leading zeros, and digits around the point.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// An integer of any type. A fraction of zero and an exponent are valid.
fn integer(value: &Value) -> Option<i128> {
    let digits = digits(value)?;
    if let Ok(number) = digits.parse::<i128>() {
        return Some(number);
    }
    let number: f64 = digits.parse().ok()?;
    // Beyond this, a float does not have all integers.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i128)
}

fn in_range<T: TryFrom<i128>>(scalar: Scalar, value: &Value) -> Result<T, String> {
    let wrong = || format!("expected an integer ({}) but found {}", scalar.name(), kind_of(value));
    let number = integer(value).ok_or_else(wrong)?;
    T::try_from(number).map_err(|_| format!("{number} is out of the range of {}", scalar.name()))
}

fn signed(scalar: Scalar, value: &Value) -> Result<i64, String> {
    match scalar {
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => in_range::<i32>(scalar, value).map(i64::from),
        _ => in_range(scalar, value),
    }
}

fn unsigned(scalar: Scalar, value: &Value) -> Result<u64, String> {
    match scalar {
        Scalar::Uint32 | Scalar::Fixed32 => in_range::<u32>(scalar, value).map(u64::from),
        _ => in_range(scalar, value),
    }
}

fn float(value: &Value, scalar: Scalar) -> Result<f64, String> {
    let wrong = || format!("expected a number ({}) but found {}", scalar.name(), kind_of(value));
    match value.as_str() {
        Some("NaN") => return Ok(f64::NAN),
        Some("Infinity") => return Ok(f64::INFINITY),
        Some("-Infinity") => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    let number: f64 = digits(value).and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(format!("{value} is out of the range of {}", scalar.name()))
    }
}

fn single(value: &Value) -> Result<f32, String> {
    let number = float(value, Scalar::Float)?;
    // Digits are rounded once, straight to single precision.
    let rounded = digits(value).and_then(|digits| digits.parse::<f32>().ok()).unwrap_or(number as f32);
    let rounded = if number.is_finite() { rounded } else { number as f32 };
    if number.is_finite() && rounded.is_infinite() {
        return Err(format!("{value} is out of the range of float"));
    }
    Ok(rounded)
}
