//! The report options of `mq bench`: formats, destinations, and conditions that make a run fail.

use super::values;
use crate::bench::thresholds::Thresholds;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum, ValueHint, value_parser};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The formats of a report. `--output` takes those that a terminal can display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
// No doc comments: they would make the help as long as a page, and the options below describe each.
pub(crate) enum ReportFormat {
    Text,
    Json,
    Markdown,
    Csv,
    Prometheus,
    #[value(skip)]
    Hdr,
    #[value(skip)]
    Html,
    #[value(skip)]
    Junit,
}

/// The formats with an option for a file: the option's name and its help.
const FILES: [(ReportFormat, &str, &str); 7] = [
    (
        ReportFormat::Json,
        "json",
        "Write the report as JSON, for --baseline and other programs; - is standard output here and below",
    ),
    (ReportFormat::Csv, "csv", "Write the counts and latencies of each second as comma-separated values"),
    (ReportFormat::Hdr, "hdr", "Write the latencies as a log of HDR histograms"),
    (ReportFormat::Html, "html", "Write a self-contained HTML page with plots"),
    (ReportFormat::Markdown, "markdown", "Write a summary as Markdown"),
    (ReportFormat::Junit, "junit", "Write the verdict on each condition as JUnit XML, for CI systems"),
    (ReportFormat::Prometheus, "prometheus", "Write metrics in the text format of Prometheus"),
];

/// A file to write the report to.
#[derive(Debug, Clone)]
pub(crate) struct ReportFile {
    /// The name of the option.
    pub(crate) option: &'static str,
    pub(crate) format: ReportFormat,
    pub(crate) path: PathBuf,
}

#[derive(Debug, Clone)]
pub(crate) struct ReportFiles(pub(crate) Vec<ReportFile>);

impl Args for ReportFiles {
    fn augment_args(command: Command) -> Command {
        command.args(FILES.map(|(_, name, help)| {
            Arg::new(name)
                .long(name)
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .value_parser(value_parser!(PathBuf))
                .help_heading("Report")
                .help(help)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        ReportFiles::augment_args(command)
    }
}

impl FromArgMatches for ReportFiles {
    fn from_arg_matches(matches: &ArgMatches) -> Result<ReportFiles, clap::Error> {
        let file = |(format, option, _)| {
            let path = matches.get_one::<PathBuf>(option)?.clone();
            Some(ReportFile { option, format, path })
        };
        Ok(ReportFiles(FILES.into_iter().filter_map(file).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = ReportFiles::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The subject of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Searchable {
    Rate,
}

/// The destinations of the report, and its comparison with others.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReportArgs {
    /// Format of the report on standard output [default: text]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Report")]
    pub output: Option<ReportFormat>,
    #[command(flatten)]
    pub(crate) files: ReportFiles,
    /// Exit with status 4 if a condition holds or was not measured; as in 'p99>10ms, loss>0, throughput<5000/s'
    #[arg(long, value_name = "CONDITIONS", help_heading = "Report")]
    pub fail_if: Option<Thresholds>,
    /// Compare with an earlier report of --json, and exit with status 4 if this one is worse
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub baseline: Option<PathBuf>,
    /// Tolerance by which throughput and latencies may be worse than the baseline
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = values::tolerance, requires = "baseline", help_heading = "Report")]
    pub tolerance: f64,
}

/// The search for a rate.
#[derive(Debug, Clone, Args)]
pub(crate) struct SearchArgs {
    /// Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with_all = ["abort_if", "repeat"], help_heading = "Report")]
    pub search: Option<Searchable>,
    /// Conditions in which a rate of --search fails, as in 'p99>50ms'; a rate that the broker does not sustain fails too
    #[arg(long, value_name = "CONDITIONS", requires = "search", help_heading = "Report")]
    pub until: Option<Thresholds>,
}

/// For modes that a number of messages can end.
pub(super) fn searches_without_messages(arg: Arg) -> Arg {
    if arg.get_id() == "search" { arg.conflicts_with("messages") } else { arg }
}

/// An address, or a port of the loopback interface.
pub(super) fn local_address(text: &str) -> Result<SocketAddr, String> {
    let loopback = || text.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let expected = "a port, or a local address and a port, such as 8080 or 127.0.0.1:8080";
    let problem = || {
        let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
        values::port_problem(port).unwrap_or_else(|| values::expected(expected))
    };
    text.parse().ok().or_else(loopback).ok_or_else(problem)
}
