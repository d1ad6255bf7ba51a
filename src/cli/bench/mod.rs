//! The options of `mq bench`: a struct for each mode, which becomes a [`Run`] or a task without a run.

mod brokers;
pub(super) mod chosen_mode;
mod connection;
mod credentials;
#[cfg(any(test, fuzzing))]
pub(in crate::cli) mod fuzzing;
mod group;
mod help;
mod load;
mod mode;
mod preset;
pub(super) mod recorded;
mod recording;
pub(super) mod repeat_of;
pub(crate) mod report_file;
mod run;
mod run_args;
mod scenario_file;
mod scenario_keys;
mod sn_args;
mod sn_checks;
mod topics_file;
mod value_parsers;

use super::authentication::Reading;
use super::session::ClientArgs;
use super::{BENCH, config, option_file, with_common_parts};
use crate::bench::report::RecordedCommand;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, FromArgMatches};
pub(crate) use mode::compare::CompareArgs;
pub(crate) use mode::merge::MergeArgs;
use mode::{
    conn::ConnArgs, publish::PubArgs, pubsub::PubsubArgs, reconnect::ReconnectArgs, request::RrArgs,
    scenario::ScenarioArgs, subscribe::SubArgs,
};
use repeat_of::EarlierRun;
pub(crate) use run::Run;
pub(crate) use run::Search;
pub(crate) use run_args::ProgressKind;
pub(super) use value_parsers::rate;

/// A mode on the command line.
struct Mode {
    name: &'static str,
    about: &'static str,
    /// Adds the options and their help to a command.
    define: fn(Command) -> Command,
    read: fn(&ArgMatches) -> Result<BenchArgs, clap::Error>,
}

/// The modes, in the order of the help.
const MODES: [Mode; 9] = [
    Mode::run::<PubsubArgs>(
        "pubsub",
        "Clients publish and clients subscribe; every message is checked (the default)",
    ),
    Mode::run::<ConnArgs>("conn", "Clients connect and stay connected"),
    Mode::run::<PubArgs>("pub", "Clients publish, without subscribers of this run"),
    Mode::run::<SubArgs>("sub", "Clients subscribe to messages of other publishers"),
    Mode::run::<RrArgs>("rr", "Clients send requests and clients respond: the round trip"),
    Mode::run::<ReconnectArgs>(
        "reconnect",
        "Like pubsub, but all connections are dropped at once halfway, and made again",
    ),
    Mode {
        name: "scenario",
        about: "Groups of clients with different loads, from a file",
        define: define::<ScenarioArgs>,
        read: |matches| ScenarioArgs::from_arg_matches(matches).map(BenchArgs::from),
    },
    Mode {
        name: "merge",
        about: "Merge the reports of several runs into one, without a run",
        define: define::<MergeArgs>,
        read: |matches| MergeArgs::from_arg_matches(matches).map(BenchArgs::Merge),
    },
    Mode {
        name: "compare",
        about: "Compare reports: what became better or worse, by more than noise",
        define: define::<CompareArgs>,
        read: |matches| CompareArgs::from_arg_matches(matches).map(BenchArgs::Compare),
    },
];

impl Mode {
    /// A mode that runs a load.
    const fn run<T: Args + Into<Run>>(name: &'static str, about: &'static str) -> Mode {
        let read = |matches: &ArgMatches| {
            T::from_arg_matches(matches).map(|args| BenchArgs::Run(Box::new(args.into())))
        };
        Mode { name, about, define: define::<T>, read }
    }
}

fn define<T: Args>(command: Command) -> Command {
    let about = command.get_about().cloned().unwrap_or_default();
    let command = T::augment_args(command).about(about);
    let connects = command.get_arguments().any(|arg| arg.get_id() == "host");
    with_common_parts(command.arg(option_file::arg(BENCH)).args(connects.then(config::arg)))
}

/// The task of `mq bench`.
#[derive(Debug, Clone)]
pub(crate) enum BenchArgs {
    /// Run a load.
    Run(Box<Run>),
    /// Check a scenario file.
    ScenarioCheck(Box<Run>),
    /// Print an example or the keys of scenario files.
    ScenarioText(String),
    /// Merge reports.
    Merge(MergeArgs),
    /// Compare reports.
    Compare(CompareArgs),
}

impl BenchArgs {
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            BenchArgs::Run(run) | BenchArgs::ScenarioCheck(run) => run.args.quiet,
            BenchArgs::ScenarioText(_) => false,
            BenchArgs::Merge(args) => args.quiet,
            BenchArgs::Compare(args) => args.quiet,
        }
    }

    /// Whether this process is a worker of another one.
    pub(crate) fn is_worker(&self) -> bool {
        matches!(self, BenchArgs::Run(run) if run.args.worker)
    }

    /// Keeps the options for the report, and takes over those of an earlier run that are not on the command line.
    pub(super) fn note_options(&mut self, recorded: RecordedCommand, earlier: Option<&EarlierRun>) {
        if let BenchArgs::Run(run) | BenchArgs::ScenarioCheck(run) = self {
            run.recorded = Some(recorded);
            if let Some(earlier) = earlier {
                run.args.client.connection.ignores_variables = true;
                run.take_scenario(earlier.scenario());
            }
        }
    }

    /// Lets the clients connect to an MQTT-SN gateway if the options ask for one.
    pub(super) fn choose_gateway(&mut self) {
        if let BenchArgs::Run(run) | BenchArgs::ScenarioCheck(run) = self {
            run.args.choose_gateway();
        }
    }

    pub(crate) fn client_mut(&mut self) -> Option<&mut ClientArgs> {
        match self {
            BenchArgs::Run(run) | BenchArgs::ScenarioCheck(run) => Some(&mut run.args.client),
            BenchArgs::ScenarioText(_) | BenchArgs::Merge(_) | BenchArgs::Compare(_) => None,
        }
    }

    /// The clients of a run share the files that were read; a worker process receives them from its leader.
    pub(super) fn share_readings(&mut self) {
        let reading = if self.is_worker() { Reading::Never } else { Reading::Once };
        if let Some(client) = self.client_mut() {
            client.authentication.reading = reading;
        }
    }
}

/// The options of pubsub, which needs no word for the mode. [`chosen_mode::add_modes`] adds the modes.
impl Args for BenchArgs {
    fn augment_args(command: Command) -> Command {
        PubsubArgs::augment_args(command).after_help(help::of_bench())
    }

    fn augment_args_for_update(command: Command) -> Command {
        BenchArgs::augment_args(command)
    }
}

impl FromArgMatches for BenchArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<BenchArgs, clap::Error> {
        let Some((name, matches)) = matches.subcommand() else {
            let args = PubsubArgs::from_arg_matches(matches)?;
            return Ok(BenchArgs::Run(Box::new(args.into())));
        };
        let mode = MODES.iter().find(|mode| mode.name == name);
        mode.map_or_else(|| Err(clap::Error::new(ErrorKind::InvalidSubcommand)), |mode| (mode.read)(matches))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = BenchArgs::from_arg_matches(matches)?;
        Ok(())
    }
}
