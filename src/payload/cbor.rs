//! CBOR (RFC 8949) to JSON. Bignums become digits, other tags objects of `tag` and `value`, bytes hexadecimal strings, and keys
//! strings.
//!
//! cbor-x writes the keys of objects with the same keys once: tag 57343 defines a record by a number, its keys and the first
//! object's values. The number is the tag of further objects, which contain only values.

use super::input::Input;
use super::names::Records;
use super::number::{bignum, float, single};
use super::{MAX_DEPTH, Problem, bytes};
use crate::json::Writer;

// Major types.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

// Tags.
const BIGNUM: u64 = 2;
const NEGATIVE_BIGNUM: u64 = 3;
const RECORD_DEFINITION: u64 = 57343;
const SELF_DESCRIBED: u64 = 55799;

/// Ends an item of indefinite length.
const BREAK: u8 = 0xff;

/// The problem of heads and breaks where RFC 8949 does not allow them.
const NOT_WELL_FORMED: &str = "not well-formed CBOR";

/// The head of an item.
struct CborHead {
    major: u8,
    info: u8,
    /// `None` for an indefinite length.
    argument: Option<u64>,
}

/// Reads a payload from its start to its end.
struct CborReader<'a> {
    input: Input<'a>,
    records: Records,
}

/// Whether it begins like a map or an array that is not empty, like a record, or with the tag for CBOR.
pub(super) fn is_container(payload: &[u8]) -> bool {
    matches!(
        payload,
        [0x81..=0x9b | 0x9f | 0xa1..=0xbb | 0xbf, _, ..] | [0xd9, 0xd9, 0xf7, _, ..] | [0xd9, 0xdf, 0xff, _, ..]
    )
}

/// Writes the item, which must be the only one.
pub(super) fn write(payload: &[u8], json: &mut Writer<'_>) -> Result<(), Problem> {
    let mut reader = CborReader { input: Input::new(payload), records: Records::default() };
    reader.item(MAX_DEPTH, json)?;
    reader.input.finish()
}

/// Writes the items of a sequence (RFC 8742) as an array.
pub(super) fn write_sequence(payload: &[u8], json: &mut Writer<'_>) -> Result<(), Problem> {
    let mut reader = CborReader { input: Input::new(payload), records: Records::default() };
    json.open_array();
    while !reader.input.is_empty() {
        json.element();
        reader.item(MAX_DEPTH, json)?;
    }
    json.close_array();
    Ok(())
}

impl CborReader<'_> {
    fn item(&mut self, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.input.problem("values nested too deeply"));
        };
        let head = head(&mut self.input)?;
        match head.major {
            ARRAY => self.array(head.argument, depth, json),
            MAP => self.map(head.argument, depth, json),
            TAG => self.tagged(head.argument.unwrap_or_default(), depth, json),
            _ => scalar(&head, &mut self.input, json),
        }
    }

    fn array(&mut self, length: Option<u64>, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        json.open_array();
        let mut left = length;
        while goes_on(&mut left, &mut self.input)? {
            json.element();
            self.item(depth, json)?;
        }
        json.close_array();
        Ok(())
    }

    fn map(&mut self, length: Option<u64>, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        json.open_object();
        let mut left = length;
        while goes_on(&mut left, &mut self.input)? {
            let key = key(&mut self.input)?;
            json.key(&key);
            self.item(depth, json)?;
        }
        json.close_object();
        Ok(())
    }

    fn tagged(&mut self, tag: u64, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        match tag {
            SELF_DESCRIBED => self.item(depth, json),
            BIGNUM | NEGATIVE_BIGNUM => self.bignum(tag, depth, json),
            RECORD_DEFINITION => self.record_definition(depth, json),
            tag if self.records.contains(tag) => self.record(tag, depth, json),
            tag => self.unknown_tag(tag, depth, json),
        }
    }

    fn unknown_tag(&mut self, tag: u64, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        json.open_object();
        json.plain_key("tag");
        json.integer(tag);
        json.plain_key("value");
        self.item(depth, json)?;
        json.close_object();
        Ok(())
    }

    /// Writes the bytes after the tag of a bignum as digits. A negative bignum is -1 - n.
    fn bignum(&mut self, tag: u64, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let is_negative = tag == NEGATIVE_BIGNUM;
        let start = self.input;
        let head = head(&mut self.input)?;
        if head.major == BYTES {
            let digits = match head.argument {
                Some(length) => bignum(self.input.take(length)?, is_negative.into()),
                None => bignum(&pieces(BYTES, &mut self.input)?, is_negative.into()),
            };
            if let Some(digits) = digits {
                json.literal(format_args!("{}{digits}", if is_negative { "-" } else { "" }));
                return Ok(());
            }
        }
        self.input = start;
        self.unknown_tag(tag, depth, json)
    }

    /// Reads an array of the record's number, its keys, and the values of the first object, and writes that object.
    fn record_definition(&mut self, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let problem = self.input.problem("invalid record definition");
        let CborHead { major: ARRAY, argument: Some(length @ 2..), .. } = head(&mut self.input)? else {
            return Err(problem);
        };
        let CborHead { major: UNSIGNED, argument: Some(number), .. } = head(&mut self.input)? else {
            return Err(problem);
        };
        let CborHead { major: ARRAY, argument: Some(count), .. } = head(&mut self.input)? else {
            return Err(problem);
        };
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(key(&mut self.input)?);
        }
        self.records.define(number, names);
        self.values(number, length - 2, depth, json)
    }

    fn record(&mut self, number: u64, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let problem = self.input.problem("record without values");
        match head(&mut self.input)? {
            CborHead { major: ARRAY, argument: Some(length), .. } => self.values(number, length, depth, json),
            _ => Err(problem),
        }
    }

    /// Writes the values of a record as an object.
    fn values(
        &mut self,
        number: u64,
        length: u64,
        depth: usize,
        json: &mut Writer<'_>,
    ) -> Result<(), Problem> {
        json.open_object();
        for index in 0..usize::try_from(length).unwrap_or(usize::MAX) {
            let name = self.records.name(number, index, self.input.at())?;
            json.key(&name);
            self.item(depth, json)?;
        }
        json.close_object();
        Ok(())
    }
}

