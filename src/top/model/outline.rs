//! The rows of the display: the nodes in their order, without those that are folded or do not match the filter.
//!
//! A refresh computes only changed parts: an order by name changes with new nodes only, and the other orders are renewed at most twice a
//! second, so that rows do not jump while they are read.

use super::Model;
use super::filter::Filter;
use super::natural;
use super::tree::{NodeId, Tree};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The levels that are unfolded at the start.
const UNFOLDED_LEVELS: usize = 3;

/// The time in milliseconds between two orders by a value that messages change.
const REORDER: u64 = 500;

/// The nodes that one refresh compares with the filter, so that a frame over very many topics stays short.
pub(super) const SLICE: usize = 10_000;

/// Above this number of rows, new topics have a row after the same time only.
const MANY_ROWS: usize = 10_000;

/// The order of the rows. Only the order by name is ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SortKey {
    #[default]
    Name,
    Messages,
    Rate,
    /// The latest first.
    Age,
    Size,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: NodeId,
    /// Whether there are topics below it, and they are folded.
    pub(crate) is_folded: bool,
}

/// The rows, and the inputs that they were computed from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    rows: Vec<Row>,
    sort: SortKey,
    is_reversed: bool,
    is_list: bool,
    /// The levels that are unfolded, unless a node is in `folds`.
    levels: Option<usize>,
    folds: HashMap<NodeId, bool>,
    filter: Option<Filter>,
    /// For each node whether it or a topic below it matches the filter, and whether it matches itself, by the last comparison that was
    /// finished. Without one, all nodes are shown.
    matches: Option<Vec<Match>>,
    /// The comparison that is not finished yet.
    matching: Option<Matching>,
    /// The children of unfolded nodes by name.
    by_name: HashMap<NodeId, Vec<NodeId>>,
    selected: Option<NodeId>,
    position: usize,
    is_stale: bool,
    /// The selection goes to the first match of a new filter.
    seeks_match: bool,
    nodes: usize,
    topics: u32,
    promoted: u32,
    refreshed: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Match {
    itself: bool,
    below: bool,
}

/// A comparison of nodes with the filter, in slices.
#[derive(Debug, Clone)]
struct Matching {
    found: Vec<Match>,
    /// The index of the next node.
    next: usize,
}

impl Matching {
    fn new() -> Matching {
        // The root is not a topic.
        Matching { found: Vec::new(), next: 1 }
    }
}

impl Outline {
    /// The topics as a tree, or each topic on a row of its own.
    pub(crate) fn new(is_list: bool, sort: SortKey) -> Outline {
        Outline { is_list, sort, levels: Some(UNFOLDED_LEVELS), is_stale: true, ..Outline::default() }
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn is_list(&self) -> bool {
        self.is_list
    }

    pub(crate) fn sort(&self) -> (SortKey, bool) {
        (self.sort, self.is_reversed)
    }

    pub(crate) fn selected(&self) -> Option<NodeId> {
        self.selected
    }

    /// The index of the selected row.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn has_filter(&self) -> bool {
        self.filter.is_some()
    }

    /// Sorts by this key; by the same key again, in the opposite order.
    pub(crate) fn sort_by(&mut self, sort: SortKey) {
        self.is_reversed = self.sort == sort && !self.is_reversed;
        self.sort = sort;
        self.is_stale = true;
    }

    pub(crate) fn toggle_list(&mut self) {
        self.is_list = !self.is_list;
        self.is_stale = true;
    }

    pub(crate) fn set_filter(&mut self, filter: Option<Filter>) {
        self.seeks_match = filter.is_some();
        if filter.is_none() {
            self.matches = None;
            self.is_stale = true;
        }
        // The rows stay until all nodes are compared.
        self.matching = filter.is_some().then(Matching::new);
        self.filter = filter;
    }

    /// Whether the next refresh compares further nodes with the filter.
    pub(crate) fn is_matching(&self) -> bool {
        self.matching.is_some()
    }

    /// How many percent of the nodes are compared with the filter, while that takes several refreshes.
    pub(crate) fn matched_percent(&self) -> Option<usize> {
        self.matching.as_ref().map(|matching| matching.next * 100 / self.nodes.max(1))
    }

    /// Folds all nodes below this many levels; `None` unfolds all.
    pub(crate) fn unfold_levels(&mut self, levels: Option<usize>) {
        self.levels = levels;
        self.folds.clear();
        self.is_stale = true;
    }

