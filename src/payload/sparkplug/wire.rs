//! Protocol buffers as they stand on the wire: numbered fields, whose types only the reader knows.

use crate::payload::Problem;
use crate::payload::input::Input;

/// A field of a message.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    pub(super) value: Wire<'a>,
    /// Where its value starts.
    pub(super) at: usize,
}

/// What stands on the wire.
#[derive(Clone, Copy)]
pub(super) enum Wire<'a> {
    Number(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// A text.
pub(super) fn text(bytes: &[u8], at: usize) -> Result<&str, Problem> {
    Input::within(bytes, at).text(bytes.len() as u64)
}

/// All fields of a message.
pub(super) fn fields(message: &[u8], at: usize) -> Result<Vec<Field<'_>>, Problem> {
    let mut input = Input::within(message, at);
    let mut fields = Vec::new();
    while !input.is_empty() {
        let problem = input.problem("no protocol buffers");
        let tag = variable(&mut input)?;
        let value = match tag & 7 {
            0 => Wire::Number(variable(&mut input)?),
            1 => Wire::Fixed64(u64::from_le_bytes(input.array()?)),
            2 => {
                let length = variable(&mut input)?;
                let at = input.at();
                fields.push(Field { number: tag >> 3, value: Wire::Bytes(input.take(length)?), at });
                continue;
            }
            5 => Wire::Fixed32(u32::from_le_bytes(input.array()?)),
            _ => return Err(problem),
        };
        fields.push(Field { number: tag >> 3, value, at: problem.at });
    }
    Ok(fields)
}

/// Numbers that stand one behind the other.
pub(super) fn packed_numbers(bytes: &[u8], at: usize) -> Result<Vec<u64>, Problem> {
    let mut input = Input::within(bytes, at);
    let mut numbers = Vec::new();
    while !input.is_empty() {
        numbers.push(variable(&mut input)?);
    }
    Ok(numbers)
}

/// A number in as many bytes as it needs, the lowest first.
fn variable(input: &mut Input<'_>) -> Result<u64, Problem> {
    let problem = input.problem("a number that does not end");
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
