//! `mq bench conn`: clients connect and stay connected.

use crate::cli::bench::group::{GroupMode, GroupSpec};
use crate::cli::bench::help::{AUTHENTICATION, RUN_STATUS, SEE_METRICS, paragraphs};
use crate::cli::bench::load::{ClientsArgs, KeepArgs};
use crate::cli::bench::run::Run;
use crate::cli::bench::run_args::RunArgs;
use crate::cli::values;
use clap::Args;
use std::time::Duration;

const SUMMARY: &str = "\
Measures how fast the broker accepts connections, and whether it keeps them. The clients neither publish
nor subscribe. --hold begins when all clients are connected.";

const EXAMPLES: &str = "\
Examples:
  mq bench conn -c 20000 --hold 60              20000 connections for a minute
  mq bench conn -c 20000 --connect-rate 2000    2000 new connections per second
  mq bench conn -c 50000 --check                the limits of this machine
  # 1000 TLS handshakes
  mq bench conn -c 1000 -h test.example --cafile ca.pem
  # 1000 SCRAM logins
  mq bench conn -c 1000 --auth-method SCRAM-SHA-256 --credentials users.csv
  # 1000 logins with a token
  mq bench conn -c 1000 --auth-method OAUTH2-JWT --auth-data-file token
  # exit status for a CI job
  mq bench conn -c 1000 --fail-if 'connack.p99>50ms, connect_failures>0'";

#[derive(Debug, Clone, Args)]
#[command(after_help = paragraphs(&[SUMMARY, AUTHENTICATION, EXAMPLES, SEE_METRICS, RUN_STATUS]))]
pub(crate) struct ConnArgs {
    #[command(flatten)]
    clients: ClientsArgs,
    /// Time that the clients stay connected [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Time")]
    hold: Option<Duration>,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    run: RunArgs,
}

impl From<ConnArgs> for Run {
    fn from(args: ConnArgs) -> Run {
        let spec = GroupSpec { duration: args.hold, ..GroupSpec::new(GroupMode::Conn, args.clients) };
        Run { hold: args.keep.keep_connected, ..Run::of_group(spec, args.run) }
    }
}
