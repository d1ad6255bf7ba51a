//! MessagePack to JSON. Timestamps become RFC 3339, other extensions objects of `ext` and `data`, bytes hexadecimal strings, and
//! keys strings.
//!
//! msgpackr writes the keys of objects with the same keys once: extension 0x72 defines a record by a number from 0x40 to 0x7f,
//! its keys and the first object's values. That number, which is otherwise a small integer, then precedes the values of further
//! objects.

use super::input::Input;
use super::names::Records;
use super::number::{float, single};
use super::{MAX_DEPTH, Problem, bytes};
use crate::json::Writer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// The extension of timestamps.
const TIMESTAMP: i8 = -1;

/// msgpackr's extension that defines a record.
const RECORD: u8 = 0x72;

/// The start of a value.
enum MsgpackHead {
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
    /// The number of a defined record.
    Record(u64),
}

/// The treatment of strings that are not UTF-8, which older encoders write for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawStrings {
    /// They become objects of `base64`.
    Shown,
    /// They are errors, since they are evidence against the format unless it is stated.
    Refused,
}

/// Reads a payload from its start to its end.
struct MsgpackReader<'a> {
    input: Input<'a>,
    records: Records,
    raw_strings: RawStrings,
}

/// Whether it begins like a map or an array that is not empty, or like a record.
pub(super) fn is_container(payload: &[u8]) -> bool {
    matches!(
        payload,
        [0x81..=0x8f | 0x91..=0x9f | 0xdc..=0xdf, _, ..] | [0xd4, RECORD, 0x40..=0x7f, 0x91..=0x9f, ..]
    )
}

/// Writes the value, which must be the only one.
pub(super) fn write(payload: &[u8], raw_strings: RawStrings, json: &mut Writer<'_>) -> Result<(), Problem> {
    let mut reader = MsgpackReader { input: Input::new(payload), records: Records::default(), raw_strings };
    reader.value(MAX_DEPTH, json)?;
    reader.input.finish()
}

impl MsgpackReader<'_> {
    fn value(&mut self, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.input.problem("values nested too deeply"));
        };
        match self.head()? {
            MsgpackHead::Array(length) => {
                json.open_array();
                for _ in 0..length {
                    json.element();
                    self.value(depth, json)?;
                }
                json.close_array();
                Ok(())
            }
            MsgpackHead::Map(length) => {
                json.open_object();
                for _ in 0..length {
                    let key = self.key()?;
                    json.key(&key);
                    self.value(depth, json)?;
                }
                json.close_object();
                Ok(())
            }
            MsgpackHead::Extension(length) => self.extension(length, depth, json),
            MsgpackHead::Record(number) => self.record(number, depth, json),
            head => self.scalar(&head, json),
        }
    }

    /// A key as text. Maps and arrays cannot be keys in JSON.
    fn key(&mut self) -> Result<String, Problem> {
        let start = self.input.problem("key is not a single value");
        let head = self.head()?;
        if matches!(
            head,
            MsgpackHead::Array(_) | MsgpackHead::Map(_) | MsgpackHead::Extension(_) | MsgpackHead::Record(_)
        ) {
            return Err(start);
        }
        if let MsgpackHead::Text(length) = head {
            let at = self.input.at();
            let content = self.input.take(length)?;
            return match std::str::from_utf8(content) {
                Ok(text) => Ok(text.to_owned()),
                Err(error) => self.raw_string(error, at).map(|()| super::hex(content)),
            };
        }
        let mut out = Vec::new();
        self.scalar(&head, &mut Writer::new(&mut out, false))?;
        Ok(super::text(out).trim_matches('"').to_owned())
    }

    fn scalar(&mut self, head: &MsgpackHead, json: &mut Writer<'_>) -> Result<(), Problem> {
        match *head {
            MsgpackHead::Flag(flag) => json.literal(flag),
            MsgpackHead::Unsigned(number) => json.integer(number),
            MsgpackHead::Signed(number) => json.literal(number),
            MsgpackHead::Single(number) => single(number, json),
            MsgpackHead::Double(number) => float(number, json),
            MsgpackHead::Text(length) => self.text(length, json)?,
            MsgpackHead::Bytes(length) => bytes(self.input.take(length)?, json),
            MsgpackHead::Nil
            | MsgpackHead::Array(_)
            | MsgpackHead::Map(_)
            | MsgpackHead::Extension(_)
            | MsgpackHead::Record(_) => {
                json.literal("null");
            }
        }
        Ok(())
    }

    fn text(&mut self, length: u64, json: &mut Writer<'_>) -> Result<(), Problem> {
        let at = self.input.at();
        let content = self.input.take(length)?;
        match std::str::from_utf8(content) {
            Ok(text) => json.string(text),
            Err(error) => {
                self.raw_string(error, at)?;
                json.open_object();
                json.plain_key("base64");
                json.string(&STANDARD.encode(content));
                json.close_object();
            }
        }
        Ok(())
    }

    fn raw_string(&self, error: std::str::Utf8Error, at: usize) -> Result<(), Problem> {
        match self.raw_strings {
            RawStrings::Shown => Ok(()),
            RawStrings::Refused => Err(Problem { reason: "not UTF-8", at: at + error.valid_up_to() }),
        }
    }

    fn extension(&mut self, length: u64, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let problem = self.input.problem("unsupported record number");
        let [kind] = self.input.array()?;
        let data = self.input.take(length)?;
        match (kind, data) {
            (RECORD, [number @ 0x40..=0x7f]) => return self.record_definition((*number).into(), depth, json),
            (RECORD, [_, _]) => return Err(problem),
            _ => {}
        }
        let kind = i8::from_be_bytes([kind]);
        if let Some(time) = timestamp(data).filter(|_| kind == TIMESTAMP) {
            json.string(&time.to_string());
            return Ok(());
        }
        json.open_object();
        json.plain_key("ext");
        json.literal(kind);
        json.plain_key("data");
        bytes(data, json);
        json.close_object();
        Ok(())
    }

    /// Reads the names of the fields, and writes the first object, whose values follow.
    fn record_definition(&mut self, number: u64, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let problem = self.input.problem("invalid record definition");
        let MsgpackHead::Array(count) = self.head()? else { return Err(problem) };
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(self.key()?);
        }
        self.records.define(number, names);
        self.record(number, depth, json)
    }

    fn record(&mut self, number: u64, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        json.open_object();
        for index in 0..self.records.count(number).unwrap_or_default() {
            let name = self.records.name(number, index, self.input.at())?;
            json.key(&name);
            self.value(depth, json)?;
        }
        json.close_object();
        Ok(())
    }

    /// The start of the next value. A one-byte integer may be the number of a record; msgpackr writes such integers in two bytes.
    fn head(&mut self) -> Result<MsgpackHead, Problem> {
        match self.input.peek().map(u64::from) {
            Some(number @ 0x40..=0x7f) if self.records.contains(number) => {
                self.input.byte().map(|_| MsgpackHead::Record(number))
            }
            _ => head(&mut self.input),
        }
    }
}

