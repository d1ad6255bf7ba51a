//! The lines of mosquitto's password file. Unchanged lines stay byte for byte: comments, blank lines, line ends, order and
//! unknown lines.
//!
//! Lines are parsed as mosquitto parses them: the user ends at the first `:`, the hash at the next one, and surrounding blanks
//! do not count. Lines that begin with `#` or have no `:` are skipped.

use super::UserName;
use crate::input_file::without_mark;
use std::collections::HashMap;
use std::ops::Range;
use zeroize::Zeroizing;

/// A password file in memory.
#[derive(Debug)]
pub(crate) struct PasswordFile {
    /// Wiped on drop, since it can hold plain-text passwords.
    content: Zeroizing<Vec<u8>>,
    lines: Vec<FileLine>,
    /// The line indices of each user. Includes users like `#x`, whose lines are comments for brokers.
    by_user: HashMap<Vec<u8>, Vec<usize>>,
    /// Whether the file begins with a byte order mark, which a change removes.
    has_mark: bool,
    is_changed: bool,
}

#[derive(Debug)]
enum FileLine {
    /// A range of the content, including the line end.
    AsRead(Range<usize>),
    /// A changed or added line, including its end.
    Written(Vec<u8>),
    Removed,
}

/// A line that no password file can contain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} has a NUL byte: not a password file")]
pub(crate) struct NotAPasswordFile {
    /// The line number, from 1.
    pub line: usize,
}

/// A line with a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PasswordLine<'a> {
    /// The line number, from 1.
    pub line: usize,
    /// The user, trimmed.
    pub user: &'a [u8],
    /// The hash, trimmed. Hand-written files can have a plain-text password instead.
    pub hash: &'a [u8],
    /// The rest of the line after the first `:`: the password, if the file is hand-written.
    pub rest: &'a [u8],
}

/// The result of [`PasswordFile::set`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The user is new.
    Added,
    /// The user existed; duplicate lines were merged into one.
    Updated {
        /// The number of lines before the change.
        lines: usize,
    },
}

impl PasswordFile {
    /// Parses a file's content.
    ///
    /// # Errors
    /// If a line contains a NUL byte.
    pub(crate) fn parse(content: Vec<u8>) -> Result<PasswordFile, NotAPasswordFile> {
        let content = Zeroizing::new(content);
        let text = without_mark(&content);
        let mut start = content.len() - text.len();
        let (lines, by_user) = (Vec::new(), HashMap::new());
        let mut file = PasswordFile { lines, by_user, has_mark: start > 0, is_changed: false, content };
        for text in without_mark(&file.content).split_inclusive(|byte| *byte == b'\n') {
            let line = file.lines.len();
            if memchr::memchr(0, text).is_some() {
                return Err(NotAPasswordFile { line: line + 1 });
            }
            if let Some((user, _)) = split(text) {
                file.by_user.entry(user.trim_ascii().to_vec()).or_default().push(line);
            }
            file.lines.push(FileLine::AsRead(start..start + text.len()));
            start += text.len();
        }
        Ok(file)
    }

    /// The original content.
    pub(crate) fn as_read(&self) -> &[u8] {
        &self.content
    }

