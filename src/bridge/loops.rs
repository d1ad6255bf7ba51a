//! Finds loops between the rules of bridges before they connect: a rule publishes topics that another one, or itself, forwards.
//!
//! A broker does not send a client its own messages if it supports no-local (MQTT 5, or a bridge's protocol level). So only
//! other clients feed a rule, or the same client without no-local, or a shared subscription, which cannot have it.

use super::filter::overlap;
use super::filter_index::FilterIndex;
use super::rule::{Direction, Rule, Way};
use std::collections::HashMap;
use std::ops::Range;

/// The connections of a bridge, with its rules.
#[derive(Debug, Clone)]
pub(crate) struct Link<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) local: LinkEnd,
    pub(crate) remote: LinkEnd,
    /// Whether it recognises messages that passed it, so that a loop ends after one turn.
    pub(crate) stops_marked: bool,
}

/// A connection to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkEnd {
    /// The number of the broker; ends with the same number are on the same broker.
    pub(crate) broker: usize,
    pub(crate) has_no_local: bool,
}

/// A rule of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) link: usize,
    pub(crate) rule: usize,
    pub(crate) direction: Direction,
}

/// Two rules: the second forwards messages that the first publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loop {
    pub(crate) first: Place,
    pub(crate) second: Place,
    pub(crate) kind: LoopKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopKind {
    /// A message returns to the broker that it came from, on a topic that it can have come from.
    Echo,
    /// A message is forwarded without end.
    Endless,
}

#[derive(Debug)]
struct Node<'a> {
    place: Place,
    way: &'a Way,
    source: LinkEnd,
    target: LinkEnd,
    stops_marked: bool,
}

