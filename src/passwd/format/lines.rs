//! Files with a user in each line. A line is kept unchanged until its user is changed.

use super::{Change, FormatError, Index};
use zeroize::Zeroizing;

/// The lines of a file, and the users in them.
#[derive(Debug)]
pub(super) struct UserLines {
    /// Without `\n`. A carriage return stays part of its line.
    lines: Vec<Zeroizing<String>>,
    is_crlf: bool,
    /// The line of each user.
    index: Index,
}

impl UserLines {
    /// Splits a text into lines. `user_of` gets the index of each line, and the line with its carriage return; it returns `None` for
    /// a line without a user.
    ///
    /// # Errors
    /// The first line that `user_of` rejects, or whose user is a duplicate.
    pub(super) fn parse(
        text: &str,
        user_of: impl Fn(usize, &str) -> Result<Option<&str>, String>,
    ) -> Result<UserLines, FormatError> {
        let mut index = Index::default();
        for (place, line) in text.split_terminator('\n').enumerate() {
            let failed = |problem| FormatError::Line { number: place + 1, problem };
            let Some(user) = user_of(place, line).map_err(failed)? else { continue };
            if !index.note(user, place) {
                return Err(failed(format!("duplicate user {user:?}")));
            }
        }
        let lines: Vec<_> = text.split_terminator('\n').map(|line| Zeroizing::new(line.to_owned())).collect();
        let is_crlf = lines.first().is_some_and(|line| line.ends_with('\r'));
        Ok(UserLines { lines, is_crlf, index })
    }

    /// All lines, without carriage returns.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| without_return(line))
    }

    /// The line of a user, without its carriage return.
    pub(super) fn find(&self, user: &str) -> Option<&str> {
        self.lines.get(self.index.find(user)?).map(|line| without_return(line))
    }

    /// Replaces the line of a user, or appends one, with the file's line end.
    pub(super) fn set(&mut self, user: &str, line: &str) -> Change {
        let end = if self.is_crlf { "\r" } else { "" };
        let line = Zeroizing::new(format!("{line}{end}"));
        match self.index.find(user).and_then(|place| self.lines.get_mut(place)) {
            Some(old) => {
                *old = line;
                Change::Updated
            }
            None => {
                self.index.note(user, self.lines.len());
                self.lines.push(line);
                Change::Added
            }
        }
    }

    /// Removes the line of a user. `false` if there is none.
    pub(super) fn remove(&mut self, user: &str) -> bool {
        let removed = self.index.remove(user).map(|place| self.lines.remove(place));
        removed.is_some()
    }

    /// The text, with a newline after the last line.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Full capacity, since reallocation would leave copies in memory that are not wiped.
        let length = self.lines.iter().map(|line| line.len() + 1).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        for line in &self.lines {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        text
    }
}

fn without_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}
