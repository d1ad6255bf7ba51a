//! `mq bench`: runs a load, merges or compares reports, writes the reports and maps the result to an exit status.

mod compare;
mod describe;
mod exit_status;
mod http;
mod live;
mod merge;
mod outputs;
mod progress;
mod result;
mod run;
mod scenario;
mod search;
mod session;
mod verdicts;
mod worker_processes;

use super::Messages;
use crate::cli::bench::BenchArgs;
use crate::commands::error::{Error, ExitStatus};

pub(super) fn run(args: &BenchArgs, messages: Messages) -> Result<ExitStatus, Error> {
    match args {
        BenchArgs::Run(run) => run::run(run, messages),
        BenchArgs::ScenarioCheck(run) => scenario::check(run),
        BenchArgs::ScenarioText(text) => scenario::print(text),
        BenchArgs::Merge(args) => merge::run(args, messages),
        BenchArgs::Compare(args) => compare::run(args, messages),
    }
}
