//! What can be typed: every option, its help and its checks. One struct for each group of options, shared by the commands.
//!
//! `-h` is the host and `-V` the protocol version, as in mosquitto's tools, so help is `--help` alone.

mod argv;
pub mod bench;
pub mod broker;
pub mod connection;
mod failure;
mod names;
pub mod network;
pub mod output;
pub mod properties;
pub mod publish;
pub mod session;
pub mod subscribe;
pub mod tls;
mod url;
mod values;

use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
pub use failure::Failure;
pub use names::Names;
use std::ffi::OsString;

/// One tool for everyone who works with MQTT brokers.
#[derive(Debug, Parser)]
#[command(
    name = "mq",
    version,
    about,
    disable_help_flag = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "\
Examples:
  mq broker                             a broker to try things on, at 127.0.0.1 port 1883
  mq sub -t 'home/#' -v                 print what is published below home/
  mq pub -t home/door -m open -q 1      publish a message and wait for its acknowledgement
  mq bench --embedded -c 1000           flood a broker with 1000 clients

`mq COMMAND --help` tells more about a command."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publish messages
    Pub(Box<publish::PublishArgs>),
    /// Subscribe, and print the messages that arrive
    Sub(Box<subscribe::SubscribeArgs>),
    /// Run a broker for development and tests
    Broker(Box<broker::BrokerArgs>),
    /// Flood a broker with clients, and measure what it does
    Bench(Box<bench::BenchArgs>),
}

impl Command {
    /// Keeps what matters about the order of options, which is not in the values.
    fn note_order(&mut self, matches: &ArgMatches) {
        let client = match self {
            Command::Pub(args) => &mut args.client,
            Command::Sub(args) => &mut args.client,
            Command::Broker(_) | Command::Bench(_) => return,
        };
        if let Some((_, matches)) = matches.subcommand() {
            client.network.typed = network::Typed::of(matches);
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it, or the help or the version that was asked for.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Failure> {
    let command = command();
    let typed: Vec<OsString> = arguments.into_iter().collect();
    let normalised = argv::normalise(&command, &typed);
    let failed = |error: clap::Error| Failure::new(&error, &command, &typed);
    let matches = command.clone().try_get_matches_from(normalised).map_err(failed)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(failed)?;
    cli.command.note_order(&matches);
    Ok(cli)
}

/// The whole command line as clap sees it, with the one help option everywhere.
pub fn command() -> clap::Command {
    let help = || Arg::new("help").long("help").action(ArgAction::Help).help("Print help");
    let command = Cli::command().arg(help());
    command.mut_subcommands(|subcommand| {
        subcommand.disable_help_flag(true).disable_version_flag(true).args_override_self(true).arg(help())
    })
}
