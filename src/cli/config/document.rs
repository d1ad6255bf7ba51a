//! The content of a file of profiles: its tables with their entries, and all mistakes.

use super::entry::{Entry, Origin, Place};
use super::file::Source;
use super::options::{Options, PAYLOADS, SCHEMA, is_flag, is_path, is_repeated, key};
use crate::cli::schema::configured_rule;
use crate::cli::toml_text::Places;
use crate::cli::values::one_of;
use crate::suggestion::{did_you_mean, similar};
use clap::Arg;
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(in crate::cli) const DEFAULT_PROFILE: &str = "default-profile";
pub(super) const DEFAULTS: &str = "defaults";
pub(super) const PROFILES: &str = "profile";

/// Mode bits for readers other than the owner.
const OTHERS: u32 = 0o044;

/// The problem of a file that others can read, after the key.
pub(super) const EXPOSED: &str = " is a secret, and other users can read the file";

/// A file of profiles.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) default_profile: Option<(String, Place)>,
    pub(super) defaults: Vec<Entry>,
    pub(super) profiles: Vec<Profile>,
    /// Sorted by place.
    pub(super) mistakes: Vec<Mistake>,
}

#[derive(Debug)]
pub(super) struct Profile {
    pub(super) name: Rc<str>,
    pub(super) place: Place,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) struct Mistake {
    pub(super) place: Place,
    pub(super) problem: String,
    /// What corrects it, if that is not in the problem.
    pub(super) remedy: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl Document {
    pub(super) fn read(source: &Source, options: &Options) -> Document {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let mut reader = Reader {
            places: Places::of(&source.text),
            path: Rc::from(source.path.as_path()),
            options,
            document: Document::default(),
        };
        for error in errors {
            let problem = error.message().replace('\n', ", ");
            reader.mistake(error.span().unwrap_or_default(), problem);
        }
        // Entries recovered from invalid TOML may be wrong.
        if reader.document.mistakes.is_empty() {
            reader.document(table.get_ref());
            reader.check_mode(source.mode);
        }
        let mut document = reader.document;
        document.profiles.sort_by_key(|profile| profile.place.line);
        document.mistakes.sort_by_key(|mistake| (mistake.place.line, mistake.place.column));
        document
    }

    pub(super) fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| &*profile.name == name)
    }

    /// The entries of all tables.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.defaults.iter().chain(self.profiles.iter().flat_map(|profile| &profile.entries))
    }
}

