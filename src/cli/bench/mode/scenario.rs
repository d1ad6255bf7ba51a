//! `mq bench scenario FILE.toml`: groups of clients from a file.

use crate::cli::bench::BenchArgs;
use crate::cli::bench::help::{RUN_STATUS, SEE_METRICS, paragraphs};
use crate::cli::bench::load::{KeepArgs, SeedArgs};
use crate::cli::bench::run::{Load, Run, ScenarioFile};
use crate::cli::bench::run_args::RunArgs;
use crate::cli::bench::{scenario_file, scenario_keys};
use clap::{ArgAction, Args, ValueHint};
use std::path::PathBuf;

const FORMAT: &str = "\
The file has a duration, a warm_up and a table for each group of clients. A group has a name, a scenario
(pubsub, conn, pub, sub or rr), and as keys the long names of the load options of that mode, with _
instead of -: clients, qos, size, rate, in_flight and so on. fail_if and abort_if judge the whole run, or
a group by its own figures. Without a duration and messages, the run warms up for 2 s and measures for
10 s.

    duration = 60
    warm_up = 5

    [[group]]
    name = \"sensors\"
    scenario = \"pub\"
    clients = 1000
    rate = \"5k\"
    topic = \"plant/{i}/temperature\"
    fail_if = \"p99>100ms\"

    [[group]]
    name = \"dashboard\"
    scenario = \"sub\"
    clients = 3
    topic = \"plant/#\"

`mq bench scenario --keys` describes every key.";

const EXAMPLES: &str = "\
Examples:
  mq bench scenario --example > mix.toml        a file to start from
  mq bench scenario --validate mix.toml         its mistakes, or its groups
  mq bench scenario mix.toml                    groups with different loads
  mq bench scenario mix.toml -h test.example    another broker
  mq bench scenario mix.toml --check            the limits of this machine
  mq bench scenario mix.toml --json run.json    a report for --baseline";

#[derive(Debug, Clone, Args)]
#[command(after_help = paragraphs(&[FORMAT, EXAMPLES, SEE_METRICS, RUN_STATUS]))]
pub(crate) struct ScenarioArgs {
    /// Scenario file
    #[arg(value_name = "FILE.toml", value_hint = ValueHint::FilePath, required_unless_present_any = ["example", "keys", "repeat_of"])]
    file: Option<PathBuf>,
    /// Check the file and print its groups, without a run
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Scenario")]
    validate: bool,
    /// Print a commented example of a scenario file
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["file", "validate"], help_heading = "Scenario")]
    example: bool,
    /// Print all keys of scenario files, with types, defaults and examples
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["file", "validate", "example"], help_heading = "Scenario")]
    keys: bool,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    run: RunArgs,
}

impl From<ScenarioArgs> for BenchArgs {
    fn from(args: ScenarioArgs) -> BenchArgs {
        let Some(file) = args.file.or_else(|| args.run.repeat_of.clone()) else {
            let text = if args.keys { scenario_file::keys() } else { scenario_keys::EXAMPLE.to_owned() };
            return BenchArgs::ScenarioText(text);
        };
        let run = Run {
            load: Load::File(ScenarioFile::new(file)),
            keep_sessions: false,
            hold: args.keep.keep_connected,
            seed: args.seed.seed,
            search: None,
            args: args.run,
            recorded: None,
        };
        let run = Box::new(run);
        if args.validate { BenchArgs::ScenarioCheck(run) } else { BenchArgs::Run(run) }
    }
}
