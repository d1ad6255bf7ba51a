//! Protocol buffers: reads numbered fields, whose types only a schema defines, and writes them as JSON without a schema.

use super::input::Input;
use super::{Problem, bytes};
use crate::json::Writer;

/// A field of a message.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    pub(super) value: WireValue<'a>,
    /// The position of its value.
    pub(super) at: usize,
}

/// The maximum number of fields of a message, which take more memory than their bytes.
const MAX_FIELDS: usize = 1_000_000;

/// The maximum nesting of groups.
const MAX_GROUPS: usize = 100;

const INVALID: &str = "not protocol buffers";

#[derive(Clone, Copy)]
pub(super) enum WireValue<'a> {
    Number(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    /// The fields between the tags of a group, an obsolete form of a nested message.
    Group(&'a [u8]),
}

/// Writes the fields in their order, each with its number, wire type and value. Bytes that are printable UTF-8 are shown as text.
pub(super) fn write(message: &[u8], json: &mut Writer<'_>) -> Result<(), Problem> {
    json.open_array();
    for field in fields(message, 0)? {
        json.element();
        write_field(field, json)?;
    }
    json.close_array();
    Ok(())
}

/// Writes a field as an object: number, wire type and value.
pub(super) fn write_field(field: Field<'_>, json: &mut Writer<'_>) -> Result<(), Problem> {
    json.open_object();
    json.plain_key("field");
    json.integer(field.number);
    json.plain_key("type");
    json.string(field.value.type_name());
    json.plain_key("value");
    match field.value {
        WireValue::Number(value) | WireValue::Fixed64(value) => json.integer(value),
        WireValue::Fixed32(value) => json.integer(value.into()),
        WireValue::Bytes(value) => match std::str::from_utf8(value) {
            Ok(text) if !text.contains(char::is_control) => json.string(text),
            _ => bytes(value, json),
        },
        WireValue::Group(content) => {
            json.open_array();
            for field in fields(content, field.at)? {
                json.element();
                write_field(field, json)?;
            }
            json.close_array();
        }
    }
    json.close_object();
    Ok(())
}

impl WireValue<'_> {
    /// The name of the wire type in the documentation of protocol buffers.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            WireValue::Number(_) => "VARINT",
            WireValue::Fixed64(_) => "I64",
            WireValue::Bytes(_) => "LEN",
            WireValue::Fixed32(_) => "I32",
            WireValue::Group(_) => "GROUP",
        }
    }
}

pub(super) fn text(bytes: &[u8], at: usize) -> Result<&str, Problem> {
    Input::within(bytes, at).text(bytes.len() as u64)
}

pub(super) fn fields(message: &[u8], at: usize) -> Result<Vec<Field<'_>>, Problem> {
    let mut input = Input::within(message, at);
    let mut fields = Vec::new();
    while !input.is_empty() {
        if fields.len() == MAX_FIELDS {
            return Err(input.problem("more than a million fields"));
        }
        fields.push(next_field(&mut input)?);
    }
    Ok(fields)
}

/// The highest number of a field.
const MAX_NUMBER: u64 = (1 << 29) - 1;

/// Reads the field at the start of the input.
pub(super) fn next_field<'a>(input: &mut Input<'a>) -> Result<Field<'a>, Problem> {
    let start = input.problem(INVALID);
    let (number, wire_type) = tag(input)?;
    let value = match wire_type {
        0 => WireValue::Number(variable(input)?),
        1 => WireValue::Fixed64(u64::from_le_bytes(input.array()?)),
        2 => {
            let length = variable(input)?;
            let at = input.at();
            return Ok(Field { number, value: WireValue::Bytes(input.take(length)?), at });
        }
        3 => {
            let at = input.at();
            // Any text that starts with a brace would be a group, so its start is the likely mistake.
            let content = group(number, input).map_err(|problem| Problem { at: start.at, ..problem })?;
            return Ok(Field { number, value: WireValue::Group(content), at });
        }
        5 => WireValue::Fixed32(u32::from_le_bytes(input.array()?)),
        _ => return Err(start),
    };
    Ok(Field { number, value, at: start.at })
}

/// A field's number and wire type.
fn tag(input: &mut Input<'_>) -> Result<(u64, u64), Problem> {
    let start = input.problem(INVALID);
    let tag = variable(input)?;
    if (1..=MAX_NUMBER).contains(&(tag >> 3)) { Ok((tag >> 3, tag & 7)) } else { Err(start) }
}

/// The content of a group, whose end has the same number. Groups inside are skipped with their ends.
fn group<'a>(number: u64, input: &mut Input<'a>) -> Result<&'a [u8], Problem> {
    let (content, start) = (*input, input.at());
    let mut open = vec![number];
    while let Some(innermost) = open.last().copied() {
        let before = input.problem(INVALID);
        let (number, wire_type) = tag(input).map_err(|_| before)?;
        match wire_type {
            0 => drop(variable(input).map_err(|_| before)?),
            1 => drop(input.take(8).map_err(|_| before)?),
            2 => {
                let length = variable(input).map_err(|_| before)?;
                input.take(length).map_err(|_| before)?;
            }
            3 if open.len() < MAX_GROUPS => open.push(number),
            3 => return Err(Problem { reason: "groups nested too deeply", at: before.at }),
            4 if number == innermost => drop(open.pop()),
            5 => drop(input.take(4).map_err(|_| before)?),
            _ => return Err(before),
        }
        if open.is_empty() {
            let mut content = content;
            return content.take((before.at - start) as u64);
        }
    }
    Err(input.problem(INVALID))
}

/// Reads packed varints.
pub(super) fn packed_numbers(bytes: &[u8], at: usize) -> Result<Vec<u64>, Problem> {
    let mut input = Input::within(bytes, at);
    let mut numbers = Vec::new();
    while !input.is_empty() {
        numbers.push(variable(&mut input)?);
    }
    Ok(numbers)
}

/// A varint: seven bits a byte, the lowest first.
pub(super) fn variable(input: &mut Input<'_>) -> Result<u64, Problem> {
    let problem = input.problem("unterminated varint");
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = input.byte()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(problem)
}