    pub(crate) fn fold(&mut self, tree: &Tree, id: NodeId, is_folded: bool) {
        if tree.child_count(id) > 0 {
            self.folds.insert(id, is_folded);
            self.is_stale = true;
        }
    }

    /// Folds an unfolded node, unfolds a folded one.
    pub(crate) fn toggle_fold(&mut self, tree: &Tree, id: NodeId) {
        self.fold(tree, id, !self.is_folded(tree, id));
    }

    pub(crate) fn is_folded(&self, tree: &Tree, id: NodeId) -> bool {
        if tree.child_count(id) == 0 {
            return false;
        }
        // A filter unfolds the nodes it found, unless the user folded them.
        let usual =
            || self.matches.is_none() && self.levels.is_some_and(|levels| tree.depth(id) + 1 >= levels);
        self.folds.get(&id).copied().unwrap_or_else(usual)
    }

    /// Moves the selection by this many rows.
    pub(crate) fn step(&mut self, rows: isize) {
        self.select_row(self.position.saturating_add_signed(rows));
    }

    /// Selects a row by its index, or the last one.
    pub(crate) fn select_row(&mut self, index: usize) {
        self.position = index.min(self.rows.len().saturating_sub(1));
        self.selected = self.rows.get(self.position).map(|row| row.id);
    }

    /// Selects a node, or the row that it is folded into.
    pub(crate) fn select(&mut self, tree: &Tree, id: NodeId) {
        self.selected = Some(id);
        self.find_selected(tree);
    }

    /// Computes the rows again, if they may have changed.
    pub(crate) fn refresh(&mut self, model: &Model, now: u64) {
        let (nodes, topics) = (model.tree().len(), model.state(NodeId::ROOT).topics);
        if nodes < self.nodes {
            self.by_name.clear();
            self.matches = None;
            self.matching = self.filter.is_some().then(Matching::new);
            self.is_stale = true;
        }
        let is_late = now.saturating_sub(self.refreshed) >= REORDER;
        let is_grown =
            (nodes, topics) != (self.nodes, self.topics) && (is_late || self.rows.len() < MANY_ROWS);
        let changes =
            self.sort != SortKey::Name || self.filter.as_ref().is_some_and(Filter::depends_on_payload);
        let is_due = changes && is_late;
        if !(self.is_stale || is_grown || is_due || self.is_matching()) {
            return;
        }
        (self.nodes, self.topics) = (nodes, topics);
        self.match_nodes(model, is_late);
        if self.is_matching() && !self.is_stale {
            return;
        }
        (self.refreshed, self.is_stale) = (now, false);
        self.rows = self.ordered(model, now);
        self.find_selected(model.tree());
        self.seek_match();
    }

    /// The row of the selected node, or of the closest one above it that has a row.
    fn find_selected(&mut self, tree: &Tree) {
        let Some(selected) = self.selected else { return self.select_row(0) };
        if self.rows.get(self.position).is_some_and(|row| row.id == selected) {
            return;
        }
        for id in tree.upwards(selected) {
            if let Some(position) = self.rows.iter().position(|row| row.id == id) {
                self.position = position;
                self.selected = Some(id);
                return;
            }
        }
        self.select_row(self.position);
    }

    /// Selects the first match of a new filter, unless the selected topic matches.
    fn seek_match(&mut self) {
        let is_match = |row: &Row| self.match_of(row.id).itself;
        if self.is_matching() {
            return;
        }
        if !self.seeks_match || self.rows.get(self.position).is_some_and(is_match) {
            self.seeks_match = false;
        } else if let Some(position) = self.rows.iter().position(is_match) {
            self.seeks_match = false;
            self.select_row(position);
        }
    }

