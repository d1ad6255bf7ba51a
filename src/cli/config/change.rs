//! Changes a single value in the text of a file of profiles. Everything else, comments included, stays as it is.

use super::check::problem;
use super::document::{DEFAULT_PROFILE, DEFAULTS, Document, PROFILES, unknown_key};
use super::file::{self, Source};
use super::options::{Options, is_flag, is_repeated, key};
use crate::cli::Error;
use clap::Arg;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The value to set, and its place.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// The profile; without one, the defaults.
    pub(crate) profile: Option<&'a str>,
    pub(crate) key: &'a str,
    pub(crate) values: &'a [String],
}

impl Change<'_> {
    /// The table with the key, by its names from the top.
    fn table(&self) -> Vec<&str> {
        match self.profile {
            Some(profile) => vec![PROFILES, profile],
            None if self.key == DEFAULT_PROFILE => Vec::new(),
            None => vec![DEFAULTS],
        }
    }

    /// The new text of the file with this path, text and mode.
    ///
    /// # Errors
    /// If the text, the key or the value is invalid.
    pub(crate) fn apply(&self, path: &Path, text: &str, mode: u32) -> Result<String, Error> {
        let options = Options::all();
        let source = |text: &str| Source { path: path.to_owned(), text: text.to_owned(), mode };
        let before = Document::read(&source(text), &options);
        if let Some(mistake) = before.mistakes.first() {
            return Err(Error::usage(format!("in {mistake}")));
        }
        let literal = self.literal(&options)?;
        let changed = changed(text, &self.table(), self.key, &literal)?;
        let after = Document::read(&source(&changed), &options);
        if let Some(mistake) = after.mistakes.first() {
            return Err(Error::usage(mistake.problem.clone()));
        }
        let invalid =
            after.entries().filter(|entry| entry.key == self.key).find_map(|entry| problem(&options, entry));
        match invalid {
            Some(problem) => Err(Error::usage(problem)),
            None => Ok(changed),
        }
    }

    /// The value in TOML.
    fn literal(&self, options: &Options) -> Result<String, Error> {
        let one = |value: &String, arg: Option<&Arg>| match arg {
            Some(arg) if is_flag(arg) => match value.as_str() {
                "true" | "false" => Ok(value.clone()),
                _ => Err(Error::usage(format!(
                    "invalid value '{value}' for {}: expected true or false",
                    self.key
                ))),
            },
            _ => Ok(literal(value)),
        };
        if self.key == DEFAULT_PROFILE && self.profile.is_none() {
            let [value] = self.values else {
                return Err(Error::usage(format!("{DEFAULT_PROFILE} takes one value")));
            };
            return Ok(quoted(value));
        }
        let arg = options.find(self.key).ok_or_else(|| Error::usage(unknown_key(options, self.key)))?;
        let values = self.values.iter().map(|value| one(value, Some(arg))).collect::<Result<Vec<_>, _>>()?;
        match values.as_slice() {
            [value] => Ok(value.clone()),
            values if is_repeated(arg) => Ok(format!("[{}]", values.join(", "))),
            _ => Err(Error::usage(format!("{} takes one value", key(arg)))),
        }
    }
}

/// The text with the value in this table, which is added if it is missing.
fn changed(text: &str, table: &[&str], key: &str, literal: &str) -> Result<String, Error> {
    let parsed = DeTable::parse(text).map_err(|error| Error::usage(error.message()))?;
    let line = format!("{} = {literal}", name(key));
    let changed = match find(parsed.get_ref(), table) {
        Some((header, found)) => match value_in(found, key) {
            Some(value) => replaced(text, value.span(), literal),
            None if table.is_empty() => inserted(text, first_place(text, found), &(line + "\n")),
            None => {
                let values = found.iter().map(|(_, value)| value);
                let ends = values.filter(|value| !value.get_ref().is_table()).map(|value| value.span().end);
                inserted(text, line_end(text, ends.max().unwrap_or(header)), &line)
            }
        },
        None => {
            let header = table.iter().map(|part| name(part)).collect::<Vec<_>>().join(".");
            let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
            inserted(text, text.len(), &format!("{gap}[{header}]\n{line}"))
        }
    };
    // Tables can be written in other ways, of which not all can be changed like this.
    if is_set(&changed, table, key, literal) && same_except(text, &changed, table, key) {
        Ok(changed)
    } else {
        Err(Error::usage(format!("{key} cannot be set in the form of this file; `mq config edit` opens it")))
    }
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

fn value_in<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a Spanned<DeValue<'t>>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
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

fn replaced(text: &str, span: Range<usize>, new: &str) -> String {
    let (before, after) =
        (text.get(..span.start).unwrap_or_default(), text.get(span.end..).unwrap_or_default());
    format!("{before}{new}{after}")
}

fn inserted(text: &str, place: usize, line: &str) -> String {
    let (before, after) = text.split_at_checked(place).unwrap_or((text, ""));
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{end}{line}\n{after}")
}

fn is_set(text: &str, table: &[&str], key: &str, literal: &str) -> bool {
    let Ok(parsed) = DeTable::parse(text) else { return false };
    let span = find(parsed.get_ref(), table).and_then(|(_, found)| Some(value_in(found, key)?.span()));
    span.and_then(|span| text.get(span)) == Some(literal)
}

/// Whether two texts have the same values but for this one.
fn same_except(before: &str, after: &str, table: &[&str], key: &str) -> bool {
    let path =
        |names: &[&str], key: &str| names.iter().chain(&[key]).map(ToString::to_string).collect::<Vec<_>>();
    let changed = path(table, key);
    let values = |text: &str| {
        let mut values = Vec::new();
        if let Ok(parsed) = DeTable::parse(text) {
            collect(parsed.get_ref(), &mut Vec::new(), &mut values);
        }
        values.retain(|(path, _)| *path != changed);
        values.sort();
        values
    };
    values(before) == values(after)
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
        DeValue::Array(values) => values.iter().map(|value| written(value.get_ref()) + ",").collect(),
        DeValue::Table(below) => {
            let mut values = Vec::new();
            collect(below, &mut Vec::new(), &mut values);
            format!("{values:?}")
        }
    }
}

