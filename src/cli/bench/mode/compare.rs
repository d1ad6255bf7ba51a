//! `mq bench compare OLD NEW...`: compares reports, without a run.

use crate::cli::bench::help::paragraphs;
use crate::cli::bench_report::{ReportFile, ReportFormat};
use crate::cli::values;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::path::PathBuf;

const SUMMARY: &str = "\
Reads reports of --json or --output json, and compares each new one with the old one. A metric is better
or worse if it differs by more than --tolerance and by more than noise. Reports of --repeat contain the
noise: a difference counts if the ranks of all runs rule out chance with a confidence of 99 %. Single
reports are judged by --tolerance alone.
docs/bench-compare.md describes the rule and the JSON output.";

const EXAMPLES: &str = "\
Examples:
  mq bench compare old.json new.json            a table of differences
  mq bench --repeat 10 --json new.json          a report that knows its noise
  mq bench compare old.json new.json --fail-if-worse  exit status for a CI job
  mq bench compare a.json b.json --html page.html       curves over each other
  mq bench compare nightly/*.json --html page.html    the trend of each metric";

const EXIT_STATUS: &str = "\
Exit status: 0 whatever the outcome is, 1 a file cannot be read, 2 usage, a file is not a report, or the
loads differ, 4 with --fail-if-worse if a metric is worse or is no longer measured.";

/// The formats on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ComparisonFormat {
    Text,
    Json,
    Markdown,
}

impl From<ComparisonFormat> for ReportFormat {
    fn from(format: ComparisonFormat) -> ReportFormat {
        match format {
            ComparisonFormat::Text => ReportFormat::Text,
            ComparisonFormat::Json => ReportFormat::Json,
            ComparisonFormat::Markdown => ReportFormat::Markdown,
        }
    }
}

#[derive(Debug, Clone, Args)]
#[command(after_help = paragraphs(&[SUMMARY, EXAMPLES, EXIT_STATUS]), next_help_heading = "Report")]
/// The arguments of `mq bench compare`.
pub(crate) struct CompareArgs {
    /// The report to compare with, and the reports to judge
    #[arg(value_name = "OLD.json NEW.json", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Largest difference that counts as unchanged, in percent
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = values::tolerance)]
    pub(crate) tolerance: f64,
    /// Compare reports of different loads, and list the differences
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) allow_different: bool,
    /// Exit with status 4 if a metric is worse or is no longer measured
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) fail_if_worse: bool,
    /// Format of the comparison on standard output [default: text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    output: Option<ComparisonFormat>,
    /// Write the comparison as JSON; - is standard output here and below
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    json: Option<PathBuf>,
    /// Write a self-contained HTML page: curves of up to eight reports, or the trend of each metric by date
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Write the comparison as Markdown
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    markdown: Option<PathBuf>,
    /// Suppress messages on standard error, except those about failures
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub(crate) quiet: bool,
}

impl CompareArgs {
    pub(crate) fn printed(&self) -> Option<ReportFormat> {
        self.output.map(ReportFormat::from)
    }

    /// The old report and the new ones; `None` without a new one.
    pub(crate) fn reports(&self) -> Option<(&PathBuf, &[PathBuf])> {
        self.files.split_first().filter(|(_, new)| !new.is_empty())
    }

    pub(crate) fn outputs(&self) -> Vec<ReportFile> {
        let file =
            |option, format, path: &Option<PathBuf>| Some(ReportFile { option, format, path: path.clone()? });
        let files = [
            file("json", ReportFormat::Json, &self.json),
            file("html", ReportFormat::Html, &self.html),
            file("markdown", ReportFormat::Markdown, &self.markdown),
        ];
        files.into_iter().flatten().collect()
    }
}
