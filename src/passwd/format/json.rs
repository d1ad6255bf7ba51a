//! A list of users inside a JSON document. The rest of the document keeps its order, its indentation, and its numbers as
//! written.

use super::{Change, FormatError, Index};
use serde_core::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt;
use zeroize::Zeroizing;

/// A document, and the location of its users.
#[derive(Debug)]
pub(super) struct UserList {
    root: Value,
    /// The key of the array of users; `None` if the document is that array.
    key: Option<&'static str>,
    /// The key of a user's name.
    name: &'static str,
    index: Index,
    indent: Option<String>,
    ends_with_newline: bool,
}

impl UserList {
    pub(super) fn parse(
        text: &str,
        key: Option<&'static str>,
        name: &'static str,
    ) -> Result<UserList, FormatError> {
        let invalid = |error| FormatError::Document(format!("not a JSON document: {error}"));
        let root: Value = serde_json::from_str(text).map_err(invalid)?;
        check_keys(serde_json::from_str(text).map_err(invalid)?)?;
        let ends_with_newline = text.ends_with('\n');
        let mut list =
            UserList { root, key, name, index: Index::default(), indent: indent_of(text), ends_with_newline };
        list.build_index()?;
        Ok(list)
    }

    fn build_index(&mut self) -> Result<(), FormatError> {
        let document = |text: String| Err(FormatError::Document(text));
        if let (Some(key), Value::Object(root)) = (self.key, &mut self.root) {
            root.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        }
        let Some(users) = array(&self.root, self.key) else {
            return document(match self.key {
                Some(key) => format!("not an object with an array {key:?}"),
                None => "not an array of users".to_owned(),
            });
        };
        let mut index = Index::default();
        for (place, user) in users.iter().enumerate() {
            let Some(name) = user.get(self.name).and_then(Value::as_str) else {
                return document(format!(
                    "user {} is not an object with a string {:?}",
                    place + 1,
                    self.name
                ));
            };
            if !index.note(name, place) {
                return document(format!("duplicate user {name:?}"));
            }
        }
        self.index = index;
        Ok(())
    }

    /// Writes every value on its own line.
    pub(super) fn lay_out(&mut self) {
        self.indent = Some("  ".to_owned());
    }

    /// The rest of the document. Callers must not modify the array of users.
    pub(super) fn root(&mut self) -> &mut Value {
        &mut self.root
    }

    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        array(&self.root, self.key)?.get(self.index.find(name)?)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        let users = array(&self.root, self.key).into_iter().flatten();
        users.filter_map(|user| Some((user.get(self.name)?.as_str()?, user)))
    }

    /// Changes the user with this name, or adds it.
    pub(super) fn set(&mut self, name: &str, change: impl FnOnce(&mut Map<String, Value>, Change)) -> Change {
        let (key, name_key, found) = (self.key, self.name, self.index.find(name));
        let Some(users) = array_mut(&mut self.root, key) else {
            unreachable!("the array was found when the document was read");
        };
        if let Some(Value::Object(user)) = found.and_then(|place| users.get_mut(place)) {
            change(user, Change::Updated);
            return Change::Updated;
        }
        let mut user = Map::new();
        user.insert(name_key.to_owned(), name.into());
        change(&mut user, Change::Added);
        users.push(Value::Object(user));
        self.index.note(name, users.len() - 1);
        Change::Added
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        let Some(place) = self.index.remove(name) else { return false };
        if let Some(users) = array_mut(&mut self.root, self.key) {
            users.remove(place);
        }
        true
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut text = match &self.indent {
            Some(indent) => pretty(&self.root, indent.as_bytes()),
            None => self.root.to_string().into_bytes(),
        };
        text.extend(self.ends_with_newline.then_some(b'\n'));
        Zeroizing::new(text)
    }
}

/// The value of a key, if it is a string.
pub(super) fn text<'v>(user: &'v Value, key: &str) -> Option<&'v str> {
    user.get(key)?.as_str()
}

fn array<'v>(root: &'v Value, key: Option<&str>) -> Option<&'v Vec<Value>> {
    key.map_or(Some(root), |key| root.get(key))?.as_array()
}

fn array_mut<'v>(root: &'v mut Value, key: Option<&str>) -> Option<&'v mut Vec<Value>> {
    match key {
        Some(key) => root.get_mut(key)?.as_array_mut(),
        None => root.as_array_mut(),
    }
}

fn pretty(value: &Value, indent: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let layout = serde_json::ser::PrettyFormatter::with_indent(indent);
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, layout);
    let written = serde_core::Serialize::serialize(value, &mut writer);
    debug_assert!(written.is_ok(), "a value with text keys can be written to memory");
    bytes
}

/// The indentation of the first indented line; `None` for a document on one line.
fn indent_of(text: &str) -> Option<String> {
    let mut lines = text.trim_end().lines().skip(1).peekable();
    lines.peek()?;
    let blank = |line: &str| -> String { line.chars().take_while(|&c| c == ' ' || c == '\t').collect() };
    Some(lines.map(blank).find(|blank| !blank.is_empty()).unwrap_or_default())
}

/// Rejects duplicate keys in an object: the parsed tree keeps only one of them, so the other would be lost.
fn check_keys(text: &RawValue) -> Result<(), FormatError> {
    let invalid = |error: serde_json::Error| FormatError::Document(error.to_string());
    match text.get().as_bytes().first() {
        Some(b'{') => {
            let mut reader = serde_json::Deserializer::from_str(text.get());
            let pairs = reader.deserialize_map(Pairs).map_err(invalid)?;
            let mut seen = HashSet::new();
            for (key, value) in pairs {
                check_keys(value)?;
                if let Some(twice) = seen.replace(key) {
                    return Err(FormatError::Document(format!("duplicate key {twice:?} in an object")));
                }
            }
            Ok(())
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(text.get()).map_err(invalid)?;
            values.into_iter().try_for_each(check_keys)
        }
        _ => Ok(()),
    }
}

/// Reads all keys of an object with their values, including duplicates.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
