//! Keys and values as TOML, and the types of the values in a text.

use toml::de::{DeTable, DeValue};

/// A value in TOML: a number, or a string.
pub(super) fn literal(value: &str) -> String {
    let is_number = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
    if is_number { value.to_owned() } else { quoted(value) }
}

pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => quoted += &format!("\\u{:04X}", u32::from(character)),
            character => quoted.push(character),
        }
    }
    quoted + "\""
}

/// A key in TOML.
pub(super) fn name(text: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if !text.is_empty() && text.chars().all(is_bare) { text.to_owned() } else { quoted(text) }
}

/// All values of a text, each with its names from the top, in alphabetical order. Empty if it is not TOML.
pub(super) fn values(text: &str) -> Vec<(Vec<String>, String)> {
    let mut values = Vec::new();
    if let Ok(parsed) = DeTable::parse(text) {
        collect(parsed.get_ref(), &mut Vec::new(), &mut values);
    }
    values.sort();
    values
}

/// Adds all values below a table, each with its names.
fn collect(table: &DeTable<'_>, path: &mut Vec<String>, values: &mut Vec<(Vec<String>, String)>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(below) => collect(below, path, values),
            value => values.push((path.clone(), written(value))),
        }
        path.pop();
    }
}

/// A value without its place.
fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(is_on) => is_on.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => {
            let values = values.iter().map(|value| written(value.get_ref()) + ",");
            format!("[{}]", values.collect::<String>())
        }
        DeValue::Table(below) => {
            let mut values = Vec::new();
            collect(below, &mut Vec::new(), &mut values);
            format!("{values:?}")
        }
    }
}
