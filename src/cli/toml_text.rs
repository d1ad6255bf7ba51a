//! What is said of a mistake in a TOML file: its place, and the word that was probably meant.

/// A word that is less like a known one than this is not a slip of the finger.
const ALIKE: f64 = 0.8;

/// Line and column of a byte, from 1.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// The known word that a mistyped one is most like, if it is like one at all.
pub(super) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    sorted_by_likeness(unknown, known).into_iter().next().filter(|word| likeness(unknown, word) > ALIKE)
}

/// The known words, the one that is most like the mistyped one first.
pub(super) fn sorted_by_likeness<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_by(|a, b| likeness(unknown, b).total_cmp(&likeness(unknown, a)));
    known
}

fn likeness(unknown: &str, word: &str) -> f64 {
    strsim::jaro(unknown, word)
}
