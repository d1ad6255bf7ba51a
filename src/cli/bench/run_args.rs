//! The options of all modes that run a load: clients, machines, connection, report.

use super::sn_args::SnRunArgs;
use super::value_parsers::watch_source;
use crate::bench::broker_watch::WatchSource;
use crate::bench::report::repeat::MAX_RUNS;
use crate::bench::shard::Shard;
use crate::bench::thresholds::AbortConditions;
use crate::cli::bench_report::{self, ReportArgs};
use crate::cli::session::ClientArgs;
use crate::cli::values;
use clap::{Arg, ArgAction, Args, ValueEnum, ValueHint, value_parser};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// The options of every load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Clients", mut_args(adapted))]
pub(crate) struct RunArgs {
    /// Number of clients that start to connect per second [default: as many as the broker accepts]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    pub(super) connect_rate: Option<u32>,
    /// Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Time")]
    pub(super) timeout: Option<Duration>,
    /// Run the same load N times, and report the median and the spread of each metric for `mq bench compare`
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=MAX_RUNS as i64), conflicts_with_all = ["start_at", "check"], help_heading = "Time")]
    pub(crate) repeat: Option<u16>,
    /// Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Time")]
    pub(super) repeat_of: Option<PathBuf>,
    /// Number of threads for the clients [default: one per CPU]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u16).range(1..=1024), help_heading = "Machines")]
    pub(super) threads: Option<u16>,
    /// Number of processes for the clients, each with its own limit of open files [default: as many as needed]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u16).range(1..=256), help_heading = "Machines")]
    pub(crate) processes: Option<u16>,
    /// Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`
    #[arg(long, value_name = "K/N", value_parser = values::shard, help_heading = "Machines")]
    pub(super) shard: Option<Shard>,
    /// Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s
    #[arg(long, value_name = "TIME", value_parser = values::start_time, help_heading = "Machines")]
    pub(crate) start_at: Option<SystemTime>,
    /// Start an embedded broker for this run, in its own process
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["host", "port", "url", "unix", "srv", "proxy"], help_heading = "Connection")]
    pub(crate) embedded: bool,
    /// Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Connection")]
    pub(super) credentials: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(super) sn: SnRunArgs,
    /// Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake
    #[arg(long, action = ArgAction::SetTrue, help_heading = "TLS")]
    pub(super) tls_resume: bool,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    /// End the run early, with status 4, when a condition holds; as in 'p99>1s, lost_connections>1%, throughput<100/s'
    #[arg(long, value_name = "CONDITIONS", help_heading = "Report")]
    pub(crate) abort_if: Option<AbortConditions>,
    /// Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = bench_report::local_address, help_heading = "Report")]
    pub(crate) serve: Option<SocketAddr>,
    /// Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = bench_report::local_address, help_heading = "Report")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]
    #[arg(long, value_name = "KIND", value_enum, help_heading = "Diagnostics")]
    progress: Option<ProgressKind>,
    /// Record the broker's counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "$SYS", value_parser = watch_source, help_heading = "Report")]
    pub(crate) watch_broker: Option<WatchSource>,
    /// Print the limits of this machine, whether the run fits, and how to raise each limit; without a run
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub(crate) check: bool,
    /// Print the packets of the first client of each kind to standard error, without progress
    #[arg(short = 'd', long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub(crate) debug: bool,
    /// Suppress messages on standard error, except those about failures
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub(crate) quiet: bool,
    /// Serve the leader on standard input.
    #[arg(long, action = ArgAction::SetTrue, hide = true)]
    pub(crate) worker: bool,
}

/// The display of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
// No doc comments, as for the formats of a report.
pub(crate) enum ProgressKind {
    Never,
    Lines,
    Panel,
}

impl RunArgs {
    /// The display of progress. Packets of --debug scroll a panel away.
    pub(crate) fn progress(&self) -> ProgressKind {
        let usual = if self.debug { ProgressKind::Never } else { ProgressKind::Panel };
        self.progress.unwrap_or(usual)
    }
}

/// In `mq bench`, -c is the number of clients, and clients authenticate once per connection.
fn adapted(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "disable_clean_session" => arg.short(None),
        "reauthenticate" => arg.hide(true),
        "host" => arg.help(
            "Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]",
        ),
        _ => arg,
    }
}
