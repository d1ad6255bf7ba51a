//! Reads a descriptor set, the binary form of a schema that `protoc --descriptor_set_out` writes. It is itself in protocol buffers
//! (google/protobuf/descriptor.proto), and the numbers below are those of its fields.

use super::declaration::{
    Enum, Extension, Features, Field, File, Import, Label, MAX_DEPTH, Message, Scalar, TypeRef, json_name,
    qualified,
};
use crate::payload::Problem;
use crate::payload::protobuf::{self, WireValue, fields};

/// The numbers of the editions whose features are known: proto2 and proto3 as editions, 2023 and 2024.
const EDITIONS: [u64; 4] = [998, 999, 1000, 1001];

/// Reads the files of a set.
///
/// # Errors
/// The problem, and its position in bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<File>, Problem> {
    let mut files = Vec::new();
    for part in fields(bytes, 0)? {
        match (part.number, part.value) {
            (1, WireValue::Bytes(file)) => files.push(read_file(file, part.at)?),
            _ => return Err(Problem { reason: "not a descriptor set", at: part.at }),
        }
    }
    Ok(files)
}

fn read_file(bytes: &[u8], at: usize) -> Result<File, Problem> {
    let parts = fields(bytes, at)?;
    let mut file = File::default();
    let mut features = Features::PROTO2;
    for part in &parts {
        match (part.number, part.value) {
            (1, WireValue::Bytes(name)) => file.name = text(name, part.at)?,
            (2, WireValue::Bytes(package)) => file.package = text(package, part.at)?,
            (3, WireValue::Bytes(path)) => {
                file.imports.push(Import { path: text(path, part.at)?, place: None });
            }
            (12, WireValue::Bytes(b"proto3")) => features = Features::PROTO3,
            (12, WireValue::Bytes(b"editions")) => features = Features::EDITIONS,
            (12, WireValue::Bytes(b"" | b"proto2")) => {}
            (12, WireValue::Bytes(_)) => {
                return Err(Problem {
                    reason: "unknown syntax: expected proto2, proto3 or editions",
                    at: part.at,
                });
            }
            (14, WireValue::Number(edition)) if !EDITIONS.contains(&edition) => {
                return Err(Problem { reason: "unknown edition: expected 2023 or 2024", at: part.at });
            }
            _ => {}
        }
    }
    for part in &parts {
        if let (8, WireValue::Bytes(options)) = (part.number, part.value) {
            features = with_options(features, options, part.at, 50)?;
        }
    }
    let package = file.package.clone();
    for part in &parts {
        match (part.number, part.value) {
            (4, WireValue::Bytes(message)) => {
                read_message(message, part.at, &package, features, 0, &mut file)?;
            }
            (5, WireValue::Bytes(declared)) => {
                file.enums.push(read_enum(declared, part.at, &package)?);
            }
            (7, WireValue::Bytes(field)) => {
                file.extensions.push(read_extension(field, part.at, &package, features)?);
            }
            _ => {}
        }
    }
    Ok(file)
}

fn read_message(
    bytes: &[u8],
    at: usize,
    scope: &str,
    features: Features,
    depth: usize,
    file: &mut File,
) -> Result<(), Problem> {
    if depth >= MAX_DEPTH {
        return Err(Problem { reason: "messages nested too deeply", at });
    }
    let parts = fields(bytes, at)?;
    let (mut message, mut features) = (Message::default(), features);
    for part in &parts {
        match (part.number, part.value) {
            (1, WireValue::Bytes(name)) => message.full_name = qualified(scope, &text(name, part.at)?),
            (7, WireValue::Bytes(options)) => {
                features = with_options(features, options, part.at, 12)?;
                message.is_map_entry = number(options, part.at, 7)? == Some(1);
            }
            _ => {}
        }
    }
    let name = message.full_name.clone();
    for part in &parts {
        match (part.number, part.value) {
            (2, WireValue::Bytes(field)) => message.fields.push(read_field(field, part.at, features)?),
            (3, WireValue::Bytes(nested)) => {
                read_message(nested, part.at, &name, features, depth + 1, file)?;
            }
            (4, WireValue::Bytes(declared)) => file.enums.push(read_enum(declared, part.at, &name)?),
            (6, WireValue::Bytes(field)) => {
                file.extensions.push(read_extension(field, part.at, &name, features)?);
            }
            (8, WireValue::Bytes(oneof)) => message.oneofs.push(name_of(oneof, part.at)?),
            _ => {}
        }
    }
    file.messages.push(message);
    Ok(())
}

fn read_extension(bytes: &[u8], at: usize, scope: &str, features: Features) -> Result<Extension, Problem> {
    let mut extendee = String::new();
    for part in fields(bytes, at)? {
        if let (2, WireValue::Bytes(name)) = (part.number, part.value) {
            extendee = text(name, part.at)?;
        }
    }
    Ok(Extension { extendee, scope: scope.to_owned(), field: read_field(bytes, at, features)? })
}

