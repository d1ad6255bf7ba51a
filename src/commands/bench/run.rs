//! A load: the plan, its check, and the run or the search.

use super::live::Live;
use super::result::Preparation;
use super::session::Session;
use super::{search, worker_processes};
use crate::bench::plan::{Plan, RunId};
use crate::bench::thresholds::{AbortConditions, Conditions};
use crate::bench::{Ending, Report};
use crate::cli::bench::Run;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::{Messages, block_on};

pub(super) fn run(run: &Run, messages: Messages) -> Result<ExitStatus, Error> {
    if run.args.worker {
        return worker_processes::serve(run);
    }
    let (plan, Conditions { fail_if, abort_if }) = run.plan_and_conditions(RunId(fastrand::u32(..)))?;
    if run.args.check {
        return block_on(worker_processes::check(plan, worker_processes::surroundings(run)));
    }
    let preparation = Preparation::new(&run.args.report, Some(plan.scenario))?;
    let recorded = run.recorded(&plan);
    let Measured { mut reports, signal, live } = block_on(measure(run, plan, abort_if, messages))?;
    reports.iter_mut().for_each(|report| report.setup.command.clone_from(&recorded));
    preparation.inherit(vec![fail_if]).serve(live).finish(reports, signal, messages)
}

/// The results of all runs.
struct Measured {
    reports: Vec<Report>,
    /// The status of the signal that ended them, if any.
    signal: Option<ExitStatus>,
    live: Live,
}

/// Carries out one run, several of the same load, or a search.
async fn measure(
    run: &Run,
    plan: Plan,
    abort_if: AbortConditions,
    messages: Messages,
) -> Result<Measured, Error> {
    let abort_if = run.args.abort_if.iter().cloned().chain([abort_if]).collect();
    let ends_by_signal = plan.hold.is_some();
    let session = Session::start(run, &plan, abort_if, messages).await?;
    let reports = match &run.search {
        None => repeat(run, plan, &session).await?,
        Some(wanted) => vec![search::search(run, wanted, &session).await?],
    };
    // Ctrl-C ends kept connections, after the run is complete.
    let is_complete = reports.iter().all(|report| report.ending == Ending::Complete);
    let signal = session.signal().filter(|_| !(ends_by_signal && is_complete));
    Ok(Measured { reports, signal, live: session.live() })
}

/// Carries out a load as often as the user wants it, each time with topics and client identifiers of its own.
async fn repeat(run: &Run, plan: Plan, session: &Session<'_>) -> Result<Vec<Report>, Error> {
    let runs = run.args.repeat.unwrap_or(1);
    let (mut reports, mut next) = (Vec::new(), Some(plan));
    for number in 1..=runs {
        let plan = match next.take() {
            Some(plan) => plan,
            None => run.plan(RunId(fastrand::u32(..)))?,
        };
        if runs > 1 {
            session.say(&format!("run {number} of {runs}"));
        }
        let report = session.measure(plan).await?;
        // Without a connection, each further run would wait for its timeout.
        let is_last =
            session.signal().is_some() || matches!(report.ending, Ending::NotConnected | Ending::Interrupted);
        reports.push(report);
        if is_last {
            break;
        }
    }
    Ok(reports)
}
