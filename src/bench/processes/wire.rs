//! The protocol between a leader and its worker processes: a JSON object on each line. An empty line of a worker means that it
//! responds.

use crate::bench::context::Control;
use crate::bench::gauges::{Recent, Totals};
use crate::bench::identity::Secret;
use crate::bench::plan::{Plan, RunId};
use crate::bench::record::Record;
use crate::client::{Method, TokenSource};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A message to a worker process.
#[derive(Serialize, Deserialize)]
pub(super) enum ToWorker {
    /// The settings that are not in its arguments.
    Begin(Box<Assignment>),
    /// Control for its clients.
    Control(Control),
}

/// A message from a worker process.
#[derive(Serialize, Deserialize)]
pub(super) enum FromWorker {
    /// It is ready to begin.
    Ready,
    /// It cannot begin, with the reason.
    Failed(String),
    /// It has used CPU time since the last message, but has nothing to report.
    Working,
    /// Its totals so far.
    Progress(Totals),
    /// The figures of its last second.
    Recent(Box<Recent>),
    /// Its record, as the last message.
    Measured(Box<Record>),
}

/// The settings that only the leader knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The identifier of the run.
    pub run: RunId,
    /// Its process number, counted from 0.
    pub process: usize,
    pub processes: usize,
    /// The number of threads in all processes together.
    pub threads: usize,
    /// The start of the run.
    pub start: Moment,
    /// The address of each broker, if the clients connect to it directly.
    pub targets: Vec<Option<SocketAddr>>,
    /// Selects the first local port.
    pub offset: u32,
    /// The rate of this run in a search.
    pub searched_rate: Option<f64>,
    /// The password, if all clients share it; it may have been typed on the terminal.
    pub password: Option<Vec<u8>>,
    /// The authentication data, if it was read from a file or a prompt.
    pub authentication_data: Option<Vec<u8>>,
}

impl Assignment {
    /// The assignment of the first process.
    pub(in crate::bench) fn of(
        plan: &Plan,
        start: Moment,
        targets: Vec<Option<SocketAddr>>,
        offset: u32,
    ) -> Assignment {
        let password = match &plan.broker.identities.password {
            Some(Secret::Same(password)) => Some(password.clone()),
            Some(Secret::Template(_)) | None => None,
        };
        Assignment {
            run: plan.run,
            process: 0,
            processes: plan.processes,
            threads: plan.threads,
            start,
            targets,
            offset,
            searched_rate: None,
            password,
            authentication_data: authentication_data(plan).cloned(),
        }
    }

    /// Completes a plan that was made from the arguments alone, to equal the leader's.
    pub(crate) fn complete(&self, plan: &mut Plan) {
        plan.processes = self.processes.max(1);
        plan.threads = self.threads.max(plan.processes);
        if let Some(password) = &self.password {
            plan.broker.identities.password = Some(Secret::Same(password.clone()));
        }
        if let (Some(data), Some(authentication)) =
            (&self.authentication_data, &mut plan.broker.authentication)
            && let Method::Token { source, .. } = &mut authentication.method
        {
            *source = TokenSource::Bytes(data.clone());
        }
    }
}

fn authentication_data(plan: &Plan) -> Option<&Vec<u8>> {
    match &plan.broker.authentication.as_ref()?.method {
        Method::Token { source: TokenSource::Bytes(data), .. } => Some(data),
        Method::Token { source: TokenSource::None | TokenSource::File(_), .. } | Method::Scram(_) => None,
    }
}

/// A point in time that is the same in all processes of this machine: time since the monotonic clock began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// The moment of a past instant.
    pub(crate) fn of(instant: Instant) -> Moment {
        Moment(monotonic().saturating_sub(instant.elapsed()))
    }

    /// The instant of a past moment.
    pub(crate) fn instant(self) -> Instant {
        let now = Instant::now();
        now.checked_sub(monotonic().saturating_sub(self.0)).unwrap_or(now)
    }
}

fn monotonic() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Writes a line.
pub(super) fn write(output: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, message)?;
    output.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_instant_again() {
        let instant = Instant::now();
        let again = Moment::of(instant).instant();
        let apart = again.max(instant) - again.min(instant);
        assert!(apart < Duration::from_secs(1), "{apart:?}");
    }
}
