//! A value of an option, and its source.

use super::options::{PAYLOADS, is_flag, is_of_payloads, is_repeated, key};
use super::toml_value::name;
use crate::cli::argv::{self, PROPERTY};
use crate::cli::properties::SEPARATOR;
use crate::cli::url::{self, without_secrets};
use crate::cli::{numeric_args, option_file};
use clap::Arg;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// The path of a WebSocket, whose query can contain a token.
const WS_PATH: &str = "ws-path";

/// Replaces a secret in output.
const HIDDEN: &str = "...";

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The option's key in files.
    pub(crate) key: String,
    /// Its identifier in clap.
    pub(super) id: String,
    /// The value as written; the words of a property are joined. `true` or `false` for a flag.
    pub(super) value: OsString,
    /// The word for clap; `None` for a flag that is off.
    pub(crate) word: Option<OsString>,
    pub(crate) origin: Origin,
    is_repeated: bool,
}

/// The source of a value.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    CommandLine,
    Variable(String),
    Profile {
        name: Rc<str>,
        place: Place,
    },
    Defaults(Place),
    /// The report of an earlier run.
    Report(Rc<Path>),
    BuiltIn,
}

/// A place in a file; lines and columns count from 1.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: Rc<Path>,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, column {}", self.path.display(), self.line, self.column)
    }
}

/// The source in the text "in X: invalid value".
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::CommandLine => f.write_str("the command line"),
            Origin::Variable(name) => write!(f, "the variable {name}"),
            Origin::Profile { place, .. } | Origin::Defaults(place) => place.fmt(f),
            Origin::Report(path) => path.display().fmt(f),
            Origin::BuiltIn => f.write_str("the program"),
        }
    }
}

impl Origin {
    pub(super) fn variable(&self) -> Option<&str> {
        match self {
            Origin::Variable(name) => Some(name),
            _ => None,
        }
    }

    /// The table of the file, as in messages, if that is the source.
    pub(super) fn table(&self) -> Option<String> {
        match self {
            Origin::Profile { name, .. } => Some(table_of(name)),
            Origin::Defaults(_) => Some("[defaults]".to_owned()),
            Origin::CommandLine | Origin::Variable(_) | Origin::Report(_) | Origin::BuiltIn => None,
        }
    }

    /// The place in the file, if that is the source.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Origin::Profile { place, .. } | Origin::Defaults(place) => Some(place),
            Origin::CommandLine | Origin::Variable(_) | Origin::Report(_) | Origin::BuiltIn => None,
        }
    }
}

/// The table of a profile, as in messages.
pub(super) fn table_of(profile: &str) -> String {
    format!("[profile.{}]", name(profile))
}

impl Entry {
    /// A value from a file or a variable.
    pub(super) fn new(arg: &Arg, value: &OsStr, origin: Origin) -> Entry {
        let value = numeric_args::trimmed(arg, value);
        let words = option_file::values(key(arg), value.as_bytes());
        let value = words.join(OsStr::new(SEPARATOR));
        let word = match (arg.get_long(), arg.get_short()) {
            (Some(_), _) if is_flag(arg) && value != "true" => None,
            (Some(long), _) if is_flag(arg) => Some(format!("--{long}").into()),
            (Some(long), _) => Some(argv::join(long, &words)),
            (None, Some(short)) => (value == "true").then(|| format!("-{short}").into()),
            (None, None) => None,
        };
        Entry { value, word, origin, ..Entry::typed(arg, OsStr::new("")) }
    }

    /// A value of the table of message types.
    pub(super) fn of_payloads(arg: &Arg, value: &OsStr, origin: Origin) -> Entry {
        Entry { key: PAYLOADS.to_owned(), ..Entry::new(arg, value, origin) }
    }

    /// Whether it is a value of the table of message types.
    pub(super) fn is_of_payloads(&self) -> bool {
        is_of_payloads(&self.id)
    }