/// The rules of all bridges, and which of them feed which.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    /// The nodes of each link.
    links: Vec<Range<usize>>,
    /// For each node, those that it feeds.
    next: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(links: &[Link<'a>]) -> Graph<'a> {
        let (nodes, ranges) = nodes(links);
        let indexes = indexes(&nodes);
        let fed = |from: &Node<'_>| {
            let is_fed = |to: &usize| nodes.get(*to).is_some_and(|to| feeds(from, to));
            let mut fed: Vec<usize> = near(from, &indexes).into_iter().filter(is_fed).collect();
            fed.sort_unstable();
            fed
        };
        let next = nodes.iter().map(fed).collect();
        Graph { nodes, links: ranges, next }
    }

    /// The first loop, if any.
    pub(crate) fn first_loop(&self) -> Option<Loop> {
        let pair = |from: usize, to: usize, kind| {
            Some(Loop { first: self.nodes.get(from)?.place, second: self.nodes.get(to)?.place, kind })
        };
        let edges =
            self.next.iter().enumerate().flat_map(|(from, next)| next.iter().map(move |to| (from, *to)));
        let echo = edges.filter(|(from, to)| {
            matches!((self.nodes.get(*from), self.nodes.get(*to)), (Some(from), Some(to)) if is_way_back(from, to))
        });
        if let Some((from, to)) = echo.min() {
            return pair(from, to, LoopKind::Echo);
        }
        let (from, to) = self.cycle(0..self.next.len(), &HashMap::new())?;
        pair(from, to, LoopKind::Endless)
    }

    /// For each link, whether its local and its remote broker must support no-local for the bridge, or a loop appears. `may_lack` says
    /// which of them may turn out not to. The graph has no loop otherwise.
    ///
    /// A loop can need that several brokers lack it. So those that may lack it without a loop are collected one after the other; the
    /// next one is considered together with them.
    pub(crate) fn needs_no_local(&self, may_lack: &[[bool; 2]]) -> Vec<[bool; 2]> {
        let mut lacking: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut needs = |link, direction, may_lack| {
            let Some(more) = self.without_no_local(link, direction) else { return true };
            let mut all = lacking.clone();
            more.iter().for_each(|(from, to)| all.entry(*from).or_default().push(*to));
            // A new cycle has one of the new edges.
            let is_needed = self.cycle(more.iter().map(|(_, to)| *to), &all).is_some();
            if may_lack && !is_needed {
                lacking = all;
            }
            is_needed
        };
        let ends = may_lack.iter().enumerate();
        ends.map(|(link, [local, remote])| {
            [needs(link, Direction::In, *local), needs(link, Direction::Out, *remote)]
        })
        .collect()
    }

    /// The edges of a link that appear if the broker to which the rules of this direction publish does not support no-local for
    /// the bridge; `None` if one of them is a loop by itself.
    fn without_no_local(&self, link: usize, direction: Direction) -> Option<Vec<(usize, usize)>> {
        let range = self.links.get(link).cloned().unwrap_or_default();
        let nodes = || range.clone().filter_map(|index| Some((index, self.nodes.get(index)?)));
        let mut more = Vec::new();
        for (index, from) in nodes().filter(|(_, from)| from.place.direction == direction) {
            for (to_index, to) in nodes().filter(|(_, to)| is_held_back(from, to) && meets(from, to)) {
                if is_way_back(from, to) {
                    return None;
                }
                more.push((index, to_index));
            }
        }
        Some(more)
    }

    /// An edge of a cycle that can be reached from these nodes, if there is one. `more` has further edges of some nodes.
    fn cycle(
        &self,
        starts: impl Iterator<Item = usize>,
        more: &HashMap<usize, Vec<usize>>,
    ) -> Option<(usize, usize)> {
        let fed = |node: usize, edge: usize| {
            let next = self.next.get(node)?;
            let further = || more.get(&node)?.get(edge.checked_sub(next.len())?);
            next.get(edge).or_else(further).copied()
        };
        let mut states: HashMap<usize, State> = HashMap::new();
        for start in starts {
            // The open nodes, each with the number of its edges that were followed.
            let mut path = vec![(start, 0)];
            while let Some((node, followed)) = path.last_mut() {
                let (node, edge) = (*node, *followed);
                *followed += 1;
                if edge == 0 {
                    if states.get(&node) == Some(&State::Done) {
                        path.pop();
                        continue;
                    }
                    states.insert(node, State::Open);
                }
                match fed(node, edge) {
                    Some(to) if states.get(&to) == Some(&State::Open) => return Some((node, to)),
                    Some(to) => path.push((to, 0)),
                    None => {
                        states.insert(node, State::Done);
                        path.pop();
                    }
                }
            }
        }
        None
    }
}

/// The progress of a walk at a node. A node without one is new.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Open,
    Done,
}

/// The nodes, and the range of each link.
fn nodes<'a>(links: &[Link<'a>]) -> (Vec<Node<'a>>, Vec<Range<usize>>) {
    let mut nodes = Vec::new();
    let mut ranges = Vec::with_capacity(links.len());
    for (number, link) in links.iter().enumerate() {
        let start = nodes.len();
        for (rule, content) in link.rules.iter().enumerate() {
            for way in content.ways() {
                let (source, target) = match way.direction {
                    Direction::Out => (link.local, link.remote),
                    Direction::In => (link.remote, link.local),
                };
                let place = Place { link: number, rule, direction: way.direction };
                nodes.push(Node { place, way, source, target, stops_marked: link.stops_marked });
            }
        }
        ranges.push(start..nodes.len());
    }
    (nodes, ranges)
}

/// The filters of the sources at each broker.
fn indexes<'a>(nodes: &[Node<'a>]) -> HashMap<usize, FilterIndex<'a>> {
    let mut filters: HashMap<usize, Vec<(&'a str, usize)>> = HashMap::new();
    for (number, node) in nodes.iter().enumerate() {
        filters.entry(node.source.broker).or_default().push((node.way.filter(), number));
    }
    filters.into_iter().map(|(broker, filters)| (broker, FilterIndex::new(filters))).collect()
}

/// The rules that may forward messages of this rule.
fn near(from: &Node<'_>, indexes: &HashMap<usize, FilterIndex<'_>>) -> Vec<usize> {
    let index = indexes.get(&from.target.broker);
    index.map(|index| index.near(from.way.target_filter())).unwrap_or_default()
}

