//! Encodes JSON as a message of protocol buffers: the reverse of [`super::decode`]. Fields are written in the order of their numbers,
//! as other encoders do, so that the same values make the same bytes.

mod duplicates;
mod scalar;
mod well_known;

use super::decode::UNKNOWN;
use super::link::{Cardinality, Field, Kind, Message, MessageId, Schema};
use crate::suggestion::did_you_mean;
use serde_json::{Map, Value};
use std::fmt::{self, Write as _};

/// The reason why a text cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncodeError {
    /// The path of the value; empty for the whole text.
    path: String,
    problem: String,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.path, self.problem)
        }
    }
}

/// Encodes a text.
///
/// # Errors
/// The path of the fault, and the problem.
pub(super) fn encode(schema: &Schema, id: MessageId, text: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let whole = |problem| EncodeError { path: String::new(), problem };
    let value: Value = serde_json::from_slice(text).map_err(|error| whole(format!("not JSON: {error}")))?;
    duplicates::check(text)?;
    let mut encoder = Encoder { schema, path: Vec::new() };
    let mut out = Vec::new();
    match encoder.message(id, &value, &mut out) {
        Ok(()) => Ok(out),
        Err(problem) => Err(EncodeError { path: shown(&encoder.path), problem }),
    }
}

/// A step of the path to a value.
#[derive(Debug, Clone)]
enum Step {
    Name(String),
    Index(usize),
}

fn shown(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Name(name) if text.is_empty() => text.push_str(name),
            Step::Name(name) => {
                let _ = write!(text, ".{name}");
            }
            Step::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
        }
    }
    text
}

struct Encoder<'s> {
    schema: &'s Schema,
    /// The path of the current value; after an error, that of the fault.
    path: Vec<Step>,
}

/// The wire type of bytes with their length.
const LENGTH: u64 = 2;
const GROUP_START: u64 = 3;
const GROUP_END: u64 = 4;

impl<'s> Encoder<'s> {
    fn message(&mut self, id: MessageId, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let schema = self.schema;
        let message = schema.message(id);
        match (message.known, value) {
            (Some(known), _) => self.well_known(known, message, value, out),
            (None, Value::Object(object)) => self.members(message, object, out),
            (None, other) => {
                Err(format!("expected an object for {} but found {}", message.name, kind_of(other)))
            }
        }
    }

    fn members(
        &mut self,
        message: &'s Message,
        object: &Map<String, Value>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut given: Vec<(usize, &str, &Value)> = Vec::with_capacity(object.len());
        for (name, value) in object {
            let index = message.index_of_name(name).ok_or_else(|| unknown_field(message, name))?;
            given.push((index, name, value));
        }
        given.sort_by_key(|(index, ..)| *index);
        check_once(message, &given)?;
        for (index, name, value) in &given {
            let Some(field) = message.fields.get(*index) else { continue };
            self.path.push(Step::Name((*name).to_owned()));
            self.field(field, value, out)?;
            self.path.pop();
        }
        let is_missing =
            |index: &&usize| !given.iter().any(|(given, _, value)| given == *index && !value.is_null());
        match message.required.iter().find(is_missing).and_then(|index| message.fields.get(*index)) {
            Some(field) => Err(format!("missing the required field \"{}\"", field.json_name)),
            None => Ok(()),
        }
    }

    fn field(&mut self, field: &'s Field, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let is_list = matches!(field.cardinality, Cardinality::Map | Cardinality::Repeated { .. });
        if value.is_null() && (is_list || !self.takes_null(field.kind)) {
            return Ok(());
        }
        match field.cardinality {
            Cardinality::Map => self.map(field, value, out),
            Cardinality::Repeated { is_packed } => self.list(field, value, is_packed, out),
            Cardinality::Single | Cardinality::Required => {
                let mut encoded = Vec::new();
                self.value(field.kind, value, &mut encoded)?;
                if field.has_presence || !is_default(field.kind, &encoded) {
                    push_value(field, &encoded, out);
                }
                Ok(())
            }
        }
    }

    fn check_not_null(&self, kind: Kind, value: &Value) -> Result<(), String> {
        let is_wrong = value.is_null() && !self.takes_null(kind);
        if is_wrong { Err("null cannot be in a list or map".to_owned()) } else { Ok(()) }
    }

    /// Whether null is a value of this kind, and not an absent field.
    fn takes_null(&self, kind: Kind) -> bool {
        match kind {
            Kind::Message(id) => self.schema.message(id).known == Some(super::well_known::WellKnown::Value),
            Kind::Enum(id) => self.schema.enumeration(id).name == super::well_known::NULL_VALUE,
            Kind::Scalar(_) => false,
        }
    }

