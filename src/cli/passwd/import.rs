//! The options of `mq passwd import`.

use super::{FormatArgs, NewUserArgs, SchemeArgs};
use clap::{ArgAction, Args, ValueHint};
use std::path::PathBuf;

/// What `mq passwd import` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Each row of the list is a user and a password, with quotes where they are needed. A first row that names columns (`user` and \
`password`, among others, in any order) is a header. Users who are in the file get the new password, all others stay. The \
passwords are hashed on all cores, and the file is replaced once, at the end: a bad row, a signal or a full disk changes nothing.

Examples:
  mq passwd import -c passwords users.csv                 make a password file
  mq passwd import --format rabbitmq definitions.json users.csv   add users to RabbitMQ's definitions
  export-users | mq passwd import passwords -             a list from another program

Exit status: 0 done, 1 nothing was changed (or, with --keep-going, rows were left out), 2 usage, 130 and 143 interrupted.")]
pub struct ImportArgs {
    /// Make the file
    #[arg(short = 'c', long, action = ArgAction::SetTrue)]
    pub create: bool,
    /// Replace a file that is there with a new one, with -c
    #[arg(long, action = ArgAction::SetTrue, requires = "create")]
    pub force: bool,
    /// The first row is a user, whatever it says
    #[arg(long, action = ArgAction::SetTrue)]
    pub no_header: bool,
    /// Leave bad rows out, and import the others
    #[arg(long, action = ArgAction::SetTrue)]
    pub keep_going: bool,
    #[command(flatten)]
    pub(crate) scheme: SchemeArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[command(flatten)]
    pub(crate) new_user: NewUserArgs,
    /// The file of users; `-`, with -c, prints it
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The list of users; `-` is standard input
    #[arg(value_name = "CSV", value_hint = ValueHint::FilePath)]
    pub list: PathBuf,
}
