//! Writes a message as JSON, in protocol buffers' own mapping (ProtoJSON), straight from its bytes.
//!
//! A field may occur anywhere and repeatedly: the last scalar counts, and the parts of a message merge. So the fields of one message
//! are collected first, then written in the order of their numbers.

mod scalar;
mod well_known;

use super::declaration::Scalar;
use super::link::{Cardinality, Field, Kind, Message, MessageId, Schema};
use crate::json::Writer;
use crate::payload::Problem;
use crate::payload::input::Input;
use crate::payload::protobuf::{self, WireValue, next_field};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;
pub(super) use well_known::{EPOCH, TIMESTAMPS, snake};

/// The maximum nesting of messages, as in Google's libraries.
const MAX_DEPTH: usize = 100;

/// The maximum number of values in a payload, which limits memory and output.
const MAX_VALUES: usize = 1_000_000;

/// The key for fields that the schema does not have. No field can have this name.
pub(super) const UNKNOWN: &str = "@unknown";

/// The reason why a payload was not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::payload) enum DecodeError {
    /// It does not match the schema: the field and the position.
    Mismatch(String),
    /// It is larger than a limit.
    TooLarge(&'static str),
}

/// Writes a message. Returns a note on the first required field that it lacks, and on the first string that is not UTF-8.
pub(super) fn write(
    schema: &Schema,
    id: MessageId,
    bytes: &[u8],
    json: &mut Writer<'_>,
) -> Result<Option<String>, DecodeError> {
    let mut decoder =
        Decoder { schema, left: MAX_VALUES, path: Vec::new(), missing: None, escaped: None, too_large: None };
    let result = decoder.message(id, &[Part { bytes, at: 0 }], json);
    match (result, decoder.too_large) {
        (_, Some(reason)) => Err(DecodeError::TooLarge(reason)),
        (Ok(()), None) => Ok(decoder.note()),
        (Err(problem), None) if decoder.path.is_empty() => Err(DecodeError::Mismatch(problem.to_string())),
        (Err(problem), None) => {
            Err(DecodeError::Mismatch(format!("field {}: {problem}", decoder.path.join("."))))
        }
    }
}

/// A part of a message, and its position in the payload.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    bytes: &'a [u8],
    at: usize,
}

struct Decoder<'s> {
    schema: &'s Schema,
    /// The number of values that may still follow.
    left: usize,
    /// The names of the fields around the current position; after an error, those of the error.
    path: Vec<&'s str>,
    /// The first required field that is missing.
    missing: Option<String>,
    /// The first string that is not UTF-8.
    escaped: Option<String>,
    too_large: Option<&'static str>,
}

/// An occurrence of a field: the index in the message, if the schema has it.
struct Occurrence<'a> {
    index: Option<usize>,
    field: protobuf::Field<'a>,
}

