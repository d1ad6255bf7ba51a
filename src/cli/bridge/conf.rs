//! Reads mosquitto.conf: its bridge sections, the address of its first plain listener, and the names of the keys that belong to
//! neither.

use super::keys::{self, Meaning};
use crate::bridge::rule::{self, Rule};
use crate::cli::connection::PORT;
use crate::cli::{Error, UsageError};
use crate::escape::shortened;
use crate::input_file;
use crate::suggestion::did_you_mean;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The maximum size of a file, and of files in a directory.
const MAX_SIZE: u64 = 1024 * 1024;
const MAX_FILES: usize = 1000;

/// The bridges of a file, and the rest of it.
#[derive(Debug, Default)]
pub(super) struct Conf {
    pub(super) sections: Vec<Section>,
    /// The broker's own address.
    pub(super) listeners: Vec<Listener>,
    /// Keys that belong to no bridge, in the order of their first occurrence.
    pub(super) passed_over: Vec<String>,
    /// Whether the broker has users.
    pub(super) has_users: bool,
    files: usize,
}

/// A `connection` with its keys.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) rules: Vec<Rule>,
    /// The values, by the main name of their key.
    pub(super) values: BTreeMap<&'static str, Value>,
}

/// A value, and the place of its key.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) place: Place,
}

/// A place in a file; lines and columns count from 1.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A listener of the broker.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) port: u16,
    /// The address; a path for a unix socket, whose port is 0.
    pub(super) host: Option<String>,
    /// Whether it has TLS or another protocol than MQTT.
    is_special: bool,
}

impl Place {
    /// A mistake at this place.
    pub(super) fn mistake(&self, problem: impl Into<String>) -> Error {
        Error::usage(UsageError::Line {
            path: self.path.clone(),
            line: self.line as u64,
            column: Some(self.column as u64),
            problem: problem.into(),
        })
    }
}

/// A line with a byte that is not UTF-8.
fn not_utf8(path: &Path, number: usize, line: &[u8], error: std::str::Utf8Error) -> Error {
    let valid = line.get(..error.valid_up_to()).unwrap_or_default();
    let byte = line.get(error.valid_up_to()).copied().unwrap_or_default();
    let column = String::from_utf8_lossy(valid).chars().count() + 1;
    let place = Place { path: path.to_owned(), line: number, column };
    place.mistake(format!("byte 0x{byte:02X} is not valid UTF-8; save the file as UTF-8"))
}

/// A line with a key.
struct Line<'a> {
    key: &'a str,
    value: &'a str,
    key_place: Place,
    value_place: Place,
}

impl Conf {
    /// Reads a file, and those of its `include_dir`.
    ///
    /// # Errors
    /// If a file cannot be read, or the first mistake in one.
    pub(super) fn read(path: &Path) -> Result<Conf, Error> {
        let mut conf = Conf::default();
        conf.add_file(path)?;
        if conf.sections.is_empty() {
            let problem = "no bridge: expected a line `connection NAME`, followed by address and topic lines";
            return Err(Error::content("--config", path, problem.to_owned()));
        }
        Ok(conf)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), Error> {
        self.files += 1;
        if self.files > MAX_FILES {
            let problem = format!("include_dir leads to more than {MAX_FILES} files");
            return Err(Error::content("--config", path, problem));
        }
        let text = input_file::read_text(path, MAX_SIZE)
            .map_err(|error| Error::unreadable("--config", path, &error))?;
        self.add_text(path, &text)
    }

