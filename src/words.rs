//! The words for a number of things.

use std::fmt::Display;

/// A number with its noun: `1 topic`, `2 topics`.
pub(crate) fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// All of a number of things: `the only topic`, `all 2 topics`.
pub(crate) fn all<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    if count == N::from(1) { format!("the only {noun}") } else { format!("all {}", counted(count, noun)) }
}

#[cfg(test)]
mod tests {
    use super::{all, counted};

    #[test]
    fn only_one_thing_has_the_singular() {
        assert_eq!([0, 1, 2].map(|count: u64| counted(count, "topic")), ["0 topics", "1 topic", "2 topics"]);
        assert_eq!(
            [0, 1, 2].map(|count: u64| all(count, "topic")),
            ["all 0 topics", "the only topic", "all 2 topics"]
        );
        assert_eq!((counted(1_usize, "byte"), counted(11_u32, "byte")), ("1 byte".into(), "11 bytes".into()));
    }
}
