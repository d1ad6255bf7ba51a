//! Removes topics from the model. Their nodes stay in the tree, without a message and without a row.

use super::{Model, NodeId, Value, position};

impl Model {
    /// Removes a topic and all topics below it.
    pub(crate) fn forget(&mut self, topic: &str) {
        let Some(id) = self.tree.find(topic) else { return };
        let gone = self.state(id);
        let mut above = self.tree.parent(id);
        while let Some(id) = above {
            if let Some(state) = self.states.get_mut(id.index()) {
                state.topics = state.topics.saturating_sub(gone.topics);
                state.size = state.size.saturating_sub(gone.size);
                state.messages = state.messages.saturating_sub(gone.messages);
            }
            above = self.tree.parent(id);
        }
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            waiting.extend(self.tree.children(id));
            self.forget_node(id);
        }
    }

    fn forget_node(&mut self, id: NodeId) {
        let Some(state) = self.states.get_mut(id.index()).map(std::mem::take) else { return };
        self.histories.remove(&id);
        let Some(index) = state.value else { return };
        if let Some(value) = self.values.get_mut(position(index)) {
            self.bytes = self.bytes.saturating_sub(value.memory());
            *value = Value::empty();
            self.free.push(index);
        }
    }
}
