//! `mq bench merge`: merges the reports of several machines.

use super::result::{Preparation, read_report};
use super::verdicts;
use crate::bench::Report;
use crate::bench::report::MergeError;
use crate::cli::UsageError;
use crate::cli::bench::MergeArgs;
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};

pub(super) fn run(args: &MergeArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let reports = args.files.iter().map(|path| read_report("merge", path));
    let reports = reports.collect::<Result<Vec<_>, _>>()?;
    let scenario = reports.first().map(|report| report.plan.scenario);
    let preparation = Preparation::new(&args.report, scenario)?.inherit(verdicts::inherited(&reports));
    let merged = Report::merge(reports).map_err(merge_error)?;
    preparation.finish(vec![merged], None, messages)
}

fn merge_error(error: MergeError) -> Error {
    match error {
        MergeError::Search => {
            Error::usage(format!("{error}; measure again with the same --rate and --shard"))
        }
        MergeError::Repeat => Error::usage(format!("{error}; compare them with `mq bench compare`")),
        MergeError::Nothing | MergeError::Different { .. } | MergeError::Twice(_) => {
            Error::usage(UsageError::Value(error.into()))
        }
    }
}
