//! The rules of one direction, compiled: the subscriptions on the source, and the targets of each topic.
//!
//! A broker may deliver a message once for each subscription that matches. So filters that another one covers are left out, and
//! of filters that overlap in part only the copy of the first one is forwarded, if subscription identifiers distinguish the copies.

use super::filter::{covers, overlap};
use super::rule::{Direction, Rule, Way};
use crate::protocol::Qos;
use crate::protocol::topic::TopicFilter;
use std::collections::HashMap;
use std::rc::Rc;

/// The maximum of targets of one topic.
pub(crate) const MAX_TARGETS: usize = 8;

/// The maximum of topics whose targets are remembered, and their maximum length.
const MAX_CACHED: usize = 4096;
const LONGEST_CACHED: usize = 256;

/// A subscription on the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// The filter as SUBSCRIBE carries it.
    pub(crate) filter: TopicFilter,
    pub(crate) qos: Qos,
    /// Whether a group shares it, so that no-local is not allowed [MQTT-3.8.3-4].
    pub(crate) is_shared: bool,
}

/// A topic to forward a message to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) topic: Box<str>,
    /// The maximum QoS of the rules with this target.
    pub(crate) qos: Qos,
}

/// The rules of one direction.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    ways: Vec<Way>,
    subscriptions: Vec<Subscription>,
    has_partial_overlaps: bool,
    cache: HashMap<Box<str>, Destinations>,
}

/// The targets of a topic, and the subscription whose copy is forwarded.
#[derive(Debug, Clone)]
struct Destinations {
    identifier: u32,
    targets: Rc<[Target]>,
}

impl Routes {
    pub(crate) fn compile(rules: &[Rule], direction: Direction) -> Routes {
        let ways = rules.iter().flat_map(Rule::ways).filter(|way| way.direction == direction);
        let ways: Vec<Way> = ways.cloned().collect();
        let subscriptions = subscriptions(&ways);
        let has_partial_overlaps = subscriptions.iter().enumerate().any(|(index, one)| {
            subscriptions.iter().take(index).any(|other| overlap(plain(&one.filter), plain(&other.filter)))
        });
        Routes { ways, subscriptions, has_partial_overlaps, cache: HashMap::new() }
    }

