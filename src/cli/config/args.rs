//! The options of `mq config`, and of the commands below it.

use clap::{ArgAction, Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// What `mq config` takes.
#[derive(Debug, Clone, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
What is not typed can come from MQ_* variables, from a profile, or from the defaults of a file, in this order. The file is \
$XDG_CONFIG_HOME/mq/config.toml, or else ~/.config/mq/config.toml; the variable MQ_CONFIG names another one, and means none when it is \
empty. pub, sub, rr, bench and the client of inspect read it; called by mosquitto's names, mq does not.

The keys are the long names of the options about the connection (host, port, url, username, password, password-file, id, keepalive, \
protocol-version, cafile, ws, will-topic and so on), and the variables their capitals, as MQ_HOST and MQ_PASSWORD_FILE. Switches are \
true or false. Options that can be repeated take lists, which add up. Files are looked for beside the file of profiles.

    default-profile = \"home\"

    [defaults]
    keepalive = 30

    [profile.home]
    host = \"broker.example\"
    cafile = \"ca.pem\"
    username = \"ann\"
    password-file = \"home.password\"

A file with a password has to be for its owner alone: chmod 600.

Examples:
  mq sub --profile home -t 'home/#'   with what the file says below [profile.home]
  MQ_PROFILE=home mq pub -t a -m x    the same by a variable
  MQ_CONFIG= mq sub -t a              without the file
  mq config show --profile home       what counts, and where it comes from
  mq config check                     all that is wrong in the file

Exit status: 0 done, 1 the file cannot be read or there is none, 2 it is wrong."
)]
pub struct ConfigArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// The commands below `mq config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Print what counts when nothing is typed, and where each value comes from
    Show(ShowArgs),
    /// Say all that is wrong in the file and in the variables
    Check(CheckArgs),
    /// Print where the file is, or would be
    Path,
}

/// What `mq config show` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Passwords and keys are not shown.

Examples:
  mq config show                      with the profile that is in force
  mq config show --profile home
  mq config show --json | jq -r '.options[] | select(.key == \"host\").value'

Exit status: 0 done, 1 the file cannot be read, 2 it is wrong, or there is no such profile.")]
pub struct ShowArgs {
    /// The profile [default: the variable MQ_PROFILE, or default-profile in the file]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Print one JSON object
    #[arg(long, action = ArgAction::SetTrue)]
    pub json: bool,
}

/// What `mq config check` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Each mistake is told with file, line and column. Files that options name are not read.

Examples:
  mq config check
  mq config check new.toml && mv new.toml ~/.config/mq/config.toml

Exit status: 0 nothing is wrong, 1 the file cannot be read or there is none, 2 something is wrong.")]
pub struct CheckArgs {
    /// The file [default: the one that commands read]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}