    pub(super) fn add_text(&mut self, path: &Path, text: &[u8]) -> Result<(), Error> {
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            // Comments of old files are often in Latin-1.
            if line.trim_ascii_start().starts_with(b"#") {
                continue;
            }
            let line = std::str::from_utf8(line).map_err(|error| not_utf8(path, index + 1, line, error))?;
            if let Some(line) = Line::of(path, index + 1, line) {
                self.add_line(&line)?;
            }
        }
        Ok(())
    }

    fn add_line(&mut self, line: &Line<'_>) -> Result<(), Error> {
        match (line.key, keys::find(line.key)) {
            ("include_dir", _) => self.add_directory(line),
            ("connection", _) => self.add_section(line),
            (_, Some(key)) => self.add_value(line, key),
            (name, None) if keys::is_of_broker(name) => self.add_of_broker(line),
            (name, None) => {
                let name = shortened(name);
                let problem = format!("unknown key '{name}'{}", did_you_mean(&name, keys::names()));
                Err(line.key_place.mistake(problem))
            }
        }
    }

    /// Reads the files of a directory whose names end in `.conf`, in the order of their names.
    fn add_directory(&mut self, line: &Line<'_>) -> Result<(), Error> {
        let path = Path::new(line.value);
        let failed = |error: &std::io::Error| {
            line.value_place.mistake(format!("cannot read {}: {error}", shortened(line.value)))
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| failed(&error))? {
            let path = entry.map_err(|error| failed(&error))?.path();
            if path.extension().is_some_and(|end| end == "conf") && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        files.iter().try_for_each(|path| self.add_file(path))
    }

    fn add_section(&mut self, line: &Line<'_>) -> Result<(), Error> {
        let name = line.needed()?;
        if let Some(earlier) = self.sections.iter().find(|section| section.name == name) {
            let (path, line_of) = (earlier.place.path.display(), earlier.place.line);
            let shown = shortened(name);
            let problem = format!("duplicate connection '{shown}'; the first is in {path}, line {line_of}");
            return Err(line.value_place.mistake(problem));
        }
        self.sections.push(Section {
            name: name.to_owned(),
            place: line.key_place.clone(),
            rules: Vec::new(),
            values: BTreeMap::new(),
        });
        Ok(())
    }

    fn add_value(&mut self, line: &Line<'_>, key: &'static keys::Key) -> Result<(), Error> {
        let Some(section) = self.sections.last_mut() else {
            let problem =
                format!("'{}' belongs to a bridge; expected a line `connection NAME` before it", line.key);
            return Err(line.key_place.mistake(problem));
        };
        if let Meaning::Refused(reason) = key.meaning {
            return Err(line.key_place.mistake(format!("'{}' is not supported: {reason}", line.key)));
        }
        let value = line.needed()?;
        if key.name == "topic" {
            let rule = Rule::parse(value).map_err(|error| line.mistake_in_word(&error))?;
            section.rules.push(rule);
            return Ok(());
        }
        if key.meaning == Meaning::NoEffect {
            self.pass_over(line.key);
            return Ok(());
        }
        if let Some(earlier) = section.values.get(key.name) {
            let problem = format!("duplicate '{}'; it is also in line {}", line.key, earlier.place.line);
            return Err(line.key_place.mistake(problem));
        }
        let value = Value { text: value.to_owned(), place: line.value_place.clone() };
        section.values.insert(key.name, value);
        Ok(())
    }

    fn add_of_broker(&mut self, line: &Line<'_>) -> Result<(), Error> {
        self.pass_over(line.key);
        let mut words = line.value.split_whitespace();
        match line.key {
            "listener" => {
                let port = words.next().unwrap_or_default();
                let port = port.parse().map_err(|_| {
                    line.value_place.mistake(format!("listener: invalid port '{}'", shortened(port)))
                })?;
                let host = words.next().map(str::to_owned);
                self.listeners.push(Listener { port, host, is_special: false });
            }
            "port" => {
                let port = line.value.parse().map_err(|_| {
                    line.value_place.mistake(format!("port: invalid port '{}'", shortened(line.value)))
                })?;
                self.listeners.push(Listener { port, host: None, is_special: false });
            }
            "protocol" if line.value != "mqtt" => self.mark_listener(),
            "certfile" | "keyfile" | "psk_hint" | "require_certificate" => self.mark_listener(),
            "password_file" => self.has_users = true,
            _ => {}
        }
        Ok(())
    }

    fn mark_listener(&mut self) {
        if let Some(listener) = self.listeners.last_mut() {
            listener.is_special = true;
        }
    }

    fn pass_over(&mut self, key: &str) {
        if !self.passed_over.iter().any(|known| known == key) {
            self.passed_over.push(key.to_owned());
        }
    }

    /// The address of the broker: that of its first listener for MQTT without TLS. `None` if there are only others.
    pub(super) fn listener(&self) -> Option<Listener> {
        if self.listeners.is_empty() {
            return Some(Listener { port: PORT, host: None, is_special: false });
        }
        self.listeners.iter().find(|listener| !listener.is_special).cloned()
    }
}

impl<'a> Line<'a> {
    /// The key and the value of a line; `None` for an empty line or a comment.
    fn of(path: &Path, number: usize, line: &'a str) -> Option<Line<'a>> {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        let (key, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let value = value.trim_start();
        let place = |part: &str| {
            let offset = part.as_ptr() as usize - line.as_ptr() as usize;
            let column = line.get(..offset).unwrap_or_default().chars().count() + 1;
            Place { path: path.to_owned(), line: number, column }
        };
        let value_place = if value.is_empty() { place(key) } else { place(value) };
        Some(Line { key, value, key_place: place(key), value_place })
    }

    fn needed(&self) -> Result<&'a str, Error> {
        if self.value.is_empty() {
            return Err(self.key_place.mistake(format!("'{}' needs a value", self.key)));
        }
        Ok(self.value)
    }

    /// A mistake in a word of the value.
    fn mistake_in_word(&self, error: &rule::RuleError) -> Error {
        let words = rule::split(self.value).unwrap_or_default();
        let word = words.get(error.word).or_else(|| words.last());
        let before = word.and_then(|word| self.value.get(..word.offset)).unwrap_or_default();
        let mut place = self.value_place.clone();
        place.column += before.chars().count();
        place.mistake(error.problem.to_string())
    }
}
