//! `mq bench scenario --validate`, `--example` and `--keys`: a scenario without a run.

use super::describe::groups;
use crate::bench::plan::RunId;
use crate::bench::thresholds::Conditions;
use crate::cli::bench::Run;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::standard_output;

/// Prints the groups and the conditions of a valid file.
pub(super) fn check(run: &Run) -> Result<ExitStatus, Error> {
    let (plan, Conditions { fail_if, abort_if }) = run.plan_and_conditions(RunId(fastrand::u32(..)))?;
    let fail_if = fail_if.texts().map(|text| format!("fail_if: {text}\n"));
    let abort_if = abort_if.texts().into_iter().map(|text| format!("abort_if: {text}\n"));
    let conditions: String = fail_if.chain(abort_if).collect();
    print(&(groups(&plan) + &conditions))
}

/// Prints an example or the keys of files.
pub(super) fn print(text: &str) -> Result<ExitStatus, Error> {
    standard_output::print(text)?;
    Ok(ExitStatus::DONE)
}
