//! The connection and session settings of a group that replace those of the run.

use super::{Group, Plan, Will};
use crate::bench::client_slot::ClientSlot;
use crate::bench::identity::ClientIndex;
use std::sync::Arc;
use std::time::Duration;

/// The settings of a group; `None` for that of the run.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupSession {
    /// Keep alive in seconds; 0 for none.
    pub keep_alive: Option<u16>,
    /// Whether existing sessions are discarded.
    pub clean_start: Option<bool>,
    /// The session expiry interval in seconds, in MQTT 5.
    pub session_expiry: Option<u32>,
    pub will: Option<Arc<Will>>,
    /// The time between the loss of a connection and each attempt to make it again; `None` if such a client leaves the run.
    pub reconnect_delay: Option<Duration>,
}

impl Plan {
    /// The keep alive of a client, in seconds.
    pub(crate) fn keep_alive(&self, slot: ClientSlot) -> u16 {
        self.group(slot).session.keep_alive.unwrap_or(self.broker.keep_alive)
    }

    /// The shortest keep alive of all clients, in seconds; 0 if none has one.
    pub(crate) fn shortest_keep_alive(&self) -> u16 {
        let all = self.groups.iter().map(|group| group.session.keep_alive.unwrap_or(self.broker.keep_alive));
        all.filter(|seconds| *seconds > 0).min().unwrap_or(0)
    }

    /// Whether the existing session of a client is discarded when it connects for the first time.
    pub(crate) fn clean_start(&self, slot: ClientSlot) -> bool {
        self.group(slot).session.clean_start.unwrap_or(self.broker.clean_start)
    }

    /// The will of a client.
    pub(crate) fn will(&self, slot: ClientSlot) -> Option<&Will> {
        self.group(slot).session.will.as_deref().or(self.broker.will.as_ref())
    }

    /// The position of a client as its will needs it: that of a group has the number of the client in the group, as its topics have.
    pub(crate) fn will_index(&self, slot: ClientSlot) -> ClientIndex {
        let (index, group) = (self.client_index(slot), self.group(slot));
        let before = if group.session.will.is_some() { group.offsets.groups_before.clients() } else { 0 };
        ClientIndex { number: index.number.saturating_sub(before), ..index }
    }

    /// Whether the subscribers of a group keep their sessions while they are away.
    pub(crate) fn keeps_sessions(&self, group: &Group) -> bool {
        let GroupSession { clean_start, session_expiry, .. } = group.session;
        let of_group = match self.broker.version.is_v5() {
            true => session_expiry.is_some_and(|seconds| seconds > 0),
            false => clean_start == Some(false),
        };
        self.broker.keeps_sessions || of_group
    }
}
