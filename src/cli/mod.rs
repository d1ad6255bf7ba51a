//! The command line: every option, its help and its checks. One struct for each group of options, shared by the
//! commands.
//!
//! `-h` is the host and `-V` the protocol version, as in mosquitto's tools, so help is `--help` alone.

mod all_words;
mod argv;
pub(crate) mod authentication;
pub(crate) mod bench;
pub(crate) mod bench_report;
pub(crate) mod bridge;
pub(crate) mod broker;
pub(crate) mod broker_limits;
pub(crate) mod broker_tls;
mod clap_error;
mod command;
mod compat;
pub(crate) mod complete;
pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod delay;
pub(crate) mod doctor;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub(crate) mod gateway;
pub(crate) mod generated_docs;
pub(crate) mod help_groups;
mod identity;
pub(crate) mod inspect;
pub(crate) mod inspect_live;
pub(crate) mod inspect_sn;
pub(crate) mod man;
pub(crate) mod network;
mod numbers;
mod numeric_args;
mod option_file;
mod other_names;
pub(crate) mod output;
pub(crate) mod passwd;
pub(crate) mod payload;
pub(crate) mod predefined;
pub(crate) mod preset;
mod preset_settings;
pub(crate) mod prompt;
pub(crate) mod properties;
pub(crate) mod publish;
pub(crate) mod record_args;
pub(crate) mod replay;
pub(crate) mod request;
pub(crate) mod schema;
mod secrets;
pub(crate) mod session;
pub(crate) mod sn;
pub(crate) mod subscribe;
pub(crate) mod tls;
mod toml_text;
pub(crate) mod top;
pub(crate) mod top_brokers;
mod url;
pub(crate) mod values;
mod version;

use all_words::AllWords;
use bench::chosen_mode::{self, ChosenMode};
use bench::recorded;
use clap::{Arg, ArgAction, ArgMatches};
use clap_error::CommandLine;
pub(crate) use clap_error::{Failure, FailureKind};
pub(crate) use command::Command;
use command::{COMMANDS, CommandRow};
pub(crate) use compat::{Names, TOOLS};
use config::Configuration;
pub(crate) use error::{Error, UsageError};
use option_file::OptionFile;
pub(crate) use secrets::{first_line, line_of_stdin, password_from_file};
use std::cell::OnceCell;
use std::ffi::OsString;
use std::mem::ManuallyDrop;
pub(crate) use version::VERSION;

/// The name of the command with modes.
const BENCH: &str = "bench";

/// The command whose words depend on each other.
const PASSWD: &str = "passwd";

/// The command of the completion scripts, which is not for users.
const COMPLETE: &str = "complete";

/// Heading of the options that are about neither the connection nor messages.
pub(crate) const GENERAL: &str = "General";

/// The end of the help of `mq`.
const EXAMPLES: &str = "\
Examples:
  mq broker                          run a broker on 127.0.0.1, port 1883
  mq sub -t 'home/#' -v              print messages and topics below home/
  mq pub -t home/door -m open -q 1   publish a message, wait for PUBACK
  mq rr -t lamp/status -n            send a request, print the response
  mq top                             show the topics of a broker
  mq passwd -c passwords ann         create a password file for mosquitto
  mq bench --embedded -c 1000        measure a broker with 1000 clients
  mq inspect capture.pcap            print the packets in a capture
  mq doctor -h test.example          report a broker's features and limits
  mq gateway --to mqtt://localhost   connect MQTT-SN clients to a broker
  mq bridge --config bridge.conf     forward messages between two brokers
  mq config show                     print the configured options

See `mq help COMMAND` for the options of a command, `mq man COMMAND` for the manual.";

/// A valid command line.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The names that the user calls the tools by.
    pub names: Names,
    /// The command to run.
    pub command: Command,
    /// A hint about options that were not typed, for errors about combinations.
    pub note: Option<String>,
    /// A warning about the option file.
    pub warning: Option<String>,
}

/// Reads the command line.
///
/// # Errors
/// The mistake, or the requested help or version.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, Failure> {
    let mut typed: Vec<OsString> = arguments.into_iter().collect();
    let mut names = Names::Mq;
    if let Some(tool) = typed.first().and_then(|program| compat::called_as(program)).map(str::to_owned) {
        names = Names::Mosquitto;
        if tool == PASSWD {
            return parse_mosquitto_passwd(typed.get(1..).unwrap_or_default());
        }
        typed.splice(..1, ["mq".into(), OsString::from(tool)]);
    }
    if names == Names::Mq && version::is_verbose(typed.get(1..).unwrap_or_default()) {
        return Err(Failure::requested(version::verbose(), names));
    }
    if names == Names::Mq && typed.get(1).is_some_and(|name| name == COMPLETE) {
        return Ok(Invocation { names, command: Command::Complete, note: None, warning: None });
    }
    let (head, words) = typed.split_at(typed.len().min(2));
    let named = head.get(1).and_then(|name| command::row(name.to_str()?));
    // Only the named command is defined, since the definitions take most of the start-up time.
    let mut command = definitions(names, named);
    if named.is_some_and(|row| row.name == PASSWD) && !passwd::may_have_password(words) {
        command = command.mut_subcommand(PASSWD, passwd::without_password);
    }
    let subcommand = named.and_then(|row| command.find_subcommand(row.name));
    if let (Names::Mosquitto, Some(tool), None) = (names, head.get(1), subcommand) {
        return Err(Failure::unknown_tool(&tool.to_string_lossy()));
    }
    let is_bench = subcommand.is_some_and(|subcommand| subcommand.get_name() == BENCH);
    let (chosen, unknown_mode) = match is_bench.then(|| ChosenMode::find(words)) {
        Some(Ok(chosen)) => (Some(chosen), None),
        Some(Err(problem)) => (None, Some(problem)),
        None => (None, None),
    };
    let (mode, options) = chosen.unzip();
    let (file, config) = (OptionFile::default(), Configuration::default());
    let (row, bench, defined) = (named, options.as_ref(), OnceCell::new());
    let mut typed = CommandLine { names, row, bench, defined, mode, words, file, config };
    if let Some(problem) = unknown_mode {
        return Err(typed.usage_failure(&problem));
    }
    let all = match typed.bench.or(subcommand) {
        Some(subcommand) => AllWords::gather(subcommand, &mut typed)?,
        None => AllWords::typed(words),
    };
    read_all(command, head, all, &typed)
}

