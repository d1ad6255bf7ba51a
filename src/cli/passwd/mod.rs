//! The options of `mq passwd`, and of the commands below it.

mod format;
mod import;
pub(super) mod mosquitto;
mod psk;
mod scheme;
mod scram;

use clap::{ArgAction, Args, Subcommand, ValueHint};
pub use format::{FormatArgs, NewUserArgs, StoredArgs};
pub use import::ImportArgs;
pub use psk::PskArgs;
pub use scheme::{SchemeArgs, TargetName};
pub use scram::ScramArgs;
use std::ffi::OsString;
use std::path::PathBuf;

/// Stands for standard output where a file is named, and for standard input where a password is read.
pub const STANDARD: &str = "-";

/// What `mq passwd` takes.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    override_usage = "\
mq passwd [OPTIONS] FILE USER
       mq passwd -b [OPTIONS] FILE USER PASSWORD
       mq passwd -D FILE USER
       mq passwd -U [OPTIONS] FILE
       mq passwd {verify FILE USER | list FILE | check --target BROKER FILE}
       mq passwd {import FILE CSV | psk FILE IDENTITY | scram FILE USER}",
    after_help = "\
The password is asked for twice, and not shown. Where standard input is no terminal, its first line is the password. The file is \
replaced in one step and under a lock: whatever happens, there is the old file or the new one, with the same owner, mode, comments \
and order.

Without -H and --target, passwords are hashed as every mosquitto since 2.0 loads it: with sha512-pbkdf2, a salt of 12 \
bytes (2.0 locks out users with others) and 20,000 iterations. mosquitto hashes at every login, and does nothing else meanwhile: \
1000 iterations, its own number, take it about 1 ms, 20,000 about 15 ms, 210,000 (which OWASP recommends for web sites) about \
150 ms, and argon2id as it is by default about as long. Each guess costs the same for whoever has got the file. 20,000 lets a \
thousand devices come back within 15 s after a restart; with few clients, or passwords that people think up, -I 210000 is better.

--format writes what other brokers read, with the same care; all else in the file stays. EMQX's files do not say how they are \
hashed: -H, -I and --salt-position must be what the authenticator is set to. A new user of RabbitMQ may do everything in the virtual \
host, a new user of mosquitto-dynsec and hivemq has the role of --role. nanomq keeps passwords as plain text.

Examples:
  mq passwd -c passwords ann                   make the file with a user; asks for the password
  mq passwd passwords bob                      add another one, or change the password
  pass show mqtt/bob | mq passwd passwords bob  the password from another program
  mq passwd -D passwords bob                   delete a user
  mq passwd --target mosquitto-2.1-argon2 passwords ann   hash with argon2id
  mq passwd -U passwords                       hash what stands in the file as plain text
  mq passwd -c - ann >> elsewhere              print the line
  mq passwd verify passwords ann               is this the password?
  mq passwd check --target mosquitto-2.0 passwords   does that broker load every line?
  mq passwd --format mosquitto-dynsec dynamic-security.json ann   a client of the dynamic security plugin
  mq passwd --format emqx-json -c users.json ann   a file that EMQX imports
  mq passwd import passwords users.csv         all users of a list

Exit status: 0 done, 1 the file cannot be changed or has no such user, 2 usage, or the two passwords differ, 3 `verify`: another \
password, `check`: a line is not loaded, 130 and 143 interrupted. Called as mosquitto_passwd: 0 done, 1 not done, 2 the two passwords differ."
)]
pub struct PasswdArgs {
    /// What to do with the file instead of changing it
    #[command(subcommand)]
    pub command: Option<PasswdCommand>,
    /// Make the file; `-` prints the line instead
    #[arg(short = 'c', long, action = ArgAction::SetTrue, conflicts_with_all = ["delete", "hash_plain"])]
    pub create: bool,
    /// Replace a file that is there with a new one, with -c
    #[arg(long, action = ArgAction::SetTrue, requires = "create")]
    pub force: bool,
    /// Delete the user
    #[arg(short = 'D', long, action = ArgAction::SetTrue, conflicts_with_all = ["hash_plain", "batch"])]
    pub delete: bool,
    /// Hash the passwords that stand in the file as plain text, and leave those that are hashed alone
    #[arg(short = 'U', long, action = ArgAction::SetTrue, conflicts_with_all = ["batch", "password_file"])]
    pub hash_plain: bool,
    /// Take the password from the command line, where every user of the machine can see it; `--` goes in front of FILE where it
    /// begins with a dash
    #[arg(short = 'b', long, action = ArgAction::SetTrue, requires = "password")]
    pub batch: bool,
    /// Read the password from the first line of a file; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["batch", "delete"])]
    pub password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) scheme: SchemeArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[command(flatten)]
    pub(crate) new_user: NewUserArgs,
    /// The password file
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The user
    #[arg(value_name = "USER", required_unless_present = "hash_plain")]
    pub user: Option<OsString>,
    /// The password, with -b
    #[arg(value_name = "PASSWORD", requires = "batch", allow_hyphen_values = true)]
    pub password: Option<OsString>,
}

/// The commands below `mq passwd`.
#[derive(Debug, Clone, Subcommand)]
pub enum PasswdCommand {
    /// Check a password against the file
    Verify(VerifyArgs),
    /// Print the users and how their passwords are hashed
    List(ListArgs),
    /// Tell which lines a broker would not load
    Check(CheckArgs),
    /// Add and change the users of a list (CSV)
    Import(ImportArgs),
    /// Make a key for TLS with pre-shared keys
    Psk(PskArgs),
    /// Make a user's keys for SCRAM, which proves a password without sending it
    Scram(ScramArgs),
}

/// What `mq passwd verify` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  mq passwd verify passwords ann                  asks for the password
  mq passwd verify passwords ann < secret         takes it from standard input

Exit status: 0 it is the password, 1 the file cannot be read, 2 usage, 3 it is another one, or there is no such user.")]
pub struct VerifyArgs {
    /// The password file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The user
    #[arg(value_name = "USER")]
    pub user: OsString,
    /// Read the password from the first line of a file; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) stored: StoredArgs,
}

/// What `mq passwd list` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A line for each user: the name, how the password is hashed, and whether guesses at it are cheap. Control characters in a name are \
shown as \\u{1b}.

Examples:
  mq passwd list /etc/mosquitto/passwd             all users
  mq passwd list /etc/mosquitto/passwd | grep weak   whose password should be set again

Exit status: 0 done, 1 the file cannot be read, 2 usage.")]
pub struct ListArgs {
    /// The password file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub(crate) stored: StoredArgs,
}

/// What `mq passwd check` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A line that mosquitto 2.0 does not like is left out, and its user cannot log in; mosquitto 2.1 does not start with such a file.

Examples:
  mq passwd check --target mosquitto-2.1 passwords   before an update of the broker

Exit status: 0 the broker loads every line, 1 the file cannot be read, 2 usage, 3 it does not.")]
pub struct CheckArgs {
    /// The broker that is to load the file
    #[arg(long, value_name = "BROKER", default_value = "mosquitto-2.0")]
    pub target: TargetName,
    /// The password file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}
