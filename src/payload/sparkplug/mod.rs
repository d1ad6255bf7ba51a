//! Sparkplug B's payloads, which are protocol buffers: what the metrics are called and what they say.

mod array;
mod data_set;
mod template;
mod wire;

use super::{MAX_DEPTH, Problem, bytes, float, single};
use crate::json::Writer;
use wire::{Field, Wire, fields, text};

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

#[derive(Default)]
struct Metric<'a> {
    name: Option<&'a str>,
    alias: Option<u64>,
    timestamp: Option<u64>,
    data_type: Option<u64>,
    is_null: bool,
    value: Option<Field<'a>>,
}

/// The numbers of the fields whose values are not told by how they stand on the wire.
#[derive(Clone, Copy)]
struct Special {
    flag: u64,
    text: u64,
}

/// The fields of flags and texts in a metric.
const METRIC_FIELDS: Special = Special { flag: 14, text: 15 };

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
            Metric::read(metric, field.at)?.write(0, json)?;
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
                    metric.value = Some(field);
                }
                _ => {}
            }
        }
        Ok(metric)
    }

    /// Writes it; so many templates are around it.
    fn write(&self, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        json.open_object();
        if let Some(name) = self.name {
            json.plain_key("name");
            json.string(name);
        }
        for (key, value) in [("alias", self.alias), ("timestamp", self.timestamp)] {
            if let Some(value) = value {
                number(key, value, json);
            }
        }
        write_type(self.data_type, json);
        json.plain_key("value");
        match self.value {
            Some(value) if !self.is_null => self.write_value(value, depth, json)?,
            _ => json.literal("null"),
        }
        json.close_object();
        Ok(())
    }

    fn write_value(&self, field: Field<'_>, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        match (field.number, field.value) {
            (17, Wire::Bytes(message)) => data_set::write(message, field.at, json),
            (18, Wire::Bytes(message)) => template::write(message, field.at, depth + 1, json),
            (16 | 19, Wire::Bytes(packed)) => {
                array::write(self.data_type, packed, json);
                Ok(())
            }
            _ => write_single(&field, METRIC_FIELDS, self.data_type, json),
        }
    }
}

/// Writes a value that is no list of others.
fn write_single(
    field: &Field<'_>,
    special: Special,
    data_type: Option<u64>,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    match field.value {
        Wire::Number(flag) if field.number == special.flag => json.literal(flag != 0),
        Wire::Number(value) => write_integer(data_type, value, json),
        Wire::Fixed32(bits) => single(f32::from_bits(bits), json),
        Wire::Fixed64(bits) => float(f64::from_bits(bits), json),
        Wire::Bytes(value) if field.number == special.text => json.string(text(value, field.at)?),
        Wire::Bytes(value) => bytes(value, json),
    }
    Ok(())
}

/// The key `type`, where the number has a name.
fn write_type(data_type: Option<u64>, json: &mut Writer<'_>) {
    if let Some(name) = data_type.and_then(type_name) {
        json.plain_key("type");
        json.string(name);
    }
}

fn type_name(data_type: u64) -> Option<&'static str> {
    TYPES.get(usize::try_from(data_type).ok()?.checked_sub(1)?).copied()
}

/// Signed numbers stand there as unsigned ones of the same bits.
fn write_integer(data_type: Option<u64>, value: u64, json: &mut Writer<'_>) {
    match data_type {
        Some(1) => json.literal(value as i8),
        Some(2) => json.literal(value as i16),
        Some(3) => json.literal(value as i32),
        Some(4) => json.literal(value as i64),
        _ => json.integer(value),
    }
}

fn number(key: &'static str, value: u64, json: &mut Writer<'_>) {
    json.plain_key(key);
    json.integer(value);
}
