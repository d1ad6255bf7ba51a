//! `mq bench scenario FILE.toml`: groups of clients from a file.

use crate::cli::bench::help::{RUN_STATUS, SEE_METRICS, paragraphs};
use crate::cli::bench::run::{Load, Run};
use crate::cli::bench::run_args::RunArgs;
use clap::{Args, ValueHint};
use std::path::PathBuf;

const FORMAT: &str = "\
The file has a duration and a warm_up, and a table for each group of clients. A group has a
name, a scenario (pubsub, conn, pub, sub or rr), and as keys the long names of the load options of that
mode, with _ instead of -: clients, qos, size, rate, in_flight and so on. Without a duration and
messages, the run warms up for 2 s and measures for 10 s.

    duration = 60
    warm_up = 5

    [[group]]
    name = \"sensors\"
    scenario = \"pub\"
    clients = 1000
    rate = \"5k\"
    topic = \"plant/{i}/temperature\"

    [[group]]
    name = \"dashboard\"
    scenario = \"sub\"
    clients = 3
    topic = \"plant/#\"";

const EXAMPLES: &str = "\
Examples:
  mq bench scenario mix.toml                    groups with different loads
  mq bench scenario mix.toml -h test.example    another broker
  mq bench scenario mix.toml --check            the limits of this machine
  mq bench scenario mix.toml --json run.json    a report for --baseline";

#[derive(Debug, Clone, Args)]
#[command(after_help = paragraphs(&[FORMAT, EXAMPLES, SEE_METRICS, RUN_STATUS]))]
pub(crate) struct ScenarioArgs {
    /// Scenario file
    #[arg(value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

impl From<ScenarioArgs> for Run {
    fn from(args: ScenarioArgs) -> Run {
        Run { load: Load::File(args.file), keep_sessions: false, search: None, args: args.run }
    }
}
