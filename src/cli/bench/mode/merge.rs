//! `mq bench merge FILE...`: merges the reports of several machines, without a run.

use crate::cli::bench::help::{SEE_METRICS, paragraphs};
use crate::cli::bench_report::ReportArgs;
use clap::{ArgAction, Args, ValueHint};
use std::path::PathBuf;

const SUMMARY: &str = "\
Reads reports of --json or --output json, and writes one report in any format. Counts and histograms add
up; times count from the earliest start.";

const EXAMPLES: &str = "\
Examples:
  mq bench merge 1.json 2.json 3.json           one report of three machines
  mq bench merge *.json --html all.html         a page with plots
  mq bench merge *.json --fail-if 'p99>10ms'    exit status for a CI job
  mq bench merge *.json --baseline last.json    comparison with a report";

const EXIT_STATUS: &str = "\
Exit status: 0 when the merged runs were good, otherwise as of `mq bench`; 1 also if a file cannot be read, 2
usage, a file is not a report, or the reports do not belong together.";

#[derive(Debug, Clone, Args)]
#[command(after_help = paragraphs(&[SUMMARY, EXAMPLES, SEE_METRICS, EXIT_STATUS]))]
/// The arguments of `mq bench merge`.
pub(crate) struct MergeArgs {
    /// Reports to merge
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    /// Suppress messages about failures in the reports; the output and the exit status still show them
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub(crate) quiet: bool,
}
