//! The options of `mq passwd psk`.

use clap::{ArgAction, Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// The arguments of `mq passwd psk`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
The file is for mosquitto's `psk_file`: a line for each client, with the identity and the key in hexadecimal digits. The keys are \
not encrypted.

Examples:
  mq passwd psk -c keys lamp           create the file with a key for the client `lamp`
  mq passwd psk --print keys door      add another client, and print its key
  mq passwd psk - lamp                 print the line instead of writing a file
  mq passwd psk -D keys lamp           delete a client

Exit status: 0 done, 1 the file cannot be changed or has no such identity, 2 usage, 130 and 143 interrupted.")]
pub(crate) struct PskArgs {
    /// Create the file
    #[arg(short = 'c', long, action = ArgAction::SetTrue, conflicts_with = "delete")]
    pub create: bool,
    /// Replace an existing file, with -c
    #[arg(long, action = ArgAction::SetTrue, requires = "create")]
    pub force: bool,
    /// Delete the identity
    #[arg(short = 'D', long, action = ArgAction::SetTrue)]
    pub delete: bool,
    /// Key length in bytes, 16 to 256
    #[arg(long, value_name = "COUNT", default_value_t = 32, value_parser = clap::value_parser!(u16).range(16..=256))]
    pub bytes: u16,
    /// Print the key
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "delete")]
    pub print: bool,
    /// The key file; `-` is standard output
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The PSK identity of the client
    #[arg(value_name = "IDENTITY")]
    pub identity: OsString,
}
