//! The topic filters that a client subscribed to in a connection, within bounds, and which of them a topic matches.
//!
//! None is ever taken out: what was on its way when a client unsubscribed may still come.

use crate::protocol::topic::{matches, split_share};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// The most filters of a connection.
const MAX_FILTERS: usize = 10_000;

/// The most of them with wildcards, which are tried one after the other.
const MAX_WILDCARDS: usize = 1000;

/// The most bytes of all connections' filters.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What a filter costs beside its text.
const OVERHEAD: usize = 128;

/// So many topics are remembered with what they match.
const MAX_TOPICS: usize = 1024;

/// What all connections' filters take.
#[derive(Debug, Default)]
pub(super) struct Budget {
    used: usize,
}

/// What a client asks for with a filter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) qos: u8,
    pub(super) has_identifier: bool,
    pub(super) retain_as_published: bool,
    pub(super) wants_retained: bool,
    pub(super) at: Option<u64>,
}

/// The messages that a filter brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source<'a> {
    /// Those of the topics that match this filter.
    Topics(&'a str),
    /// Those of a queue or a stream of EMQX, which are of topics that the broker's settings know.
    Named,
}

/// The prefixes of EMQX's queues and streams: `$q` in version 6.0, `$queue` since then, `$stream` since 6.1. Before 6, `$queue/FILTER` was a
/// shared subscription.
const NAMED: [&str; 3] = ["$queue/", "$q/", "$stream/"];

/// The prefix of EMQX's exclusive subscriptions: one client alone has the filter behind it.
const EXCLUSIVE: &str = "$exclusive/";

#[derive(Debug)]
struct Subscription {
    pattern: Box<str>,
    /// What SUBACK did not answer yet.
    asked: Option<u8>,
    granted: Option<u8>,
    wish: Wish,
}

/// What the subscriptions that a topic matches have in common.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Verdict {
    /// There is one.
    pub(super) is_match: bool,
    /// There is one but for the rule about topics that begin with `$`.
    pub(super) is_match_but_for_dollar: bool,
    pub(super) qos: u8,
    /// One at least keeps RETAIN as it was published.
    pub(super) retain_as_published: bool,
    /// One at least wants messages that were kept.
    pub(super) wants_retained: bool,
    /// One at least has no identifier.
    pub(super) lacks_identifier: bool,
    /// The latest SUBSCRIBE.
    pub(super) at: Option<u64>,
}

/// A connection's subscriptions.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    all: Vec<Subscription>,
    by_filter: HashMap<Box<str>, usize, RandomState>,
    exact: HashMap<Box<str>, Vec<usize>, RandomState>,
    wildcards: Vec<usize>,
    named: Vec<usize>,
    identifiers: HashSet<u32, RandomState>,
    verdicts: HashMap<u64, Verdict, RandomState>,
    bytes: usize,
    pub(super) misses_some: bool,
}

impl Subscriptions {
    /// Takes note of a filter; gives its number, or nothing when there is no room.
    pub(super) fn ask(&mut self, filter: &str, wish: Wish, budget: &mut Budget) -> Option<usize> {
        self.verdicts.clear();
        if let Some(number) = self.by_filter.get(filter).copied() {
            self.all.get_mut(number)?.ask_again(wish);
            return Some(number);
        }
        let source = source(filter);
        let pattern = match source {
            Source::Topics(pattern) => pattern,
            Source::Named => filter,
        };
        let has_wildcard = pattern.contains(['+', '#']);
        let cost = OVERHEAD + 3 * filter.len();
        if self.all.len() >= MAX_FILTERS
            || (has_wildcard && self.wildcards.len() >= MAX_WILDCARDS)
            || budget.used + cost > MAX_BYTES
        {
            self.misses_some = true;
            return None;
        }
        budget.used += cost;
        self.bytes += cost;
        let number = self.all.len();
        let subscription =
            Subscription { pattern: pattern.into(), asked: Some(wish.qos), granted: None, wish };
        self.all.push(subscription);
        self.by_filter.insert(filter.into(), number);
        if source == Source::Named {
            self.named.push(number);
        } else if has_wildcard {
            self.wildcards.push(number);
        } else {
            self.exact.entry(pattern.into()).or_default().push(number);
        }
        Some(number)
    }

