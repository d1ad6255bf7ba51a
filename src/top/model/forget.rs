//! Removes topics from the model. Their nodes stay in the tree, without a message and without a row.

use super::{Model, NodeId, NodeState, Value, position};

impl Model {
    /// Removes a topic and all topics below it, but for those to keep.
    pub(crate) fn forget(&mut self, topic: &str, is_kept: impl Fn(&str) -> bool) {
        let Some(id) = self.tree.find(topic) else { return };
        let mut nodes = vec![id];
        let mut next = 0;
        while let Some(id) = nodes.get(next).copied() {
            nodes.extend(self.tree.children(id));
            next += 1;
        }
        // Levels below come first, so the rest of a node's totals is its own.
        for id in nodes.into_iter().rev() {
            let own = self.own_totals(id);
            if own.topics > 0 && !is_kept(&self.tree.path(id)) {
                self.subtract(id, own);
                self.forget_value(id);
            }
            if let Some(state) = self.states.get_mut(id.index()).filter(|state| state.topics == 0) {
                *state = NodeState::default();
            }
        }
    }

    /// The totals of a node without the levels below it.
    fn own_totals(&self, id: NodeId) -> NodeState {
        self.tree.children(id).map(|child| self.state(child)).fold(self.state(id), |own, child| NodeState {
            topics: own.topics.saturating_sub(child.topics),
            size: own.size.saturating_sub(child.size),
            messages: own.messages.saturating_sub(child.messages),
            ..own
        })
    }

    /// Takes totals from a node and all levels above it.
    fn subtract(&mut self, id: NodeId, gone: NodeState) {
        let mut next = Some(id);
        while let Some(id) = next {
            if let Some(state) = self.states.get_mut(id.index()) {
                state.topics = state.topics.saturating_sub(gone.topics);
                state.size = state.size.saturating_sub(gone.size);
                state.messages = state.messages.saturating_sub(gone.messages);
            }
            next = self.tree.parent(id);
        }
    }

    fn forget_value(&mut self, id: NodeId) {
        self.histories.remove(&id);
        let Some(state) = self.states.get_mut(id.index()) else { return };
        (state.has_history, state.is_retained, state.subscription) = (false, false, 0);
        let Some(index) = state.value.take() else { return };
        if let Some(value) = self.values.get_mut(position(index)) {
            self.bytes = self.bytes.saturating_sub(value.memory());
            *value = Value::empty();
            self.free.push(index);
        }
    }
}
