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

#[derive(Clone, Copy)]
pub(super) enum WireValue<'a> {
    Number(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// Writes the fields in their order, each with its number, wire type and value. Bytes that are printable UTF-8 are shown as text.
pub(super) fn write(message: &[u8], json: &mut Writer<'_>) -> Result<(), Problem> {
    json.open_array();
    for field in fields(message, 0)? {
        json.element();
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
        }
        json.close_object();
    }
    json.close_array();
    Ok(())
}

impl WireValue<'_> {
    /// The name of the wire type in the documentation of protocol buffers.
    fn type_name(self) -> &'static str {
        match self {
            WireValue::Number(_) => "VARINT",
            WireValue::Fixed64(_) => "I64",
            WireValue::Bytes(_) => "LEN",
            WireValue::Fixed32(_) => "I32",
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
        let problem = input.problem("not protocol buffers");
        let tag = variable(&mut input)?;
        let number = tag >> 3;
        let value = match tag & 7 {
            _ if number == 0 => return Err(problem),
            0 => WireValue::Number(variable(&mut input)?),
            1 => WireValue::Fixed64(u64::from_le_bytes(input.array()?)),
            2 => {
                let length = variable(&mut input)?;
                let at = input.at();
                fields.push(Field { number, value: WireValue::Bytes(input.take(length)?), at });
                continue;
            }
            5 => WireValue::Fixed32(u32::from_le_bytes(input.array()?)),
            _ => return Err(problem),
        };
        fields.push(Field { number, value, at: problem.at });
    }
    Ok(fields)
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
fn variable(input: &mut Input<'_>) -> Result<u64, Problem> {
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
