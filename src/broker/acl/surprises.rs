//! Rules that are valid, but most likely not meant as written.

use super::{Access, Acl, Rule};
use crate::broker::own_topics::BRIDGE_STATES;
use crate::protocol::topic;

/// The words for the access.
const ACCESS: [&str; 4] = ["read", "write", "readwrite", "deny"];

/// The most comparisons of rules with each other.
const MAX_COMPARISONS: usize = 1_000_000;

/// The lines with such rules, in order.
pub(super) fn of(acl: &Acl) -> Vec<(u64, String)> {
    let topics = || acl.users.values().chain([&acl.anonymous]).flatten();
    let mut found: Vec<(u64, String)> = Vec::new();
    let mut note =
        |rule: &Rule, surprise: Option<String>| found.extend(surprise.map(|text| (rule.line, text)));
    for rule in topics() {
        note(rule, of_topic(rule).or_else(|| of_any(rule)));
    }
    for rule in &acl.patterns {
        note(rule, of_any(rule));
    }
    let denials = || acl.patterns.iter().filter(|rule| rule.access == Access::DENY);
    if denials().count().saturating_mul(topics().count()) <= MAX_COMPARISONS {
        for denial in denials() {
            note(
                denial,
                topics().filter(|rule| overrides(rule, denial)).map(|rule| rule.line).min().map(overridden),
            );
        }
    }
    found.sort();
    found
}

fn of_topic(rule: &Rule) -> Option<String> {
    let variable = ["%u", "%c"].into_iter().find(|variable| rule.filter.contains(variable))?;
    Some(format!("{variable} stands for itself in a topic rule; only a pattern rule replaces it"))
}

fn of_any(rule: &Rule) -> Option<String> {
    let filter = &*rule.filter;
    if filter.starts_with("$share") {
        return Some(format!(
            "the rule never applies: the topic of a message does not begin with $share; give the filter without \
             $share and the group (found {filter:?})"
        ));
    }
    if filter.starts_with("$SYS") && rule.access.writes && !is_for_bridge_states(filter) {
        return Some(format!(
            "below $SYS, clients can publish only to {BRIDGE_STATES}, so {filter:?} allows nothing else"
        ));
    }
    let has_no_access_word = rule.access.reads && rule.access.writes;
    (has_no_access_word && ACCESS.contains(&filter))
        .then(|| format!("{filter:?} is the topic of this rule, not its access, since nothing follows it"))
}

/// Whether a filter is meant for the states of bridges, perhaps with a variable in place of the client identifier.
fn is_for_bridge_states(filter: &str) -> bool {
    topic::matches(BRIDGE_STATES, filter)
}

/// Whether a rule of a user overrides the denial of a pattern.
fn overrides(rule: &Rule, denial: &Rule) -> bool {
    rule.access != Access::DENY && topic::matches(&rule.filter, &denial.filter)
}

fn overridden(line: u64) -> String {
    format!("the pattern does not deny what a topic rule allows to its user, as on line {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surprising_rules_are_found_with_their_lines() {
        for (text, expected) in [
            ("topic read $share/g/#", Some((1, "never applies"))),
            ("\npattern read $share", Some((2, "never applies"))),
            ("user ann\ntopic $SYS/#", Some((2, "clients can publish only to"))),
            ("topic read $SYS/#", None),
            ("pattern write $SYS/broker/connection/%c/state", None),
            ("topic write $SYS/broker/connection/+/state", None),
            ("topic read", Some((1, "\"read\" is the topic"))),
            ("topic read read", None),
            ("topic read home/%u/#", Some((1, "%u stands for itself"))),
            ("pattern read home/%u/#", None),
            ("user ann\ntopic #\npattern deny safe/#", Some((3, "as on line 2"))),
            ("user ann\ntopic a/+\npattern deny a/b", Some((3, "as on line 2"))),
            ("user ann\ntopic deny #\npattern deny safe/#", None),
            ("user ann\ntopic deny a/b\ntopic a/#", None),
        ] {
            let acl = Acl::parse(text).unwrap();
            let found: Vec<_> = acl.surprises().collect();
            assert_eq!(found.len(), usize::from(expected.is_some()), "{text}: {found:?}");
            if let (Some((line, part)), Some((at, surprise))) = (expected, found.first()) {
                assert!(*at == line && surprise.contains(part), "{text}: {found:?}");
            }
        }
    }
}
