//! The tree of topic levels: nodes in one vector, names in one text, and a table that finds a topic with one hash.
//!
//! Nodes are never removed, so a [`NodeId`] stays valid as long as the tree.

use std::hash::BuildHasher;

/// The most levels of a topic. Further ones are part of the last name, slashes included.
const MAX_LEVELS: usize = 256;

/// No node.
const NONE: u32 = u32::MAX;

/// A node of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// The node above all topics.
    pub(crate) const ROOT: NodeId = NodeId(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A level, with the nodes around it.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    /// The youngest child.
    last_child: u32,
    /// The sibling added before.
    earlier_sibling: u32,
    children: u32,
    name_start: u32,
    name_length: u16,
    level: u16,
}

/// The names and their places.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    names: String,
    table: Vec<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Tree {
    pub(super) fn new() -> Tree {
        let root = Node {
            parent: NONE,
            last_child: NONE,
            earlier_sibling: NONE,
            children: 0,
            name_start: 0,
            name_length: 0,
            level: 0,
        };
        let hasher = foldhash::fast::RandomState::default();
        Tree { nodes: vec![root], names: String::new(), table: vec![NONE; 64], hasher }
    }

    /// The number of nodes; each has an index below it.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node with this index.
    pub(crate) fn id(&self, index: usize) -> Option<NodeId> {
        u32::try_from(index).ok().filter(|_| index < self.nodes.len()).map(NodeId)
    }

    /// The bytes of the names of all levels.
    pub(super) fn names_length(&self) -> usize {
        self.names.len()
    }

    /// The node of a topic.
    pub(crate) fn find(&self, topic: &str) -> Option<NodeId> {
        let mask = self.table.len() - 1;
        let mut slot = self.hash(topic) & mask;
        loop {
            let id = *self.table.get(slot)?;
            if id == NONE {
                return None;
            }
            if self.is_path(NodeId(id), topic) {
                return Some(NodeId(id));
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The node of a topic, and the number of nodes that were added for it. `None` if there is no room for more names.
    pub(super) fn insert(&mut self, topic: &str) -> Option<(NodeId, usize)> {
        if let Some(id) = self.find(topic) {
            return Some((id, 0));
        }
        let before = self.len();
        let mut parent = NodeId::ROOT;
        for end in level_ends(topic) {
            let path = topic.get(..end)?;
            parent = match self.find(path) {
                Some(id) => id,
                None => self.add(parent, path)?,
            };
        }
        Some((parent, self.len() - before))
    }

    /// The bytes that the nodes of a new topic would take at most, names included.
    pub(super) fn cost(&self, topic: &str) -> usize {
        let mut known = topic.len();
        let mut added = 0;
        for end in level_ends(topic).rev() {
            if topic.get(..end).and_then(|path| self.find(path)).is_some() {
                known = end;
                break;
            }
            known = 0;
            added += 1;
        }
        added * NODE_BYTES + topic.len() - known
    }

    pub(crate) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).and_then(|node| (node.parent != NONE).then_some(NodeId(node.parent)))
    }

    /// The level's name.
    pub(crate) fn name(&self, id: NodeId) -> &str {
        let name = self.node(id).and_then(|node| {
            let start = node.name_start as usize;
            self.names.get(start..start + usize::from(node.name_length))
        });
        name.unwrap_or_default()
    }

    /// The number of levels above it, without the root.
    pub(crate) fn depth(&self, id: NodeId) -> usize {
        self.node(id).map_or(0, |node| usize::from(node.level).saturating_sub(1))
    }

    pub(crate) fn child_count(&self, id: NodeId) -> usize {
        self.node(id).map_or(0, |node| node.children as usize)
    }

    /// The children, the youngest first.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let mut next = self.node(id).map_or(NONE, |node| node.last_child);
        std::iter::from_fn(move || {
            let id = NodeId(next);
            next = self.node(id)?.earlier_sibling;
            Some(id)
        })
    }

    /// The topic up to this level.
    pub(crate) fn path(&self, id: NodeId) -> String {
        let names: Vec<&str> = self.upwards(id).map(|id| self.name(id)).collect();
        let mut path = String::with_capacity(names.iter().map(|name| name.len() + 1).sum());
        for (number, name) in names.iter().rev().enumerate() {
            path.push_str(if number == 0 { "" } else { "/" });
            path.push_str(name);
        }
        path
    }

    /// The node, its parent and so on, without the root.
    pub(crate) fn upwards(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(Some(id), |id| self.parent(*id)).filter(|id| *id != NodeId::ROOT)
    }

    /// Whether `id` is `ancestor` or below it.
    pub(crate) fn is_below(&self, id: NodeId, ancestor: NodeId) -> bool {
        ancestor == NodeId::ROOT || self.upwards(id).any(|node| node == ancestor)
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    /// Compares from the end, since the names of the last levels differ most.
    fn is_path(&self, id: NodeId, topic: &str) -> bool {
        let mut rest = topic;
        let mut id = id;
        loop {
            let name = self.name(id);
            let Some(before) = rest.strip_suffix(name) else { return false };
            match self.parent(id) {
                None => return false,
                Some(NodeId::ROOT) => return before.is_empty(),
                Some(parent) => {
                    let Some(before) = before.strip_suffix('/') else { return false };
                    (rest, id) = (before, parent);
                }
            }
        }
    }

    fn add(&mut self, parent: NodeId, path: &str) -> Option<NodeId> {
        let above = self.node(parent)?;
        let start = if parent == NodeId::ROOT { 0 } else { self.path_length(parent) + 1 };
        let name = path.get(start..)?;
        let node = Node {
            parent: parent.0,
            last_child: NONE,
            earlier_sibling: above.last_child,
            children: 0,
            name_start: u32::try_from(self.names.len()).ok()?,
            name_length: u16::try_from(name.len()).ok()?,
            level: above.level.saturating_add(1),
        };
        let id = NodeId(u32::try_from(self.nodes.len()).ok().filter(|id| *id != NONE)?);
        self.names.push_str(name);
        self.nodes.push(node);
        if let Some(above) = self.nodes.get_mut(parent.index()) {
            above.last_child = id.0;
            above.children += 1;
        }
        if self.nodes.len() * 3 > self.table.len() * 2 {
            self.grow();
        } else {
            self.place(id, self.hash(path));
        }
        Some(id)
    }

    fn path_length(&self, id: NodeId) -> usize {
        self.upwards(id).map(|id| self.name(id).len() + 1).sum::<usize>().saturating_sub(1)
    }

    fn grow(&mut self) {
        self.table = vec![NONE; self.table.len() * 2];
        for id in 1..self.nodes.len() {
            let id = NodeId(id as u32);
            self.place(id, self.hash(&self.path(id)));
        }
    }

    fn place(&mut self, id: NodeId, hash: usize) {
        let mask = self.table.len() - 1;
        let mut slot = hash & mask;
        while self.table.get(slot).is_some_and(|taken| *taken != NONE) {
            slot = (slot + 1) & mask;
        }
        if let Some(place) = self.table.get_mut(slot) {
            *place = id.0;
        }
    }

    fn hash(&self, path: &str) -> usize {
        self.hasher.hash_one(path) as usize
    }
}

/// The cost of a node besides its name, in bytes: here, in the table, and in the model.
pub(super) const NODE_BYTES: usize = 96;

/// The ends of a topic's levels.
fn level_ends(topic: &str) -> impl DoubleEndedIterator<Item = usize> {
    let inner = memchr::memchr_iter(b'/', topic.as_bytes()).take(MAX_LEVELS - 1);
    let inner: Vec<usize> = inner.collect();
    inner.into_iter().chain([topic.len()])
}
