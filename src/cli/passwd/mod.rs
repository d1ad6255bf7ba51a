//! The options of `mq passwd` and its subcommands.

mod format;
mod import;
pub(super) mod mosquitto;
mod psk;
mod scheme;
mod scram;

use crate::suggestion::similar;
use clap::{ArgAction, Args, Subcommand, ValueHint};
pub(crate) use format::{FormatArgs, NewUserArgs, StoredArgs};
pub(crate) use import::ImportArgs;
pub(crate) use psk::PskArgs;
pub(crate) use scheme::{SchemeArgs, TargetName};
pub(crate) use scram::ScramArgs;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Standard output as the file to write, and standard input as the password file.
pub(crate) const STANDARD: &str = "-";

/// The arguments of `mq passwd`.
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
The password is read twice, without echo. If standard input is not a terminal, its first line is the password. The file is \
replaced atomically and under a lock: after a failure it has either the old or the new content. Owner, mode, comments and order \
are preserved.

Without -H and --target, passwords are hashed for mosquitto 2.0 and later: sha512-pbkdf2 with a salt of 12 bytes (2.0 locks out \
users with other lengths) and 20,000 iterations. mosquitto hashes at every login, and does nothing else meanwhile: 1000 \
iterations, its own default, take about 1 ms, 20,000 about 15 ms, 210,000 (the OWASP recommendation for web sites) about 150 ms, \
and argon2id with its defaults about 150 ms. For an attacker with the file, each guess costs the same. With 20,000 iterations, a \
thousand devices can reconnect within 15 s after a restart. With few clients, or passwords chosen by people, -I 210000 is better.

--format writes the files of other brokers, with the same guarantees; the rest of the file is unchanged. EMQX's files do not \
contain the hash settings: -H, -I and --salt-position must match the authenticator. A new user of RabbitMQ gets all permissions \
in the virtual host; a new user of mosquitto-dynsec and hivemq gets the role of --role. nanomq stores passwords in plain text.

Examples:
  mq passwd -c passwords ann                   create the file with a user; asks for the password
  mq passwd passwords bob                      add another user, or change the password
  pass show mqtt/bob | mq passwd passwords bob  take the password from another program
  mq passwd -D passwords bob                   delete a user
  mq passwd --target mosquitto-2.1-argon2 passwords ann   hash with argon2id
  mq passwd -U passwords                       hash the plain-text passwords in the file
  mq passwd -c - ann >> elsewhere              print the line
  mq passwd verify passwords ann               check a password
  mq passwd check --target mosquitto-2.0 passwords   check that the broker loads every line
  mq passwd --format mosquitto-dynsec dynamic-security.json ann   add a client to the dynamic security plugin
  mq passwd --format emqx-json -c users.json ann   create a file for EMQX to import
  mq passwd import passwords users.csv         add all users of a list

Exit status: 0 done, 1 the file cannot be changed or has no such user, 2 usage, or the two passwords differ, 3 `verify`: wrong \
password, `check`: a line is not loaded, 130 and 143 interrupted. Called as mosquitto_passwd: 0 done, 1 failed, 2 the two passwords differ."
)]
pub(crate) struct PasswdArgs {
    /// The subcommand; without one, the file is changed
    #[command(subcommand)]
    pub command: Option<PasswdCommand>,
    /// Create the file; `-` prints the line instead
    #[arg(short = 'c', long, action = ArgAction::SetTrue, conflicts_with_all = ["delete", "hash_plain"])]
    pub create: bool,
    /// Replace an existing file, with -c
    #[arg(long, action = ArgAction::SetTrue, requires = "create")]
    pub force: bool,
    /// Delete the user
    #[arg(short = 'D', long, action = ArgAction::SetTrue, conflicts_with_all = ["hash_plain", "batch"])]
    pub delete: bool,
    /// Hash the plain-text passwords in the file; hashed ones stay unchanged
    #[arg(short = 'U', long, action = ArgAction::SetTrue, conflicts_with_all = ["batch", "password_file"])]
    pub hash_plain: bool,
    /// Take the password from the command line (visible in the process list); if it begins with a dash, put `--` before FILE
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

/// Whether -b is among the words, perhaps behind other letters.
pub(super) fn may_have_password(words: &[OsString]) -> bool {
    words.iter().map(|word| word.as_encoded_bytes()).any(|word| match word.strip_prefix(b"-") {
        Some(letters) => word == b"--batch" || (!letters.starts_with(b"-") && letters.contains(&b'b')),
        None => false,
    })
}

/// The command for words without -b: there, a word with a dash is a misspelt option and no PASSWORD.
pub(super) fn without_password(command: clap::Command) -> clap::Command {
    command.mut_arg("password", |password| password.allow_hyphen_values(false))
}

/// The subcommand that a word in the place of FILE probably means.
pub(crate) fn meant_command(word: &OsStr) -> Option<String> {
    let word = word.to_str().filter(|word| word.chars().all(|letter| letter.is_ascii_alphabetic()))?;
    let passwd = PasswdCommand::augment_subcommands(clap::Command::new("passwd"));
    similar(word, passwd.get_subcommands().map(clap::Command::get_name)).map(str::to_owned)
}

/// The subcommands of `mq passwd`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PasswdCommand {
    /// Check a password against the file
    Verify(VerifyArgs),
    /// List the users and the hash schemes of their passwords
    List(ListArgs),
    /// Report the lines that a broker would not load
    Check(CheckArgs),
    /// Add and update the users of a list (CSV)
    Import(ImportArgs),
    /// Generate a key for TLS with pre-shared keys
    Psk(PskArgs),
    /// Generate a user's keys for SCRAM, which proves a password without sending it
    Scram(ScramArgs),
}

/// The arguments of `mq passwd verify`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  mq passwd verify passwords ann                  ask for the password
  mq passwd verify passwords ann < secret         read it from standard input

Exit status: 0 the password is right, 1 the file cannot be read, 2 usage, 3 wrong password or unknown user.")]
pub(crate) struct VerifyArgs {
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

/// The arguments of `mq passwd list`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Prints a line for each user: the name, the hash scheme, and whether guesses are cheap. Control characters in a name are escaped \
as in \\u{1b}.

Examples:
  mq passwd list /etc/mosquitto/passwd             list all users
  mq passwd list /etc/mosquitto/passwd | grep weak   list the users that need a new hash

Exit status: 0 done, 1 the file cannot be read, 2 usage.")]
pub(crate) struct ListArgs {
    /// The password file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub(crate) stored: StoredArgs,
}

/// The arguments of `mq passwd check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
mosquitto 2.0 skips a bad line, so that its user cannot log in. mosquitto 2.1 does not start with such a file.

Examples:
  mq passwd check --target mosquitto-2.1 passwords   check before a broker update

Exit status: 0 the broker loads every line, 1 the file cannot be read, 2 usage, 3 it does not load a line.")]
pub(crate) struct CheckArgs {
    /// Broker version that the lines are checked for
    #[arg(long, value_name = "BROKER", default_value = "mosquitto-2.0")]
    pub target: TargetName,
    /// The password file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}
