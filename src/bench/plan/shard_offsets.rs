//! The position of one shard's clients among those of all shards.

/// The position of a shard's group within the group of all shards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ShardOffsets {
    /// The numbers of clients in the preceding shards.
    pub before: Counts,
    /// The numbers of clients in all shards.
    pub whole: Counts,
    /// The numbers of clients of the preceding groups in all shards.
    pub groups_before: Counts,
}

/// Numbers of clients by task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub publishers: u32,
    pub subscribers: u32,
    pub idle: u32,
}

impl Counts {
    pub(crate) fn clients(self) -> u32 {
        self.publishers.saturating_add(self.subscribers).saturating_add(self.idle)
    }

    /// The sum of both.
    #[must_use]
    pub(crate) fn plus(self, other: Counts) -> Counts {
        Counts {
            publishers: self.publishers.saturating_add(other.publishers),
            subscribers: self.subscribers.saturating_add(other.subscribers),
            idle: self.idle.saturating_add(other.idle),
        }
    }
}
