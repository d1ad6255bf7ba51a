//! Where a message's payload comes from.

use clap::{ArgAction, Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// One payload; exactly one of these is given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Message")]
pub struct PayloadArgs {
    /// Publish this
    #[arg(short = 'm', long, group = "payload")]
    pub message: Option<OsString>,
    /// Publish what is in a file
    #[arg(short = 'f', long, group = "payload", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Publish all of standard input as one message
    #[arg(short = 's', long, group = "payload", action = ArgAction::SetTrue)]
    pub stdin_file: bool,
    /// Publish an empty message
    #[arg(short = 'n', long, group = "payload", action = ArgAction::SetTrue)]
    pub null_message: bool,
}
