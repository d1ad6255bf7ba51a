//! Members of objects: a key with its value.

use super::Writer;
use std::fmt::Display;

/// A number, as it displays itself.
pub(crate) fn number(name: &str, number: impl Display, json: &mut Writer<'_>) {
    json.key(name);
    json.literal(number);
}

pub(crate) fn text(name: &str, text: &str, json: &mut Writer<'_>) {
    json.key(name);
    json.string(text);
}

/// An array of objects, whose members `write` adds.
pub(crate) fn objects<T>(
    name: &str,
    all: &[T],
    json: &mut Writer<'_>,
    mut write: impl FnMut(&T, &mut Writer<'_>),
) {
    json.key(name);
    json.open_array();
    for one in all {
        json.element();
        json.open_object();
        write(one, json);
        json.close_object();
    }
    json.close_array();
}
