//! The options of `mq passwd scram`.

use crate::authentication::scram::{Algorithm, MAX_ITERATIONS, MIN_ITERATIONS};
use clap::builder::PossibleValue;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// The same as for PBKDF2 in `mq passwd`. With SCRAM the client computes the iterations, not the broker.
const DEFAULT_ITERATIONS: u32 = 20_000;

/// The arguments of `mq passwd scram`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
The file is for `mq broker --scram-file`: a line for each user, USER:MECHANISM$ITERATIONS:SALT$STOREDKEY:SERVERKEY, in the format \
of RFC 5803 that PostgreSQL also uses. The keys do not permit a login, but an attacker with the file can guess passwords and \
impersonate the broker.

The password is read twice, without echo. If standard input is not a terminal, its first line is the password. At every login the \
client computes the iterations; the broker does not.

Examples:
  mq passwd scram -c keys ann              create the file with a user; asks for the password
  mq passwd scram keys bob < secret        add another user, or change the password
  mq passwd scram --mechanism SCRAM-SHA-512 keys ann   use the longer hash
  mq passwd scram -D keys bob              delete a user
  mq broker --scram-file keys              start a broker for these users

Exit status: 0 done, 1 the file cannot be changed or has no such user, 2 usage, or the two passwords differ, 130 and 143 interrupted.")]
pub(crate) struct ScramArgs {
    /// Create the file; `-` prints the line instead
    #[arg(short = 'c', long, action = ArgAction::SetTrue, conflicts_with = "delete")]
    pub create: bool,
    /// Replace an existing file, with -c
    #[arg(long, action = ArgAction::SetTrue, requires = "create")]
    pub force: bool,
    /// Delete the user
    #[arg(short = 'D', long, action = ArgAction::SetTrue)]
    pub delete: bool,
    /// SCRAM mechanism of the user's keys
    #[arg(long, value_name = "NAME", default_value = "SCRAM-SHA-256", ignore_case = true)]
    pub mechanism: Algorithm,
    /// PBKDF2 iterations, 4096 to 10000000; more make the client's login and guesses slower
    #[arg(short = 'I', long, value_name = "COUNT", default_value_t = DEFAULT_ITERATIONS, value_parser = clap::value_parser!(u32).range(i64::from(MIN_ITERATIONS)..=i64::from(MAX_ITERATIONS)))]
    pub iterations: u32,
    /// Read the password from the first line of a file; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "delete")]
    pub password_file: Option<PathBuf>,
    /// The key file
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