fn read_field(bytes: &[u8], at: usize, features: Features) -> Result<Field, Problem> {
    let (mut name, mut json, mut type_name) = (String::new(), None, String::new());
    let (mut number, mut label, mut type_number) = (0, Label::Single, 0);
    let (mut oneof, mut is_optional, mut features) = (None, false, features);
    for part in fields(bytes, at)? {
        match (part.number, part.value) {
            (1, WireValue::Bytes(value)) => name = text(value, part.at)?,
            (3, WireValue::Number(value)) => number = value,
            (4, WireValue::Number(2)) => label = Label::Required,
            (4, WireValue::Number(3)) => label = Label::Repeated,
            (5, WireValue::Number(value)) => type_number = value,
            (6, WireValue::Bytes(value)) => type_name = text(value, part.at)?,
            (8, WireValue::Bytes(options)) => {
                let (changed, is_required) = with_field_options(features, options, part.at)?;
                features = changed;
                if is_required {
                    label = Label::Required;
                }
            }
            (9, WireValue::Number(index)) => oneof = usize::try_from(index).ok(),
            (10, WireValue::Bytes(value)) => json = Some(text(value, part.at)?),
            (17, WireValue::Number(flag)) => is_optional = flag != 0,
            _ => {}
        }
    }
    features.has_presence |= is_optional || oneof.is_some();
    features.is_delimited |= type_number == GROUP;
    let type_ref = match Scalar::numbered(type_number) {
        Some(scalar) => TypeRef::Scalar(scalar),
        None => TypeRef::Named(type_name),
    };
    Ok(Field {
        json_name: json.unwrap_or_else(|| json_name(&name)),
        name,
        number,
        label,
        type_ref,
        // The oneof of an optional field of proto3 is not in its source.
        oneof: oneof.filter(|_| !is_optional),
        features,
        place: None,
    })
}

/// The type number of groups.
const GROUP: u64 = 10;

/// The features with those of a field's options, and whether the field is required.
fn with_field_options(features: Features, options: &[u8], at: usize) -> Result<(Features, bool), Problem> {
    let mut changed = with_options(features, options, at, 21)?;
    if let Some(is_packed) = number(options, at, 2)? {
        changed.is_packed = is_packed != 0;
    }
    let set = message(options, at, 21)?.map(|(set, at)| number(set, at, 1)).transpose()?;
    Ok((changed, set.flatten() == Some(3)))
}

/// The features with those in the options' field with this number.
fn with_options(features: Features, options: &[u8], at: usize, field: u64) -> Result<Features, Problem> {
    let Some((set, at)) = message(options, at, field)? else { return Ok(features) };
    Ok(Features {
        has_presence: number(set, at, 1)?.map_or(features.has_presence, |value| value != 2),
        is_packed: number(set, at, 3)?.map_or(features.is_packed, |value| value == 1),
        is_delimited: number(set, at, 5)?.map_or(features.is_delimited, |value| value == 2),
        checks_text: number(set, at, 4)?.map_or(features.checks_text, |value| value != 3),
    })
}

/// The message in the last field with this number, with its position.
fn message(bytes: &[u8], at: usize, wanted: u64) -> Result<Option<(&[u8], usize)>, Problem> {
    Ok(fields(bytes, at)?.into_iter().rev().find_map(|field| match field.value {
        WireValue::Bytes(value) if field.number == wanted => Some((value, field.at)),
        _ => None,
    }))
}

/// The number in the last field with this number.
fn number(bytes: &[u8], at: usize, wanted: u64) -> Result<Option<u64>, Problem> {
    Ok(fields(bytes, at)?.into_iter().rev().find_map(|field| match field.value {
        WireValue::Number(value) if field.number == wanted => Some(value),
        _ => None,
    }))
}

fn read_enum(bytes: &[u8], at: usize, scope: &str) -> Result<Enum, Problem> {
    let mut declared = Enum::default();
    for part in fields(bytes, at)? {
        match (part.number, part.value) {
            (1, WireValue::Bytes(name)) => declared.full_name = qualified(scope, &text(name, part.at)?),
            (2, WireValue::Bytes(value)) => {
                let number = number(value, part.at, 2)?.unwrap_or_default();
                declared.values.push((name_of(value, part.at)?, number as i32));
            }
            _ => {}
        }
    }
    Ok(declared)
}

/// The name, which is the first field of all declarations.
fn name_of(bytes: &[u8], at: usize) -> Result<String, Problem> {
    message(bytes, at, 1)?.map_or(Ok(String::new()), |(name, at)| text(name, at))
}

fn text(bytes: &[u8], at: usize) -> Result<String, Problem> {
    protobuf::text(bytes, at).map(str::to_owned)
}
