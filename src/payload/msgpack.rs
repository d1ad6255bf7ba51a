//! MessagePack to JSON. Extensions are objects of `ext` and `data`, bytes are hexadecimal, and keys are text.

use super::input::Input;
use super::{MAX_DEPTH, Problem, bytes, float, single};
use crate::json::Writer;

/// How a value begins.
enum Head {
    Nil,
    Flag(bool),
    Unsigned(u64),
    Signed(i64),
    Single(f32),
    Double(f64),
    Text(u64),
    Bytes(u64),
    Array(u64),
    Map(u64),
    Extension(u64),
}

/// Whether it begins like a map or an array that holds something.
pub(super) fn is_container(payload: &[u8]) -> bool {
    matches!(payload, [0x81..=0x8f | 0x91..=0x9f | 0xdc..=0xdf, _, ..])
}

/// Writes the only value.
pub(super) fn write(payload: &[u8], json: &mut Writer<'_>) -> Result<(), Problem> {
    let mut input = Input::new(payload);
    value(&mut input, MAX_DEPTH, json)?;
    input.finish()
}

fn value(input: &mut Input<'_>, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(input.problem("values too deep in each other"));
    };
    match head(input)? {
        Head::Array(length) => {
            json.open_array();
            for _ in 0..length {
                json.element();
                value(input, depth, json)?;
            }
            json.close_array();
        }
        Head::Map(length) => {
            json.open_object();
            for _ in 0..length {
                let key = key(input)?;
                json.key(&key);
                value(input, depth, json)?;
            }
            json.close_object();
        }
        head => scalar(&head, input, json)?,
    }
    Ok(())
}

/// A key, as text. One that is a map or an array would have no form in JSON.
fn key(input: &mut Input<'_>) -> Result<String, Problem> {
    let start = input.problem("a key that is no single value");
    match head(input)? {
        Head::Array(_) | Head::Map(_) | Head::Extension(_) => Err(start),
        Head::Text(length) => input.text(length).map(str::to_owned),
        head => {
            let mut out = Vec::new();
            scalar(&head, input, &mut Writer::new(&mut out, false))?;
            Ok(super::text(out).trim_matches('"').to_owned())
        }
    }
}

fn scalar(head: &Head, input: &mut Input<'_>, json: &mut Writer<'_>) -> Result<(), Problem> {
    match *head {
        Head::Nil | Head::Array(_) | Head::Map(_) => json.literal("null"),
        Head::Flag(flag) => json.literal(flag),
        Head::Unsigned(number) => json.integer(number),
        Head::Signed(number) => json.literal(number),
        Head::Single(number) => single(number, json),
        Head::Double(number) => float(number, json),
        Head::Text(length) => json.string(input.text(length)?),
        Head::Bytes(length) => bytes(input.take(length)?, json),
        Head::Extension(length) => {
            let [kind] = input.array()?;
            json.open_object();
            json.plain_key("ext");
            json.literal(i8::from_be_bytes([kind]));
            json.plain_key("data");
            bytes(input.take(length)?, json);
            json.close_object();
        }
    }
    Ok(())
}

fn head(input: &mut Input<'_>) -> Result<Head, Problem> {
    let problem = input.problem("no MessagePack");
    let first = input.byte()?;
    let low = |mask: u8| u64::from(first & mask);
    Ok(match first {
        0x00..=0x7f => Head::Unsigned(first.into()),
        0x80..=0x8f => Head::Map(low(0x0f)),
        0x90..=0x9f => Head::Array(low(0x0f)),
        0xa0..=0xbf => Head::Text(low(0x1f)),
        0xc0 => Head::Nil,
        0xc1 => return Err(problem),
        0xc2 | 0xc3 => Head::Flag(first == 0xc3),
        0xc4..=0xc6 => Head::Bytes(input.number(1 << (first - 0xc4))?),
        0xc7..=0xc9 => Head::Extension(input.number(1 << (first - 0xc7))?),
        0xca => Head::Single(f32::from_be_bytes(input.array()?)),
        0xcb => Head::Double(f64::from_be_bytes(input.array()?)),
        0xcc..=0xcf => Head::Unsigned(input.number(1 << (first - 0xcc))?),
        0xd0 => Head::Signed(i8::from_be_bytes(input.array()?).into()),
        0xd1 => Head::Signed(i16::from_be_bytes(input.array()?).into()),
        0xd2 => Head::Signed(i32::from_be_bytes(input.array()?).into()),
        0xd3 => Head::Signed(i64::from_be_bytes(input.array()?)),
        0xd4..=0xd8 => Head::Extension(1 << (first - 0xd4)),
        0xd9..=0xdb => Head::Text(input.number(1 << (first - 0xd9))?),
        0xdc | 0xdd => Head::Array(input.number(2 << (first - 0xdc))?),
        0xde | 0xdf => Head::Map(input.number(2 << (first - 0xde))?),
        0xe0..=0xff => Head::Signed(i8::from_be_bytes([first]).into()),
    })
}
