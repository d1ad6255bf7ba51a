//! A rule of a bridge: `PATTERN [out|in|both] [QOS] [LOCAL-PREFIX REMOTE-PREFIX]`, as in the `topic` lines of mosquitto.conf.
//!
//! The filter on a side is the prefix of that side followed by the pattern. A message keeps the part of its topic that the
//! pattern matched: the prefix of its source is replaced by that of its target. `routes` compiles the rules of a bridge.

use crate::escape::shortened;
use crate::protocol::Qos;
use crate::protocol::topic::{TopicError, TopicFilter, check_name, matches, split_share};
use crate::suggestion::did_you_mean;
use std::fmt;

/// The direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// From the local broker to the remote one.
    Out,
    /// From the remote broker to the local one.
    In,
}

impl Direction {
    pub(crate) const BOTH: [Direction; 2] = [Direction::Out, Direction::In];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Direction::Out => "out",
            Direction::In => "in",
        }
    }
}

/// The words for a direction in a rule.
const DIRECTIONS: [&str; 3] = ["out", "in", "both"];

/// The word for an empty pattern or prefix.
const EMPTY: &str = "\"\"";

/// A valid rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    text: String,
    ways: Vec<Way>,
}

/// A rule in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) direction: Direction,
    pub(crate) qos: Qos,
    /// The group that shares the subscription.
    group: Option<Box<str>>,
    /// The filter on the source, without the group.
    filter: TopicFilter,
    source_prefix: Box<str>,
    target_prefix: Box<str>,
    /// The filter that matches the targets.
    target_filter: Box<str>,
    /// Whether the only source is the source prefix, and the only target the target prefix.
    is_renaming: bool,
}

