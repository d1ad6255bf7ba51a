//! The topic filters that a client subscribed to in a connection, and those that match a topic. Memory is bounded.
//!
//! Filters are never removed: messages may still be in transit when a client unsubscribes.

use crate::protocol::topic::{matches, split_share};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// Maximum number of filters in a connection.
const MAX_FILTERS: usize = 10_000;

/// Maximum number of filters with wildcards in a connection; each topic is matched against all of them.
const MAX_WILDCARDS: usize = 1000;

/// Maximum memory for the filters of all connections, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Bytes that a filter takes in addition to its text.
const OVERHEAD: usize = 128;

/// Maximum number of topics whose verdicts are cached.
const MAX_TOPICS: usize = 1024;

/// Memory that the filters of all connections take.
#[derive(Debug, Default)]
pub(super) struct FilterMemory {
    used: usize,
}

/// The options of a requested subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestedOptions {
    pub(super) qos: u8,
    pub(super) has_identifier: bool,
    pub(super) retain_as_published: bool,
    pub(super) wants_retained: bool,
    pub(super) at: Option<u64>,
}

/// The messages that a filter selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FilterSource<'a> {
    /// Messages whose topics match this filter.
    Topics(&'a str),
    /// Messages of an EMQX queue or stream; the broker's settings define their topics.
    Named,
}

/// The prefixes of EMQX's queues and streams: `$q` in version 6.0, `$queue` since then, `$stream` since 6.1. Before 6,
/// `$queue/FILTER` was a shared subscription.
const NAMED: [&str; 3] = ["$queue/", "$q/", "$stream/"];

/// The prefix of EMQX's exclusive subscriptions, which only one client can have at a time.
const EXCLUSIVE: &str = "$exclusive/";

#[derive(Debug)]
struct SubscribedFilter {
    pattern: Box<str>,
    /// The requested QoS, until SUBACK answers.
    pending_qos: Option<u8>,
    granted: Option<u8>,
    requested: RequestedOptions,
}

/// The combined options of the subscriptions that match a topic.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MatchingOptions {
    /// At least one subscription matches.
    pub(super) is_match: bool,
    /// At least one would match without the rule about topics that begin with `$`.
    pub(super) is_match_but_for_dollar: bool,
    pub(super) qos: u8,
    /// At least one has Retain As Published.
    pub(super) retain_as_published: bool,
    /// At least one asks for retained messages.
    pub(super) wants_retained: bool,
    /// At least one has no identifier.
    pub(super) lacks_identifier: bool,
    /// Time of the latest SUBSCRIBE.
    pub(super) at: Option<u64>,
}

/// A connection's subscriptions.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    all: Vec<SubscribedFilter>,
    by_filter: HashMap<Box<str>, usize, RandomState>,
    exact: HashMap<Box<str>, Vec<usize>, RandomState>,
    wildcards: Vec<usize>,
    named: Vec<usize>,
    identifiers: HashSet<u32, RandomState>,
    cached_matches: HashMap<u64, MatchingOptions, RandomState>,
    bytes: usize,
    pub(super) misses_some: bool,
}

impl Subscriptions {
    /// Remembers a requested filter and returns its number; `None` if the limits are reached.
    pub(super) fn ask(
        &mut self,
        filter: &str,
        requested: RequestedOptions,
        budget: &mut FilterMemory,
    ) -> Option<usize> {
        self.cached_matches.clear();
        if let Some(number) = self.by_filter.get(filter).copied() {
            self.all.get_mut(number)?.ask_again(requested);
            return Some(number);
        }
        let source = source(filter);
        let pattern = match source {
            FilterSource::Topics(pattern) => pattern,
            FilterSource::Named => filter,
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
        let subscription = SubscribedFilter {
            pattern: pattern.into(),
            pending_qos: Some(requested.qos),
            granted: None,
            requested,
        };
        self.all.push(subscription);
        self.by_filter.insert(filter.into(), number);
        if source == FilterSource::Named {
            self.named.push(number);
        } else if has_wildcard {
            self.wildcards.push(number);
        } else {
            self.exact.entry(pattern.into()).or_default().push(number);
        }
        Some(number)
    }

    /// The server granted this QoS, or refused.
    pub(super) fn grant(&mut self, number: usize, qos: Option<u8>) {
        self.cached_matches.clear();
        if let Some(subscription) = self.all.get_mut(number) {
            subscription.pending_qos = None;
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

    /// The subscriptions that match a topic, combined.
    pub(super) fn matching(&mut self, topic: &str) -> MatchingOptions {
        let key = self.cached_matches.hasher().hash_one(topic);
        if let Some(matching) = self.cached_matches.get(&key) {
            return *matching;
        }
        let matching = self.check_silence(topic);
        if self.cached_matches.len() >= MAX_TOPICS {
            self.cached_matches.clear();
        }
        self.cached_matches.insert(key, matching);
        matching
    }

    /// Returns the memory of all subscriptions to the budget.
    pub(super) fn give_back(self, budget: &mut FilterMemory) {
        budget.used = budget.used.saturating_sub(self.bytes);
    }

    fn check_silence(&self, topic: &str) -> MatchingOptions {
        let mut matching = MatchingOptions::default();
        for number in &self.named {
            let Some(subscription) = self.all.get(*number) else { continue };
            if let Some(qos) = subscription.pending_qos.max(subscription.granted) {
                matching.add(qos, subscription.requested);
            }
        }
        let exact = self.exact.get(topic).map(Vec::as_slice).unwrap_or_default();
        for number in exact.iter().chain(&self.wildcards) {
            let Some(subscription) = self.all.get(*number) else { continue };
            let Some(qos) = subscription.pending_qos.max(subscription.granted) else { continue };
            if matches(&subscription.pattern, topic) {
                matching.add(qos, subscription.requested);
            } else if let Some(rest) = topic.strip_prefix('$') {
                // With another first character, the rule about `$` does not apply.
                matching.is_match_but_for_dollar |= matches(&subscription.pattern, &format!("_{rest}"));
            }
        }
        matching
    }
}

/// The messages that a filter selects, with EMQX's prefixes interpreted as EMQX does.
fn source(filter: &str) -> FilterSource<'_> {
    let is_named = |filter: &str| NAMED.iter().any(|prefix| filter.starts_with(prefix));
    let inner = match split_share(filter) {
        Ok(Some((_, inner))) if !is_named(filter) => inner,
        _ => filter,
    };
    if is_named(inner) {
        FilterSource::Named
    } else {
        FilterSource::Topics(inner.strip_prefix(EXCLUSIVE).unwrap_or(inner))
    }
}

impl SubscribedFilter {
    /// A repeated SUBSCRIBE replaces the options, but messages for both may be in transit.
    fn ask_again(&mut self, requested: RequestedOptions) {
        self.pending_qos = self.pending_qos.max(Some(requested.qos));
        self.requested = RequestedOptions {
            qos: requested.qos,
            has_identifier: self.requested.has_identifier && requested.has_identifier,
            retain_as_published: self.requested.retain_as_published || requested.retain_as_published,
            wants_retained: self.requested.wants_retained || requested.wants_retained,
            at: requested.at,
        };
    }
}

impl MatchingOptions {
    fn add(&mut self, qos: u8, requested: RequestedOptions) {
        self.is_match = true;
        self.qos = self.qos.max(qos);
        self.retain_as_published |= requested.retain_as_published;
        self.wants_retained |= requested.wants_retained;
        self.lacks_identifier |= !requested.has_identifier;
        self.at = self.at.max(requested.at);
    }
}