    /// Appends a value without its field: a message without its length.
    fn value(&mut self, kind: Kind, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        match kind {
            Kind::Message(id) => self.message(id, value, out),
            Kind::Scalar(scalar) => scalar::push(scalar, value, out),
            Kind::Enum(id) => scalar::push_enum(self.schema.enumeration(id), value, out),
        }
    }

    fn list(
        &mut self,
        field: &'s Field,
        value: &Value,
        is_packed: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let Value::Array(elements) = value else {
            return Err(format!("expected an array but found {}", kind_of(value)));
        };
        let mut packed = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            self.path.push(Step::Index(index));
            self.check_not_null(field.kind, element)?;
            if is_packed {
                self.value(field.kind, element, &mut packed)?;
            } else {
                let mut encoded = Vec::new();
                self.value(field.kind, element, &mut encoded)?;
                push_value(field, &encoded, out);
            }
            self.path.pop();
        }
        if !packed.is_empty() {
            push_tag(field.number, LENGTH, out);
            push_bytes(&packed, out);
        }
        Ok(())
    }

    fn map(&mut self, field: &'s Field, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let Value::Object(object) = value else {
            return Err(format!("expected an object but found {}", kind_of(value)));
        };
        let Kind::Message(entry) = field.kind else { return Ok(()) };
        let schema = self.schema;
        let entry = schema.message(entry);
        let (Some(key_field), Some(value_field)) = (entry.field(1), entry.field(2)) else { return Ok(()) };
        for (key, value) in object {
            self.path.push(Step::Name(key.clone()));
            let mut encoded = Vec::new();
            push_value(key_field, &scalar::map_key(key_field.kind, key)?, &mut encoded);
            self.check_not_null(value_field.kind, value)?;
            let mut of_value = Vec::new();
            self.value(value_field.kind, value, &mut of_value)?;
            push_value(value_field, &of_value, &mut encoded);
            push_tag(field.number, LENGTH, out);
            push_bytes(&encoded, out);
            self.path.pop();
        }
        Ok(())
    }
}

/// Rejects two names of one field, and two fields of one oneof.
fn check_once(message: &Message, given: &[(usize, &str, &Value)]) -> Result<(), String> {
    let mut taken: Vec<Option<&str>> = vec![None; message.oneofs.len()];
    let mut last = None;
    for (index, name, value) in given {
        if let Some((_, other)) = last.filter(|(before, _)| before == index) {
            return Err(format!("\"{other}\" and \"{name}\" are the same field"));
        }
        last = Some((*index, *name));
        let oneof = message.fields.get(*index).and_then(|field| field.oneof);
        let Some((oneof, slot)) = oneof.and_then(|oneof| Some((oneof, taken.get_mut(oneof)?))) else {
            continue;
        };
        if value.is_null() {
            continue;
        }
        if let Some(other) = slot.replace(name) {
            let oneof = message.oneofs.get(oneof).map_or("", String::as_str);
            return Err(format!("\"{other}\" and \"{name}\" exclude each other (oneof {oneof})"));
        }
    }
    Ok(())
}

fn unknown_field(message: &Message, name: &str) -> String {
    if name == UNKNOWN {
        return format!("\"{UNKNOWN}\" has fields without a name, which cannot be encoded; remove it");
    }
    let names = message.fields.iter().map(|field| field.json_name.as_str());
    format!("unknown field \"{name}\" of {}{}", message.name, did_you_mean(name, names))
}

/// The words for a value of another type than expected.
fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() <= 40 => format!("the string \"{text}\""),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Whether a field without presence has its default value, which is not written.
fn is_default(kind: Kind, encoded: &[u8]) -> bool {
    !matches!(kind, Kind::Message(_)) && encoded.iter().all(|byte| *byte == 0) && is_zero(kind, encoded)
}

/// Texts of null characters are not empty.
fn is_zero(kind: Kind, encoded: &[u8]) -> bool {
    super::decode::wire_type(kind) != super::decode::WireType::Length || encoded.is_empty()
}

/// Appends a value with its tag, and its length if it has one.
fn push_value(field: &Field, encoded: &[u8], out: &mut Vec<u8>) {
    use super::decode::WireType;
    if field.is_delimited {
        push_tag(field.number, GROUP_START, out);
        out.extend_from_slice(encoded);
        return push_tag(field.number, GROUP_END, out);
    }
    match super::decode::wire_type(field.kind) {
        WireType::Varint => push_tag(field.number, 0, out),
        WireType::Fixed64 => push_tag(field.number, 1, out),
        WireType::Fixed32 => push_tag(field.number, 5, out),
        WireType::Length => {
            push_tag(field.number, LENGTH, out);
            return push_bytes(encoded, out);
        }
    }
    out.extend_from_slice(encoded);
}

fn push_tag(number: u64, wire_type: u64, out: &mut Vec<u8>) {
    push_varint(number << 3 | wire_type, out);
}

fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    push_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
