//! The words for a number of things.

use std::fmt::Display;

/// A number with its noun: `1 topic`, `2 topics`.
pub(crate) fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The verb after a number of things, from that after one thing: `1 is`, `2 are`; `1 follows`, `2 follow`.
pub(crate) fn verb<N: Copy + PartialEq + From<u8>>(count: N, singular: &str) -> &str {
    match singular {
        _ if count == N::from(1) => singular,
        "is" => "are",
        "was" => "were",
        "has" => "have",
        regular => regular.strip_suffix('s').unwrap_or(regular),
    }
}

/// A number with its noun and verb: `1 byte was`, `2 bytes were`.
pub(crate) fn counted_verb<N: Copy + Display + PartialEq + From<u8>>(
    count: N,
    noun: &str,
    singular: &str,
) -> String {
    format!("{} {}", counted(count, noun), verb(count, singular))
}

/// All of a number of things: `the only topic`, `all 2 topics`.
pub(crate) fn all<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    if count == N::from(1) { format!("the only {noun}") } else { format!("all {}", counted(count, noun)) }
}

#[cfg(test)]
mod tests {
    use super::{all, counted, counted_verb, verb};

    #[test]
    fn one_thing_alone_has_the_singular() {
        assert_eq!([0, 1, 2].map(|count: u64| counted(count, "topic")), ["0 topics", "1 topic", "2 topics"]);
        assert_eq!(
            [0, 1, 2].map(|count: u64| all(count, "topic")),
            ["all 0 topics", "the only topic", "all 2 topics"]
        );
        assert_eq!(
            [0, 1, 2].map(|count: u32| counted_verb(count, "byte", "was")),
            ["0 bytes were", "1 byte was", "2 bytes were"]
        );
        let verbs = ["is", "was", "has", "follows", "remains"];
        assert_eq!(verbs.map(|singular| verb(1_u64, singular)), verbs);
        assert_eq!(verbs.map(|singular| verb(2_u64, singular)), ["are", "were", "have", "follow", "remain"]);
        assert_eq!((counted(1_usize, "byte"), counted(11_u32, "byte")), ("1 byte".into(), "11 bytes".into()));
    }
}
