//! The lines of a file, each kept as it is until it is replaced.

use zeroize::Zeroizing;

/// Lines without their ends. A carriage return stays part of its line.
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

    /// All of them with their places, without carriage returns.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().map(|(place, line)| (place, line.strip_suffix('\r').unwrap_or(line)))
    }

    pub(super) fn find(&self, place: usize) -> Option<&str> {
        self.lines.get(place).map(|line| line.strip_suffix('\r').unwrap_or(line))
    }

    /// Puts a line in the place of another, or at the end, in the file's own kind of line.
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

    /// The text, whose last line is ended.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room for all at once: a text that grows leaves copies behind that nobody wipes.
        let length = self.lines.iter().map(|line| line.len() + 1).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        for line in &self.lines {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        text
    }
}
