//! The state that the clients of one thread share. They are tasks of a runtime that stays on its thread, so the state
//! needs no locks.
//!
//! - [`LocalControl`]: the current phase, and the times of the load that follow from it.
//! - [`Admission`]: when a client may connect, and how many are connected.
//! - [`Measurements`]: the record of the thread, and the gauges that the leader reads.
//! - [`Timers`]: the clock of the run, and the wake-ups of the clients.
//!
//! The worker drives all four. The role of a client sees only the parts that its `EventContext` has.

mod admission;
mod control;
mod latency_batch;
mod measurements;
mod timer_queue;
mod timers;
mod watched_groups;

use super::gateway_clients::GatewayClients;
use super::gauges::Gauges;
use super::payload::Composer;
use super::plan::{Group, Plan};
use super::target::Target;
pub(super) use admission::Admission;
pub(super) use control::{Control, LocalControl, Phase};
pub(super) use latency_batch::LatencyBatch;
pub(super) use measurements::{Measurements, ReceiverAccount};
use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub(super) use timers::{CHECKS_PER_KEEP_ALIVE, Timers, nanoseconds, tick_interval};

/// The time limit for all clients together to disconnect: the broker may have stopped reading.
pub(super) const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The state that the clients of a thread share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) plan: Arc<Plan>,
    pub(super) target: Target,
    pub(super) gateway_clients: GatewayClients,
    pub(super) control: LocalControl,
    pub(super) admission: Admission,
    pub(super) measurements: Measurements,
    pub(super) timers: Timers,
    /// The payload buffer of each group.
    pub(super) composers: Vec<RefCell<Composer>>,
}

impl Context {
    /// The context of a thread. All times count from `start`.
    ///
    /// # Errors
    /// If the operating system has no more timers.
    pub(super) fn new(
        plan: Arc<Plan>,
        target: Target,
        gauges: Arc<Gauges>,
        start: Instant,
    ) -> io::Result<Context> {
        let composer = |group: &Group| RefCell::new(Composer::new(&group.payload, group.header_size()));
        Ok(Context {
            control: LocalControl::new(&plan),
            admission: Admission::new(&plan),
            measurements: Measurements::new(gauges, target.describe()),
            target,
            gateway_clients: GatewayClients::default(),
            timers: Timers::new(start, plan.has_timers())?,
            composers: plan.groups.iter().map(composer).collect(),
            plan,
        })
    }
}
