//! Access rules for topics: the topics to which a client may publish, and those whose messages it may receive. Syntax and meaning
//! are those of mosquitto's `acl_file`.
//!
//! Clients may subscribe to anything; the rules decide about each message. In each list of rules, `deny` comes first. The rules of
//! the user come before the patterns, so that a user's rule overrides the denial of a pattern.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod parse;
mod surprises;

use crate::protocol::topic;
pub(crate) use parse::AclError;
use std::collections::HashMap;
use std::rc::Rc;

/// The rules of an access file.
#[derive(Debug, Default)]
pub(crate) struct Acl {
    /// For clients without a user name.
    anonymous: Vec<Rule>,
    users: HashMap<Box<str>, Vec<Rule>>,
    /// For all clients, with `%u` and `%c` in place of the user name and the client identifier.
    patterns: Vec<Rule>,
    /// The largest number of rules that one decision looks at.
    longest: usize,
    /// Rules with a surprising effect: the line, and the effect.
    surprises: Vec<(u64, String)>,
}

/// One line of the file.
#[derive(Debug)]
struct Rule {
    filter: Box<str>,
    access: Access,
    /// Counted from 1.
    line: u64,
}

/// The access that a rule gives; neither is `deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Access {
    reads: bool,
    writes: bool,
}

/// The access of a client to the messages of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Receive them.
    Read,
    /// Publish them.
    Write,
}

/// A client as the rules know it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) client_id: Rc<str>,
    pub(super) user: Option<Box<str>>,
}

impl Subject {
    /// Its memory beyond the shared client identifier.
    pub(super) fn cost(&self) -> usize {
        size_of::<Subject>() + self.user.as_ref().map_or(0, |user| user.len())
    }
}

impl Access {
    const DENY: Access = Access { reads: false, writes: false };

    fn allows(self, intent: Intent) -> bool {
        match intent {
            Intent::Read => self.reads,
            Intent::Write => self.writes,
        }
    }
}

impl Rule {
    /// Whether it decides about this: it denies the topic, or gives this access.
    fn decides(&self, intent: Intent) -> bool {
        self.access == Access::DENY || self.access.allows(intent)
    }
}

impl Acl {
    /// Reads the rules.
    ///
    /// # Errors
    /// The first invalid line.
    pub(crate) fn parse(text: &str) -> Result<Acl, AclError> {
        let mut acl = parse::parse(text)?;
        acl.surprises = surprises::of(&acl);
        let lists = || acl.users.values().chain([&acl.anonymous]);
        acl.longest = lists().map(Vec::len).max().unwrap_or(0) + acl.patterns.len();
        let lists = acl.users.values_mut().chain([&mut acl.anonymous, &mut acl.patterns]);
        lists.for_each(|rules| rules.sort_by_key(|rule| rule.access != Access::DENY));
        Ok(acl)
    }

    /// The number of rules.
    pub(crate) fn len(&self) -> usize {
        self.users.values().map(Vec::len).sum::<usize>() + self.anonymous.len() + self.patterns.len()
    }

    /// The rules that never apply, or not as one may expect: the line, and the effect.
    pub(crate) fn surprises(&self) -> impl Iterator<Item = (u64, &str)> {
        self.surprises.iter().map(|(line, surprise)| (*line, surprise.as_str()))
    }

    /// The work of one decision, in the broker's unit.
    pub(super) fn work(&self) -> usize {
        1 + self.longest
    }

    pub(super) fn allows(&self, subject: &Subject, topic: &str, intent: Intent) -> bool {
        if topic.starts_with("$share") {
            return false;
        }
        let Subject { client_id, user } = subject;
        let own = match user {
            Some(user) => self.users.get(user).map_or(&[][..], Vec::as_slice),
            None => &self.anonymous,
        };
        let matches = |rule: &&Rule| rule.decides(intent) && topic::matches(&rule.filter, topic);
        if let Some(rule) = own.iter().find(matches) {
            return rule.access.allows(intent);
        }
        // In a pattern, such names would be wildcards.
        let is_dangerous = |name: &str| name.contains(['+', '#']);
        if self.patterns.is_empty() || is_dangerous(client_id) || user.as_deref().is_some_and(is_dangerous) {
            return false;
        }
        let matches = |rule: &&Rule| {
            rule.decides(intent)
                && expand(&rule.filter, client_id, user.as_deref())
                    .is_some_and(|filter| topic::matches(&filter, topic))
        };
        self.patterns.iter().find(matches).is_some_and(|rule| rule.access.allows(intent))
    }
}

/// A pattern for one client; `None` if it needs a user name and the client has none.
fn expand(pattern: &str, client_id: &str, user: Option<&str>) -> Option<String> {
    let mut filter = String::with_capacity(pattern.len() + client_id.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        filter.push_str(before);
        rest = match after.chars().next() {
            Some('u') => {
                filter.push_str(user?);
                after.get(1..).unwrap_or_default()
            }
            Some('c') => {
                filter.push_str(client_id);
                after.get(1..).unwrap_or_default()
            }
            _ => {
                filter.push('%');
                after
            }
        };
    }
    filter.push_str(rest);
    Some(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(user: Option<&str>, client_id: &str) -> Subject {
        Subject { client_id: client_id.into(), user: user.map(Into::into) }
    }

    #[test]
    fn patterns_are_expanded_for_the_client() {
        for (pattern, filter) in [
            ("a/%c/%u/#", Some("a/me/ann/#")),
            ("%u%c%%u", Some("annme%ann")),
            ("100%", Some("100%")),
            ("%x/%é", Some("%x/%é")),
        ] {
            assert_eq!(expand(pattern, "me", Some("ann")).as_deref(), filter);
        }
        assert_eq!(expand("%c/%u", "me", None), None);
        assert_eq!(expand("%c", "me", None).as_deref(), Some("me"));
    }

    #[test]
    fn deny_wins_within_its_list_and_a_users_rule_over_a_pattern() {
        let acl = "user ann\ntopic readwrite a/#\ntopic deny a/no\npattern deny a/x\npattern read b/#\n";
        let acl = Acl::parse(acl).unwrap();
        let ann = subject(Some("ann"), "me");
        for (topic, reads, writes) in
            [("a/yes", true, true), ("a/no", false, false), ("a/x", true, true), ("b/c", true, false)]
        {
            assert_eq!(acl.allows(&ann, topic, Intent::Read), reads, "{topic}");
            assert_eq!(acl.allows(&ann, topic, Intent::Write), writes, "{topic}");
        }
        assert_eq!((acl.len(), acl.work()), (4, 5));
    }

    #[test]
    fn names_with_wildcards_match_no_pattern() {
        let acl = Acl::parse("pattern readwrite %u/#\npattern readwrite all\n").unwrap();
        assert!(acl.allows(&subject(Some("ann"), "me"), "ann/x", Intent::Write));
        for (user, client_id) in [(Some("+"), "me"), (Some("#"), "me"), (Some("ann"), "+"), (None, "#")] {
            assert!(!acl.allows(&subject(user, client_id), "all", Intent::Write), "{user:?} {client_id}");
        }
    }
}
