//! The options of `mq bench`: a struct for each mode, which becomes a [`Run`] or a merge.

pub(super) mod chosen_mode;
mod connection;
mod credentials;
mod group;
mod help;
mod load;
mod mode;
mod preset;
mod recording;
mod run;
mod run_args;
mod scenario_file;
mod value_parsers;

use super::authentication::Reading;
use super::session::ClientArgs;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
pub(crate) use mode::merge::MergeArgs;
use mode::{
    conn::ConnArgs, publish::PubArgs, pubsub::PubsubArgs, reconnect::ReconnectArgs, request::RrArgs,
    scenario::ScenarioArgs, subscribe::SubArgs,
};
pub(crate) use run::Run;
pub(crate) use run::Search;
pub(super) use value_parsers::rate;

/// The name of the command.
pub(super) const NAME: &str = "bench";

// The modes on the command line. A doc comment would become the help of `mq bench`.
#[derive(Debug, Subcommand)]
enum Mode {
    /// Clients publish and clients subscribe; every message is checked (the default)
    Pubsub(Box<PubsubArgs>),
    /// Clients connect and stay connected
    Conn(Box<ConnArgs>),
    /// Clients publish, without subscribers of this run
    Pub(Box<PubArgs>),
    /// Clients subscribe to messages of other publishers
    Sub(Box<SubArgs>),
    /// Clients send requests and clients respond: the round trip
    Rr(Box<RrArgs>),
    /// Like pubsub, but all connections are dropped at once halfway, and made again
    Reconnect(Box<ReconnectArgs>),
    /// Groups of clients with different loads, from a file
    Scenario(Box<ScenarioArgs>),
    /// Merge the reports of several runs into one, without a run
    Merge(MergeArgs),
}

/// The task of `mq bench`.
#[derive(Debug, Clone)]
pub(crate) enum BenchArgs {
    /// Run a load.
    Run(Box<Run>),
    /// Merge reports.
    Merge(MergeArgs),
}

impl From<Mode> for BenchArgs {
    fn from(mode: Mode) -> BenchArgs {
        let run = match mode {
            Mode::Pubsub(args) => (*args).into(),
            Mode::Conn(args) => (*args).into(),
            Mode::Pub(args) => (*args).into(),
            Mode::Sub(args) => (*args).into(),
            Mode::Rr(args) => (*args).into(),
            Mode::Reconnect(args) => (*args).into(),
            Mode::Scenario(args) => (*args).into(),
            Mode::Merge(args) => return BenchArgs::Merge(args),
        };
        BenchArgs::Run(Box::new(run))
    }
}

impl BenchArgs {
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            BenchArgs::Run(run) => run.args.quiet,
            BenchArgs::Merge(args) => args.quiet,
        }
    }

    /// Whether this process is a worker of another one.
    pub(crate) fn is_worker(&self) -> bool {
        matches!(self, BenchArgs::Run(run) if run.args.worker)
    }

    pub(crate) fn client_mut(&mut self) -> Option<&mut ClientArgs> {
        match self {
            BenchArgs::Run(run) => Some(&mut run.args.client),
            BenchArgs::Merge(_) => None,
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

/// The options of pubsub, which needs no word for the mode. [`chosen_mode::add_modes`] adds the modes for command lines that need
/// them: their definition takes time.
impl Args for BenchArgs {
    fn augment_args(command: Command) -> Command {
        let command = PubsubArgs::augment_args(command);
        command.after_help(help::of_bench())
    }

    fn augment_args_for_update(command: Command) -> Command {
        BenchArgs::augment_args(command)
    }
}

impl FromArgMatches for BenchArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<BenchArgs, clap::Error> {
        let mode = match matches.subcommand() {
            Some(_) => Mode::from_arg_matches(matches)?,
            None => Mode::Pubsub(Box::new(PubsubArgs::from_arg_matches(matches)?)),
        };
        Ok(mode.into())
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = BenchArgs::from_arg_matches(matches)?;
        Ok(())
    }
}
