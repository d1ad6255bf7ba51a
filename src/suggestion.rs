//! Suggests the known word that a misspelled one probably means.

/// The end of an error message about an unknown word: empty, or `; did you mean 'topic'?`.
pub(crate) fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    similar(unknown, known).map(suggested).unwrap_or_default()
}

/// The end of an error message that suggests a word.
pub(crate) fn suggested(word: &str) -> String {
    format!("; did you mean '{word}'?")
}

/// The most similar known word, if one is similar enough to be meant; the first one of several.
pub(crate) fn similar<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = known.into_iter().filter_map(|word| Some((distance(unknown, word)?, word)));
    distances.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// Minimum length of a word that is suggested as the start of the other: `pub` for `publish`, `timeout` for `time`.
const MIN_PREFIX: usize = 3;

/// The number of typing mistakes between two words, and a rank among equals; `None` if the words are not similar.
fn distance(unknown: &str, known: &str) -> Option<(usize, usize)> {
    let (unknown, word) = (simplified(unknown), simplified(known));
    let (length, other) = (unknown.chars().count(), word.chars().count());
    let longest = length.max(other);
    let mistakes = strsim::damerau_levenshtein(&unknown, &word);
    // As in rustc: a third of the letters may differ. In a word of two letters, one letter is half of it.
    let is_similar = mistakes <= longest.max(3) / 3 && mistakes * 2 < longest;
    if is_similar || unknown == word {
        // Among equals, the first letter is rarely the wrong one.
        return Some((mistakes, usize::from(unknown.chars().next() != word.chars().next())));
    }
    let is_prefix =
        length.min(other) >= MIN_PREFIX && (word.starts_with(&unknown) || unknown.starts_with(&word));
    is_prefix.then_some((MIN_PREFIX, length.abs_diff(other)))
}

/// Whether the words differ at most in case and in separators.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    simplified(one) == simplified(other)
}

/// Case and the separators of words do not count as mistakes.
fn simplified(word: &str) -> String {
    word.trim_start_matches('-')
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMMANDS: [&str; 13] = [
        "pub",
        "sub",
        "rr",
        "passwd",
        "broker",
        "bench",
        "inspect",
        "gateway",
        "doctor",
        "config",
        "install-links",
        "completions",
        "man",
    ];
    const KEYS: [&str; 8] = ["type", "topic", "client", "connection", "id", "qos", "code", "finding"];
    const OPTIONS: [&str; 8] =
        ["--topic", "--topic-qos", "--timeout", "--idle-timeout", "--keepalive", "--host", "--port", "--qos"];

    #[test]
    fn misspelled_words_are_recognised() {
        for (unknown, known, expected) in [
            ("pubb", &COMMANDS[..], "pub"),
            ("pbu", &COMMANDS, "pub"),
            ("publish", &COMMANDS, "pub"),
            ("subscriber", &COMMANDS, "sub"),
            ("broke", &COMMANDS, "broker"),
            ("insepct", &COMMANDS, "inspect"),
            ("install_links", &COMMANDS, "install-links"),
            ("tpye", &KEYS, "type"),
            ("QOS", &KEYS, "qos"),
            ("conn", &KEYS, "connection"),
            ("--timout", &OPTIONS, "--timeout"),
            ("--keep-alive", &OPTIONS, "--keepalive"),
            ("--prot", &OPTIONS, "--port"),
        ] {
            assert_eq!(similar(unknown, known.iter().copied()), Some(expected), "{unknown}");
        }
    }

    #[test]
    fn unlike_words_have_no_suggestion() {
        for unknown in ["", "z", "zz", "zzz", "ix", "--zzz", "colour", "verbose", "-", "p"] {
            for known in [&COMMANDS[..], &KEYS, &OPTIONS] {
                assert_eq!(similar(unknown, known.iter().copied()), None, "{unknown}");
            }
        }
    }

    proptest! {
        #[test]
        fn words_without_a_common_letter_have_no_suggestion(unknown in "[0-9zjxwéß☃]{0,12}") {
            for known in [&COMMANDS[..], &KEYS, &OPTIONS] {
                let known = known.iter().copied().filter(|word| !word.contains(['z', 'j', 'x', 'w']));
                prop_assert_eq!(similar(&unknown, known), None);
            }
        }

        #[test]
        fn a_suggestion_is_one_of_the_known_words(unknown in "\\PC{0,20}") {
            if let Some(word) = similar(&unknown, COMMANDS) {
                prop_assert!(COMMANDS.contains(&word));
            }
        }

        #[test]
        fn a_word_with_one_letter_more_is_recognised(word in "[a-z]{3,12}", letter in "[a-z]", place in 0_usize..12) {
            let mut typed = word.clone();
            typed.insert_str(place.min(word.len()), &letter);
            prop_assert_eq!(similar(&typed, [word.as_str()]), Some(word.as_str()));
        }
    }
}
