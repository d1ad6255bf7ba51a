//! Relations between topic filters: whether one topic can match both, and whether one filter matches all topics of another.

/// Whether some topic matches both filters, which are not shared ones.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    if hides_from_wildcards(one, other) || hides_from_wildcards(other, one) {
        return false;
    }
    // `/#` also matches the level above, but an empty topic does not exist [MQTT-4.7.3-1].
    if matches!((one, other), ("/#", "+") | ("+", "/#")) {
        return false;
    }
    let (mut ones, mut others) = (one.split('/'), other.split('/'));
    loop {
        match (ones.next(), others.next()) {
            // `a/#` matches `a` as well [MQTT-4.7.1-2].
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(level), Some(other)) if level == other || level == "+" || other == "+" => {}
            _ => return false,
        }
    }
}

/// Whether the wide filter matches every topic that the narrow one matches.
pub(crate) fn covers(wide: &str, narrow: &str) -> bool {
    if hides_from_wildcards(narrow, wide) {
        return false;
    }
    let (mut wides, mut narrows) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wides.next(), narrows.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(level), Some(other)) if level == other => {}
            _ => return false,
        }
    }
}

/// Whether the topics of the first filter begin with `$`, which the wildcard at the start of the second does not match
/// [MQTT-4.7.2-1].
fn hides_from_wildcards(filter: &str, other: &str) -> bool {
    filter.starts_with('$') && other.starts_with(['+', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::topic::matches;
    use proptest::prelude::*;

    /// All topics of up to four levels over a small alphabet.
    fn topics() -> Vec<String> {
        let mut topics: Vec<String> = ["a", "b", "", "$x"].map(str::to_owned).to_vec();
        let mut longest = topics.clone();
        for _ in 0..3 {
            let longer = |topic: &String| ["a", "b", "", "$x"].map(|level| format!("{topic}/{level}"));
            longest = longest.iter().flat_map(longer).collect();
            topics.extend(longest.iter().cloned());
        }
        topics.retain(|topic| !topic.is_empty());
        topics
    }

    fn filter() -> impl Strategy<Value = String> {
        let level = prop_oneof![Just("a"), Just("b"), Just(""), Just("$x"), Just("+")];
        (prop::collection::vec(level, 0..=3), any::<bool>()).prop_filter_map(
            "empty",
            |(levels, ends_in_hash)| {
                let mut levels = levels;
                levels.extend(ends_in_hash.then_some("#"));
                let filter = levels.join("/");
                (!filter.is_empty()).then_some(filter)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn filters_overlap_if_a_topic_matches_both(one in filter(), other in filter()) {
            let expected = topics().iter().any(|topic| matches(&one, topic) && matches(&other, topic));
            prop_assert_eq!(overlap(&one, &other), expected, "{} and {}", one, other);
            prop_assert_eq!(overlap(&other, &one), expected, "{} and {}", other, one);
        }

        #[test]
        fn a_filter_that_covers_another_matches_its_topics(wide in filter(), narrow in filter()) {
            if covers(&wide, &narrow) {
                for topic in topics().iter().filter(|topic| matches(&narrow, topic)) {
                    prop_assert!(matches(&wide, topic), "{wide} does not cover {narrow}: {topic}");
                }
            }
        }
    }

    #[test]
    fn wider_filters_cover_narrower_ones() {
        for (wide, narrow) in
            [("#", "a/+/c"), ("a/#", "a"), ("a/#", "a/+/#"), ("+/b", "a/b"), ("a", "a"), ("+", "a")]
        {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in
            [("a/+", "a/#"), ("a/+", "a"), ("#", "$SYS/a"), ("a", "b"), ("a/b", "a/b/c"), ("+", "#")]
        {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }
}
