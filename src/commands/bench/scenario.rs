//! `mq bench scenario --validate`, `--example` and `--keys`: a scenario without a run.

use super::describe::groups;
use crate::bench::plan::RunId;
use crate::bench::thresholds::Conditions;
use crate::cli::bench::Run;
use crate::commands::error::{Error, ExitStatus};
use std::io::{self, Write};

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
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)?;
    Ok(ExitStatus::DONE)
}