    /// Compares a slice of the nodes with the filter: of the new ones, or of all if earlier results may no longer hold.
    fn match_nodes(&mut self, model: &Model, is_late: bool) {
        let Some(filter) = &self.filter else { return };
        let tree = model.tree();
        let mut matching = self.matching.take().unwrap_or_else(|| {
            // A node that was only the start of topics may have become a topic.
            let is_promoted = model.promoted() != self.promoted;
            self.promoted = model.promoted();
            let is_outdated = is_promoted || (filter.depends_on_payload() && is_late);
            match self.matches.as_ref().filter(|_| !is_outdated) {
                Some(found) => Matching { next: found.len().max(1), found: found.clone() },
                None => Matching::new(),
            }
        });
        matching.found.resize(tree.len(), Match::default());
        let end = tree.len().min(matching.next.saturating_add(SLICE));
        for id in (matching.next..end).filter_map(|index| tree.id(index)) {
            if filter.matches(model, id) {
                note_match(&mut matching.found, tree, id);
            }
        }
        matching.next = end;
        if end < tree.len() {
            self.matching = Some(matching);
        } else {
            self.matches = Some(matching.found);
        }
    }

    fn match_of(&self, id: NodeId) -> Match {
        match &self.matches {
            Some(matches) => matches.get(id.index()).copied().unwrap_or_default(),
            None => Match { itself: true, below: true },
        }
    }

    /// Whether a node has a row, unless it is folded: it matches, and its topics were not removed.
    fn has_row(&self, model: &Model, id: NodeId) -> bool {
        self.match_of(id).below && model.state(id).topics > 0
    }

    fn ordered(&mut self, model: &Model, now: u64) -> Vec<Row> {
        let tree = model.tree();
        if self.is_list && self.sort != SortKey::Name {
            return self.list_by_value(model, now);
        }
        let mut rows = Vec::new();
        let mut waiting: Vec<NodeId> = self.children(model, NodeId::ROOT, now);
        waiting.reverse();
        while let Some(id) = waiting.pop() {
            let is_folded = !self.is_list && self.is_folded(tree, id);
            let is_shown = !self.is_list || (model.value(id).is_some() && self.match_of(id).itself);
            if is_shown {
                rows.push(Row { id, is_folded });
            }
            if !is_folded && tree.child_count(id) > 0 {
                let start = waiting.len();
                let children = self.children(model, id, now);
                waiting.extend(children);
                if let Some(added) = waiting.get_mut(start..) {
                    added.reverse();
                }
            }
        }
        rows
    }

    fn list_by_value(&self, model: &Model, now: u64) -> Vec<Row> {
        let tree = model.tree();
        let ids = (1..tree.len()).filter_map(|index| tree.id(index));
        let shown = ids.filter(|id| model.value(*id).is_some() && self.match_of(*id).itself);
        self.by_value(model, now, shown).into_iter().map(|id| Row { id, is_folded: false }).collect()
    }

    /// The children that match, in their order.
    fn children(&mut self, model: &Model, id: NodeId, now: u64) -> Vec<NodeId> {
        let tree = model.tree();
        if self.sort != SortKey::Name {
            return self.by_value(model, now, tree.children(id).filter(|child| self.has_row(model, *child)));
        }
        let mut children = self.by_name.remove(&id).unwrap_or_default();
        let added = tree.child_count(id).saturating_sub(children.len());
        if added > 0 {
            children.extend(tree.children(id).take(added));
            // The sort is stable, and fast for a list that is mostly in order.
            children.sort_by(|one, other| natural::compare(tree.name(*one), tree.name(*other)));
        }
        let matching = children.iter().copied().filter(|child| self.has_row(model, *child));
        let matching = if self.is_reversed { matching.rev().collect() } else { matching.collect() };
        self.by_name.insert(id, children);
        matching
    }

    /// The nodes with the highest value first, or last.
    fn by_value(&self, model: &Model, now: u64, ids: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let value = |id: NodeId| match self.sort {
            SortKey::Name => 0,
            SortKey::Messages => model.state(id).messages,
            SortKey::Rate => (model.rate(id, now) * 1000.0) as u64,
            SortKey::Age => model.state(id).last,
            SortKey::Size => model.state(id).size,
        };
        let mut keyed: Vec<(Reverse<u64>, NodeId)> = ids.map(|id| (Reverse(value(id)), id)).collect();
        keyed.sort_unstable();
        if self.is_reversed {
            keyed.reverse();
        }
        keyed.into_iter().map(|(_, id)| id).collect()
    }
}

/// Marks the node, and all above it.
fn note_match(matches: &mut [Match], tree: &Tree, id: NodeId) {
    if let Some(own) = matches.get_mut(id.index()) {
        own.itself = true;
    }
    for id in tree.upwards(id) {
        match matches.get_mut(id.index()) {
            Some(found) if !found.below => found.below = true,
            _ => return,
        }
    }
}
