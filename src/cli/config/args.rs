//! The options of `mq config`, and of the commands below it.

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// Arguments of `mq config`.
#[derive(Debug, Clone, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Options that are not on the command line come from MQ_* variables, a profile, or the defaults in a file, in this
order. The file is $XDG_CONFIG_HOME/mq/config.toml, or else ~/.config/mq/config.toml. The variable MQ_CONFIG
names another file; if it is empty, no file is read. Profiles apply to pub, sub, rr, top, bench, doctor, gateway and
the live client of inspect, but not under mosquitto's names.

Keys are the long names of connection options (host, port, url, username, password, password-file, id,
keepalive, protocol-version, cafile, ws, will-topic and so on). Variables are the same names in capitals, such as
MQ_HOST and MQ_PASSWORD_FILE. Switches are true or false. Repeatable options take lists, which add up. Relative
paths start at the directory of the file.

    default-profile = \"home\"

    [defaults]
    keepalive = 30

    [profile.home]
    host = \"broker.example\"
    cafile = \"ca.pem\"
    username = \"ann\"
    password-file = \"home.password\"

The table [payloads] maps topics to message types of protocol buffers; see docs/payloads.md.

    [payloads]
    schema = \"gateway.proto\"
    \"gw/+/up\" = \"gw.Uplink\"

A file with a password must be readable only by its owner: chmod 600.

Examples:
  mq config init                      write a file to begin with
  mq config set --profile home host broker.example   set a value
  mq config unset --profile home port   remove a value
  mq config list                      list the profiles
  mq sub --profile home -t 'home/#'   use the table [profile.home]
  MQ_PROFILE=home mq pub -t a -m x    choose the profile by a variable
  MQ_CONFIG= mq sub -t a              ignore the file
  mq config show --profile home       print the options in effect and their sources
  mq config check                     report all mistakes in the file

Exit status: 0 success, 1 the file is missing or cannot be read, 2 the file or a variable is invalid."
)]
pub(crate) struct ConfigArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// The commands below `mq config`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Write an example of the file, with comments
    Init(InitArgs),
    /// List the profiles in the file
    List(ListArgs),
    /// Set a value in the file
    Set(SetArgs),
    /// Remove a value from the file
    Unset(UnsetArgs),
    /// Open the file in an editor, and check it afterwards
    Edit,
    /// Print the configured options and the source of each value
    Show(ShowArgs),
    /// Report all mistakes in the file and in the variables
    Check(CheckArgs),
    /// Print the path of the file, whether or not it exists
    Path,
}

/// Arguments of `mq config init`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Only the owner can read the new file (mode 600), since it may contain passwords.

Exit status: 0 success, 1 the file exists or cannot be written.")]
pub(crate) struct InitArgs {
    /// Replace an existing file
    #[arg(long, action = ArgAction::SetTrue)]
    pub force: bool,
}

/// Arguments of `mq config list`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Exit status: 0 success, 1 the file is missing or cannot be read, 2 it has mistakes, so profiles may be missing.")]
pub(crate) struct ListArgs {
    /// Print a JSON object
    #[arg(long, action = ArgAction::SetTrue)]
    pub json: bool,
}

/// Arguments of `mq config set`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Comments and all other values in the file stay. The file and the profile are created if they are missing.
A value that contradicts another one of its table is refused; `mq config unset` removes the other one.

Examples:
  mq config set --profile home host broker.example
  mq config set --profile home password-file home.password
  mq config set keepalive 30            for all profiles, in [defaults]
  mq config set default-profile home    choose the profile without --profile
  pass show home | mq config set --profile home password -

Exit status: 0 success, 1 the file cannot be written, 2 the key, the value or the file is invalid.")]
pub(crate) struct SetArgs {
    /// Profile to change; without one, the defaults of all profiles
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// Long name of a connection option, such as host; or default-profile
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Value; true or false for a switch, several for a repeatable option. `-` reads a line of standard input, on a terminal without echo
    #[arg(value_name = "VALUE", required = true, allow_negative_numbers = true)]
    pub values: Vec<String>,
}

/// Arguments of `mq config unset`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Comments and all other values in the file stay. Any key that the file has can be removed, also one that
`mq config check` reports.

Examples:
  mq config unset --profile home password
  mq config unset keepalive             from [defaults]
  mq config unset default-profile

Exit status: 0 success, 1 the file cannot be read or written, 2 the key is not set, or the file is not TOML.")]
pub(crate) struct UnsetArgs {
    /// Profile to change; without one, the defaults of all profiles
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// Key to remove, such as host; or default-profile
    #[arg(id = "set_key", value_name = "KEY")]
    pub key: String,
}

/// Arguments of `mq config show`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Passwords and keys are redacted.

Examples:
  mq config show                  use the default profile
  mq config show --profile home   use the profile home
  # Print a single value
  mq config show --json | jq -r '.options[] | select(.key == \"host\").value'

Exit status: 0 success, 1 the file cannot be read, 2 the file or a variable is
invalid, or the profile does not exist.")]
pub(crate) struct ShowArgs {
    /// Profile to apply [default: the variable MQ_PROFILE, or default-profile in the file]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// Print a JSON object
    #[arg(long, action = ArgAction::SetTrue)]
    pub json: bool,
}

/// Arguments of `mq config check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Each mistake is reported with file, line and column. Schemas of [payloads] are read, files that
options name are not.

Examples:
  # Check the file that commands read
  mq config check
  # Replace the file if the new one is valid
  mq config check new.toml && mv new.toml ~/.config/mq/config.toml

Exit status: 0 no mistakes, 1 the file is missing or cannot be read, 2 the file or a variable is invalid.")]
pub(crate) struct CheckArgs {
    /// File to check [default: the file that commands read]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}
