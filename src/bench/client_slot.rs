//! The position of a client in a plan.

/// A client: its group, its task, and its number among the clients with the same task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientSlot {
    /// The index of its group.
    pub group: usize,
    pub task: Task,
    /// Counted from 0.
    pub number: u32,
    /// The index of its broker; `None` if all clients connect to the same one.
    pub broker: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Publish,
    Subscribe,
    Request,
    Respond,
    Stay,
}

impl Task {
    /// Whether the client subscribes before the load begins.
    pub(crate) fn subscribes(self) -> bool {
        matches!(self, Task::Subscribe | Task::Request | Task::Respond)
    }

    /// Whether the client sends messages of its own accord.
    pub(crate) fn publishes(self) -> bool {
        matches!(self, Task::Publish | Task::Request)
    }
}