/// Whether the messages that the first rule publishes are forwarded by the second.
fn feeds(from: &Node<'_>, to: &Node<'_>) -> bool {
    !is_held_back(from, to) && meets(from, to)
}

/// Whether no-local keeps them apart: one client publishes and subscribes.
fn is_held_back(from: &Node<'_>, to: &Node<'_>) -> bool {
    let is_same_client = from.place.link == to.place.link && from.place.direction != to.place.direction;
    is_same_client && from.target.has_no_local && to.way.group().is_none()
}

/// Whether the messages that the first rule publishes match the second, on the same broker.
fn meets(from: &Node<'_>, to: &Node<'_>) -> bool {
    from.target.broker == to.source.broker
        // No loop through a bridge that stops its own messages is endless.
        && !from.stops_marked
        && !to.stops_marked
        && overlap(from.way.target_filter(), to.way.filter())
}

/// Whether the second rule of the same bridge brings messages back to topics that they came from.
fn is_way_back(from: &Node<'_>, to: &Node<'_>) -> bool {
    from.place.link == to.place.link
        && from.place.direction != to.place.direction
        && overlap(to.way.target_filter(), from.way.filter())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: bool = false;
    const NO_LOCAL: bool = true;

    fn find(links: &[Link<'_>]) -> Option<Loop> {
        Graph::new(links).first_loop()
    }

    fn rules(texts: &[&str]) -> Vec<Rule> {
        texts.iter().map(|text| Rule::parse(text).unwrap()).collect()
    }

    fn link(rules: &[Rule], local: (usize, bool), remote: (usize, bool)) -> Link<'_> {
        let end = |(broker, has_no_local)| LinkEnd { broker, has_no_local };
        Link { rules, local: end(local), remote: end(remote), stops_marked: false }
    }

    /// The loop of one bridge between two brokers, as the numbers of its rules.
    fn found(
        texts: &[&str],
        local: (usize, bool),
        remote: (usize, bool),
    ) -> Option<(usize, usize, LoopKind)> {
        let rules = rules(texts);
        let found = find(&[link(&rules, local, remote)])?;
        Some((found.first.rule, found.second.rule, found.kind))
    }

    #[test]
    fn no_local_on_both_sides_prevents_loops() {
        assert_eq!(found(&["# both"], (0, NO_LOCAL), (1, NO_LOCAL)), None);
        assert_eq!(found(&["# both"], (0, PLAIN), (1, PLAIN)), Some((0, 0, LoopKind::Echo)));
        assert_eq!(found(&["# both"], (0, NO_LOCAL), (1, PLAIN)), Some((0, 0, LoopKind::Echo)));
        assert_eq!(found(&["# both"], (0, PLAIN), (1, NO_LOCAL)), Some((0, 0, LoopKind::Echo)));
    }

    #[test]
    fn rules_that_do_not_meet_are_no_loop() {
        assert_eq!(found(&["a/# out", "b/# in"], (0, PLAIN), (1, PLAIN)), None);
        assert_eq!(found(&["# out 0 \"\" up/", "# in 0 \"\" down/"], (0, PLAIN), (1, PLAIN)), None);
        assert_eq!(found(&["# out 0 a/ b/", "# in 0 c/ b/"], (0, PLAIN), (1, PLAIN)), None, "a mirror");
        assert_eq!(found(&["a/# out", "+/b in"], (0, PLAIN), (1, PLAIN)), Some((0, 1, LoopKind::Echo)));
        assert_eq!(
            found(&["b/# in", "a/# out", "# in 0 a/ a/"], (0, PLAIN), (1, PLAIN)),
            Some((1, 2, LoopKind::Echo))
        );
    }

    #[test]
    fn shared_subscriptions_have_no_no_local() {
        let texts = ["a/# out", "$share/g/a/# in"];
        assert_eq!(found(&texts, (0, NO_LOCAL), (1, NO_LOCAL)), Some((0, 1, LoopKind::Echo)));
    }

    #[test]
    fn both_ends_on_one_broker_are_a_loop_if_targets_are_sources() {
        let same = ((0, NO_LOCAL), (0, NO_LOCAL));
        assert_eq!(found(&["# out"], same.0, same.1), Some((0, 0, LoopKind::Endless)));
        assert_eq!(found(&["# out 0 \"\" copy/"], same.0, same.1), Some((0, 0, LoopKind::Endless)));
        assert_eq!(found(&["# out 0 a/ b/"], same.0, same.1), None);
        assert_eq!(found(&["# out 0 a/ b/", "# out 0 b/ c/"], same.0, same.1), None);
        let texts = ["# out 0 a/ b/", "# out 0 b/ c/", "# out 0 c/ a/"];
        assert_eq!(found(&texts, same.0, same.1), Some((2, 0, LoopKind::Endless)));
    }

    #[test]
    fn several_bridges_are_checked_together() {
        let both = rules(&["# both"]);
        let link = |local, remote| link(&both, (local, NO_LOCAL), (remote, NO_LOCAL));
        let kind = |links: &[Link<'_>]| find(links).map(|found| found.kind);
        assert_eq!(kind(&[link(0, 1), link(0, 2), link(0, 3)]), None, "a star");
        assert_eq!(kind(&[link(0, 1), link(1, 2), link(2, 3)]), None, "a chain");
        assert_eq!(kind(&[link(0, 1), link(0, 1)]), Some(LoopKind::Endless), "two bridges");
        assert_eq!(kind(&[link(0, 1), link(1, 2), link(2, 0)]), Some(LoopKind::Endless), "a ring");
    }

    #[test]
    fn many_bridges_are_compared_only_where_they_are_near() {
        const SITES: usize = 100;
        let rules: Vec<Vec<Rule>> = (0..SITES)
            .map(|site| {
                let texts = (0..10).map(|number| format!("plant/site{site}/line{number}/# both 1"));
                texts.map(|text| Rule::parse(&text).unwrap()).collect()
            })
            .collect();
        let links: Vec<Link<'_>> = rules
            .iter()
            .zip(1..)
            .map(|(rules, remote)| link(rules, (0, NO_LOCAL), (remote, NO_LOCAL)))
            .collect();
        let graph = Graph::new(&links);
        assert_eq!(graph.first_loop(), None);
        assert_eq!(graph.needs_no_local(&[[true; 2]; SITES]), [[true; 2]; SITES]);
        let (nodes, _) = nodes(&links);
        let indexes = indexes(&nodes);
        let comparisons: usize = nodes.iter().map(|from| near(from, &indexes).len()).sum();
        assert_eq!(comparisons, nodes.len(), "each direction of a rule with the other one");
    }

    #[test]
    fn a_loop_that_passes_both_brokers_needs_no_local_at_one_of_them() {
        let rules = rules(&["# out 0 a/ b/", "# in 0 c/ b/", "# out 0 c/ d/", "# in 0 a/ d/"]);
        let links = [link(&rules, (0, NO_LOCAL), (1, NO_LOCAL))];
        let graph = Graph::new(&links);
        assert_eq!(graph.first_loop(), None);
        assert_eq!(graph.needs_no_local(&[[true, true]]), [[false, true]]);
        assert_eq!(
            graph.needs_no_local(&[[false, true]]),
            [[false, false]],
            "the local broker has it for certain"
        );
    }

    #[test]
    fn a_bridge_that_marks_messages_stops_its_own() {
        let both = rules(&["# both"]);
        let marking = Link { stops_marked: true, ..link(&both, (0, PLAIN), (1, PLAIN)) };
        assert_eq!(find(std::slice::from_ref(&marking)), None);
        let ring = [(0, 1), (1, 2), (2, 0)].map(|(local, remote)| Link {
            stops_marked: true,
            ..link(&both, (local, NO_LOCAL), (remote, NO_LOCAL))
        });
        assert_eq!(find(&ring), None);
    }
}
