//! `mq bench scenario --validate`, `--example` and `--keys`: a scenario without a run.

use super::describe::groups;
use crate::bench::plan::RunId;
use crate::cli::bench::Run;
use crate::commands::error::{Error, ExitStatus};
use std::io::{self, Write};

/// Prints the groups of a valid file.
pub(super) fn check(run: &Run) -> Result<ExitStatus, Error> {
    let plan = run.plan(RunId(fastrand::u32(..)))?;
    print(&groups(&plan))
}

/// Prints an example or the keys of files.
pub(super) fn print(text: &str) -> Result<ExitStatus, Error> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)?;
    Ok(ExitStatus::DONE)
}
