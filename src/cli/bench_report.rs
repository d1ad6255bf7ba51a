//! The report options of `mq bench`: formats, destinations, and conditions that make a run fail.

use super::values;
use crate::bench::thresholds::Thresholds;
use clap::{Args, ValueEnum, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The format on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // comments would make the help as long as a page; `--json` and its like say what each is
pub enum ReportFormat {
    Text,
    Json,
    Markdown,
    Csv,
    Prometheus,
}

/// The subject of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // as above
pub enum Searchable {
    Rate,
}

/// The destinations of the report, and its comparison with others.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Format of the report on standard output [default: text]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Report")]
    pub output: Option<ReportFormat>,
    /// Write the report as JSON, for --baseline and other programs; - is standard output here and below
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub json: Option<PathBuf>,
    /// Write the counts and latencies of each second as comma-separated values
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub csv: Option<PathBuf>,
    /// Write the latencies as a log of HDR histograms
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub hdr: Option<PathBuf>,
    /// Write a self-contained HTML page with plots
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub html: Option<PathBuf>,
    /// Write a summary as Markdown
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub markdown: Option<PathBuf>,
    /// Write metrics in the text format of Prometheus
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub prometheus: Option<PathBuf>,
    /// Serve GET /metrics at this address during the run
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = socket_address, help_heading = "Report")]
    pub metrics: Option<SocketAddr>,
    /// Exit with status 4 if a condition holds or was not measured; as in 'p99>10ms, loss>0, throughput<5000/s'
    #[arg(long, value_name = "CONDITIONS", help_heading = "Report")]
    pub fail_if: Option<Thresholds>,
    /// Compare with an earlier report of --json, and exit with status 4 if this one is worse
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Report")]
    pub baseline: Option<PathBuf>,
    /// Tolerance by which throughput and latencies may be worse than the baseline
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = values::tolerance, requires = "baseline", help_heading = "Report")]
    pub tolerance: f64,
    /// Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with = "messages", help_heading = "Report")]
    pub search: Option<Searchable>,
    /// Conditions in which a rate of --search fails, as in 'p99>50ms'; a rate that the broker does not sustain fails too
    #[arg(long, value_name = "CONDITIONS", requires = "search", help_heading = "Report")]
    pub until: Option<Thresholds>,
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| values::expected("a local address and a port, such as 127.0.0.1:9100"))
}