    /// A value from the command line, which needs no word.
    pub(in crate::cli) fn typed(arg: &Arg, value: &OsStr) -> Entry {
        Entry {
            key: key(arg).to_owned(),
            id: arg.get_id().as_str().to_owned(),
            value: value.to_owned(),
            word: None,
            origin: Origin::CommandLine,
            is_repeated: is_repeated(arg),
        }
    }

    /// The option's identifier in clap.
    pub(in crate::cli) fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::cli) fn value(&self) -> &OsStr {
        &self.value
    }

    /// An entry for another option with one value, from the same source.
    pub(super) fn sibling(&self, key: &str, id: &str, value: &str) -> Entry {
        let word = Some(argv::join(key, &[value.into()]));
        let (key, id) = (key.to_owned(), id.to_owned());
        Entry { key, id, value: value.into(), word, origin: self.origin.clone(), is_repeated: false }
    }

    /// Whether it is a flag that is off.
    pub(super) fn is_off(&self) -> bool {
        self.word.is_none() && self.value == "false"
    }

    /// The key by which values override each other. Each property and each header of a repeatable option has its own.
    pub(super) fn slot(&self) -> String {
        let value = self.value.to_string_lossy();
        if self.key == PROPERTY {
            return slot_of_property(&value);
        }
        if self.is_of_payloads() {
            // A type replaces that of the same filter.
            let filter = value.rsplit_once('=').map_or(&*value, |(filter, _)| filter);
            return format!("{} {filter}", self.id);
        }
        match value.split_once(':') {
            Some((name, _)) if self.is_repeated => {
                format!("{} {}", self.key, name.trim().to_ascii_lowercase())
            }
            _ => self.key.clone(),
        }
    }

    /// The value with secrets redacted.
    pub(crate) fn shown(&self) -> String {
        let value = self.value.to_string_lossy().replace(SEPARATOR, " ");
        if !self.may_be_secret() {
            return value;
        }
        match self.key.as_str() {
            "url" | "proxy" | "watch-broker" => without_secrets(&value),
            WS_PATH => value.split('?').next().unwrap_or_default().to_owned() + "?...",
            "ws-header" => match value.split_once(':') {
                Some((name, _)) => format!("{name}: {HIDDEN}"),
                None => HIDDEN.to_owned(),
            },
            PROPERTY => format!("connect authentication-data {HIDDEN}"),
            _ => HIDDEN.to_owned(),
        }
    }

    /// Whether the value is a secret.
    pub(crate) fn is_secret(&self) -> bool {
        let has_password = || {
            let value = self.value.to_string_lossy();
            url::has_credentials(&value).1 || (value.contains('@') && url::is_malformed(&value))
        };
        self.may_be_secret() && (!has_part_shown(&self.key) || has_password())
    }

    /// Whether the value is redacted. User names in URLs are redacted as well.
    fn may_be_secret(&self) -> bool {
        match self.key.as_str() {
            "password" | "psk" | "ws-header" => true,
            PROPERTY => self.slot().contains("authentication-data"),
            "url" | "proxy" | "watch-broker" => url::may_have_secrets(&self.value.to_string_lossy()),
            WS_PATH => self.value.as_bytes().contains(&b'?'),
            _ => false,
        }
    }
}

/// Whether the value is a URL or a path, whose parts without secrets are displayed.
fn has_part_shown(key: &str) -> bool {
    ["url", "proxy", "watch-broker", WS_PATH].contains(&key)
}

/// The slot of a property: its packet and its name, or the whole text for a user property, since those add up.
fn slot_of_property(joined: &str) -> String {
    let mut words = joined.split(SEPARATOR);
    let packet = words.next().unwrap_or_default().to_ascii_lowercase();
    let name = words.next().unwrap_or_default().to_ascii_lowercase();
    match (packet.as_str(), name.as_str()) {
        // -x sets the same property.
        ("connect", "session-expiry-interval") => name,
        (_, "user-property") => format!("{PROPERTY} {joined}"),
        _ => format!("{PROPERTY} {packet} {name}"),
    }
}