    /// The server granted so much, or nothing.
    pub(super) fn grant(&mut self, number: usize, qos: Option<u8>) {
        self.verdicts.clear();
        if let Some(subscription) = self.all.get_mut(number) {
            subscription.asked = None;
            subscription.granted = subscription.granted.max(qos);
        }
    }

    pub(super) fn add_identifier(&mut self, identifier: u32) {
        if self.identifiers.len() < MAX_FILTERS {
            self.identifiers.insert(identifier);
        } else {
            self.misses_some = true;
        }
    }

    pub(super) fn has_identifier(&self, identifier: u32) -> bool {
        self.identifiers.contains(&identifier)
    }

    /// What a topic matches.
    pub(super) fn verdict(&mut self, topic: &str) -> Verdict {
        let key = self.verdicts.hasher().hash_one(topic);
        if let Some(verdict) = self.verdicts.get(&key) {
            return *verdict;
        }
        let verdict = self.judge(topic);
        if self.verdicts.len() >= MAX_TOPICS {
            self.verdicts.clear();
        }
        self.verdicts.insert(key, verdict);
        verdict
    }

    /// Frees what they take.
    pub(super) fn give_back(&mut self, budget: &mut Budget) {
        budget.used = budget.used.saturating_sub(self.bytes);
        *self = Subscriptions { misses_some: true, ..Subscriptions::default() };
    }

    fn judge(&self, topic: &str) -> Verdict {
        let mut verdict = Verdict::default();
        for number in &self.named {
            let Some(subscription) = self.all.get(*number) else { continue };
            if let Some(qos) = subscription.asked.max(subscription.granted) {
                verdict.add(qos, subscription.wish);
            }
        }
        let exact = self.exact.get(topic).map(Vec::as_slice).unwrap_or_default();
        for number in exact.iter().chain(&self.wildcards) {
            let Some(subscription) = self.all.get(*number) else { continue };
            let Some(qos) = subscription.asked.max(subscription.granted) else { continue };
            if matches(&subscription.pattern, topic) {
                verdict.add(qos, subscription.wish);
            } else if let Some(rest) = topic.strip_prefix('$') {
                // Without its first character the topic is like any other.
                verdict.is_match_but_for_dollar |= matches(&subscription.pattern, &format!("_{rest}"));
            }
        }
        verdict
    }
}

/// The messages that a filter brings, with the prefixes of EMQX read as it reads them.
fn source(filter: &str) -> Source<'_> {
    let is_named = |filter: &str| NAMED.iter().any(|prefix| filter.starts_with(prefix));
    let inner = match split_share(filter) {
        Ok(Some((_, inner))) if !is_named(filter) => inner,
        _ => filter,
    };
    if is_named(inner) {
        Source::Named
    } else {
        Source::Topics(inner.strip_prefix(EXCLUSIVE).unwrap_or(inner))
    }
}

impl Subscription {
    /// What is asked for again replaces what was, but both may be on their way.
    fn ask_again(&mut self, wish: Wish) {
        self.asked = self.asked.max(Some(wish.qos));
        self.wish = Wish {
            qos: wish.qos,
            has_identifier: self.wish.has_identifier && wish.has_identifier,
            retain_as_published: self.wish.retain_as_published || wish.retain_as_published,
            wants_retained: self.wish.wants_retained || wish.wants_retained,
            at: wish.at,
        };
    }
}

impl Verdict {
    fn add(&mut self, qos: u8, wish: Wish) {
        self.is_match = true;
        self.qos = self.qos.max(qos);
        self.retain_as_published |= wish.retain_as_published;
        self.wants_retained |= wish.wants_retained;
        self.lacks_identifier |= !wish.has_identifier;
        self.at = self.at.max(wish.at);
    }
}
