//! Parses mosquitto's `acl_file`. Words are separated by spaces, not by tabs; the topic is the rest of the line.

use super::{Access, Acl, Rule};
use crate::protocol::topic;

/// An invalid line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct AclError {
    /// Counted from 1.
    pub line: u64,
    /// The first character of the invalid word, counted from 1.
    pub column: u64,
    pub problem: String,
}

/// The invalid place in a line: the number of bytes before it, and the reason.
struct Fault(usize, String);

pub(super) fn parse(text: &str) -> Result<Acl, AclError> {
    let mut parser = Parser::default();
    for (index, line) in text.split('\n').enumerate() {
        parser.line = index as u64 + 1;
        parser.take(line.trim_ascii_end()).map_err(|Fault(at, problem)| {
            let column = line.get(..at).unwrap_or(line).chars().count() + 1;
            AclError { line: parser.line, column: column as u64, problem }
        })?;
    }
    Ok(parser.acl)
}

#[derive(Default)]
struct Parser {
    acl: Acl,
    /// The user of the rules that follow; none before the first user.
    user: Option<Box<str>>,
    /// The number of the line, counted from 1.
    line: u64,
}

impl Parser {
    fn take(&mut self, line: &str) -> Result<(), Fault> {
        if line.starts_with('#') {
            return Ok(());
        }
        let mut words = Words { line, at: 0 };
        let start = words.skip_spaces();
        let Some(keyword) = words.next() else { return Ok(()) };
        match keyword {
            "topic" => {
                let rule = rule(&mut words, self.line)?;
                match &self.user {
                    Some(user) => self.acl.users.entry(user.clone()).or_default().push(rule),
                    None => self.acl.anonymous.push(rule),
                }
            }
            "pattern" => self.acl.patterns.push(rule(&mut words, self.line)?),
            "user" => {
                let (at, name) = words.rest();
                if name.is_empty() {
                    return Err(Fault(at, "missing user name".to_owned()));
                }
                self.user = Some(name.into());
            }
            _ => return Err(Fault(start, unknown(keyword))),
        }
        Ok(())
    }
}

fn unknown(keyword: &str) -> String {
    let has_tab = keyword.contains('\t');
    let remedy = if has_tab { "; separate the words with spaces, not tabs" } else { "" };
    format!("unknown keyword {keyword:?}; expected user, topic or pattern{remedy}")
}

/// The access and the topic filter of a rule. A single word is the filter.
fn rule(words: &mut Words<'_>, line: u64) -> Result<Rule, Fault> {
    let first_at = words.skip_spaces();
    let Some(first) = words.next() else {
        return Err(Fault(first_at, "missing topic".to_owned()));
    };
    let (at, filter) = words.rest();
    let (access, at, filter) = match filter {
        "" => (Access { reads: true, writes: true }, first_at, first),
        _ => (access(first).map_err(|problem| Fault(first_at, problem))?, at, filter),
    };
    // mosquitto takes the prefix of shared subscriptions as any other level.
    let checked = filter.strip_prefix('$').filter(|_| filter.starts_with("$share")).unwrap_or(filter);
    topic::check_filter(checked).map_err(|error| Fault(at, format!("invalid topic {filter:?}: {error}")))?;
    Ok(Rule { filter: filter.into(), access, line })
}

fn access(word: &str) -> Result<Access, String> {
    match word {
        "read" => Ok(Access { reads: true, writes: false }),
        "write" => Ok(Access { reads: false, writes: true }),
        "readwrite" => Ok(Access { reads: true, writes: true }),
        "deny" => Ok(Access::DENY),
        _ => Err(format!("unknown access {word:?}; expected read, write, readwrite or deny")),
    }
}

/// The words of a line.
struct Words<'a> {
    line: &'a str,
    /// The number of bytes before the next word.
    at: usize,
}

impl<'a> Words<'a> {
    fn left(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// Moves to the next word. Returns the number of bytes before it.
    fn skip_spaces(&mut self) -> usize {
        let left = self.left();
        self.at += left.len() - left.trim_start_matches(' ').len();
        self.at
    }

    fn next(&mut self) -> Option<&'a str> {
        self.skip_spaces();
        let word = self.left().split(' ').next().filter(|word| !word.is_empty())?;
        self.at += word.len();
        Some(word)
    }

    /// The rest of the line without the space around it, and the number of bytes before.
    fn rest(&mut self) -> (usize, &'a str) {
        let left = self.left();
        let rest = left.trim_ascii();
        (self.at + left.len() - left.trim_ascii_start().len(), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_mosquitto_takes_are_taken() {
        let text = "# comment\r\n\r\n  topic open/#\ntopic read\ntopic  read  a b  \n\nuser  ann b \ntopic deny x\n\
                    pattern write %u/%c\nuser ann b\ntopic +/y";
        let acl = parse(text).unwrap();
        let shown = |rules: &[Rule]| -> Vec<String> {
            let text = |rule: &Rule| format!("{} {} {}", rule.filter, rule.access.reads, rule.access.writes);
            rules.iter().map(text).collect()
        };
        assert_eq!(shown(&acl.anonymous), ["open/# true true", "read true true", "a b true false"]);
        assert_eq!(shown(&acl.users["ann b"]), ["x false false", "+/y true true"]);
        assert_eq!(shown(&acl.patterns), ["%u/%c false true"]);
        assert_eq!(acl.users.len(), 1);
    }

    #[test]
    fn an_invalid_line_is_named_with_its_column() {
        for (text, line, column, part) in [
            ("topic a\n # x", 2, 2, "unknown keyword \"#\""),
            ("topic\tread\ta", 1, 1, "not tabs"),
            ("topic", 1, 6, "missing topic"),
            ("pattern ", 1, 8, "missing topic"),
            ("user  ", 1, 5, "missing user name"),
            ("topic é b", 1, 7, "unknown access \"é\""),
            ("topic read  é/#/b", 1, 13, "invalid topic \"é/#/b\""),
            ("user ann\nTopic a", 2, 1, "unknown keyword \"Topic\""),
            ("topic +a", 1, 7, "+ must be alone"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
            assert!(error.problem.contains(part), "{error}");
        }
    }
}