/// The time of a timestamp of 32, 64 or 96 bits.
fn timestamp(data: &[u8]) -> Option<Timestamp> {
    let mut input = Input::new(data);
    let (seconds, nanoseconds) = match data.len() {
        4 => (input.number(4).ok()?.cast_signed(), 0),
        8 => {
            let both = input.number(8).ok()?;
            ((both & 0x3_ffff_ffff).cast_signed(), both >> 34)
        }
        12 => {
            let nanoseconds = input.number(4).ok()?;
            (input.number(8).ok()?.cast_signed(), nanoseconds)
        }
        _ => return None,
    };
    let whole = Timestamp::from_second(seconds).ok()?;
    let nanoseconds = i64::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000)?;
    whole.checked_add(jiff::SignedDuration::from_nanos(nanoseconds)).ok()
}

fn head(input: &mut Input<'_>) -> Result<MsgpackHead, Problem> {
    let problem = input.problem("not MessagePack");
    let first = input.byte()?;
    let low = |mask: u8| u64::from(first & mask);
    Ok(match first {
        0x00..=0x7f => MsgpackHead::Unsigned(first.into()),
        0x80..=0x8f => MsgpackHead::Map(low(0x0f)),
        0x90..=0x9f => MsgpackHead::Array(low(0x0f)),
        0xa0..=0xbf => MsgpackHead::Text(low(0x1f)),
        0xc0 => MsgpackHead::Nil,
        0xc1 => return Err(problem),
        0xc2 | 0xc3 => MsgpackHead::Flag(first == 0xc3),
        0xc4..=0xc6 => MsgpackHead::Bytes(input.number(1 << (first - 0xc4))?),
        0xc7..=0xc9 => MsgpackHead::Extension(input.number(1 << (first - 0xc7))?),
        0xca => MsgpackHead::Single(f32::from_be_bytes(input.array()?)),
        0xcb => MsgpackHead::Double(f64::from_be_bytes(input.array()?)),
        0xcc..=0xcf => MsgpackHead::Unsigned(input.number(1 << (first - 0xcc))?),
        0xd0 => MsgpackHead::Signed(i8::from_be_bytes(input.array()?).into()),
        0xd1 => MsgpackHead::Signed(i16::from_be_bytes(input.array()?).into()),
        0xd2 => MsgpackHead::Signed(i32::from_be_bytes(input.array()?).into()),
        0xd3 => MsgpackHead::Signed(i64::from_be_bytes(input.array()?)),
        0xd4..=0xd8 => MsgpackHead::Extension(1 << (first - 0xd4)),
        0xd9..=0xdb => MsgpackHead::Text(input.number(1 << (first - 0xd9))?),
        0xdc | 0xdd => MsgpackHead::Array(input.number(2 << (first - 0xdc))?),
        0xde | 0xdf => MsgpackHead::Map(input.number(2 << (first - 0xde))?),
        0xe0..=0xff => MsgpackHead::Signed(i8::from_be_bytes([first]).into()),
    })
}
