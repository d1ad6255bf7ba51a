//! Lines and columns of mistakes in TOML files.

/// The line starts of a text, so that the lines are counted only once for many places.
pub(super) struct Places<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Places<'t> {
    pub(super) fn of(text: &'t str) -> Places<'t> {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        Places { text, starts: std::iter::once(0).chain(ends.map(|end| end + 1)).collect() }
    }

    /// Line and column of a byte, from 1.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).or_else(|| self.text.get(start..)).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

/// Line and column of a byte, from 1.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    Places::of(text).place(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_characters() {
        let places = Places::of("a\n\né = 1\n");
        let found: Vec<_> = [0, 1, 2, 3, 5, 8, 9, 99].into_iter().map(|byte| places.place(byte)).collect();
        assert_eq!(found, [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 5), (3, 6), (4, 1)]);
        assert_eq!(Places::of("").place(0), (1, 1));
    }
}
