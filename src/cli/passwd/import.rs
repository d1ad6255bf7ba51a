//! The options of `mq passwd import`.

use super::{FormatArgs, NewUserArgs, SchemeArgs};
use clap::{ArgAction, Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `mq passwd import`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Each row of the list has a user and a password, quoted if necessary. A first row that names the columns (`user` and `password`, \
among others, in any order) is a header. Existing users get the new password; other users stay. The passwords are hashed on all \
cores, and the file is replaced once, at the end: after a bad row, a signal or a full disk it is unchanged.

Examples:
  mq passwd import -c passwords users.csv                 create a password file
  mq passwd import --format rabbitmq definitions.json users.csv   add users to RabbitMQ's definitions
  export-users | mq passwd import passwords -             import a list from another program

Exit status: 0 done, 1 nothing was changed (or, with --keep-going, rows were skipped), 2 usage, 130 and 143 interrupted.")]
pub(crate) struct ImportArgs {
    /// Create the file
    #[arg(short = 'c', long, action = ArgAction::SetTrue)]
    pub create: bool,
    /// Replace an existing file, with -c
    #[arg(long, action = ArgAction::SetTrue, requires = "create")]
    pub force: bool,
    /// Treat the first row as a user, never as a header
    #[arg(long, action = ArgAction::SetTrue)]
    pub no_header: bool,
    /// Skip bad rows, and import the others
    #[arg(long, action = ArgAction::SetTrue)]
    pub keep_going: bool,
    #[command(flatten)]
    pub(crate) scheme: SchemeArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[command(flatten)]
    pub(crate) new_user: NewUserArgs,
    /// The credentials file; `-` with -c prints it
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The list of users; `-` is standard input
    #[arg(value_name = "CSV", value_hint = ValueHint::FilePath)]
    pub list: PathBuf,
}