impl<'s> Decoder<'s> {
    fn message(&mut self, id: MessageId, parts: &[Part<'_>], json: &mut Writer<'_>) -> Result<(), Problem> {
        let schema = self.schema;
        let message = schema.message(id);
        if let Some(known) = message.known
            && self.well_known(known, message, parts, json)?
        {
            return Ok(());
        }
        json.open_object();
        self.members(message, parts, json)?;
        json.close_object();
        Ok(())
    }

    /// Writes the fields of a message into an open object.
    fn members(
        &mut self,
        message: &'s Message,
        parts: &[Part<'_>],
        json: &mut Writer<'_>,
    ) -> Result<(), Problem> {
        let mut found = self.occurrences(message, parts)?;
        keep_last_of_oneofs(message, &mut found);
        // Unknown fields come last.
        found.sort_by_key(|occurrence| occurrence.index.unwrap_or(usize::MAX));
        self.note_missing(message, &found);
        for same in found.chunk_by(|one, other| one.index == other.index) {
            let index = same.first().and_then(|occurrence| occurrence.index);
            match index.and_then(|index| message.fields.get(index)) {
                Some(field) => {
                    json.key(&field.json_name);
                    self.path.push(&field.name);
                    self.field(field, same, json)?;
                    self.path.pop();
                }
                None => unknown(same, json)?,
            }
        }
        Ok(())
    }

    fn occurrences<'a>(
        &mut self,
        message: &'s Message,
        parts: &[Part<'a>],
    ) -> Result<Vec<Occurrence<'a>>, Problem> {
        let mut found = Vec::new();
        for part in parts {
            let mut input = Input::within(part.bytes, part.at);
            while !input.is_empty() {
                let field = next_field(&mut input)?;
                self.count(field.at)?;
                let index = message.index_of(field.number);
                if let Some(declared) = index.and_then(|index| message.fields.get(index)) {
                    check_wire_type(declared, &field).inspect_err(|_| self.path.push(&declared.name))?;
                }
                found.push(Occurrence { index, field });
            }
        }
        Ok(found)
    }

    /// Counts a value against the limit.
    fn count(&mut self, at: usize) -> Result<(), Problem> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.too_large("it has over a million values", at)),
        }
    }

    fn too_large(&mut self, reason: &'static str, at: usize) -> Problem {
        self.too_large = Some(reason);
        Problem { reason, at }
    }

    fn note_missing(&mut self, message: &'s Message, found: &[Occurrence<'_>]) {
        let is_missing = |index: &&usize| {
            found.binary_search_by_key(*index, |other| other.index.unwrap_or(usize::MAX)).is_err()
        };
        let missing = message.required.iter().find(is_missing).and_then(|index| message.fields.get(*index));
        if let (Some(field), None) = (missing, &self.missing) {
            let path: Vec<&str> = self.path.iter().copied().chain([field.name.as_str()]).collect();
            self.missing = Some(path.join("."));
        }
    }

    fn note(self) -> Option<String> {
        let missing = self.missing.map(|field| format!("without the required field {field}"));
        let escaped = self.escaped.map(|field| format!("{field} is not UTF-8, its bytes are shown as \\xNN"));
        let notes: Vec<String> = missing.into_iter().chain(escaped).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    fn field(
        &mut self,
        field: &'s Field,
        found: &[Occurrence<'_>],
        json: &mut Writer<'_>,
    ) -> Result<(), Problem> {
        match field.cardinality {
            Cardinality::Map => self.map(field, found, json),
            Cardinality::Repeated { .. } => self.list(field.kind, found, json),
            Cardinality::Single | Cardinality::Required => self.single(field.kind, found, json),
        }
    }

    /// A value: the last scalar, or a message with all parts.
    fn single(&mut self, kind: Kind, found: &[Occurrence<'_>], json: &mut Writer<'_>) -> Result<(), Problem> {
        match (kind, found.last()) {
            (Kind::Message(id), Some(last)) => {
                let parts: Vec<Part<'_>> = found.iter().filter_map(Occurrence::part).collect();
                self.nested(id, &parts, last.field.at, json)
            }
            (Kind::Message(id), None) => self.nested(id, &[], 0, json),
            (Kind::Scalar(_) | Kind::Enum(_), Some(last)) => {
                self.scalar(kind, last.field.value, last.field.at, json)
            }
            (Kind::Scalar(_) | Kind::Enum(_), None) => {
                scalar::default(self.schema, kind, json);
                Ok(())
            }
        }
    }

    fn nested(
        &mut self,
        id: MessageId,
        parts: &[Part<'_>],
        at: usize,
        json: &mut Writer<'_>,
    ) -> Result<(), Problem> {
        if self.path.len() > MAX_DEPTH {
            return Err(Problem { reason: "messages nested over 100 deep", at });
        }
        self.message(id, parts, json)
    }

    fn list(&mut self, kind: Kind, found: &[Occurrence<'_>], json: &mut Writer<'_>) -> Result<(), Problem> {
        json.open_array();
        for occurrence in found {
            let field = &occurrence.field;
            match (kind, field.value) {
                (Kind::Message(id), _) => {
                    json.element();
                    let parts: Vec<Part<'_>> = occurrence.part().into_iter().collect();
                    self.nested(id, &parts, field.at, json)?;
                }
                (Kind::Scalar(Scalar::String | Scalar::UncheckedString | Scalar::Bytes), value) => {
                    json.element();
                    self.scalar(kind, value, field.at, json)?;
                }
                (Kind::Scalar(_) | Kind::Enum(_), WireValue::Bytes(packed)) => {
                    self.packed(kind, packed, field.at, json)?;
                }
                (Kind::Scalar(_) | Kind::Enum(_), value) => {
                    json.element();
                    self.scalar(kind, value, field.at, json)?;
                }
            }
        }
        json.close_array();
        Ok(())
    }

    fn packed(&mut self, kind: Kind, packed: &[u8], at: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
        let mut input = Input::within(packed, at);
        while !input.is_empty() {
            let at = input.at();
            let value = match wire_type(kind) {
                WireType::Varint => WireValue::Number(protobuf::variable(&mut input)?),
                WireType::Fixed64 => WireValue::Fixed64(u64::from_le_bytes(input.array()?)),
                WireType::Fixed32 => WireValue::Fixed32(u32::from_le_bytes(input.array()?)),
                WireType::Length => return Err(Problem { reason: "packed values of variable length", at }),
            };
            self.count(at)?;
            json.element();
            self.scalar(kind, value, at, json)?;
        }
        Ok(())
    }

    /// A map. Of entries with the same key, the last one counts.
    fn map(
        &mut self,
        field: &'s Field,
        found: &[Occurrence<'_>],
        json: &mut Writer<'_>,
    ) -> Result<(), Problem> {
        let Kind::Message(entry) = field.kind else { return Ok(()) };
        let schema = self.schema;
        let entry = schema.message(entry);
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut entries: Vec<(Vec<u8>, Vec<Occurrence<'_>>)> = Vec::new();
        for part in found.iter().filter_map(Occurrence::part) {
            let parts = self.occurrences(entry, &[part])?;
            let key = self.map_key(entry, &parts)?;
            match places.entry(key.clone()) {
                Entry::Occupied(place) => {
                    if let Some(slot) = entries.get_mut(*place.get()) {
                        slot.1 = parts;
                    }
                }
                Entry::Vacant(place) => {
                    place.insert(entries.len());
                    entries.push((key, parts));
                }
            }
        }
        json.open_object();
        for (key, parts) in entries {
            let text = serde_json::from_slice::<String>(&key);
            let text = text.unwrap_or_else(|_| String::from_utf8_lossy(&key).into_owned());
            json.key(&text);
            if let Some(value) = entry.field(2) {
                let of_value: Vec<Occurrence<'_>> =
                    parts.into_iter().filter(|part| part.field.number == 2).collect();
                self.single(value.kind, &of_value, json)?;
            }
        }
        json.close_object();
        Ok(())
    }

    /// The key of a map entry as JSON.
    fn map_key(&mut self, entry: &'s Message, parts: &[Occurrence<'_>]) -> Result<Vec<u8>, Problem> {
        let Some(key) = entry.field(1) else { return Ok(Vec::new()) };
        let mut text = Vec::new();
        let mut json = Writer::new(&mut text, false);
        match parts.iter().rfind(|part| part.field.number == 1) {
            Some(part) => self.scalar(key.kind, part.field.value, part.field.at, &mut json)?,
            None => scalar::default(self.schema, key.kind, &mut json),
        }
        Ok(text)
    }

    fn scalar(
        &mut self,
        kind: Kind,
        value: WireValue<'_>,
        at: usize,
        json: &mut Writer<'_>,
    ) -> Result<(), Problem> {
        if let (Kind::Scalar(Scalar::UncheckedString), WireValue::Bytes(bytes)) = (kind, value)
            && std::str::from_utf8(bytes).is_err()
        {
            self.escaped.get_or_insert_with(|| self.path.join("."));
            json.string(&escaped(bytes));
            return Ok(());
        }
        scalar::write(self.schema, kind, value, at, json)
    }
}

/// A string whose bytes are not UTF-8. A backslash is doubled, so that the text is unambiguous.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

impl<'a> Occurrence<'a> {
    /// The part of a message that it has.
    fn part(&self) -> Option<Part<'a>> {
        match self.field.value {
            WireValue::Bytes(bytes) | WireValue::Group(bytes) => Some(Part { bytes, at: self.field.at }),
            WireValue::Number(_) | WireValue::Fixed64(_) | WireValue::Fixed32(_) => None,
        }
    }
}

/// Drops the fields of a oneof before another of its fields, which replaced them.
fn keep_last_of_oneofs(message: &Message, found: &mut Vec<Occurrence<'_>>) {
    if message.oneofs.is_empty() {
        return;
    }
    // For each oneof the field that counts, and whether another one came before it.
    let mut last: Vec<Option<(usize, bool)>> = vec![None; message.oneofs.len()];
    let mut is_kept = |occurrence: &Occurrence<'_>| {
        let Some(index) = occurrence.index else { return true };
        let oneof = message.fields.get(index).and_then(|field| field.oneof);
        let Some(slot) = oneof.and_then(|oneof| last.get_mut(oneof)) else { return true };
        let (winner, is_broken) = slot.get_or_insert((index, false));
        *is_broken |= *winner != index;
        !*is_broken
    };
    let mut kept: Vec<bool> = found.iter().rev().map(&mut is_kept).collect();
    found.retain(|_| kept.pop().unwrap_or(true));
}

/// Writes fields that the schema does not have, as without a schema.
fn unknown(found: &[Occurrence<'_>], json: &mut Writer<'_>) -> Result<(), Problem> {
    json.key(UNKNOWN);
    json.open_array();
    for occurrence in found {
        json.element();
        protobuf::write_field(occurrence.field, json)?;
    }
    json.close_array();
    Ok(())
}

/// The form of a value on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    Fixed32,
    Length,
}

pub(super) fn wire_type(kind: Kind) -> WireType {
    match kind {
        Kind::Message(_) | Kind::Scalar(Scalar::String | Scalar::UncheckedString | Scalar::Bytes) => {
            WireType::Length
        }
        Kind::Scalar(Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64) => WireType::Fixed64,
        Kind::Scalar(Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32) => WireType::Fixed32,
        Kind::Enum(_)
        | Kind::Scalar(
            Scalar::Int32
            | Scalar::Int64
            | Scalar::Uint32
            | Scalar::Uint64
            | Scalar::Sint32
            | Scalar::Sint64
            | Scalar::Bool,
        ) => WireType::Varint,
    }
}

/// Whether an occurrence has a wire type that its field can have. Repeated numbers may be packed or not, messages may be groups.
fn check_wire_type(declared: &Field, found: &protobuf::Field<'_>) -> Result<(), Problem> {
    let is_list = matches!(declared.cardinality, Cardinality::Repeated { .. });
    let expected = wire_type(declared.kind);
    let matches = match found.value {
        WireValue::Number(_) => expected == WireType::Varint,
        WireValue::Fixed64(_) => expected == WireType::Fixed64,
        WireValue::Fixed32(_) => expected == WireType::Fixed32,
        WireValue::Bytes(_) => expected == WireType::Length || is_list,
        WireValue::Group(_) => matches!(declared.kind, Kind::Message(_)),
    };
    if matches { Ok(()) } else { Err(Problem { reason: wrong_type(expected, found.value), at: found.at }) }
}

/// The words for a wire type that is not the expected one.
fn wrong_type(expected: WireType, found: WireValue<'_>) -> &'static str {
    macro_rules! but {
        ($expected:literal) => {
            match found {
                WireValue::Number(_) => concat!("expected wire type ", $expected, " but found VARINT"),
                WireValue::Fixed64(_) => concat!("expected wire type ", $expected, " but found I64"),
                WireValue::Fixed32(_) => concat!("expected wire type ", $expected, " but found I32"),
                WireValue::Bytes(_) => concat!("expected wire type ", $expected, " but found LEN"),
                WireValue::Group(_) => concat!("expected wire type ", $expected, " but found GROUP"),
            }
        };
    }
    match expected {
        WireType::Varint => but!("VARINT"),
        WireType::Fixed64 => but!("I64"),
        WireType::Fixed32 => but!("I32"),
        WireType::Length => but!("LEN"),
    }
}
