//! Parts of a run outside this process: worker processes, the embedded broker, a synchronised start, and `--check`.

use super::super::embedded::{EmbeddedBroker, Listener};
use super::super::{Messages, trace};
use crate::bench::check::Lift;
use crate::bench::limits::{self, Surroundings};
use crate::bench::plan::Plan;
use crate::bench::processes::Program;
use crate::bench::{self, Step, View};
use crate::cli::bench::Run;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::standard_output::print;
use std::time::{Duration, SystemTime};

/// Runs as a worker process, whose leader decides its clients.
pub(super) fn serve(run: &Run) -> Result<ExitStatus, Error> {
    bench::processes::serve(|assignment| {
        let plan = match assignment.searched_rate {
            Some(rate) => run.plan_at(rate, assignment.run),
            None => run.plan(assignment.run),
        };
        let mut plan = plan.map_err(|error| error.to_string())?;
        assignment.complete(&mut plan);
        trace::watch_run(run.args.debug, &mut plan);
        Ok(plan)
    })?;
    Ok(ExitStatus::DONE)
}

/// This program with the same arguments, as a worker process; in a search with the rate of the step.
pub(super) fn worker_program(searched_rate: Option<f64>) -> Result<Program, Error> {
    let failed = |source| Error::system("find this program's own file", source);
    let mut words: Vec<_> = std::env::args_os().skip(1).collect();
    words.insert(words.len().min(1), "--worker".into());
    Ok(Program { path: std::env::current_exe().map_err(failed)?, words, searched_rate })
}

/// The parts of a run that need open files besides its clients.
pub(super) fn surroundings(run: &Run) -> Surroundings {
    let args = &run.args;
    Surroundings {
        processes: args.processes.map(usize::from),
        is_embedded: args.embedded,
        watches_broker: args.watch_broker.is_some(),
        serves: args.serve.is_some() || args.metrics.is_some(),
    }
}

/// Prints the limits of this machine, and whether the plan fits into them.
pub(super) async fn check(plan: Plan, around: Surroundings) -> Result<ExitStatus, Error> {
    let check = bench::check::check(plan, around).await?;
    print(check.to_text(lift))?;
    Ok(if check.fits() { ExitStatus::DONE } else { ExitStatus::FAILED })
}

/// A way to raise a limit, as the user would type it.
fn lift(lift: &Lift) -> String {
    match lift {
        Lift::Measure(measure) => measure.clone(),
        Lift::LocalAddresses(example) => format!("-A {example}    (more local addresses of this machine)"),
        Lift::GatewayClients(count) => format!("--max-clients {count}    (of mq gateway)"),
        Lift::Machines => "--shard K/N    (spreads the clients over N machines)".to_owned(),
        Lift::ConnectRate => {
            "--connect-rate COUNT    (if it refuses or resets simultaneous connections)".to_owned()
        }
    }
}

/// Starts the embedded broker for the clients of a plan.
pub(super) fn start_broker(
    plan: &Plan,
    around: Surroundings,
    messages: Messages,
) -> Result<EmbeddedBroker, Error> {
    let front_processes = limits::front_processes(plan, around)?;
    let listener = match plan.broker.endpoint.web_socket {
        Some(_) => Listener::WebSocket,
        None if plan.broker.is_gateway() => Listener::Gateway { clients: plan.clients() },
        None => Listener::Tcp,
    };
    EmbeddedBroker::start(listener, front_processes, messages)
}

/// Checks whether the load began on time.
pub(super) struct Punctuality {
    start_at: Option<SystemTime>,
    began: Option<SystemTime>,
}

/// A shorter delay still counts as on time.
const PUNCTUAL: Duration = Duration::from_millis(100);

impl Punctuality {
    pub(super) fn new(start_at: Option<SystemTime>) -> Punctuality {
        Punctuality { start_at, began: None }
    }

    pub(super) fn look(&mut self, view: &View<'_>) {
        let is_early = matches!(view.step, Step::Connect | Step::Subscribe | Step::Wait);
        if self.began.is_none() && !is_early {
            self.began = Some(SystemTime::now());
        }
    }

    /// The delay of the start, if it was too late.
    pub(super) fn delay(&self) -> Option<Duration> {
        let (start_at, began) = self.start_at.zip(self.began)?;
        began.duration_since(start_at).ok().filter(|delay| *delay > PUNCTUAL)
    }
}
