//! Groups that start during the load. Their clients connect at that time, all others before the load begins.

use super::{Counts, Group, Plan};
use std::time::Duration;

impl Group {
    /// Whether its clients connect during the load.
    pub(crate) fn is_late(&self) -> bool {
        !self.bounds.start.is_zero()
    }

    /// Whether its clients should be connected at a time since the load began; `None` before that.
    pub(crate) fn is_due(&self, since_load: Option<Duration>) -> bool {
        !self.is_late() || since_load.is_some_and(|time| time >= self.bounds.start)
    }
}

impl Plan {
    pub(crate) fn has_late_groups(&self) -> bool {
        self.groups.iter().any(Group::is_late)
    }

    /// The number of clients that should be connected at a time since the load began; `None` before that.
    pub(crate) fn clients_due(&self, since_load: Option<Duration>) -> u32 {
        self.sum(|group| if group.is_due(since_load) { group.clients() } else { 0 })
    }

    /// The clients that connect before the load begins.
    pub(crate) fn first_clients(&self) -> Counts {
        let first = self.groups.iter().filter(|group| !group.is_late());
        first.map(Group::counts).fold(Counts::default(), Counts::plus)
    }

    /// The number of clients that subscribe before the load begins.
    pub(crate) fn first_subscriptions(&self) -> u32 {
        self.sum(|group| if group.is_late() { 0 } else { group.subscriptions() })
    }
}
