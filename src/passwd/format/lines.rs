//! The lines of a file, each kept unchanged until it is replaced.

use zeroize::Zeroizing;

/// Lines without `\n`. A carriage return stays part of its line.
#[derive(Debug)]
pub(super) struct Lines {
    lines: Vec<Zeroizing<String>>,
    is_crlf: bool,
}

impl Lines {
    pub(super) fn parse(text: &str) -> Lines {
        let lines: Vec<_> = text.split_terminator('\n').map(|line| Zeroizing::new(line.to_owned())).collect();
        let is_crlf = lines.first().is_some_and(|line| line.ends_with('\r'));
        Lines { lines, is_crlf }
    }

    /// All lines with their indices, without carriage returns.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().map(|(place, line)| (place, line.strip_suffix('\r').unwrap_or(line)))
    }

    pub(super) fn find(&self, place: usize) -> Option<&str> {
        self.lines.get(place).map(|line| line.strip_suffix('\r').unwrap_or(line))
    }

    /// Replaces a line, or appends one, with the file's line end. Returns its index.
    pub(super) fn put(&mut self, place: Option<usize>, line: &str) -> usize {
        let end = if self.is_crlf { "\r" } else { "" };
        let line = Zeroizing::new(format!("{line}{end}"));
        match place.and_then(|place| self.lines.get_mut(place)) {
            Some(old) => *old = line,
            None => self.lines.push(line),
        }
        place.unwrap_or(self.lines.len() - 1)
    }

    pub(super) fn remove(&mut self, place: usize) {
        if place < self.lines.len() {
            self.lines.remove(place);
        }
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
