//! A schema whose names are resolved: messages refer to each other by index.

use super::declaration::{self, File, Label, Scalar, TypeRef, qualified};
use super::well_known::WellKnown;
use crate::suggestion::did_you_mean;
use std::collections::HashMap;

/// The messages and enumerations of a schema.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    names: HashMap<String, Symbol>,
}

/// A message of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageId(usize);

#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) name: String,
    /// In the order of their numbers.
    pub(super) fields: Vec<Field>,
    /// The fields by their names, of both kinds.
    by_name: HashMap<String, usize>,
    pub(super) oneofs: Vec<String>,
    /// The indices of the required fields.
    pub(super) required: Vec<usize>,
    pub(super) known: Option<WellKnown>,
    is_map_entry: bool,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) json_name: String,
    pub(super) kind: Kind,
    pub(super) cardinality: Cardinality,
    pub(super) oneof: Option<usize>,
    /// Whether the default value differs from no value.
    pub(super) has_presence: bool,
    /// Whether its message is a group on the wire.
    pub(super) is_delimited: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(Scalar),
    Message(MessageId),
    Enum(EnumId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cardinality {
    Single,
    Required,
    Repeated {
        is_packed: bool,
    },
    /// Its message has a key and a value.
    Map,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EnumId(usize);

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) values: Vec<(String, i32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Message(MessageId),
    Enum(EnumId),
}

/// The number of names in an error.
const NAMED: usize = 12;

impl Schema {
    pub(super) fn message(&self, id: MessageId) -> &Message {
        self.messages.get(id.0).expect("an identifier is of its schema")
    }

    pub(super) fn enumeration(&self, id: EnumId) -> &Enum {
        self.enums.get(id.0).expect("an identifier is of its schema")
    }

    pub(super) fn find(&self, full_name: &str) -> Option<MessageId> {
        match self.names.get(full_name)? {
            Symbol::Message(id) => Some(*id),
            Symbol::Enum(_) => None,
        }
    }

    /// The full name of a message.
    pub(crate) fn name(&self, id: MessageId) -> &str {
        &self.message(id).name
    }

    /// The message with this full name.
    ///
    /// # Errors
    /// The names of the schema's messages, and the likeliest of them.
    pub(crate) fn named(&self, name: &str) -> Result<MessageId, String> {
        let full_name = name.strip_prefix('.').unwrap_or(name);
        self.find(full_name).ok_or_else(|| {
            let names = self.message_names();
            let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            let same = names.iter().find(|known| last(known) == last(full_name));
            let tip = match same {
                Some(known) => format!("; did you mean '{known}'?"),
                None => did_you_mean(full_name, names.iter().copied()),
            };
            format!("unknown message type '{name}': the schema has {}{tip}", listed(&names))
        })
    }

    /// The messages of the schema, as a list for people.
    pub(crate) fn listed(&self) -> String {
        listed(&self.message_names())
    }

    /// The names of all messages but those of Google's package, sorted.
    fn message_names(&self) -> Vec<&str> {
        let named = self.messages.iter().filter(|message| !message.is_map_entry);
        let mut names: Vec<&str> = named.map(|message| message.name.as_str()).collect();
        if names.iter().any(|name| !name.starts_with("google.protobuf.")) {
            names.retain(|name| !name.starts_with("google.protobuf."));
        }
        names.sort_unstable();
        names
    }

    /// Resolves the names of these files.
    ///
    /// # Errors
    /// The index of the file with an unknown or duplicate name, and the problem.
    pub(super) fn link(files: &[File]) -> Result<Schema, (usize, String)> {
        let mut schema = Schema::default();
        for (index, file) in files.iter().enumerate() {
            schema.add_names(file).map_err(|problem| (index, problem))?;
        }
        let mut next = 0;
        for (index, file) in files.iter().enumerate() {
            for declared in &file.messages {
                let message = schema.linked_message(declared).map_err(|problem| (index, problem))?;
                if let Some(slot) = schema.messages.get_mut(next) {
                    *slot = message;
                }
                next += 1;
            }
        }
        for (index, file) in files.iter().enumerate() {
            for extension in &file.extensions {
                schema.add_extension(extension).map_err(|problem| (index, problem))?;
            }
        }
        for index in 0..schema.messages.len() {
            schema.resolve_map_fields(index);
        }
        schema.messages.iter_mut().for_each(Message::index);
        Ok(schema)
    }

    fn add_names(&mut self, file: &File) -> Result<(), String> {
        for message in &file.messages {
            let id = MessageId(self.messages.len());
            // References ask whether a message is a map entry, so this is known before the fields.
            let is_map_entry = message.is_map_entry;
            self.messages.push(Message {
                name: message.full_name.clone(),
                is_map_entry,
                ..Message::default()
            });
            self.add_name(&message.full_name, Symbol::Message(id))?;
        }
        for declared in &file.enums {
            let id = EnumId(self.enums.len());
            self.enums.push(Enum { name: declared.full_name.clone(), values: declared.values.clone() });
            self.add_name(&declared.full_name, Symbol::Enum(id))?;
        }
        Ok(())
    }

    fn add_name(&mut self, name: &str, symbol: Symbol) -> Result<(), String> {
        match self.names.insert(name.to_owned(), symbol) {
            Some(_) => {
                // The entry of a map has a name of ours; its message is declared twice as well.
                let of_map = name.strip_suffix("@entry").and_then(|field| field.rsplit_once('.'));
                let name = of_map.map_or(name, |(message, _)| message);
                Err(format!("'{name}' is declared twice"))
            }
            None => Ok(()),
        }
    }

    fn linked_message(&self, declared: &declaration::Message) -> Result<Message, String> {
        let mut fields = Vec::with_capacity(declared.fields.len());
        for field in &declared.fields {
            fields.push(self.linked_field(field, &declared.full_name)?);
        }
        Ok(Message {
            name: declared.full_name.clone(),
            fields,
            oneofs: declared.oneofs.clone(),
            known: WellKnown::named(&declared.full_name),
            is_map_entry: declared.is_map_entry,
            ..Message::default()
        })
    }

    fn linked_field(&self, field: &declaration::Field, scope: &str) -> Result<Field, String> {
        let kind = match &field.type_ref {
            TypeRef::Scalar(Scalar::String) if !field.features.checks_text => {
                Kind::Scalar(Scalar::UncheckedString)
            }
            TypeRef::Scalar(scalar) => Kind::Scalar(*scalar),
            TypeRef::Named(name) => match self.resolve(name, scope) {
                Some(Symbol::Message(id)) => Kind::Message(id),
                Some(Symbol::Enum(id)) => Kind::Enum(id),
                None => return Err(self.unresolved(name, field, scope)),
            },
        };
        let is_packable = !matches!(
            kind,
            Kind::Message(_) | Kind::Scalar(Scalar::String | Scalar::UncheckedString | Scalar::Bytes)
        );
        let cardinality = match field.label {
            Label::Single => Cardinality::Single,
            Label::Required => Cardinality::Required,
            Label::Repeated => Cardinality::Repeated { is_packed: is_packable && field.features.is_packed },
        };
        let is_message = matches!(kind, Kind::Message(_));
        Ok(Field {
            number: field.number,
            name: field.name.clone(),
            json_name: field.json_name.clone(),
            kind,
            cardinality,
            oneof: field.oneof,
            has_presence: is_message || field.features.has_presence,
            is_delimited: is_message && field.features.is_delimited,
        })
    }

    fn unresolved(&self, name: &str, field: &declaration::Field, scope: &str) -> String {
        let names = self.names.keys().map(String::as_str);
        let tip = did_you_mean(name.trim_start_matches('.'), names);
        let name = name.strip_prefix('.').unwrap_or(name);
        let unknown = format!("unknown type '{name}' of the field {} in {scope}{tip}", field.name);
        match field.place {
            Some(place) => format!("{place}: {unknown}"),
            None => format!("{unknown}; a descriptor set needs `protoc --include_imports`"),
        }
    }

    /// Looks a name up from the innermost scope outwards; a dot in front makes it a full name.
    fn resolve(&self, name: &str, scope: &str) -> Option<Symbol> {
        if let Some(full_name) = name.strip_prefix('.') {
            return self.names.get(full_name).copied();
        }
        let mut scope = Some(scope);
        while let Some(outer) = scope {
            if let Some(symbol) = self.names.get(&qualified(outer, name)) {
                return Some(*symbol);
            }
            scope = (!outer.is_empty()).then(|| outer.rsplit_once('.').map_or("", |(outer, _)| outer));
        }
        None
    }

    fn add_extension(&mut self, extension: &declaration::Extension) -> Result<(), String> {
        let Some(Symbol::Message(id)) = self.resolve(&extension.extendee, &extension.scope) else {
            let name = extension.extendee.trim_start_matches('.');
            return Err(format!("unknown message '{name}' that {} extends", extension.field.name));
        };
        let field = self.linked_field(&extension.field, &extension.scope)?;
        let json_name = format!("[{}]", qualified(&extension.scope, &field.name));
        let field = Field { name: json_name.clone(), json_name, has_presence: true, ..field };
        if let Some(message) = self.messages.get_mut(id.0) {
            message.fields.push(field);
        }
        Ok(())
    }

    fn resolve_map_fields(&mut self, index: usize) {
        let is_map = |schema: &Schema, field: &Field| match (field.kind, field.cardinality) {
            (Kind::Message(id), Cardinality::Repeated { .. }) => schema.message(id).is_map_entry,
            _ => false,
        };
        let Some(message) = self.messages.get(index) else { return };
        let maps: Vec<bool> = message.fields.iter().map(|field| is_map(self, field)).collect();
        let Some(message) = self.messages.get_mut(index) else { return };
        for (field, is_map) in message.fields.iter_mut().zip(maps) {
            if is_map {
                field.cardinality = Cardinality::Map;
            }
        }
    }
}

impl Message {
    /// Sorts the fields by number, and indexes their names.
    fn index(&mut self) {
        self.fields.sort_by_key(|field| field.number);
        let all = self.fields.iter().enumerate();
        let required = all.filter(|(_, field)| field.cardinality == Cardinality::Required);
        self.required = required.map(|(index, _)| index).collect();
        for (index, field) in self.fields.iter().enumerate() {
            self.by_name.insert(field.name.clone(), index);
        }
        // A name in JSON takes precedence.
        for (index, field) in self.fields.iter().enumerate() {
            self.by_name.insert(field.json_name.clone(), index);
        }
    }

    pub(super) fn index_of(&self, number: u64) -> Option<usize> {
        self.fields.binary_search_by_key(&number, |field| field.number).ok()
    }

    pub(super) fn index_of_name(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn field(&self, number: u64) -> Option<&Field> {
        self.fields.get(self.index_of(number)?)
    }
}

/// The first names of a list, and the number of the others.
fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "no messages".to_owned();
    }
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