    /// The subscriptions; the subscription identifier of each is its index plus 1.
    pub(crate) fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// Whether a broker may deliver a message more than once, so that subscription identifiers are needed.
    pub(crate) fn has_partial_overlaps(&self) -> bool {
        self.has_partial_overlaps
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    /// The maximum of targets that a message can have: that of ways with different prefixes whose filters overlap.
    pub(crate) fn maximum_targets(&self) -> usize {
        let of_way = |way: &Way| {
            let others = self.ways.iter().filter(|other| overlap(way.filter(), other.filter()));
            let mut renamings: Vec<_> = others.map(Way::renaming).collect();
            renamings.sort_unstable();
            renamings.dedup();
            renamings.len()
        };
        self.ways.iter().map(of_way).max().unwrap_or(1)
    }

    /// The targets of a message, each topic once. `identifiers` are the subscription identifiers that it carries; without any, it
    /// counts as the only copy.
    pub(crate) fn targets(&mut self, topic: &str, identifiers: &[u32]) -> Rc<[Target]> {
        let destinations = match self.cache.get(topic) {
            Some(known) => known,
            None => &self.remember(topic),
        };
        if identifiers.is_empty() || identifiers.contains(&destinations.identifier) {
            Rc::clone(&destinations.targets)
        } else {
            Rc::new([])
        }
    }

    fn remember(&mut self, topic: &str) -> Destinations {
        let destinations = self.destinations(topic);
        if topic.len() <= LONGEST_CACHED {
            if self.cache.len() >= MAX_CACHED {
                self.cache.clear();
            }
            self.cache.insert(topic.into(), destinations.clone());
        }
        destinations
    }

    fn destinations(&self, topic: &str) -> Destinations {
        let mut targets: Vec<Target> = Vec::new();
        for way in &self.ways {
            let Some(target) = way.target(topic) else { continue };
            match targets.iter_mut().find(|known| *known.topic == *target) {
                Some(known) => known.qos = known.qos.max(way.qos),
                None => targets.push(Target { topic: target.into(), qos: way.qos }),
            }
        }
        let leading = self.subscriptions.iter().position(|subscription| subscription.filter.matches(topic));
        let identifier = leading.and_then(|index| u32::try_from(index + 1).ok()).unwrap_or(0);
        Destinations { identifier, targets: targets.into() }
    }
}

/// The fewest subscriptions that receive the topics of these rules. Those that are not shared come first, and those of higher
/// QoS.
fn subscriptions(ways: &[Way]) -> Vec<Subscription> {
    let is_covered = |way: &Way| {
        ways.iter().any(|other| {
            other.group().is_none() && other.filter() != way.filter() && covers(other.filter(), way.filter())
        })
    };
    let mut subscriptions: Vec<Subscription> = Vec::new();
    for way in ways.iter().filter(|way| way.group().is_some() || !is_covered(way)) {
        let text = match way.group() {
            Some("$queue") => format!("$queue/{}", way.filter()),
            Some(group) => format!("$share/{group}/{}", way.filter()),
            None => way.filter().to_owned(),
        };
        if subscriptions.iter().any(|known| known.filter.as_str() == text) {
            continue;
        }
        // The prefix makes a filter longer, but not invalid.
        let Ok(filter) = TopicFilter::parse(&text) else { continue };
        let served = ways.iter().filter(|other| {
            other.group() == way.group()
                && (other.filter() == way.filter() || covers(way.filter(), other.filter()))
        });
        let qos = served.map(|other| other.qos).max().unwrap_or(way.qos);
        subscriptions.push(Subscription { filter, qos, is_shared: way.group().is_some() });
    }
    subscriptions.sort_by_key(|subscription| (subscription.is_shared, std::cmp::Reverse(subscription.qos)));
    subscriptions
}

/// A filter without the group of a shared subscription.
fn plain(filter: &TopicFilter) -> &str {
    match crate::protocol::topic::split_share(filter.as_str()) {
        Ok(Some((_, pattern))) => pattern,
        Ok(None) | Err(_) => filter.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn rules(texts: &[&str]) -> Vec<Rule> {
        texts.iter().map(|text| Rule::parse(text).unwrap()).collect()
    }

    fn filters(routes: &Routes) -> Vec<(String, u8)> {
        let pair = |s: &Subscription| (s.filter.as_str().to_owned(), s.qos as u8);
        routes.subscriptions().iter().map(pair).collect()
    }

    fn targets(routes: &mut Routes, topic: &str, identifiers: &[u32]) -> Vec<(String, u8)> {
        let targets = routes.targets(topic, identifiers);
        targets.iter().map(|target| (target.topic.to_string(), target.qos as u8)).collect()
    }

    #[test]
    fn covered_filters_are_not_subscribed() {
        let rules = rules(&["a/# out 0", "a/b out 2", "a/+/c out 1", "b out 1", "b out 0 \"\" x/"]);
        let routes = Routes::compile(&rules, Direction::Out);
        assert_eq!(filters(&routes), [("a/#".to_owned(), 2), ("b".to_owned(), 1)]);
        assert!(!routes.has_partial_overlaps());
        assert!(Routes::compile(&rules, Direction::In).subscriptions().is_empty());
    }

    #[test]
    fn overlapping_rules_deliver_once_per_target() {
        let rules = rules(&["a/# out 0", "a/b out 2", "a/b out 1 \"\" x/"]);
        let mut routes = Routes::compile(&rules, Direction::Out);
        let expected = [("a/b".to_owned(), 2), ("x/a/b".to_owned(), 1)];
        assert_eq!(targets(&mut routes, "a/b", &[]), expected);
        assert_eq!(targets(&mut routes, "a/b", &[]), expected, "from the cache");
        assert_eq!(targets(&mut routes, "a/c", &[]), [("a/c".to_owned(), 0)]);
        assert_eq!(targets(&mut routes, "c", &[]), []);
    }

    #[test]
    fn of_partial_overlaps_one_copy_is_forwarded() {
        let rules = rules(&["a/+ in 0", "+/b in 1"]);
        let mut routes = Routes::compile(&rules, Direction::In);
        assert!(routes.has_partial_overlaps());
        assert_eq!(filters(&routes), [("+/b".to_owned(), 1), ("a/+".to_owned(), 0)]);
        assert_eq!(targets(&mut routes, "a/b", &[1]), [("a/b".to_owned(), 1)]);
        assert_eq!(targets(&mut routes, "a/b", &[2]), []);
        assert_eq!(targets(&mut routes, "a/b", &[2, 1]), [("a/b".to_owned(), 1)]);
        assert_eq!(targets(&mut routes, "a/c", &[2]), [("a/c".to_owned(), 0)]);
    }

    #[test]
    fn shared_filters_stay_apart() {
        let rules = rules(&["$share/g/a/# in 1", "a/b in 0", "$share/g/a/# in 2 x/ \"\""]);
        let routes = Routes::compile(&rules, Direction::In);
        assert_eq!(filters(&routes), [("a/b".to_owned(), 0), ("$share/g/a/#".to_owned(), 2)]);
    }

    #[test]
    fn different_prefixes_add_targets() {
        let maximum = |texts: &[&str]| Routes::compile(&rules(texts), Direction::Out).maximum_targets();
        assert_eq!(maximum(&["# out", "a/# out", "# out 1 a/ a/"]), 1);
        assert_eq!(maximum(&["# out", "a/# out 0 \"\" x/", "b/# out 0 \"\" y/"]), 3);
        assert_eq!(maximum(&["a/# out 0 \"\" x/", "b/# out 0 \"\" y/"]), 1);
        assert_eq!(maximum(&["a in"]), 1);
    }

    fn rule() -> impl Strategy<Value = String> {
        let level = prop_oneof![Just("a"), Just("b"), Just("+"), Just("c")];
        let direction = prop_oneof![Just("out"), Just("in"), Just("both")];
        let prefix = prop_oneof![Just("\"\""), Just("a/"), Just("b/c/"), Just("a")];
        (prop::collection::vec(level, 1..=3), any::<bool>(), direction, 0..=2u8, prefix.clone(), prefix)
            .prop_map(|(levels, has_hash, direction, qos, local, remote)| {
                let hash = if has_hash { "/#" } else { "" };
                format!("{}{hash} {direction} {qos} {local} {remote}", levels.join("/"))
            })
    }

    fn topic() -> impl Strategy<Value = String> {
        let level = prop_oneof![Just("a"), Just("b"), Just("c"), Just("aa")];
        prop::collection::vec(level, 1..=4).prop_map(|levels| levels.join("/"))
    }

    /// The targets without subscriptions and cache: each rule by itself.
    fn naive(rules: &[Rule], direction: Direction, topic: &str) -> BTreeMap<String, u8> {
        let mut targets = BTreeMap::new();
        for rule in rules {
            for way in rule.ways().iter().filter(|way| way.direction == direction) {
                if let Some(target) = way.target(topic) {
                    let qos = targets.entry(target).or_insert(0);
                    *qos = (way.qos as u8).max(*qos);
                }
            }
        }
        targets
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn compiled_rules_agree_with_single_rules(
            texts in prop::collection::vec(rule(), 1..6),
            topics in prop::collection::vec(topic(), 1..20),
        ) {
            // A wildcard joined to a prefix without a slash is a mistake.
            let rules: Vec<Rule> = texts.iter().filter_map(|text| Rule::parse(text).ok()).collect();
            for direction in Direction::BOTH {
                let mut routes = Routes::compile(&rules, direction);
                for topic in &topics {
                    let expected = naive(&rules, direction, topic);
                    let found: BTreeMap<String, u8> = targets(&mut routes, topic, &[]).into_iter().collect();
                    prop_assert!(found.len() <= routes.maximum_targets(), "{:?}: {}", &texts, topic);
                    prop_assert_eq!(&found, &expected, "{:?}: {}", &texts, topic);
                    let matching = |s: &&Subscription| s.filter.matches(topic);
                    let highest = routes.subscriptions().iter().find(matching).map(|s| s.qos as u8);
                    prop_assert!(expected.values().all(|qos| Some(*qos) <= highest), "{:?}: {}", &texts, topic);
                }
            }
        }
    }
}
