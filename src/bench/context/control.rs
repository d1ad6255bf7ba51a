//! The phase of a run. The leader sets it, and each worker has a copy.

use super::timers::nanoseconds;
use crate::bench::plan::{Group, Plan, Volume};
use crate::protocol::Qos;
use serde::{Deserialize, Serialize};
use std::cell::Cell;

/// The phase of all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(in crate::bench) enum Phase {
    /// Connect and subscribe.
    #[default]
    Connect,
    /// Publish.
    Measure,
    /// Send nothing new, and wait for messages in flight.
    Drain,
    /// Stay connected. Messages that arrive now are not counted.
    Hold,
    /// Disconnect.
    Close,
}

/// The control data that the leader sends to all workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::bench) struct Control {
    pub(in crate::bench) phase: Phase,
    /// When the load begins, in nanoseconds since the run's start. Set with [`Phase::Measure`].
    pub(in crate::bench) load_began: Option<u64>,
    /// The number of times that all clients should have dropped their connections.
    pub(in crate::bench) drops: u32,
    /// Whether all clients have reconnected after that.
    pub(in crate::bench) is_reconnected: bool,
    /// The maximum QoS of all messages, if the broker grants no more. Set with [`Phase::Measure`].
    pub(in crate::bench) highest_qos: Option<u8>,
    /// The same for groups that start during the load.
    pub(in crate::bench) highest_late_qos: Option<u8>,
    /// Publishers of groups that start before this time may send, in nanoseconds since the load began: all subscriptions that are
    /// due by then were granted.
    pub(in crate::bench) ready_before: u64,
}

/// The control data that a worker received last, and the times of the load that follow from it.
#[derive(Debug)]
pub(in crate::bench) struct LocalControl {
    current: Cell<Control>,
    /// In nanoseconds, like the duration.
    warm_up: u64,
    /// `None` if a number of messages ends the load.
    duration: Option<u64>,
}

impl LocalControl {
    pub(super) fn new(plan: &Plan) -> LocalControl {
        let duration = match plan.volume {
            Volume::Duration(duration) => Some(nanoseconds(duration)),
            Volume::Messages(_) => None,
        };
        LocalControl { current: Cell::default(), warm_up: nanoseconds(plan.warm_up), duration }
    }

    pub(in crate::bench) fn current(&self) -> Control {
        self.current.get()
    }

    /// Sets new control data, and returns the previous data.
    pub(in crate::bench) fn replace(&self, control: Control) -> Control {
        self.current.replace(control)
    }

    pub(in crate::bench) fn phase(&self) -> Phase {
        self.current.get().phase
    }

    /// The QoS of a group's messages: the requested one, or the maximum that the broker grants.
    pub(in crate::bench) fn qos(&self, group: &Group) -> Qos {
        let Control { highest_qos, highest_late_qos, .. } = self.current.get();
        let highest = if group.is_late() { highest_late_qos } else { highest_qos };
        highest.and_then(Qos::from_u8).map_or(group.qos, |highest| group.qos.min(highest))
    }

    /// When the load began; `u64::MAX` before it does.
    pub(in crate::bench) fn load_began(&self) -> u64 {
        self.current.get().load_began.unwrap_or(u64::MAX)
    }

    /// Messages sent, or planned to be sent, from this time on are measured. Without a warm-up all are, including
    /// messages of others that arrive before the load begins.
    pub(in crate::bench) fn measured_from(&self) -> u64 {
        if self.warm_up == 0 { 0 } else { self.warmed_up_at() }
    }

    fn warmed_up_at(&self) -> u64 {
        self.load_began().saturating_add(self.warm_up)
    }

    /// Messages that are planned for this time or later are not sent.
    pub(in crate::bench) fn load_end(&self) -> u64 {
        self.duration.map_or(u64::MAX, |duration| self.warmed_up_at().saturating_add(duration))
    }
}