/// A mistake in a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleError {
    /// The index of the wrong word; that of the last word if one is missing.
    pub(crate) word: usize,
    pub(crate) problem: RuleProblem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleProblem {
    #[error("missing topic pattern; expected PATTERN [out|in|both] [QOS] [LOCAL-PREFIX REMOTE-PREFIX]")]
    Missing,
    #[error("missing closing quotation mark")]
    Quote,
    #[error("unexpected word '{0}' after the prefixes")]
    Excess(String),
    #[error("unknown direction '{0}': expected out, in or both{tip}", tip = did_you_mean(.0, DIRECTIONS))]
    Direction(String),
    #[error("'{0}' is a direction, not a topic pattern; a rule is one argument, as in 'sensors/# out 1'")]
    NotQuoted(String),
    #[error("invalid QoS '{0}': expected 0, 1 or 2")]
    Qos(String),
    #[error("invalid topic pattern '{0}': {1}")]
    Pattern(String, TopicError),
    #[error("invalid {side} prefix '{prefix}': {error}")]
    Prefix { side: &'static str, prefix: String, error: TopicError },
    #[error(
        "the {side} prefix '{prefix}' directly before the pattern '{pattern}' makes an invalid filter; end the prefix with a slash, as in '{prefix}/'"
    )]
    NoSlash { side: &'static str, prefix: String, pattern: String },
    #[error("a group of a shared subscription cannot be in the {0} prefix, to which messages are published")]
    SharedTarget(&'static str),
    #[error("the empty pattern needs a local and a remote prefix, the two topics to connect")]
    Renaming,
    #[error("{0} would be published under $SYS, which belongs to the broker; add a {1} prefix")]
    Sys(String, &'static str),
}

/// The parts of a rule.
struct Parts<'a> {
    pattern: &'a str,
    directions: &'static [Direction],
    qos: Qos,
    local: &'a str,
    remote: &'a str,
}

impl Rule {
    /// Parses a rule. Words with spaces are quoted.
    ///
    /// # Errors
    /// The mistake, and the word that has it.
    pub(crate) fn parse(text: &str) -> Result<Rule, RuleError> {
        let words = split(text).map_err(|word| RuleError { word, problem: RuleProblem::Quote })?;
        let words: Vec<&str> = words.into_iter().map(|word| word.text).collect();
        let parts = Parts::of(&words)?;
        let ways =
            parts.directions.iter().map(|direction| parts.way(*direction)).collect::<Result<_, _>>()?;
        Ok(Rule { text: text.split_whitespace().collect::<Vec<_>>().join(" "), ways })
    }

    /// The directions of the rule.
    pub(crate) fn ways(&self) -> &[Way] {
        &self.ways
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'a> Parts<'a> {
    fn of(words: &[&'a str]) -> Result<Parts<'a>, RuleError> {
        let wrong = |word, problem| RuleError { word, problem };
        let empty = |word: &&'a str| if *word == EMPTY { "" } else { word };
        let [pattern, rest @ ..] = words else { return Err(wrong(0, RuleProblem::Missing)) };
        if DIRECTIONS.contains(pattern) && rest.is_empty() {
            return Err(wrong(0, RuleProblem::NotQuoted((*pattern).to_owned())));
        }
        let directions = match rest.first().copied() {
            None | Some("out") => &Direction::BOTH[..1],
            Some("in") => &Direction::BOTH[1..],
            Some("both") => &Direction::BOTH[..],
            Some(other) => return Err(wrong(1, RuleProblem::Direction(shortened(other).into_owned()))),
        };
        let qos = match rest.get(1).copied() {
            None | Some("0") => Qos::AtMostOnce,
            Some("1") => Qos::AtLeastOnce,
            Some("2") => Qos::ExactlyOnce,
            Some(other) => return Err(wrong(2, RuleProblem::Qos(shortened(other).into_owned()))),
        };
        if let Some(excess) = rest.get(4) {
            return Err(wrong(5, RuleProblem::Excess(shortened(excess).into_owned())));
        }
        let prefix = |index| rest.get(index).map(empty).unwrap_or_default();
        Ok(Parts { pattern: empty(pattern), directions, qos, local: prefix(2), remote: prefix(3) })
    }

    /// The rule in one direction.
    fn way(&self, direction: Direction) -> Result<Way, RuleError> {
        let wrong = |word, problem| Err(RuleError { word, problem });
        let ((source_word, source, source_name), (target_word, target, target_name)) = match direction {
            Direction::Out => ((3, self.local, "local"), (4, self.remote, "remote")),
            Direction::In => ((4, self.remote, "remote"), (3, self.local, "local")),
        };
        let is_renaming = self.pattern.is_empty();
        if is_renaming && (source.is_empty() || target.is_empty()) {
            return wrong(0, RuleProblem::Renaming);
        }
        let (group, pattern) = without_group(self.pattern).map_err(|error| self.bad_pattern(error))?;
        let bad_prefix = |word, side, prefix: &str, error| RuleError {
            word,
            problem: RuleProblem::Prefix { side, prefix: shortened(prefix).into_owned(), error },
        };
        let (group_of_prefix, source) =
            without_group(source).map_err(|error| bad_prefix(source_word, source_name, source, error))?;
        for (word, side, prefix) in [(source_word, source_name, source), (target_word, target_name, target)] {
            if !prefix.is_empty() {
                check_name(prefix).map_err(|error| bad_prefix(word, side, prefix, error))?;
            }
        }
        if is_of_group(target) {
            return wrong(target_word, RuleProblem::SharedTarget(target_name));
        }
        let [filter, target_filter] = [source, target].map(|prefix| format!("{prefix}{pattern}"));
        let sides = [(source_word, source_name, source), (target_word, target_name, target)];
        for (filter, (word, side, prefix)) in [&filter, &target_filter].into_iter().zip(sides) {
            let Err(error) = TopicFilter::parse(filter) else { continue };
            if TopicFilter::parse(&format!("{prefix}/{pattern}")).is_err() {
                return Err(self.bad_pattern(error));
            }
            let [prefix, pattern] = [prefix, pattern].map(|text| shortened(text).into_owned());
            return wrong(word, RuleProblem::NoSlash { side, prefix, pattern });
        }
        if is_of_sys(&target_filter) {
            return wrong(0, RuleProblem::Sys(shortened(&filter).into_owned(), target_name));
        }
        Ok(Way {
            direction,
            qos: self.qos,
            group: group_of_prefix.or(group).map(Into::into),
            filter: TopicFilter::parse(&filter).map_err(|error| self.bad_pattern(error))?,
            source_prefix: source.into(),
            target_prefix: target.into(),
            target_filter: target_filter.into(),
            is_renaming,
        })
    }

    fn bad_pattern(&self, error: TopicError) -> RuleError {
        RuleError { word: 0, problem: RuleProblem::Pattern(shortened(self.pattern).into_owned(), error) }
    }
}

impl Way {
    /// The filter on the source, without the group of a shared subscription.
    pub(crate) fn filter(&self) -> &str {
        self.filter.as_str()
    }

    /// The group that shares the subscription.
    pub(crate) fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The filter that matches the targets.
    pub(crate) fn target_filter(&self) -> &str {
        &self.target_filter
    }

    /// The prefixes that are exchanged; the same for all rules that keep the names.
    pub(super) fn renaming(&self) -> (&str, &str, bool) {
        if self.source_prefix == self.target_prefix {
            ("", "", false)
        } else {
            (&self.source_prefix, &self.target_prefix, self.is_renaming)
        }
    }

    pub(crate) fn matches(&self, topic: &str) -> bool {
        matches(self.filter.as_str(), topic)
    }

    /// The target of a topic; `None` if the rule is not about it, or if the target is not a valid topic name.
    pub(crate) fn target(&self, topic: &str) -> Option<String> {
        if !self.matches(topic) {
            return None;
        }
        let target = match topic.strip_prefix(&*self.source_prefix) {
            _ if self.is_renaming => self.target_prefix.to_string(),
            Some(rest) => format!("{}{rest}", self.target_prefix),
            // `a/#` matches `a`: the level above the prefix.
            None => self.target_prefix.strip_suffix('/').unwrap_or(&self.target_prefix).to_owned(),
        };
        is_publishable(&target).then_some(target)
    }
}

/// Whether a bridge publishes to a topic: those of `$SYS` belong to the broker, and groups are for subscriptions.
fn is_publishable(topic: &str) -> bool {
    check_name(topic).is_ok() && !is_of_sys(topic) && !is_of_group(topic)
}

fn is_of_sys(topic: &str) -> bool {
    topic == "$SYS" || topic.starts_with("$SYS/")
}

fn is_of_group(topic: &str) -> bool {
    topic.starts_with("$share/") || topic.starts_with("$queue/")
}

/// Separates the group of a shared subscription from a pattern or prefix. A prefix can be the group alone.
fn without_group(text: &str) -> Result<(Option<&str>, &str), TopicError> {
    if let Some(group) = text.strip_prefix("$share/").and_then(|rest| rest.strip_suffix('/'))
        && !group.is_empty()
        && !group.contains(['/', '+', '#'])
    {
        return Ok((Some(group), ""));
    }
    Ok(match split_share(text)? {
        Some((group, rest)) => (Some(group), rest),
        None => (None, text),
    })
}

/// A word of a line, and its byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    pub(crate) offset: usize,
}

/// The words of a line. A word in quotation marks may contain spaces; `""` stays as it is, for an empty word.
///
/// # Errors
/// The index of a word without a closing quotation mark.
pub(crate) fn split(line: &str) -> Result<Vec<Word<'_>>, usize> {
    let mut words = Vec::new();
    let mut offset = 0;
    loop {
        let rest = line.get(offset..).unwrap_or_default();
        let Some(start) = rest.find(|character: char| !character.is_whitespace()) else { return Ok(words) };
        let rest = rest.get(start..).unwrap_or_default();
        offset += start;
        let (text, length) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"').ok_or(words.len())?;
                (if end == 0 { EMPTY } else { quoted.get(..end).unwrap_or_default() }, end + 2)
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest.get(..end).unwrap_or_default(), end)
            }
        };
        words.push(Word { text, offset });
        offset += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(rule: &str, direction: Direction, topic: &str) -> Option<String> {
        let rule = Rule::parse(rule).unwrap();
        rule.ways().iter().find(|way| way.direction == direction)?.target(topic)
    }

    fn problem(rule: &str) -> (usize, String) {
        let error = Rule::parse(rule).unwrap_err();
        (error.word, error.problem.to_string())
    }

    #[test]
    fn prefixes_are_replaced_as_in_mosquitto() {
        for (rule, direction, topic, expected) in [
            ("#", Direction::Out, "a/b", Some("a/b")),
            ("#", Direction::In, "a/b", None),
            ("# out", Direction::Out, "$SYS/x", None),
            ("# both 2", Direction::In, "a", Some("a")),
            ("# in 1 local/ remote/", Direction::In, "remote/a", Some("local/a")),
            ("# out 1 local/ remote/", Direction::Out, "local/a", Some("remote/a")),
            ("# out 1 local/ remote/", Direction::Out, "local", Some("remote")),
            ("# out 1 local/", Direction::Out, "local", None),
            ("# out 1 local/", Direction::Out, "local/a", Some("a")),
            ("/# out 1 local remote", Direction::Out, "local", Some("remote")),
            ("t/+ out 0 \"\" site-", Direction::Out, "t/a", Some("site-t/a")),
            ("\"\" out 0 here/a there/b", Direction::Out, "here/a", Some("there/b")),
            ("\"\" both 0 here/a there/b", Direction::In, "there/b", Some("here/a")),
            ("\"\" out 0 here/a there/b", Direction::Out, "here/a/c", None),
            ("\"a b/#\" out", Direction::Out, "a b/c", Some("a b/c")),
            ("$SYS/# in 0 remote/ \"\"", Direction::In, "$SYS/a", Some("remote/$SYS/a")),
            ("# in 0 up/ $SYS/", Direction::In, "$SYS/a", Some("up/a")),
            ("# out 0 a/ \"\"", Direction::Out, "a/$SYS/b", None),
            ("$share/g/a/# in", Direction::In, "a/b", Some("a/b")),
            ("$share/g/# in 0 l/ r/", Direction::In, "r/b", Some("l/b")),
            ("# in 0 \"\" $share/g/", Direction::In, "b", Some("b")),
            ("# in 0 \"\" $share/g/r/", Direction::In, "r/b", Some("b")),
        ] {
            assert_eq!(target(rule, direction, topic).as_deref(), expected, "{rule}: {topic}");
        }
    }

    #[test]
    fn a_shared_pattern_keeps_its_group_in_front_of_the_prefix() {
        let rule = Rule::parse("$share/g/x/# in 0 \"\" site/").unwrap();
        let [way] = rule.ways() else { panic!("{rule:?}") };
        assert_eq!((way.filter(), way.group(), way.target_filter()), ("site/x/#", Some("g"), "x/#"));
    }

    #[test]
    fn mistakes_name_the_word() {
        for (rule, word, part) in [
            ("", 0, "missing topic pattern"),
            ("out", 0, "a rule is one argument"),
            ("a/# 1", 1, "unknown direction '1'"),
            ("a/# outt", 1, "did you mean 'out'?"),
            ("a/# out 3", 2, "invalid QoS '3'"),
            ("a/# out 1 a/ b/ c/", 5, "unexpected word 'c/'"),
            ("a#", 0, "invalid topic pattern 'a#'"),
            ("a/# out 1 b/+/ c/", 3, "invalid local prefix 'b/+/'"),
            ("a/# in 1 b/ c/#/", 4, "invalid remote prefix 'c/#/'"),
            ("# out 1 foo/ bar", 4, "the remote prefix 'bar' directly before the pattern '#'"),
            ("+/a in 1 foo bar/", 3, "end the prefix with a slash, as in 'foo/'"),
            ("a# out 1 foo bar", 0, "invalid topic pattern 'a#'"),
            ("\"\" out", 0, "the empty pattern needs"),
            ("\"\" out 1 a", 0, "the empty pattern needs"),
            ("$SYS/# in", 0, "add a local prefix"),
            ("$SYS/# out", 0, "add a remote prefix"),
            ("# both 0 x/ $SYS/", 0, "would be published under $SYS"),
            ("# out 0 \"\" $share/g/", 4, "cannot be in the remote prefix"),
            ("$share/g", 0, "invalid topic pattern"),
            ("\"a", 0, "missing closing quotation mark"),
        ] {
            let (found, text) = problem(rule);
            assert!(found == word && text.contains(part), "{rule}: word {found}: {text}");
        }
    }
}
