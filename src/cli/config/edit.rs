//! Sets or removes a single value in the text of a file. Everything else, comments included, stays as it is.

use super::list_text;
use super::toml_value::{name, values};
use crate::cli::Error;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value as TOML.
#[derive(Debug)]
pub(super) enum Literal {
    One(String),
    List(Vec<String>),
}

impl Literal {
    fn text(&self) -> String {
        match self {
            Literal::One(text) => text.clone(),
            Literal::List(values) => format!("[{}]", values.join(", ")),
        }
    }
}

/// The text with the value in this table, which is added if it is missing.
pub(super) fn with(text: &str, table: &[&str], key: &str, literal: &Literal) -> Result<String, Error> {
    let parsed = parse(text)?;
    let line = format!("{} = {}", name(key), literal.text());
    let appended = || {
        let header = table.iter().map(|part| name(part)).collect::<Vec<_>>().join(".");
        let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
        inserted(text, text.len(), &format!("{gap}[{header}]\n{line}"))
    };
    let found = find(parsed.get_ref(), table);
    let changed = match &found {
        Some((header, found)) => match entry_in(found, key) {
            Some((_, value)) => replaced(text, value, literal),
            None if table.is_empty() => inserted(text, first_place(text, found), &(line.clone() + "\n")),
            None => {
                let values = found.iter().map(|(_, value)| value);
                let ends = values.filter(|value| !value.get_ref().is_table()).map(|value| value.span().end);
                inserted(text, line_end(text, ends.max().unwrap_or(*header)), &line)
            }
        },
        None => appended(),
    };
    // Tables can be written in other ways, of which not all can be changed like this. One that exists only by a table below it
    // needs a header of its own.
    let is_changed = |changed: &String| {
        let set = format!("x = {}", literal.text());
        let expected = values(&set).into_iter().map(|(_, value)| value).next();
        value_at(changed, table, key) == expected && is_same_except(text, changed, table, key)
    };
    let candidates = [Some(changed), found.is_some().then(appended)];
    candidates.into_iter().flatten().find(is_changed).ok_or_else(|| not_possible(key, "set"))
}

/// The text without the value in this table; `None` if the table does not have it. Comments on its lines stay.
pub(super) fn without(text: &str, table: &[&str], key: &str) -> Result<Option<String>, Error> {
    let parsed = parse(text)?;
    let entry = find(parsed.get_ref(), table).and_then(|(_, found)| entry_in(found, key));
    let Some((key_span, value)) = entry else { return Ok(None) };
    let start = line_start(text, key_span.start);
    let end = line_end(text, value.span().end);
    let before = text.get(start..key_span.start).unwrap_or_default();
    let rest = text.get(value.span().end..end).unwrap_or_default();
    let mut comments = match value.get_ref() {
        DeValue::Array(values) => list_text::comments(text, value.span(), values),
        _ => Vec::new(),
    };
    let comment = rest.trim();
    if !comment.is_empty() {
        comments.push(comment.to_owned());
    }
    let indent = before.get(..before.len() - before.trim_start().len()).unwrap_or_default();
    let lines: String = comments.iter().map(|comment| format!("{indent}{comment}\n")).collect();
    let changed = spliced(text, start..end, &lines);
    let is_line = !before.contains(['{', '[']) && (comment.is_empty() || comment.starts_with('#'));
    let is_removed = || {
        parse(&changed).is_ok()
            && value_at(&changed, table, key).is_none()
            && is_same_except(text, &changed, table, key)
    };
    if is_line && is_removed() { Ok(Some(changed)) } else { Err(not_possible(key, "unset")) }
}

fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Error> {
    DeTable::parse(text).map_err(|error| Error::usage(error.message()))
}

fn not_possible(key: &str, action: &str) -> Error {
    Error::usage(format!("{key} cannot be {action} in the form of this file; `mq config edit` opens it"))
}

/// The table with these names, and the place of its header.
fn find<'a, 't>(top: &'a DeTable<'t>, names: &[&str]) -> Option<(usize, &'a DeTable<'t>)> {
    let (mut place, mut table) = (0, top);
    for name in names {
        let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
        let DeValue::Table(below) = value.get_ref() else { return None };
        (place, table) = (key.span().end, below);
    }
    Some((place, table))
}

/// The place of a key, and its value.
fn entry_in<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<(Range<usize>, &'a Spanned<DeValue<'t>>)> {
    let found = table.iter().find(|(name, _)| name.get_ref() == key);
    found.map(|(name, value)| (name.span(), value))
}

/// The place for a key of the top: before the first table or key, and before the comment above it.
fn first_place(text: &str, top: &DeTable<'_>) -> usize {
    let first = top.iter().map(|(key, _)| key.span().start).min().unwrap_or(text.len());
    let mut start = line_start(text, first);
    while let Some(before) = text.get(..start.saturating_sub(1)).filter(|_| start > 0) {
        let above = line_start(before, before.len());
        if !before.get(above..).is_some_and(|line| line.trim_start().starts_with('#')) {
            break;
        }
        start = above;
    }
    start
}

fn line_start(text: &str, place: usize) -> usize {
    text.get(..place).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// The place after the line end.
fn line_end(text: &str, place: usize) -> usize {
    text.get(place..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| place + end + 1)
}

/// The text with another value at the place of this one. The comments in a list stay.
fn replaced(text: &str, value: &Spanned<DeValue<'_>>, literal: &Literal) -> String {
    let span = value.span();
    match (value.get_ref(), literal) {
        (DeValue::Array(values), Literal::List(new)) => {
            let list = list_text::changed(text, span.clone(), values, new);
            spliced(text, span, &list)
        }
        (DeValue::Array(values), Literal::One(new)) => {
            let comments = list_text::comments(text, span.clone(), values);
            let lines: String = comments.iter().map(|comment| comment.to_owned() + "\n").collect();
            let start = line_start(text, span.start);
            spliced(&spliced(text, span, new), start..start, &lines)
        }
        _ => spliced(text, span, &literal.text()),
    }
}

fn spliced(text: &str, span: Range<usize>, new: &str) -> String {
    let (before, after) =
        (text.get(..span.start).unwrap_or_default(), text.get(span.end..).unwrap_or_default());
    format!("{before}{new}{after}")
}

fn inserted(text: &str, place: usize, line: &str) -> String {
    let (before, after) = text.split_at_checked(place).unwrap_or((text, ""));
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{end}{line}\n{after}")
}

/// The names of a value from the top.
fn path(table: &[&str], key: &str) -> Vec<String> {
    table.iter().chain(&[key]).map(ToString::to_string).collect()
}

fn value_at(text: &str, table: &[&str], key: &str) -> Option<String> {
    let path = path(table, key);
    values(text).into_iter().find(|(names, _)| *names == path).map(|(_, value)| value)
}

/// Whether two texts have the same values but for this one.
fn is_same_except(before: &str, after: &str, table: &[&str], key: &str) -> bool {
    let changed = path(table, key);
    let others = |text: &str| {
        let mut values = values(text);
        values.retain(|(path, _)| *path != changed);
        values
    };
    others(before) == others(after)
}
