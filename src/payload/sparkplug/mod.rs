//! Sparkplug B's payloads, which are protocol buffers: the names, types and values of metrics.

mod array;
mod births;
mod bounded;
mod check;
mod data_set;
mod message;
mod property;
mod session;
mod state;
mod subscriptions;
mod template;
#[cfg(test)]
mod tests;
mod topic;

pub(crate) use births::Births;
pub(crate) use check::{Fault, faults};
pub(crate) use message::{Message, content};
pub(crate) use session::{Anomaly, Observer, Sessions};
pub(crate) use state::{HostState, StateFault};
pub(crate) use subscriptions::{Delivery, Subscriptions};
pub(crate) use topic::{MessageType, Topic, has_whole_sessions};

use super::compressed::{self, Decompressed};
use super::names::Expansion;
use super::number::{float, single};
use super::protobuf::{Field, WireValue, fields, text};
use super::{MAX_DEPTH, PayloadFormat, Problem, bytes};
use crate::json::Writer;
use births::BirthContext;

/// The `uuid` of a payload whose `body` is another payload, compressed.
const COMPRESSED: &[u8] = b"SPBV1.0_COMPRESSED";

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
    is_historical: Option<bool>,
    is_transient: Option<bool>,
    is_null: Option<bool>,
    metadata: Option<Field<'a>>,
    properties: Option<Field<'a>>,
    value: Option<Field<'a>>,
}

/// The context for writing metrics.
struct MetricContext<'s> {
    context: BirthContext<'s>,
    /// The template whose members are written.
    template: Option<&'s str>,
    expansion: &'s mut Expansion,
    /// The number of enclosing templates.
    depth: usize,
}

/// The numbers of the fields whose value types the wire type does not determine.
#[derive(Clone, Copy)]
struct UntypedFields {
    flag: u64,
    text: u64,
}

/// The fields of flags and texts in a metric.
const METRIC_FIELDS: UntypedFields = UntypedFields { flag: 14, text: 15 };