struct Reader<'a> {
    places: Places<'a>,
    path: Rc<Path>,
    options: &'a Options,
    document: Document,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        let (line, column) = self.places.place(span.start);
        Place { path: self.path.clone(), line, column }
    }

    fn mistake(&mut self, span: Range<usize>, problem: impl Into<String>) {
        let place = self.place(span);
        self.document.mistakes.push(Mistake { place, problem: problem.into(), remedy: None });
    }

    fn document(&mut self, table: &DeTable<'_>) {
        let mut payloads = Vec::new();
        for (name, value) in table {
            match (name.get_ref().as_ref(), value.get_ref()) {
                (DEFAULT_PROFILE, DeValue::String(profile)) => {
                    self.document.default_profile = Some((profile.to_string(), self.place(value.span())));
                }
                (DEFAULT_PROFILE, _) => {
                    self.mistake(value.span(), "default-profile: expected the name of a profile");
                }
                (DEFAULTS, DeValue::Table(entries)) => {
                    self.document.defaults = self.entries(entries, &Origin::Defaults);
                }
                (PROFILES, DeValue::Table(profiles)) => self.profiles(profiles),
                (PAYLOADS, DeValue::Table(types)) => payloads = self.payloads(types, &Origin::Defaults),
                (DEFAULTS | PROFILES | PAYLOADS, _) => {
                    self.mistake(name.span(), "expected a table, as in [defaults] or [profile.home]");
                }
                (unknown, _) => self.mistake(name.span(), self.unknown_at_the_top(unknown)),
            }
        }
        self.document.defaults.extend(payloads);
        if let Some((name, place)) = self.document.default_profile.clone()
            && self.document.profile(&name).is_none()
        {
            let problem = no_profile(&name, &self.document);
            self.document.mistakes.push(Mistake { place, problem, remedy: None });
        }
    }

    fn unknown_at_the_top(&self, unknown: &str) -> String {
        if self.options.find(unknown).is_some() {
            return format!("{unknown} belongs below [defaults] or a profile, as in [profile.home]");
        }
        let tip = did_you_mean(unknown, [DEFAULT_PROFILE, DEFAULTS, PROFILES, PAYLOADS]);
        format!(
            "unknown name {unknown:?}: expected default-profile, [defaults], [payloads] or [profile.NAME]{tip}"
        )
    }

    fn profiles(&mut self, profiles: &DeTable<'_>) {
        for (name, value) in profiles {
            let DeValue::Table(entries) = value.get_ref() else {
                let problem =
                    format!("{:?} is not a table; expected a profile, as in [profile.home]", name.get_ref());
                self.mistake(name.span(), problem);
                continue;
            };
            let name_text: Rc<str> = Rc::from(name.get_ref().as_ref());
            let origin = |place| Origin::Profile { name: name_text.clone(), place };
            let entries = self.entries(entries, &origin);
            let place = self.place(name.span());
            self.document.profiles.push(Profile { name: name_text.clone(), place, entries });
        }
    }

    /// The entries of a table, in the order of the text.
    fn entries(&mut self, table: &DeTable<'_>, origin: &dyn Fn(Place) -> Origin) -> Vec<Entry> {
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(name, _)| name.span().start);
        let mut entries = Vec::new();
        for (name, value) in rows {
            if let (PAYLOADS, DeValue::Table(types)) = (name.get_ref().as_ref(), value.get_ref()) {
                entries.extend(self.payloads(types, origin));
                continue;
            }
            match self.options.find(name.get_ref()) {
                Some(arg) => entries.extend(self.values(arg, name.span(), value, origin)),
                None => self.mistake(name.span(), unknown_key(self.options, name.get_ref())),
            }
        }
        entries
    }

    /// The entries of a table of message types: the schema's files, and a type for each topic filter.
    fn payloads(&mut self, table: &DeTable<'_>, origin: &dyn Fn(Place) -> Origin) -> Vec<Entry> {
        let [schema, message_type] = self.options.of_payloads();
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(name, _)| name.span().start);
        let mut entries = Vec::new();
        for (name, value) in rows {
            let place = self.place(name.span());
            if name.get_ref() == SCHEMA {
                let files = self.values(schema, name.span(), value, origin);
                if files.iter().any(|file| file.value().is_empty()) {
                    self.mistake(value.span(), "schema: expected the path of a file");
                    continue;
                }
                entries.extend(
                    files.iter().map(|file| Entry::of_payloads(schema, file.value(), origin(place.clone()))),
                );
                continue;
            }
            let DeValue::String(type_name) = value.get_ref() else {
                let problem = "expected FILTER = \"pkg.Message\", or schema = \"FILE\"";
                self.mistake(value.span(), problem);
                continue;
            };
            let rule = format!("{}={type_name}", name.get_ref());
            if let Err(problem) = configured_rule(&rule) {
                let problem = format!("invalid entry {:?} = {type_name:?}: {problem}", name.get_ref());
                self.mistake(name.span(), problem);
                continue;
            }
            entries.push(Entry::of_payloads(message_type, rule.as_ref(), origin(place)));
        }
        entries
    }

    /// The entries of a key: several for a repeatable option.
    fn values(
        &mut self,
        arg: &Arg,
        key_span: Range<usize>,
        value: &Spanned<DeValue<'_>>,
        origin: &dyn Fn(Place) -> Origin,
    ) -> Vec<Entry> {
        let values: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::Array(values) if is_repeated(arg) => values.iter().collect(),
            _ => vec![value],
        };
        let is_list = matches!(value.get_ref(), DeValue::Array(_));
        let mut entries = Vec::new();
        for value in values {
            match text_of(arg, value.get_ref()) {
                Ok(text) => {
                    let place = self.place(if is_list { value.span() } else { key_span.clone() });
                    let text = if is_path(arg) { self.resolved(&text) } else { text.into() };
                    entries.push(Entry::new(arg, &text, origin(place)));
                }
                Err(problem) => self.mistake(value.span(), format!("{}: {problem}", key(arg))),
            }
        }
        entries
    }

    /// Resolves a path relative to the file's directory; `-` is standard input.
    fn resolved(&self, path: &str) -> OsString {
        let home =
            path.strip_prefix("~/").and_then(|rest| Some(Path::new(&std::env::var_os("HOME")?).join(rest)));
        match (home, self.path.parent()) {
            (Some(path), _) => path.into(),
            (None, Some(directory)) if path != "-" && !path.is_empty() => directory.join(path).into(),
            (None, _) => path.into(),
        }
    }

    /// Rejects secrets that other users can read.
    fn check_mode(&mut self, mode: u32) {
        let secret = self.document.entries().find(|entry| entry.is_secret());
        let Some((key, place)) =
            secret.and_then(|entry| Some((entry.key.clone(), entry.origin.place()?.clone())))
        else {
            return;
        };
        if mode & OTHERS != 0 {
            let problem = format!("{key}{EXPOSED} (mode {mode:04o})");
            let remedy = Some(format!("`chmod 600 {}` prevents it", self.path.display()));
            self.document.mistakes.push(Mistake { place, problem, remedy });
        }
    }
}

/// Describes an unknown key of a table.
pub(super) fn unknown_key(options: &Options, unknown: &str) -> String {
    let known = options.iter().flat_map(|arg| [Some(key(arg)), arg.get_long()]).flatten();
    let found = similar(unknown, known);
    // A long name that is not a key (`--pw`) suggests the key.
    let found =
        found.and_then(|word| options.iter().find(|arg| key(arg) == word || arg.get_long() == Some(word)));
    match found {
        Some(arg) => format!("unknown key {unknown:?}{}", did_you_mean(key(arg), [key(arg)])),
        None => format!(
            "unknown key {unknown:?}: expected the long name of a connection option, such as host, port or cafile"
        ),
    }
}

/// The value as it would be typed.
fn text_of(arg: &Arg, value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::Boolean(is_on) if is_flag(arg) => Ok(is_on.to_string()),
        _ if is_flag(arg) => Err("expected true or false".to_owned()),
        DeValue::String(text) if text.contains('\0') => Err("the text contains a NUL character".to_owned()),
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err("the number is too large".to_owned()),
        },
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Array(_) if !is_repeated(arg) => Err("expected one value, not a list".to_owned()),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err("expected text or a number".to_owned())
        }
    }
}

/// Describes an unknown profile, with the existing ones.
pub(super) fn no_profile(name: &str, document: &Document) -> String {
    let known: Vec<&str> = document.profiles.iter().map(|profile| &*profile.name).collect();
    if known.is_empty() {
        return format!("unknown profile {name:?}; no profiles are defined");
    }
    let quoted: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
    format!("unknown profile {name:?}: expected {}{}", one_of(&quoted), did_you_mean(name, known))
}
