//! Declarations of a schema as its files have them: names are not resolved yet. Both readers, of `.proto` sources and of
//! descriptor sets, produce them.

use super::tokens::Place;

/// The maximum nesting of messages.
pub(super) const MAX_DEPTH: usize = 32;

/// A file of a schema.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Its name in errors.
    pub(super) name: String,
    pub(super) package: String,
    pub(super) imports: Vec<Import>,
    /// All messages, also those inside of others.
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
    pub(super) extensions: Vec<Extension>,
}

/// An import, and its place in the file.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) path: String,
    pub(super) place: Option<Place>,
}

#[derive(Debug, Default)]
pub(super) struct Message {
    /// The name with package and outer messages, without a dot in front.
    pub(super) full_name: String,
    pub(super) fields: Vec<Field>,
    pub(super) oneofs: Vec<String>,
    /// Whether it is the hidden message for an entry of a map.
    pub(super) is_map_entry: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) json_name: String,
    pub(super) number: u64,
    pub(super) label: Label,
    pub(super) type_ref: TypeRef,
    /// The index among the message's oneofs.
    pub(super) oneof: Option<usize>,
    pub(super) features: Features,
    /// The place in the file, for errors; none in a descriptor set.
    pub(super) place: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Single,
    Required,
    Repeated,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeRef {
    Scalar(Scalar),
    /// A message or an enumeration; with a dot in front the full name.
    Named(String),
}

/// Differences between the versions of the language, and of single fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Features {
    /// Whether a field that has its default value differs from an absent one.
    pub(super) has_presence: bool,
    pub(super) is_packed: bool,
    /// Whether messages are groups on the wire.
    pub(super) is_delimited: bool,
    /// Whether strings must be UTF-8.
    pub(super) checks_text: bool,
}

impl Features {
    pub(super) const PROTO2: Features =
        Features { has_presence: true, is_packed: false, is_delimited: false, checks_text: false };
    pub(super) const PROTO3: Features =
        Features { has_presence: false, is_packed: true, is_delimited: false, checks_text: true };
    pub(super) const EDITIONS: Features =
        Features { has_presence: true, is_packed: true, is_delimited: false, checks_text: true };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payload) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    /// A string that other programs do not check: its bytes may not be UTF-8.
    UncheckedString,
    Bytes,
}

impl Scalar {
    /// All types, with their names in sources and their numbers in descriptor sets.
    pub(super) const ALL: [(Scalar, &str, u64); 16] = [
        (Scalar::Double, "double", 1),
        (Scalar::Float, "float", 2),
        (Scalar::Int64, "int64", 3),
        (Scalar::Uint64, "uint64", 4),
        (Scalar::Int32, "int32", 5),
        (Scalar::Fixed64, "fixed64", 6),
        (Scalar::Fixed32, "fixed32", 7),
        (Scalar::Bool, "bool", 8),
        (Scalar::String, "string", 9),
        (Scalar::UncheckedString, "string", 9),
        (Scalar::Bytes, "bytes", 12),
        (Scalar::Uint32, "uint32", 13),
        (Scalar::Sfixed32, "sfixed32", 15),
        (Scalar::Sfixed64, "sfixed64", 16),
        (Scalar::Sint32, "sint32", 17),
        (Scalar::Sint64, "sint64", 18),
    ];

    pub(super) fn named(name: &str) -> Option<Scalar> {
        Scalar::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    pub(super) fn numbered(number: u64) -> Option<Scalar> {
        Scalar::ALL.iter().find(|row| row.2 == number).map(|row| row.0)
    }

    pub(super) fn name(self) -> &'static str {
        Scalar::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

#[derive(Debug, Default)]
pub(super) struct Enum {
    pub(super) full_name: String,
    pub(super) values: Vec<(String, i32)>,
}

/// A field that another message declares for this one.
#[derive(Debug)]
pub(super) struct Extension {
    /// The extended message.
    pub(super) extendee: String,
    /// The message or package around the declaration, where names are looked up first.
    pub(super) scope: String,
    pub(super) field: Field,
}

/// The name in JSON for a field that does not state one: `frame_count` is `frameCount`.
pub(super) fn json_name(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut is_start_of_word = false;
    for character in name.chars() {
        if character == '_' {
            is_start_of_word = true;
        } else if std::mem::take(&mut is_start_of_word) {
            json.push(character.to_ascii_uppercase());
        } else {
            json.push(character);
        }
    }
    json
}

/// A name inside of a package or message.
pub(super) fn qualified(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