/// Lets clap parse all words, and adds to the command the values that its options do not have.
fn read_all(
    command: clap::Command,
    head: &[OsString],
    all: AllWords,
    typed: &CommandLine<'_>,
) -> Result<Invocation, Failure> {
    let line = head.iter().cloned().chain(all.words);
    // Definitions and matches have hundreds of small parts. The program ends soon, so they are not freed.
    let mut command = ManuallyDrop::new(command);
    let mut matches = command.try_get_matches_from_mut(line).map_err(|error| typed.failure(&error))?;
    let (name, matches) = matches.remove_subcommand().unwrap_or_default();
    let mut matches = ManuallyDrop::new(matches);
    all.repeated.map_err(|problem| typed.usage_failure(&problem))?;
    let mut command = Command::from_matches(&name, &mut matches).map_err(|error| typed.failure(&error))?;
    if let Some(schema) = command.schema_mut() {
        schema.configured = typed.config.message_types();
    }
    if let Some(client) = command.client_mut() {
        client.choose_version(typed.names);
    }
    if let Command::Bench(args) = &mut command {
        args.share_readings();
        if let Some(mode) = &typed.mode {
            let matches = matches.subcommand().map_or(&*matches, |(_, of_mode)| of_mode);
            let options = recorded::options(mode.name(), mode.own_options(), matches);
            args.note_options(options, all.earlier.as_ref());
        }
    }
    let is_worker = matches!(&command, Command::Bench(args) if args.is_worker());
    let warning = all.warning.filter(|_| !is_worker);
    Ok(Invocation { names: typed.names, command, note: typed.note(), warning })
}

/// mosquitto_passwd has its own rules for the order of words.
fn parse_mosquitto_passwd(words: &[OsString]) -> Result<Invocation, Failure> {
    let args = passwd::mosquitto::parse(words)?;
    let command = Command::Passwd(Box::new(args));
    Ok(Invocation { names: Names::Mosquitto, command, note: None, warning: None })
}

/// The fewest columns that are used for help, and those of a terminal whose width is unknown.
const MIN_COLUMNS: usize = 20;
const USUAL_COLUMNS: usize = 80;

/// The whole command line, with one help option for all commands.
pub(crate) fn command() -> clap::Command {
    command_of(Names::Mq, &COMMANDS)
}

/// The command line with the named command, or else all of them.
fn definitions(names: Names, named: Option<&'static CommandRow>) -> clap::Command {
    compat::adapt(command_of(names, named.map_or(&COMMANDS[..], std::slice::from_ref)), names)
}

/// The command line with some of its commands.
fn command_of(names: Names, rows: &[CommandRow]) -> clap::Command {
    with_readable_width(clap::Command::new("mq"))
        .version(VERSION)
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100)
        .after_help(EXAMPLES)
        .arg(help())
        .arg(
            Arg::new("verbose")
                .long("verbose")
                .action(ArgAction::SetTrue)
                .requires("version")
                .help("With --version: print the commit, the features and the TLS library as well"),
        )
        .subcommands(rows.iter().map(|row| defined(row, names)))
}

/// The command whose help is not wrapped after each word if COLUMNS has no useful number.
fn with_readable_width(command: clap::Command) -> clap::Command {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    if columns.is_some_and(|columns| columns < MIN_COLUMNS) {
        command.term_width(USUAL_COLUMNS)
    } else {
        command
    }
}

/// A command with all its options. Profiles do not apply under mosquitto's names.
fn defined(row: &CommandRow, names: Names) -> clap::Command {
    let reads_file = option_file::is_read_by(row.name);
    let has_profiles = names == Names::Mq && config::is_read_by(row.name);
    let command = row.define().args(reads_file.then(|| option_file::arg(row.name)));
    let command = with_common_parts(command).args(has_profiles.then(config::arg));
    if row.name == BENCH { chosen_mode::add_modes(command) } else { command }
}

/// Adds the options that commands have at every level.
fn with_common_parts(command: clap::Command) -> clap::Command {
    let after_help =
        command.get_after_help().map(|text| unfolded(&text.ansi().to_string())).unwrap_or_default();
    command
        .mut_subcommands(with_common_parts)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .after_help(after_help)
        .arg(help().help_heading(GENERAL))
}

fn help() -> Arg {
    Arg::new("help").long("help").action(ArgAction::Help).help("Print help")
}

/// Whether an option has a value, typed or by default; false if the command lacks the option. clap's `try_` functions
/// differ between builds: only debug assertions make them report unknown identifiers.
fn is_set(matches: &ArgMatches, id: &str) -> bool {
    matches.ids().any(|set| set == id)
}

/// Joins the lines of prose, for the terminal to wrap. Examples stay as they are.
fn unfolded(text: &str) -> String {
    let is_prose = |paragraph: &str| !paragraph.lines().any(|line| line.starts_with(' '));
    let unfold = |paragraph: &str| {
        if is_prose(paragraph) { paragraph.replace('\n', " ") } else { paragraph.to_owned() }
    };
    text.split("\n\n").map(unfold).collect::<Vec<_>>().join("\n\n")
}