/// Writes a payload: `timestamp`, `seq`, `metrics`, `uuid` and `body`, and `notes` if there are any. The births supply names and
/// types that it omits; `compression` is the format of the payload that contained it, if it was compressed.
pub(super) fn write(
    payload: &[u8],
    births: Option<(&Births, &Topic<'_>)>,
    compression: Option<PayloadFormat>,
    notes: &[String],
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    let fields = fields(payload, 0)?;
    json.open_object();
    if let Some(compression) = compression {
        json.plain_key("compressed");
        json.string(compression.name());
    }
    for field in &fields {
        match (field.number, field.value) {
            (1, WireValue::Number(timestamp)) => number("timestamp", timestamp, json),
            (3, WireValue::Number(sequence)) => number("seq", sequence, json),
            (4, WireValue::Bytes(uuid)) => {
                json.plain_key("uuid");
                json.string(text(uuid, field.at)?);
            }
            (5, WireValue::Bytes(body)) => {
                json.plain_key("body");
                bytes(body, json);
            }
            (2, WireValue::Bytes(_)) | (6.., _) => {}
            _ => return Err(Problem { reason: "not a Sparkplug payload", at: field.at }),
        }
    }
    let context = births.map(|(births, topic)| births.context(topic)).unwrap_or_default();
    let mut metric_context =
        MetricContext { context, template: None, expansion: &mut Expansion::default(), depth: 0 };
    write_metrics(&fields, &mut metric_context, json)?;
    if !notes.is_empty() {
        json.plain_key("notes");
        json.open_array();
        for note in notes {
            json.element();
            json.string(note);
        }
        json.close_array();
    }
    json.close_object();
    Ok(())
}

/// The compressed payload inside this one, with its format.
pub(super) fn compressed_body(payload: &[u8]) -> Option<(PayloadFormat, Decompressed)> {
    let fields = fields(payload, 0).ok()?;
    let of = |number| {
        fields.iter().rev().find_map(move |field| match field.value {
            WireValue::Bytes(value) if field.number == number => Some(value),
            _ => None,
        })
    };
    let body = of(5).filter(|_| of(4) == Some(COMPRESSED))?;
    // The stated algorithm is not used, since Sparkplug's DEFLATE is zlib.
    let format = compressed::by_magic(body).unwrap_or(PayloadFormat::Deflate);
    Some((format, compressed::read(body, format)))
}

/// The payload inside this one after decompression, if that succeeds.
fn inflated(payload: &[u8]) -> Option<Vec<u8>> {
    match compressed_body(payload)? {
        (_, Decompressed::Content(content)) => Some(content),
        (_, Decompressed::Malformed(_) | Decompressed::Unread(_)) => None,
    }
}

/// Writes the metrics among the fields of a payload or a template.
fn write_metrics(
    fields: &[Field<'_>],
    metric_context: &mut MetricContext<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    json.plain_key("metrics");
    json.open_array();
    for field in fields {
        if let (2, WireValue::Bytes(metric)) = (field.number, field.value) {
            json.element();
            Metric::read(metric, field.at)?.write(field.at, metric_context, json)?;
        }
    }
    json.close_array();
    Ok(())
}

impl<'a> Metric<'a> {
    fn read(message: &'a [u8], at: usize) -> Result<Metric<'a>, Problem> {
        let mut metric = Metric::default();
        for field in fields(message, at)? {
            match (field.number, field.value) {
                (1, WireValue::Bytes(name)) => metric.name = Some(text(name, field.at)?),
                (2, WireValue::Number(alias)) => metric.alias = Some(alias),
                (3, WireValue::Number(timestamp)) => metric.timestamp = Some(timestamp),
                (4, WireValue::Number(data_type)) => metric.data_type = Some(data_type),
                (5, WireValue::Number(flag)) => metric.is_historical = Some(flag != 0),
                (6, WireValue::Number(flag)) => metric.is_transient = Some(flag != 0),
                (7, WireValue::Number(flag)) => metric.is_null = Some(flag != 0),
                (8, WireValue::Bytes(_)) => metric.metadata = Some(field),
                (9, WireValue::Bytes(_)) => metric.properties = Some(field),
                (10..=19, value) => {
                    if let (15, WireValue::Bytes(value)) = (field.number, value) {
                        text(value, field.at)?;
                    }
                    metric.value = Some(field);
                }
                _ => {}
            }
        }
        Ok(metric)
    }

    /// Writes the metric, with name and type from the birth if it omits them; if unknown, they are null.
    fn write(
        &self,
        at: usize,
        metric_context: &mut MetricContext<'_>,
        json: &mut Writer<'_>,
    ) -> Result<(), Problem> {
        let known = self
            .alias
            .filter(|_| self.name.is_none())
            .and_then(|alias| metric_context.context.by_alias(alias));
        if let Some(known) = known {
            metric_context.expansion.add(&known.name, at)?;
        }
        let name = self.name.or(known.map(|known| known.name.as_str()));
        let of_birth = || match (known, name) {
            (Some(known), _) => known.data_type,
            (None, Some(name)) => metric_context.context.type_of(name, metric_context.template),
            (None, None) => None,
        };
        let data_type = self.data_type.or_else(of_birth);
        json.open_object();
        json.plain_key("name");
        match name {
            Some(name) => json.string(name),
            None => json.literal("null"),
        }
        for (key, value) in [("alias", self.alias), ("timestamp", self.timestamp)] {
            if let Some(value) = value {
                number(key, value, json);
            }
        }
        write_type(data_type, json);
        write_flag("is_historical", self.is_historical, json);
        write_flag("is_transient", self.is_transient, json);
        write_flag("is_null", self.is_null, json);
        self.write_beside(json)?;
        let value = self.value.filter(|_| self.is_null != Some(true));
        write_metric_value(value, data_type, metric_context, json)?;
        json.close_object();
        Ok(())
    }

    /// Writes metadata and properties.
    fn write_beside(&self, json: &mut Writer<'_>) -> Result<(), Problem> {
        if let Some(Field { value: WireValue::Bytes(message), at, .. }) = self.metadata {
            json.plain_key("metadata");
            property::write_metadata(message, at, json)?;
        }
        if let Some(Field { value: WireValue::Bytes(message), at, .. }) = self.properties {
            json.plain_key("properties");
            property::write_set(message, at, MAX_DEPTH, json)?;
        }
        Ok(())
    }
}

fn write_metric_value(
    value: Option<Field<'_>>,
    data_type: Option<u64>,
    metric_context: &mut MetricContext<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    let Some(Field { number, value: WireValue::Bytes(message), at }) =
        value.filter(|value| value.number > 15)
    else {
        return write_value_or_raw(value.as_ref(), METRIC_FIELDS, data_type, json);
    };
    json.plain_key("value");
    match number {
        17 => data_set::write(message, at, json),
        18 => template::write(message, at, metric_context, json),
        _ => {
            array::write(data_type, message, json);
            Ok(())
        }
    }
}

/// Writes the key `value`, or `raw` with the bits in hexadecimal for an integer whose type is unknown: it could be negative.
fn write_value_or_raw(
    value: Option<&Field<'_>>,
    special: UntypedFields,
    data_type: Option<u64>,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    let Some(field) = value else {
        json.plain_key("value");
        json.literal("null");
        return Ok(());
    };
    let is_raw = data_type.is_none() && is_integer(field, special);
    json.plain_key(if is_raw { "raw" } else { "value" });
    write_single(field, special, data_type, json)
}

fn is_integer(field: &Field<'_>, special: UntypedFields) -> bool {
    matches!(field.value, WireValue::Number(_)) && field.number != special.flag
}

/// Writes a value that is not a list of others.
fn write_single(
    field: &Field<'_>,
    special: UntypedFields,
    data_type: Option<u64>,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    match field.value {
        WireValue::Number(flag) if field.number == special.flag => json.literal(flag != 0),
        WireValue::Number(value) => write_integer(data_type, value, json),
        WireValue::Fixed32(bits) => single(f32::from_bits(bits), json),
        WireValue::Fixed64(bits) => float(f64::from_bits(bits), json),
        WireValue::Bytes(value) if field.number == special.text => json.string(text(value, field.at)?),
        WireValue::Bytes(value) | WireValue::Group(value) => bytes(value, json),
    }
    Ok(())
}

/// The key `type`: the type's name, its number if it has none, or null if it is unknown.
fn write_type(data_type: Option<u64>, json: &mut Writer<'_>) {
    json.plain_key("type");
    match (data_type, data_type.and_then(type_name)) {
        (_, Some(name)) => json.string(name),
        (Some(0), None) => json.string("Unknown"),
        (Some(number), None) => json.integer(number),
        (None, None) => json.literal("null"),
    }
}

/// A flag, if the payload has it.
fn write_flag(key: &'static str, flag: Option<bool>, json: &mut Writer<'_>) {
    if let Some(flag) = flag {
        json.plain_key(key);
        json.literal(flag);
    }
}

fn type_name(data_type: u64) -> Option<&'static str> {
    TYPES.get(usize::try_from(data_type).ok()?.checked_sub(1)?).copied()
}

/// The data type in the field of this number.
fn type_of(fields: &[Field<'_>], number: u64) -> Option<u64> {
    fields.iter().rev().find_map(|field| match field.value {
        WireValue::Number(data_type) if field.number == number => Some(data_type),
        _ => None,
    })
}

/// Writes an integer. On the wire, signed numbers are unsigned numbers with the same bits, either those of the type or 32 bits.
fn write_integer(data_type: Option<u64>, value: u64, json: &mut Writer<'_>) {
    match data_type {
        Some(1) => json.literal(value as i8),
        Some(2) => json.literal(value as i16),
        Some(3) => json.literal(value as i32),
        Some(4) => json.literal(value as i64),
        Some(_) => json.integer(value),
        None => json.string(&format!("{value:#x}")),
    }
}

fn number(key: &'static str, value: u64, json: &mut Writer<'_>) {
    json.plain_key(key);
    json.integer(value);
}
