//! An index of topic filters: those that may match a topic of another filter, without a look at each one.

use std::collections::HashMap;

/// A tree of the levels of filters. Each filter has a number.
#[derive(Debug)]
pub(super) struct FilterIndex<'a> {
    nodes: Vec<Node<'a>>,
}

/// The filters with the same first levels.
#[derive(Debug, Default)]
struct Node<'a> {
    /// The nodes of the next level, in which `+` is a level like others.
    children: HashMap<&'a str, usize>,
    /// The filters that end here.
    complete: Vec<usize>,
    /// The filters that end with `#` here.
    open: Vec<usize>,
}

const ROOT: usize = 0;

impl<'a> FilterIndex<'a> {
    pub(super) fn new(filters: impl IntoIterator<Item = (&'a str, usize)>) -> FilterIndex<'a> {
        let mut index = FilterIndex { nodes: vec![Node::default()] };
        filters.into_iter().for_each(|(filter, number)| index.add(filter, number));
        index
    }

    fn add(&mut self, filter: &'a str, number: usize) {
        let mut at = ROOT;
        for level in filter.split('/') {
            let new = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            if level == "#" {
                node.open.push(number);
                return;
            }
            at = *node.children.entry(level).or_insert(new);
            if at == new {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.complete.push(number);
        }
    }

    /// The filters that overlap with this one, and few others: topics with `$` are not distinguished.
    pub(super) fn near(&self, filter: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let mut nodes = vec![ROOT];
        for level in filter.split('/') {
            if level == "#" {
                self.add_all(nodes, &mut found);
                return found;
            }
            let mut next = Vec::new();
            for node in nodes.iter().filter_map(|node| self.nodes.get(*node)) {
                found.extend(&node.open);
                match level {
                    "+" => next.extend(node.children.values()),
                    level => next.extend([level, "+"].iter().filter_map(|level| node.children.get(level))),
                }
            }
            nodes = next;
        }
        for node in nodes.iter().filter_map(|node| self.nodes.get(*node)) {
            found.extend(node.open.iter().chain(&node.complete));
        }
        found
    }

    /// Adds all filters below these nodes.
    fn add_all(&self, mut nodes: Vec<usize>, found: &mut Vec<usize>) {
        while let Some(node) = nodes.pop().and_then(|node| self.nodes.get(node)) {
            found.extend(node.open.iter().chain(&node.complete));
            nodes.extend(node.children.values());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::overlap;
    use super::*;
    use proptest::prelude::*;

    fn filter() -> impl Strategy<Value = String> {
        let level = prop_oneof![Just("a"), Just("b"), Just(""), Just("$x"), Just("+")];
        (prop::collection::vec(level, 0..=4), any::<bool>()).prop_map(|(mut levels, is_open)| {
            levels.extend((is_open || levels.is_empty()).then_some("#"));
            levels.join("/")
        })
    }

    proptest! {
        #[test]
        fn all_filters_that_overlap_are_near_and_each_once(
            filters in prop::collection::vec(filter(), 0..20),
            wanted in filter(),
        ) {
            let index = FilterIndex::new(filters.iter().enumerate().map(|(number, text)| (&**text, number)));
            let mut near = index.near(&wanted);
            near.sort_unstable();
            prop_assert!(near.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", near);
            for (number, filter) in filters.iter().enumerate() {
                let is_near = near.binary_search(&number).is_ok();
                let has_dollar = filter.contains('$') || wanted.contains('$');
                prop_assert!(is_near || !overlap(filter, &wanted), "{} and {}", filter, wanted);
                let is_special = has_dollar || [&**filter, &*wanted].contains(&"/#");
                prop_assert!(!is_near || is_special || overlap(filter, &wanted), "{} and {}", filter, wanted);
            }
        }
    }
}