    /// The lines with a user.
    pub(crate) fn entries(&self) -> impl Iterator<Item = PasswordLine<'_>> {
        self.lines.iter().enumerate().filter_map(|(position, line)| {
            let text = self.text(line);
            let (user, rest) = split(text).filter(|_| !text.starts_with(b"#"))?;
            let rest = without_end(rest);
            let hash = rest.split(|byte| *byte == b':').next().unwrap_or_default();
            Some(PasswordLine { line: position + 1, user: user.trim_ascii(), hash: hash.trim_ascii(), rest })
        })
    }

    /// The numbers of lines that brokers ignore although they are neither blank nor comments.
    pub(crate) fn ignored_lines(&self) -> impl Iterator<Item = usize> {
        self.lines.iter().enumerate().filter_map(|(position, line)| {
            let text = self.text(line);
            let is_ignored =
                split(text).is_none() && !text.starts_with(b"#") && !text.trim_ascii().is_empty();
            is_ignored.then_some(position + 1)
        })
    }

    /// Sets the user's hash, in its line or in a new one at the end. Duplicate lines are removed, since an old password must
    /// not stay valid.
    pub(crate) fn set(&mut self, user: &UserName, hash: &str) -> Change {
        let positions = self.by_user.get(user.as_str().trim_ascii().as_bytes()).cloned().unwrap_or_default();
        let Some((first, others)) = positions.split_first() else {
            self.append(user, hash);
            return Change::Added;
        };
        self.replace_hash(*first, hash);
        others.iter().for_each(|other| self.put(*other, FileLine::Removed));
        self.by_user.insert(user.as_str().trim_ascii().as_bytes().to_vec(), vec![*first]);
        Change::Updated { lines: positions.len() }
    }

    /// Sets the hash in the line with this number, counted as in [`PasswordLine::line`].
    pub(crate) fn set_line(&mut self, line: usize, hash: &str) {
        if let Some(position) = line.checked_sub(1) {
            self.replace_hash(position, hash);
        }
    }

    /// Removes a user and returns the number of removed lines.
    pub(crate) fn remove(&mut self, user: &UserName) -> usize {
        let positions = self.by_user.remove(user.as_str().trim_ascii().as_bytes()).unwrap_or_default();
        positions.iter().for_each(|position| self.put(*position, FileLine::Removed));
        positions.len()
    }

    /// Whether the file begins with a byte order mark, which brokers take as part of the first user's name.
    pub(crate) fn has_mark(&self) -> bool {
        self.has_mark
    }

    /// The whole file. After a change the last line has a line end, so that appended text starts a new line.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        if !self.is_changed {
            return self.content.to_vec();
        }
        let mut bytes: Vec<u8> = self.lines.iter().flat_map(|line| self.text(line)).copied().collect();
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            // Complete a lone CR.
            let end = if bytes.ends_with(b"\r") { b"\n" } else { self.line_end() };
            bytes.extend_from_slice(end);
        }
        bytes
    }

    /// The first line of a user.
    pub(crate) fn find(&self, user: &[u8]) -> Option<PasswordLine<'_>> {
        self.entries().find(|entry| entry.user == user)
    }

    fn text<'a>(&'a self, line: &'a FileLine) -> &'a [u8] {
        match line {
            FileLine::AsRead(range) => self.content.get(range.clone()).unwrap_or_default(),
            FileLine::Written(text) => text,
            FileLine::Removed => &[],
        }
    }

    fn put(&mut self, position: usize, line: FileLine) {
        self.is_changed = true;
        if let Some(place) = self.lines.get_mut(position) {
            *place = line;
        }
    }

    fn replace_hash(&mut self, position: usize, hash: &str) {
        let Some(line) = self.lines.get(position) else { return };
        let text = self.text(line);
        let Some((user, rest)) = split(text) else { return };
        let end = rest.get(without_end(rest).len()..).unwrap_or_default();
        let written = [user, b":", hash.as_bytes(), end].concat();
        self.put(position, FileLine::Written(written));
    }

    fn append(&mut self, user: &UserName, hash: &str) {
        let end = self.line_end();
        self.end_last_line(end);
        self.is_changed = true;
        let text = [user.as_str().as_bytes(), b":", hash.as_bytes(), end].concat();
        self.by_user.insert(user.as_str().trim_ascii().as_bytes().to_vec(), vec![self.lines.len()]);
        self.lines.push(FileLine::Written(text));
    }

    /// The line end of the first line.
    fn line_end(&self) -> &'static [u8] {
        match self.lines.first().map(|line| self.text(line)) {
            Some(text) if text.ends_with(b"\r\n") => b"\r\n",
            _ => b"\n",
        }
    }

    /// Terminates the last line, so that appended text starts a new line.
    fn end_last_line(&mut self, end: &[u8]) {
        let last = self.lines.iter().enumerate().rev().find(|(_, line)| !self.text(line).is_empty());
        let Some((position, line)) = last else { return };
        let text = self.text(line);
        if !text.ends_with(b"\n") {
            // Complete a lone CR.
            let end = if text.ends_with(b"\r") { b"\n" } else { end };
            let ended = FileLine::Written([text, end].concat());
            self.put(position, ended);
        }
    }
}

