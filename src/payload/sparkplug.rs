//! Sparkplug B's payloads, which are protocol buffers: what the metrics are called and what they say.

use super::input::Input;
use super::{Problem, bytes, float, single};
use crate::json::Writer;

/// The names of data types, by their numbers from 1.
const TYPES: [&str; 34] = [
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float",
    "Double",
    "Boolean",
    "String",
    "DateTime",
    "Text",
    "UUID",
    "DataSet",
    "Bytes",
    "File",
    "Template",
    "PropertySet",
    "PropertySetList",
    "Int8Array",
    "Int16Array",
    "Int32Array",
    "Int64Array",
    "UInt8Array",
    "UInt16Array",
    "UInt32Array",
    "UInt64Array",
    "FloatArray",
    "DoubleArray",
    "BooleanArray",
    "StringArray",
    "DateTimeArray",
];

/// A field of a message.
struct Field<'a> {
    number: u64,
    value: Wire<'a>,
    /// Where its value starts.
    at: usize,
}

/// What stands on the wire.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

#[derive(Default)]
struct Metric<'a> {
    name: Option<&'a str>,
    alias: Option<u64>,
    timestamp: Option<u64>,
    data_type: Option<u64>,
    is_null: bool,
    value: Option<(u64, Wire<'a>)>,
}

/// Writes a payload: `timestamp`, `seq`, `metrics`, `uuid` and `body`.
pub(super) fn write(payload: &[u8], json: &mut Writer<'_>) -> Result<(), Problem> {
    let fields = fields(payload, 0)?;
    json.open_object();
    for field in &fields {
        match (field.number, field.value) {
            (1, Wire::Number(timestamp)) => number("timestamp", timestamp, json),
            (3, Wire::Number(sequence)) => number("seq", sequence, json),
            (4, Wire::Bytes(uuid)) => {
                json.plain_key("uuid");
                json.string(text(uuid, field.at)?);
            }
            (5, Wire::Bytes(body)) => {
                json.plain_key("body");
                bytes(body, json);
            }
            (1..=5, value) if !matches!((field.number, value), (2, Wire::Bytes(_))) => {
                return Err(Problem { what: "no Sparkplug payload", at: field.at });
            }
            _ => {}
        }
    }
    json.plain_key("metrics");
    json.open_array();
    for field in &fields {
        if let (2, Wire::Bytes(metric)) = (field.number, field.value) {
            json.element();
            Metric::read(metric, field.at)?.write(json)?;
        }
    }
    json.close_array();
    json.close_object();
    Ok(())
}

impl<'a> Metric<'a> {
    fn read(message: &'a [u8], at: usize) -> Result<Metric<'a>, Problem> {
        let mut metric = Metric::default();
        for field in fields(message, at)? {
            match (field.number, field.value) {
                (1, Wire::Bytes(name)) => metric.name = Some(text(name, field.at)?),
                (2, Wire::Number(alias)) => metric.alias = Some(alias),
                (3, Wire::Number(timestamp)) => metric.timestamp = Some(timestamp),
                (4, Wire::Number(data_type)) => metric.data_type = Some(data_type),
                (7, Wire::Number(is_null)) => metric.is_null = is_null != 0,
                (10..=19, value) => {
                    if let (15, Wire::Bytes(value)) = (field.number, value) {
                        text(value, field.at)?;
                    }
                    metric.value = Some((field.number, value));
                }
                _ => {}
            }
        }
        Ok(metric)
    }

    fn write(&self, json: &mut Writer<'_>) -> Result<(), Problem> {
        json.open_object();
        if let Some(name) = self.name {
            json.plain_key("name");
            json.string(name);
        }
        let data_type = self.data_type.and_then(|data_type| usize::try_from(data_type).ok()?.checked_sub(1));
        for (key, value) in [("alias", self.alias), ("timestamp", self.timestamp)] {
            if let Some(value) = value {
                number(key, value, json);
            }
        }
        if let Some(name) = data_type.and_then(|index| TYPES.get(index)) {
            json.plain_key("type");
            json.string(name);
        }
        json.plain_key("value");
        match self.value {
            Some((field, value)) if !self.is_null => self.write_value(field, value, json)?,
            _ => json.literal("null"),
        }
        json.close_object();
        Ok(())
    }

    fn write_value(&self, field: u64, value: Wire<'_>, json: &mut Writer<'_>) -> Result<(), Problem> {
        match (field, value) {
            (14, Wire::Number(flag)) => json.literal(flag != 0),
            (_, Wire::Number(value)) => self.write_integer(value, json),
            (_, Wire::Fixed32(bits)) => single(f32::from_bits(bits), json),
            (_, Wire::Fixed64(bits)) => float(f64::from_bits(bits), json),
            (15, Wire::Bytes(value)) => json.string(text(value, 0)?),
            // Data sets, templates and arrays as they are.
            (_, Wire::Bytes(value)) => bytes(value, json),
        }
        Ok(())
    }

    /// Signed numbers stand there as unsigned ones of the same bits.
    fn write_integer(&self, value: u64, json: &mut Writer<'_>) {
        match self.data_type {
            Some(1) => json.literal(value as i8),
            Some(2) => json.literal(value as i16),
            Some(3) => json.literal(value as i32),
            Some(4) => json.literal(value as i64),
            _ => json.integer(value),
        }
    }
}

fn number(key: &'static str, value: u64, json: &mut Writer<'_>) {
    json.plain_key(key);
    json.integer(value);
}

fn text(bytes: &[u8], at: usize) -> Result<&str, Problem> {
    Input::within(bytes, at).text(bytes.len() as u64)
}

/// All fields of a message.
fn fields(message: &[u8], at: usize) -> Result<Vec<Field<'_>>, Problem> {
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