/// A value in TOML: a number, or a string.
fn literal(value: &str) -> String {
    let is_number = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
    if is_number { value.to_owned() } else { quoted(value) }
}

fn quoted(text: &str) -> String {
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
fn name(text: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if !text.is_empty() && text.chars().all(is_bare) { text.to_owned() } else { quoted(text) }
}

/// Reads the file, without a check.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read(path: &Path) -> Result<(String, u32), Error> {
    let source = file::read_from(path)?;
    Ok((source.text, source.mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Ours.\n\n# The usual one.\n[defaults] # for all\nkeepalive = 30 # s\n\n[profile.home]\nhost = 'a' # here\n\n[profile.b]\n";

    fn set(text: &str, profile: Option<&str>, key: &str, values: &[&str]) -> Result<String, String> {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let change = Change { profile, key, values: &values };
        change.apply(Path::new("config.toml"), text, 0o600).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_replaced_or_added_and_comments_stay() {
        let changed = |profile, key, value| set(TEXT, profile, key, &[value]).unwrap();
        assert_eq!(changed(None, "keepalive", "60"), TEXT.replace("30", "60"));
        assert_eq!(changed(Some("home"), "host", "b\"c"), TEXT.replace("'a'", "\"b\\\"c\""));
        assert_eq!(changed(Some("home"), "ws", "true"), TEXT.replace("# here\n", "# here\nws = true\n"));
        assert_eq!(changed(Some("b"), "port", "1884"), format!("{TEXT}port = 1884\n"));
        assert_eq!(changed(Some("c d"), "port", "1884"), format!("{TEXT}\n[profile.\"c d\"]\nport = 1884\n"));
        assert_eq!(changed(None, "host", "x"), TEXT.replace("# s\n", "# s\nhost = \"x\"\n"));
        let default = changed(None, "default-profile", "home");
        assert_eq!(default, TEXT.replace("# The", "default-profile = \"home\"\n\n# The"));
        assert_eq!(set("", None, "host", &["x"]).unwrap(), "[defaults]\nhost = \"x\"\n");
        assert_eq!(set("[defaults]", None, "host", &["x"]).unwrap(), "[defaults]\nhost = \"x\"\n");
        let lists = set("", Some("a"), "ws-header", &["A: b", "C: d"]).unwrap();
        assert_eq!(lists, "[profile.a]\nws-header = [\"A: b\", \"C: d\"]\n");
    }

    #[test]
    fn tables_in_other_forms_are_changed_or_refused() {
        let inline = "profile = { home = { host = 'a' } }\n";
        assert_eq!(set(inline, Some("home"), "host", &["b"]).unwrap(), inline.replace("'a'", "\"b\""));
        assert!(set(inline, Some("home"), "port", &["1"]).unwrap_err().contains("mq config edit"));
        let dotted = "profile.home.host = 'a'\n";
        assert_eq!(set(dotted, Some("home"), "host", &["b"]).unwrap(), dotted.replace("'a'", "\"b\""));
        assert!(set(dotted, Some("home"), "port", &["1"]).unwrap_err().contains("mq config edit"));
    }

    #[test]
    fn invalid_keys_values_and_files_are_refused() {
        let problem = |profile, key: &str, values: &[&str]| set(TEXT, profile, key, values).unwrap_err();
        assert!(problem(None, "hostt", &["x"]).contains("did you mean 'host'"));
        assert!(problem(None, "port", &["65536"]).contains("65536"));
        assert!(problem(None, "ws", &["yes"]).contains("true or false"));
        assert!(problem(None, "host", &["a", "b"]).contains("one value"));
        assert!(problem(None, "default-profile", &["x"]).contains("unknown profile"));
        assert!(set("[defaults", None, "host", &["x"]).unwrap_err().contains("line 1"));
    }
}
