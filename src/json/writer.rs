//! Writes JSON token by token, on one line or laid out as cJSON does it.

use super::safe;
use std::fmt::Display;
use std::io::Write;

/// A key with its punctuation, for [`Writer::whole_key`].
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}
pub(crate) use key;

/// Appends JSON to a buffer. It adds commas, colons and line breaks; the caller opens and closes objects and arrays, and names values.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    is_pretty: bool,
    depth: usize,
    /// Whether the innermost object or array has no entry yet.
    is_empty: bool,
}

impl<'o> Writer<'o> {
    /// Appends to `out`. With `is_pretty`, each key has a line of its own, behind tabs; arrays stay on one line.
    pub(crate) fn new(out: &'o mut Vec<u8>, is_pretty: bool) -> Writer<'o> {
        Writer { out, is_pretty, depth: 0, is_empty: true }
    }

    pub(crate) fn is_pretty(&self) -> bool {
        self.is_pretty
    }

    /// Continues an object on one line that already has an entry.
    pub(crate) fn inside_object(out: &'o mut Vec<u8>) -> Writer<'o> {
        Writer { out, is_pretty: false, depth: 1, is_empty: false }
    }

    /// Begins an object, as a value.
    pub(crate) fn open_object(&mut self) {
        self.open(b'{');
    }

    /// Ends the innermost object.
    pub(crate) fn close_object(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if !self.is_empty {
            self.break_line();
        }
        self.close(b'}');
    }

    /// Begins an array, as a value.
    pub(crate) fn open_array(&mut self) {
        self.open(b'[');
    }

    /// Ends the innermost array.
    pub(crate) fn close_array(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.close(b']');
    }

    /// Names the value that follows in an object.
    pub(crate) fn key(&mut self, name: &str) {
        self.begin_key();
        self.string(name);
        self.end_key();
    }

    /// As [`Writer::key`], for a name of two parts without characters to escape.
    pub(crate) fn compound_key(&mut self, name: &str, suffix: &'static str) {
        self.begin_key();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(suffix.as_bytes());
        self.out.push(b'"');
        self.end_key();
    }

    /// A key without characters to escape, in an object on one line. For hot paths.
    pub(crate) fn plain_key(&mut self, name: &'static str) {
        self.out.extend_from_slice(if self.is_empty { b"\"" } else { b",\"" });
        self.is_empty = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// A key with its punctuation, made by [`key!`], in an object on one line. For hot paths.
    pub(crate) fn whole_key(&mut self, key: &'static str) {
        let key = if self.is_empty { key.get(1..).unwrap_or_default() } else { key };
        self.is_empty = false;
        self.out.extend_from_slice(key.as_bytes());
    }

    /// A whole number. For hot paths.
    pub(crate) fn integer(&mut self, value: u64) {
        if let digit @ 0..=9 = value {
            return self.out.push(b'0' + digit as u8);
        }
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Announces the value that follows in an array.
    pub(crate) fn element(&mut self) {
        if !self.is_empty {
            self.out.extend_from_slice(if self.is_pretty { b", " } else { b"," });
        }
        self.is_empty = false;
    }

    /// A string. Escapes the characters that JSON requires, and those that could control a terminal.
    pub(crate) fn string(&mut self, text: &str) {
        safe::string(text, self.out);
    }

    /// A string that [`is_plain`](super::is_plain), so nothing in it is escaped. For hot paths.
    pub(crate) fn plain_string(&mut self, text: &[u8]) {
        debug_assert!(safe::is_plain(text), "{}", text.escape_ascii());
        safe::plain_string(text, self.out);
    }

    /// A string of bytes; invalid UTF-8 becomes U+FFFD.
    pub(crate) fn lossy_string(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.string(text),
            Err(_) => self.string(&String::from_utf8_lossy(bytes)),
        }
    }

    /// A number, `true`, `false` or `null`, as it displays itself.
    pub(crate) fn literal(&mut self, value: impl Display) {
        let _ = write!(self.out, "{value}");
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    fn begin_key(&mut self) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.break_line();
    }

    fn end_key(&mut self) {
        self.out.extend_from_slice(if self.is_pretty { b":\t" } else { b":" });
    }

    fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.depth += 1;
        self.is_empty = true;
    }

    fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.is_empty = false;
    }

    fn break_line(&mut self) {
        if self.is_pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + self.depth, b'\t');
        }
    }
}
