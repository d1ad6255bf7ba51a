//! A load: the plan, its check, and the run or the search.

use super::result::Preparation;
use super::session::Session;
use super::{search, worker_processes};
use crate::bench::Report;
use crate::bench::plan::{Plan, RunId};
use crate::cli::bench::Run;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::{Messages, block_on};

pub(super) fn run(run: &Run, messages: Messages) -> Result<ExitStatus, Error> {
    if run.args.worker {
        return worker_processes::serve(run);
    }
    let plan = run.plan(RunId(fastrand::u32(..)))?;
    if run.args.check {
        let processes = run.args.processes.map(usize::from);
        return block_on(worker_processes::check(plan, processes, run.args.embedded));
    }
    let preparation = Preparation::new(&run.args.report, Some(plan.scenario))?;
    let (report, signal) = block_on(measure(run, plan, messages))?;
    preparation.finish(report, signal, messages)
}

/// Carries out one run or a search; also returns the status of the signal that ended it, if any.
async fn measure(run: &Run, plan: Plan, messages: Messages) -> Result<(Report, Option<ExitStatus>), Error> {
    let session = Session::start(run, &plan, messages).await?;
    let report = match &run.search {
        None => session.measure(plan).await?,
        Some(wanted) => search::search(run, wanted, &session).await?,
    };
    Ok((report, session.signal()))
}
