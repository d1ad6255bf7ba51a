//! The options of `mq passwd scram`.

use crate::authentication::scram::{Algorithm, MAX_ITERATIONS, MIN_ITERATIONS};
use clap::builder::PossibleValue;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// As many as `mq passwd` takes for PBKDF2. Here the client computes them, not the broker.
const DEFAULT_ITERATIONS: u32 = 20_000;

/// What `mq passwd scram` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
`mq broker --scram-file` reads such a file: a line for each user, USER:MECHANISM$ITERATIONS:SALT$STOREDKEY:SERVERKEY, which is the form \
of RFC 5803 that PostgreSQL has as well. The keys let nobody log in, but whoever has them can guess at the password, and pass for the \
broker.

The password is asked for twice, and not shown. Where standard input is no terminal, its first line is the password. Clients \
compute the iterations at every login, the broker does not.

Examples:
  mq passwd scram -c keys ann              make the file with a user; asks for the password
  mq passwd scram keys bob < secret        add another one, or change the password
  mq passwd scram --mechanism SCRAM-SHA-512 keys ann   with the longer hash
  mq passwd scram -D keys bob              delete a user
  mq broker --scram-file keys              a broker for these users

Exit status: 0 done, 1 the file cannot be changed or has no such user, 2 usage, or the two passwords differ, 130 and 143 interrupted.")]
pub struct ScramArgs {
    /// Make the file; `-` prints the line instead
    #[arg(short = 'c', long, action = ArgAction::SetTrue, conflicts_with = "delete")]
    pub create: bool,
    /// Replace a file that is there with a new one, with -c
    #[arg(long, action = ArgAction::SetTrue, requires = "create")]
    pub force: bool,
    /// Delete the user
    #[arg(short = 'D', long, action = ArgAction::SetTrue)]
    pub delete: bool,
    /// The mechanism; a line is for one
    #[arg(long, value_name = "NAME", default_value = "SCRAM-SHA-256", ignore_case = true)]
    pub mechanism: Algorithm,
    /// How often PBKDF2 is computed, 4096 to 10000000: the cost of a login for the client, and of a guess for whoever has the file
    #[arg(short = 'I', long, value_name = "COUNT", default_value_t = DEFAULT_ITERATIONS, value_parser = clap::value_parser!(u32).range(i64::from(MIN_ITERATIONS)..=i64::from(MAX_ITERATIONS)))]
    pub iterations: u32,
    /// Read the password from the first line of a file; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "delete")]
    pub password_file: Option<PathBuf>,
    /// The file of keys
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The user
    #[arg(value_name = "USER")]
    pub user: OsString,
}

impl ValueEnum for Algorithm {
    fn value_variants<'a>() -> &'a [Algorithm] {
        &Algorithm::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.method()))
    }
}
