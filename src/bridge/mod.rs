//! The bridge: forwards messages between two brokers, in both directions.
//!
//! It has one client at each broker, and stores no state of its own: a source gets its acknowledgement only after the target's, and both
//! brokers keep the sessions.
//!
//! - `rule`, `filter`, `filter_index`, `routes` and `loops` are the rules: filters, targets, and whether they feed themselves.
//! - `flow` is the state machine of the acknowledgements, `lane` a direction around it: queue, limits, counts.
//! - `link` is the connection to a broker, `private_level` its protocol level, `requests` its subscriptions.
//! - `run` joins two links and two directions in one task.
//! - `settings` is the input, `event` and `snapshot` are the output.

mod delays;
mod drops;
pub(crate) mod error;
pub(crate) mod event;
mod filter;
mod filter_index;
mod flow;
mod lane;
mod link;
pub(crate) mod loops;
mod message;
mod port;
mod private_level;
mod queue;
mod rate;
mod repetition;
mod requests;
pub(crate) mod routes;
pub(crate) mod rule;
mod run;
pub(crate) mod settings;
pub(crate) mod snapshot;
pub(crate) mod status;

pub(crate) use error::Error;
pub(crate) use event::{DropReason, Event, EventKind};
use event::{Handler, Reporter};
use run::{Bridge, Core};
pub(crate) use settings::{Settings, Side};
pub(crate) use snapshot::{Counts, DirectionSnapshot, SideSnapshot, SideState, Snapshot};
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use tokio::sync::watch;
use tokio::task::LocalSet;

/// The bridge connections of a process. They run on the current thread.
pub(crate) struct Bridges(Vec<(String, Bridge)>);

impl Bridges {
    /// The handler gets all events; it must not block, and not use the [`Monitor`].
    pub(crate) fn new(settings: Vec<Settings>, handler: impl FnMut(Event) + 'static) -> Bridges {
        let handler: Handler = Rc::new(RefCell::new(handler));
        let bridges = settings.into_iter().map(|settings| {
            let reporter = Reporter::new(&settings.name, Rc::clone(&handler));
            (settings.name.clone(), Bridge::new(settings, reporter))
        });
        Bridges(bridges.collect())
    }

    /// The view on the state of all connections.
    pub(crate) fn monitor(&self) -> Monitor {
        Monitor(self.0.iter().map(|(_, bridge)| bridge.core()).collect())
    }

    /// Runs until `stop` resolves, then drains and disconnects; or until all connections have failed for good. Returns the names of
    /// those that failed, with the reasons.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> Vec<(String, Error)> {
        let (sender, receiver) = watch::channel(false);
        let local = LocalSet::new();
        let tasks: Vec<_> = self
            .0
            .into_iter()
            .map(|(name, bridge)| {
                let stopped = stopped(receiver.clone());
                (name, local.spawn_local(bridge.run(stopped)))
            })
            .collect();
        let ended = local.run_until(async move {
            let mut failures = Vec::new();
            for (name, task) in tasks {
                // A task that panicked has ended the process.
                if let Ok(Err(error)) = task.await {
                    failures.push((name, error));
                }
            }
            failures
        });
        let mut ended = std::pin::pin!(ended);
        tokio::select! {
            failures = ended.as_mut() => return failures,
            () = stop => {}
        }
        let _ = sender.send(true);
        ended.await
    }
}

/// Resolves when the bridges are to stop.
async fn stopped(mut receiver: watch::Receiver<bool>) {
    // An error means that the sender is gone, so the bridge never stops.
    if receiver.wait_for(|is_stopped| *is_stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A view on the state of all connections.
#[derive(Clone)]
pub(crate) struct Monitor(Rc<[Rc<RefCell<Core>>]>);

impl Monitor {
    pub(crate) fn snapshots(&self) -> Vec<Snapshot> {
        self.0.iter().map(|core| core.borrow().snapshot()).collect()
    }
}