/// Splits a line at the first `:`.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (user, rest) = line.split_at_checked(colon)?;
    Some((user, rest.get(1..)?))
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(text: &str) -> PasswordFile {
        PasswordFile::parse(text.into()).unwrap()
    }

    fn name(text: &str) -> UserName {
        UserName::parse(text.as_bytes()).unwrap()
    }

    /// The file after the user's hash was set to `H`.
    fn after_set(text: &str, user: &str) -> String {
        let mut file = file(text);
        file.set(&name(user), "H");
        String::from_utf8(file.to_bytes()).unwrap()
    }

    #[test]
    fn unchanged_lines_stay_byte_for_byte() {
        for text in ["", "\n", "a:x", "a:x\n", "# c\r\n\r\n a : x :y\nno colon\n\n:\n", "\u{fc}:\n"] {
            assert_eq!(file(text).to_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn a_user_is_changed_in_place_and_a_new_one_comes_last() {
        assert_eq!(after_set("a:1\nb:2\nc:3\n", "b"), "a:1\nb:H\nc:3\n");
        assert_eq!(after_set("# all\n\na:1\n# end\n", "z"), "# all\n\na:1\n# end\nz:H\n");
        assert_eq!(after_set("", "a"), "a:H\n");
    }

    #[test]
    fn a_last_line_without_its_end_gets_one() {
        assert_eq!(after_set("a:1", "b"), "a:1\nb:H\n");
        assert_eq!(after_set("a:1", "a"), "a:H\n");
        assert_eq!(after_set("a:1\nb:2", "a"), "a:H\nb:2\n");
        assert_eq!(after_set("a:1\r\nb:2\r", "c"), "a:1\r\nb:2\r\nc:H\r\n");
        assert_eq!(after_set("a:1\r\nb:2", "c"), "a:1\r\nb:2\r\nc:H\r\n");
    }

    #[test]
    fn line_ends_are_kept() {
        assert_eq!(after_set("a:1\r\nb:2\r\n", "a"), "a:H\r\nb:2\r\n");
        assert_eq!(after_set("a:1\r\nb:2\r\n", "c"), "a:1\r\nb:2\r\nc:H\r\n");
    }

    #[test]
    fn lines_of_the_same_user_become_one() {
        assert_eq!(after_set("a:1\nb:2\n a : 3\n", "a"), "a:H\nb:2\n");
        let mut file = file("a:1\na:2\n");
        assert_eq!(file.set(&name("a"), "H"), Change::Updated { lines: 2 });
        assert_eq!(file.set(&name("a"), "H"), Change::Updated { lines: 1 });
        assert_eq!(file.set(&name("c"), "H"), Change::Added);
        assert_eq!(file.set(&name("c"), "I"), Change::Updated { lines: 1 });
        assert_eq!(file.to_bytes(), b"a:H\nc:I\n");
    }

    #[test]
    fn a_user_is_removed_with_all_lines_and_nobody_else() {
        let mut file = file("# a:\na:1\naa:2\na:3\nb:4");
        assert_eq!(file.remove(&name("a")), 2);
        assert_eq!(file.remove(&name("a")), 0);
        assert_eq!(file.to_bytes(), b"# a:\naa:2\nb:4\n");
        assert_eq!(file.remove(&name("b")), 1);
        assert_eq!(file.set(&name("z"), "H"), Change::Added);
        assert_eq!(file.to_bytes(), b"# a:\naa:2\nz:H\n");
    }

    #[test]
    fn entries_are_read_as_brokers_read_them() {
        let file = file("# no\n\nnone\n a : x :y\r\nb:");
        let seen: Vec<_> = file.entries().map(|entry| (entry.line, entry.user, entry.hash)).collect();
        assert_eq!(seen, [(4, &b"a"[..], &b"x"[..]), (5, b"b", b"")]);
        assert_eq!(file.find(b"a").unwrap().rest, b" x :y");
    }

    proptest! {
        #[test]
        fn a_change_touches_nobody_else(
            text in "([ab#: \r]{0,4}\n){0,6}[ab#: \r]{0,4}",
            user in "[ab]{1,2}",
        ) {
            let user = name(&user);
            let mut file = file(&text);
            let others = |file: &PasswordFile| {
                let others = file.entries().filter(|entry| entry.user != user.as_str().as_bytes());
                others.map(|entry| (entry.user.to_vec(), entry.rest.to_vec())).collect::<Vec<_>>()
            };
            let before = others(&file);
            file.set(&user, "H");
            let mut again = PasswordFile::parse(file.to_bytes()).unwrap();
            prop_assert_eq!(others(&again), before.clone());
            let hashes: Vec<_> = again.entries().filter(|entry| entry.user == user.as_str().as_bytes()).collect();
            prop_assert_eq!(hashes.len(), 1);
            prop_assert_eq!(hashes[0].hash, b"H");
            prop_assert_eq!(again.remove(&user), 1);
            prop_assert_eq!(others(&again), before);
        }

        #[test]
        fn any_bytes_are_kept_or_refused(bytes: Vec<u8>) {
            if let Ok(file) = PasswordFile::parse(bytes.clone()) {
                prop_assert_eq!(file.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(PasswordFile::parse(b"a:1\nb\0:2".to_vec()).unwrap_err(), NotAPasswordFile { line: 2 });
    }
}
