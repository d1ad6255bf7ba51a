//! CBOR (RFC 8949) to JSON. Tags are objects of `tag` and `value`, bytes are hexadecimal, and keys are text.

use super::input::Input;
use super::{MAX_DEPTH, Problem, bytes, float, single};
use crate::json::Writer;

// Major types.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// Ends what began without a length.
const BREAK: u8 = 0xff;

/// How an item begins.
struct Head {
    major: u8,
    info: u8,
    /// `None` without a length.
    argument: Option<u64>,
}

/// Whether it begins like a map or an array that holds something.
pub(super) fn is_container(payload: &[u8]) -> bool {
    matches!(payload, [0x81..=0x9b | 0x9f | 0xa1..=0xbb | 0xbf, _, ..])
}

/// Writes the only item.
pub(super) fn write(payload: &[u8], json: &mut Writer<'_>) -> Result<(), Problem> {
    let mut input = Input::new(payload);
    item(&mut input, MAX_DEPTH, json)?;
    input.finish()
}

fn item(input: &mut Input<'_>, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(input.problem("values too deep in each other"));
    };
    let head = head(input)?;
    match head.major {
        ARRAY => array(head.argument, input, depth, json),
        MAP => map(head.argument, input, depth, json),
        TAG => {
            json.open_object();
            json.plain_key("tag");
            json.integer(head.argument.unwrap_or_default());
            json.plain_key("value");
            item(input, depth, json)?;
            json.close_object();
            Ok(())
        }
        _ => scalar(&head, input, json),
    }
}

fn array(
    length: Option<u64>,
    input: &mut Input<'_>,
    depth: usize,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    json.open_array();
    let mut left = length;
    while goes_on(&mut left, input)? {
        json.element();
        item(input, depth, json)?;
    }
    json.close_array();
    Ok(())
}

fn map(
    length: Option<u64>,
    input: &mut Input<'_>,
    depth: usize,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    json.open_object();
    let mut left = length;
    while goes_on(&mut left, input)? {
        let key = key(input)?;
        json.key(&key);
        item(input, depth, json)?;
    }
    json.close_object();
    Ok(())
}

/// Whether another element follows; without a length, until the break.
fn goes_on(left: &mut Option<u64>, input: &mut Input<'_>) -> Result<bool, Problem> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if input.peek() == Some(BREAK) => input.byte().map(|_| false),
        None => Ok(true),
    }
}

/// A key, as text. One that is a map or an array would have no form in JSON.
fn key(input: &mut Input<'_>) -> Result<String, Problem> {
    let start = input.problem("a key that is no single value");
    let head = head(input)?;
    if matches!(head.major, ARRAY | MAP | TAG) {
        return Err(start);
    }
    if let (TEXT, Some(length)) = (head.major, head.argument) {
        return input.text(length).map(str::to_owned);
    }
    let mut out = Vec::new();
    scalar(&head, input, &mut Writer::new(&mut out, false))?;
    Ok(super::text(out).trim_matches('"').to_owned())
}

fn scalar(head: &Head, input: &mut Input<'_>, json: &mut Writer<'_>) -> Result<(), Problem> {
    match (head.major, head.argument) {
        (UNSIGNED, Some(number)) => json.integer(number),
        (NEGATIVE, Some(number)) => json.literal(-1 - i128::from(number)),
        (BYTES, Some(length)) => bytes(input.take(length)?, json),
        (TEXT, Some(length)) => json.string(input.text(length)?),
        (BYTES, None) => bytes(&pieces(BYTES, input)?, json),
        (TEXT, None) => match std::str::from_utf8(&pieces(TEXT, input)?) {
            Ok(text) => json.string(text),
            Err(_) => return Err(input.problem("not UTF-8")),
        },
        (_, argument) => simple(head.info, argument, input, json)?,
    }
    Ok(())
}

/// A string in pieces, each with its length.
fn pieces(major: u8, input: &mut Input<'_>) -> Result<Vec<u8>, Problem> {
    let mut whole = Vec::new();
    while goes_on(&mut None, input)? {
        let problem = input.problem("a piece of another type");
        match head(input)? {
            Head { major: of_piece, argument: Some(length), .. } if of_piece == major => {
                whole.extend_from_slice(input.take(length)?);
            }
            _ => return Err(problem),
        }
    }
    Ok(whole)
}

fn simple(info: u8, argument: Option<u64>, input: &Input<'_>, json: &mut Writer<'_>) -> Result<(), Problem> {
    let Some(argument) = argument else { return Err(input.problem("an end of nothing")) };
    match (info, argument) {
        (25, bits) => single(half(bits), json),
        (26, bits) => single(f32::from_bits(u32::try_from(bits).unwrap_or_default()), json),
        (27, bits) => float(f64::from_bits(bits), json),
        (_, 20) => json.literal("false"),
        (_, 21) => json.literal("true"),
        (_, 22 | 23) => json.literal("null"),
        (_, number) => json.string(&format!("simple({number})")),
    }
    Ok(())
}

/// A number of half precision (RFC 8949, appendix D).
fn half(bits: u64) -> f32 {
    let (exponent, mantissa) = ((bits >> 10 & 0x1f) as i32, (bits & 0x3ff) as f32);
    let value = match exponent {
        0 => mantissa * 2_f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (mantissa + 1024.0) * 2_f32.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}

fn head(input: &mut Input<'_>) -> Result<Head, Problem> {
    let problem = input.problem("no CBOR");
    let first = input.byte()?;
    let (major, info) = (first >> 5, first & 0x1f);
    let argument = match info {
        0..24 => Some(info.into()),
        24..28 => Some(input.number(1 << (info - 24))?),
        31 if !matches!(major, UNSIGNED | NEGATIVE | TAG) => None,
        _ => return Err(problem),
    };
    Ok(Head { major, info, argument })
}
