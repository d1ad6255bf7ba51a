//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.
//!
//! The rules are read and applied a second time, without any preparation: line by line for each decision.

use super::{Acl, Intent, Subject};
use crate::protocol::topic::{check_filter, check_name};

/// The client of a decision.
struct Client<'a> {
    id: &'a str,
    user: Option<&'a str>,
}

/// A rule as its line says it.
struct Line<'a> {
    /// The user of a `topic` line, `None` for clients without a user name.
    user: Option<&'a str>,
    is_pattern: bool,
    access: &'a str,
    filter: &'a str,
}

/// Reads access rules, and decides about topics. The first line is `CLIENT-ID,USER,TOPIC`, with an empty USER for a client without one;
/// the rules follow.
pub fn access_rules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((first, rules)) = text.split_once('\n') else { return };
    let mut parts = first.splitn(3, ',');
    let (Some(id), Some(user), Some(topic)) = (parts.next(), parts.next(), parts.next()) else { return };
    let client = Client { id, user: Some(user).filter(|user| !user.is_empty()) };
    let parsed = Acl::parse(rules);
    let lines = lines(rules);
    let numbers = 1..=rules.split('\n').count() as u64;
    let acl = match (parsed, &lines) {
        (Ok(acl), Some(lines)) => {
            assert_eq!(acl.len(), lines.len());
            acl
        }
        (Err(error), None) => {
            assert!(numbers.contains(&error.line), "{error}");
            assert!(error.column > 0 && !error.problem.is_empty());
            return;
        }
        (parsed, _) => panic!("only one of two readers accepts the rules: {:?}", parsed.err()),
    };
    let lines = lines.unwrap_or_default();
    assert!(acl.surprises().all(|(line, surprise)| numbers.contains(&line) && !surprise.is_empty()));
    let subject = Subject { client_id: client.id.into(), user: client.user.map(Into::into) };
    let of_rules = lines.iter().map(|line| topic_of(line.filter, &client));
    for topic in of_rules.chain([topic.to_owned()]).filter(|topic| check_name(topic).is_ok()) {
        for (intent, word) in [(Intent::Read, "read"), (Intent::Write, "write")] {
            let expected = allows(&lines, &client, &topic, word);
            assert_eq!(acl.allows(&subject, &topic, intent), expected, "{word} {topic:?}");
        }
    }
}

/// The rules of the lines, or `None` if a line is invalid.
fn lines(rules: &str) -> Option<Vec<Line<'_>>> {
    let mut lines = Vec::new();
    let mut user = None;
    for line in rules.split('\n') {
        if line.starts_with('#') || line.trim_ascii().is_empty() {
            continue;
        }
        let (keyword, rest) = first_word(line.trim_ascii_end());
        if keyword == "user" && !rest.is_empty() {
            user = Some(rest.trim_ascii());
            continue;
        }
        let is_pattern = keyword == "pattern";
        if !is_pattern && keyword != "topic" {
            return None;
        }
        let (access, filter) = match first_word(rest) {
            (filter, "") => ("readwrite", filter),
            (access, filter) => (access, filter.trim_ascii()),
        };
        let is_filter = check_filter(&filter.replace("$share", "$Share")).is_ok();
        if !["read", "write", "readwrite", "deny"].contains(&access) || !is_filter {
            return None;
        }
        lines.push(Line { user, is_pattern, access, filter });
    }
    Some(lines)
}

/// The word up to a space, and the rest of the line. A topic without access is such a word, so a form feed is a part of it.
fn first_word(line: &str) -> (&str, &str) {
    let line = line.trim_start_matches(' ');
    line.split_once(' ').unwrap_or((line, ""))
}

/// A topic that the filter is likely to match.
fn topic_of(filter: &str, client: &Client<'_>) -> String {
    let topic = filter.replace("%u", client.user.unwrap_or("u")).replace("%c", client.id);
    topic.replace(['+', '#'], "x")
}

/// mosquitto's decision: the rules of the user come before the patterns, and in each of both, `deny` comes first.
fn allows(lines: &[Line<'_>], client: &Client<'_>, topic: &str, intent: &str) -> bool {
    let own = lines.iter().filter(|line| !line.is_pattern && line.user == client.user);
    let own = own.filter(|line| matches(line.filter, topic)).map(|line| line.access);
    let is_safe = |name: &str| !name.contains(['+', '#']);
    let has_patterns = is_safe(client.id) && client.user.is_none_or(is_safe);
    let patterns = lines.iter().filter(|line| has_patterns && line.is_pattern);
    let patterns = patterns.filter(|line| client.user.is_some() || !line.filter.contains("%u"));
    let patterns = patterns.filter(|line| matches(&expanded(line.filter, client), topic));
    let decision = decision(&own.collect::<Vec<_>>(), intent);
    let decision =
        decision.or_else(|| self::decision(&patterns.map(|line| line.access).collect::<Vec<_>>(), intent));
    decision.unwrap_or(false) && !topic.starts_with("$share")
}

/// The decision of the rules that match, if one of them decides.
fn decision(accesses: &[&str], intent: &str) -> Option<bool> {
    if accesses.contains(&"deny") {
        return Some(false);
    }
    accesses.iter().any(|access| *access == "readwrite" || *access == intent).then_some(true)
}

/// The pattern with the names of the client, character by character.
fn expanded(pattern: &str, client: &Client<'_>) -> String {
    let mut filter = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('%', Some('u')) => filter.push_str(client.user.unwrap_or_default()),
            ('%', Some('c')) => filter.push_str(client.id),
            _ => {
                filter.push(character);
                continue;
            }
        }
        characters.next();
    }
    filter
}

/// Whether a filter matches, level by level.
fn matches(filter: &str, topic: &str) -> bool {
    fn levels_match(filter: &[&str], topic: &[&str]) -> bool {
        match (filter.split_first(), topic.split_first()) {
            (Some((&"#", _)), _) | (None, None) => true,
            (Some((level, filter)), Some((name, topic))) => {
                (*level == "+" || level == name) && levels_match(filter, topic)
            }
            _ => false,
        }
    }
    let is_hidden = topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'));
    let levels = |text| str::split(text, '/').collect::<Vec<_>>();
    !is_hidden && levels_match(&levels(filter), &levels(topic))
}
