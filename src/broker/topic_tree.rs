//! The subscriptions: a tree of topic levels that finds a topic's subscribers without visiting the others.
//!
//! Filters are at most [`MAX_LEVELS`] deep, so walking the tree needs no more stack than that.

use crate::protocol::topic::split_share;
use std::cell::Cell;
use std::collections::HashMap;

/// The maximum depth of a filter, the same as mosquitto's.
pub(super) const MAX_LEVELS: usize = 201;

/// Identifies a subscriber; never reused.
pub(super) type ClientKey = u64;

/// A tree of filters, with an `S` for each subscription.
#[derive(Debug)]
pub(super) struct TopicTree<S> {
    root: Node<S>,
    count: usize,
}

pub(super) enum Match<'a, S> {
    /// A subscription of one client.
    Single(&'a S),
    /// A group, of which one member gets the message.
    Shared(&'a Group<S>),
}

/// A level of filters. Most nodes have a single child, so a node is small.
#[derive(Debug)]
struct Node<S> {
    children: Children<S>,
    /// The child for `+`.
    any: Option<Box<Node<S>>>,
    /// The child for `#`.
    rest: Option<Box<Node<S>>>,
    subscribers: Option<Box<Subscribers<S>>>,
}

/// The nodes below a node, by their levels.
#[derive(Debug)]
enum Children<S> {
    None,
    One(Box<(Box<str>, Node<S>)>),
    #[allow(clippy::box_collection)] // most nodes have one child, and should not have room for a map
    Many(Box<HashMap<Box<str>, Node<S>>>),
}

/// The subscriptions whose filter ends at a node.
#[derive(Debug)]
struct Subscribers<S> {
    single: HashMap<ClientKey, S>,
    groups: HashMap<Box<str>, Group<S>>,
}

/// The members of a shared subscription, served in turn.
#[derive(Debug)]
pub(super) struct Group<S> {
    members: Vec<(ClientKey, S)>,
    next: Cell<usize>,
}

impl<S> TopicTree<S> {
    pub(super) fn new() -> TopicTree<S> {
        TopicTree { root: Node::new(), count: 0 }
    }

    /// The number of subscriptions.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds a subscription, or replaces the client's existing one with the same filter and returns the old one.
    pub(super) fn subscribe(&mut self, filter: &str, key: ClientKey, subscription: S) -> Option<S> {
        let (group, pattern) = split(filter);
        let mut node = &mut self.root;
        for level in pattern.split('/') {
            node = node.child_mut(level);
        }
        let subscribers = node.subscribers.get_or_insert_default();
        let replaced = match group {
            None => subscribers.single.insert(key, subscription),
            Some(group) => subscribers.groups.entry(group.into()).or_default().insert(key, subscription),
        };
        self.count += usize::from(replaced.is_none());
        replaced
    }

    /// Removes a subscription, and returns it if there was one.
    pub(super) fn unsubscribe(&mut self, filter: &str, key: ClientKey) -> Option<S> {
        let (group, pattern) = split(filter);
        let removed = self.root.remove(Some(pattern), group, key);
        self.count -= usize::from(removed.is_some());
        removed
    }

    /// The members of a shared subscription, by its filter.
    pub(super) fn group(&self, filter: &str) -> Option<&Group<S>> {
        let (group, pattern) = split(filter);
        let mut node = &self.root;
        for level in pattern.split('/') {
            node = node.child(level)?;
        }
        node.subscribers.as_ref()?.groups.get(group?)
    }

    /// Calls `visit` for every match of a topic name. Returns the number of visited nodes.
    pub(super) fn for_each_match<'a>(&'a self, name: &str, visit: &mut impl FnMut(Match<'a, S>)) -> usize {
        // Leading wildcards do not match the server's own topics [MQTT-4.7.2-1].
        if name.starts_with('$') {
            let (level, rest) = cut_level(name);
            return self.root.children.get(level).map_or(1, |child| child.walk(rest, visit));
        }
        self.root.walk(Some(name), visit)
    }
}

impl<S> Children<S> {
    fn is_empty(&self) -> bool {
        match self {
            Children::None => true,
            Children::One(_) => false,
            Children::Many(children) => children.is_empty(),
        }
    }

    fn get(&self, level: &str) -> Option<&Node<S>> {
        match self {
            Children::None => None,
            Children::One(child) => (*child.0 == *level).then_some(&child.1),
            Children::Many(children) => children.get(level),
        }
    }

    fn get_mut(&mut self, level: &str) -> Option<&mut Node<S>> {
        match self {
            Children::None => None,
            Children::One(child) => (*child.0 == *level).then_some(&mut child.1),
            Children::Many(children) => children.get_mut(level),
        }
    }

    fn get_or_insert(&mut self, level: &str) -> &mut Node<S> {
        if let Children::One(child) = self
            && *child.0 != *level
            && let Children::One(child) = std::mem::replace(self, Children::None)
        {
            *self = Children::Many(Box::new(HashMap::from([*child])));
        }
        if let Children::None = self {
            *self = Children::One(Box::new((level.into(), Node::new())));
        }
        match self {
            Children::One(child) => &mut child.1,
            Children::Many(children) => children.entry(level.into()).or_insert_with(Node::new),
            Children::None => unreachable!("it was filled just now"),
        }
    }

    fn remove(&mut self, level: &str) {
        match self {
            Children::None => {}
            Children::One(child) if *child.0 == *level => *self = Children::None,
            Children::One(_) => {}
            Children::Many(children) => {
                children.remove(level);
                if children.is_empty() {
                    *self = Children::None;
                } else if children.len() * 8 < children.capacity() {
                    children.shrink_to_fit();
                }
            }
        }
    }
}

impl<S> Default for Subscribers<S> {
    fn default() -> Subscribers<S> {
        Subscribers { single: HashMap::new(), groups: HashMap::new() }
    }
}

impl<S> Subscribers<S> {
    fn is_empty(&self) -> bool {
        self.single.is_empty() && self.groups.is_empty()
    }

    fn remove(&mut self, group: Option<&str>, key: ClientKey) -> Option<S> {
        let Some(name) = group else {
            return self.single.remove(&key);
        };
        let group = self.groups.get_mut(name)?;
        let removed = group.remove(key);
        if group.members.is_empty() {
            self.groups.remove(name);
        }
        removed
    }
}

impl<S> Node<S> {
    fn new() -> Node<S> {
        Node { children: Children::None, any: None, rest: None, subscribers: None }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.any.is_none() && self.rest.is_none() && self.subscribers.is_none()
    }

    fn child(&self, level: &str) -> Option<&Node<S>> {
        match level {
            "+" => self.any.as_deref(),
            "#" => self.rest.as_deref(),
            _ => self.children.get(level),
        }
    }

    fn child_mut(&mut self, level: &str) -> &mut Node<S> {
        match level {
            "+" => self.any.get_or_insert_with(|| Box::new(Node::new())),
            "#" => self.rest.get_or_insert_with(|| Box::new(Node::new())),
            _ => self.children.get_or_insert(level),
        }
    }

    /// Removes a subscription below, and the nodes that are then unused.
    fn remove(&mut self, pattern: Option<&str>, group: Option<&str>, key: ClientKey) -> Option<S> {
        let Some(pattern) = pattern else {
            return self.remove_here(group, key);
        };
        let (level, rest) = cut_level(pattern);
        let slot = match level {
            "+" => &mut self.any,
            "#" => &mut self.rest,
            _ => {
                let child = self.children.get_mut(level)?;
                let removed = child.remove(rest, group, key);
                if child.is_empty() {
                    self.children.remove(level);
                }
                return removed;
            }
        };
        let child = slot.as_mut()?;
        let removed = child.remove(rest, group, key);
        if child.is_empty() {
            *slot = None;
        }
        removed
    }

    fn remove_here(&mut self, group: Option<&str>, key: ClientKey) -> Option<S> {
        let subscribers = self.subscribers.as_mut()?;
        let removed = subscribers.remove(group, key);
        if subscribers.is_empty() {
            self.subscribers = None;
        }
        removed
    }

    fn walk<'a>(&'a self, name: Option<&str>, visit: &mut impl FnMut(Match<'a, S>)) -> usize {
        let mut count = 1;
        // `a/#` matches `a` as well.
        if let Some(rest) = &self.rest {
            rest.visit(visit);
            count += 1;
        }
        let Some(name) = name else {
            self.visit(visit);
            return count;
        };
        let (level, rest) = cut_level(name);
        if let Some(child) = &self.any {
            count += child.walk(rest, visit);
        }
        if let Some(child) = self.children.get(level) {
            count += child.walk(rest, visit);
        }
        count
    }

    fn visit<'a>(&'a self, visit: &mut impl FnMut(Match<'a, S>)) {
        let Some(subscribers) = &self.subscribers else { return };
        subscribers.single.values().for_each(|subscription| visit(Match::Single(subscription)));
        subscribers.groups.values().for_each(|group| visit(Match::Shared(group)));
    }
}

impl<S> Default for Group<S> {
    fn default() -> Group<S> {
        Group { members: Vec::new(), next: Cell::new(0) }
    }
}

impl<S> Group<S> {
    /// The next member in turn: the next ready one, or else the next one that is at least able.
    pub(super) fn pick(&self, is_ready: impl Fn(&S) -> bool, is_able: impl Fn(&S) -> bool) -> Option<&S> {
        let start = self.next.get() % self.members.len().max(1);
        let turns = || {
            let (front, back) = self.members.split_at_checked(start).unwrap_or((&[], &self.members));
            (start..).zip(back).chain((0..).zip(front))
        };
        let chosen = turns()
            .find(|(_, (_, member))| is_ready(member))
            .or_else(|| turns().find(|(_, (_, member))| is_able(member)));
        let (position, (_, member)) = chosen?;
        self.next.set(position + 1);
        Some(member)
    }

    fn insert(&mut self, key: ClientKey, subscription: S) -> Option<S> {
        match self.members.iter_mut().find(|(member, _)| *member == key) {
            Some((_, old)) => Some(std::mem::replace(old, subscription)),
            None => {
                self.members.push((key, subscription));
                None
            }
        }
    }

    fn remove(&mut self, key: ClientKey) -> Option<S> {
        let position = self.members.iter().position(|(member, _)| *member == key)?;
        Some(self.members.remove(position).1)
    }
}

/// The group, if any, and the pattern for topics. The filter was checked when it was received.
fn split(filter: &str) -> (Option<&str>, &str) {
    match split_share(filter) {
        Ok(Some((group, pattern))) => (Some(group), pattern),
        Ok(None) | Err(_) => (None, filter),
    }
}

fn cut_level(name: &str) -> (&str, Option<&str>) {
    match name.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::topic;

    fn matches(tree: &TopicTree<&'static str>, name: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        tree.for_each_match(name, &mut |matched| match matched {
            Match::Single(subscription) => found.push(*subscription),
            Match::Shared(group) => found.extend(group.pick(|_| true, |_| true)),
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn a_topic_finds_the_filters_that_the_specification_names() {
        let filters =
            ["#", "+", "/+", "+/+", "a", "a/#", "a/+/c", "a/b", "$SYS/#", "$SYS/+/x", "+/x", "a/", "/"];
        let mut tree = TopicTree::new();
        for (key, filter) in (0..).zip(filters) {
            tree.subscribe(filter, key, filter);
        }
        for name in ["a", "a/b", "a/b/c", "/", "/a", "$SYS", "$SYS/a/x", "$SYS/x", "b", "a/", "a//c", "b/x"] {
            let mut expected: Vec<_> =
                filters.into_iter().filter(|filter| topic::matches(filter, name)).collect();
            expected.sort_unstable();
            assert_eq!(matches(&tree, name), expected, "{name}");
        }
    }

    #[test]
    fn removed_subscriptions_leave_nothing_behind() {
        let filters = ["#", "+/a/#", "x/y/z", "x/y", "$share/g/x/+", "$queue/x"];
        let mut tree = TopicTree::new();
        for filter in filters {
            assert_eq!(tree.subscribe(filter, 1, filter), None);
            assert_eq!(tree.subscribe(filter, 1, filter), Some(filter));
        }
        assert_eq!(tree.len(), 6);
        for filter in filters {
            assert_eq!(tree.unsubscribe(filter, 2), None);
            assert_eq!(tree.unsubscribe(filter, 1), Some(filter));
            assert_eq!(tree.unsubscribe(filter, 1), None);
        }
        assert_eq!(tree.len(), 0);
        assert!(tree.root.is_empty());
    }

    #[test]
    fn members_of_a_group_take_turns() {
        let mut tree = TopicTree::new();
        for (key, name) in (0..).zip(["one", "two", "three"]) {
            tree.subscribe("$share/g/t", key, name);
        }
        let taken: Vec<_> = (0..4).flat_map(|_| matches(&tree, "t")).collect();
        assert_eq!(taken, ["one", "two", "three", "one"]);
        tree.unsubscribe("$share/g/t", 1);
        let taken: Vec<_> = (0..4).flat_map(|_| matches(&tree, "t")).collect();
        assert_eq!(taken, ["three", "one", "three", "one"]);
    }

    #[test]
    fn a_member_that_is_not_ready_is_passed_over() {
        let mut group = Group::default();
        group.insert(1, "away");
        group.insert(2, "here");
        assert_eq!(group.pick(|member| *member == "here", |_| true), Some(&"here"));
        assert_eq!(group.pick(|member| *member == "here", |_| true), Some(&"here"));
        assert_eq!(group.pick(|_| false, |_| true), Some(&"away"));
        assert_eq!(group.pick(|_| false, |_| false), None);
    }

    #[test]
    fn two_groups_each_get_the_message() {
        let mut tree = TopicTree::new();
        tree.subscribe("$share/g/t", 1, "g");
        tree.subscribe("$share/h/t", 1, "h");
        tree.subscribe("t", 1, "own");
        assert_eq!(matches(&tree, "t"), ["g", "h", "own"]);
    }
}