/// Whether another element follows. A container of indefinite length ends with a break.
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

/// A key as text. Maps and arrays cannot be keys in JSON.
fn key(input: &mut Input<'_>) -> Result<String, Problem> {
    let start = input.problem("key is not a single value");
    let head = head(input)?;
    if matches!(head.major, ARRAY | MAP | TAG) {
        return Err(start);
    }
    match (head.major, head.argument) {
        (TEXT, Some(length)) => return input.text(length).map(str::to_owned),
        (TEXT, None) => return text_pieces(input),
        _ => {}
    }
    let mut out = Vec::new();
    scalar(&head, input, &mut Writer::new(&mut out, false))?;
    Ok(super::text(out).trim_matches('"').to_owned())
}

fn scalar(head: &CborHead, input: &mut Input<'_>, json: &mut Writer<'_>) -> Result<(), Problem> {
    match (head.major, head.argument) {
        (UNSIGNED, Some(number)) => json.integer(number),
        (NEGATIVE, Some(number)) => json.literal(-1 - i128::from(number)),
        (BYTES, Some(length)) => bytes(input.take(length)?, json),
        (TEXT, Some(length)) => json.string(input.text(length)?),
        (BYTES, None) => bytes(&pieces(BYTES, input)?, json),
        (TEXT, None) => json.string(&text_pieces(input)?),
        (_, argument) => simple(head.info, argument, input, json)?,
    }
    Ok(())
}

/// A string of indefinite length: pieces of definite length.
fn pieces(major: u8, input: &mut Input<'_>) -> Result<Vec<u8>, Problem> {
    let mut whole = Vec::new();
    while goes_on(&mut None, input)? {
        let problem = input.problem(NOT_WELL_FORMED);
        match head(input)? {
            CborHead { major: of_piece, argument: Some(length), .. } if of_piece == major => {
                whole.extend_from_slice(input.take(length)?);
            }
            _ => return Err(problem),
        }
    }
    Ok(whole)
}

fn text_pieces(input: &mut Input<'_>) -> Result<String, Problem> {
    String::from_utf8(pieces(TEXT, input)?).map_err(|_| input.problem("not UTF-8"))
}

fn simple(info: u8, argument: Option<u64>, input: &Input<'_>, json: &mut Writer<'_>) -> Result<(), Problem> {
    let Some(argument) = argument else { return Err(input.problem(NOT_WELL_FORMED)) };
    match (info, argument) {
        (25, bits) => single(half(bits), json),
        (26, bits) => single(f32::from_bits(u32::try_from(bits).unwrap_or_default()), json),
        (27, bits) => float(f64::from_bits(bits), json),
        // Only values that do not fit into the first byte may have a second one.
        (24, ..32) => return Err(input.problem(NOT_WELL_FORMED)),
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

fn head(input: &mut Input<'_>) -> Result<CborHead, Problem> {
    let problem = input.problem(NOT_WELL_FORMED);
    let first = input.byte()?;
    let (major, info) = (first >> 5, first & 0x1f);
    let argument = match info {
        0..24 => Some(info.into()),
        24..28 => Some(input.number(1 << (info - 24))?),
        31 if !matches!(major, UNSIGNED | NEGATIVE | TAG) => None,
        _ => return Err(problem),
    };
    Ok(CborHead { major, info, argument })
}
