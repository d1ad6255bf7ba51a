//! The options that can be configured: those of a client, from their own definition, so that none is forgotten.

use crate::cli::session::ClientArgs;
use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Args, Command};

/// All options that can be configured, in the order of their definition.
#[derive(Debug)]
pub(super) struct Options(Command);

impl Options {
    pub(super) fn all() -> Options {
        let command = Command::new("client").no_binary_name(true).disable_help_flag(true);
        Options(ClientArgs::augment_args(command))
    }

    /// A command that has them and nothing else.
    pub(super) fn command(&self) -> &Command {
        &self.0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arg> {
        self.0.get_arguments()
    }

    pub(super) fn find(&self, wanted: &str) -> Option<&Arg> {
        self.iter().find(|arg| key(arg) == wanted)
    }
}

/// What an option is called in files: by its long name, but `--pw`, an abbreviation of mosquitto's, is written in full.
pub(super) fn key(arg: &Arg) -> &str {
    let id = arg.get_id().as_str();
    if id == "password" { id } else { arg.get_long().unwrap_or(id) }
}

/// The environment variable that stands for a key.
pub(super) fn variable(key: &str) -> String {
    format!("MQ_{}", key.to_ascii_uppercase().replace('-', "_"))
}

pub(super) fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

pub(super) fn is_repeated(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Whether it names a file.
pub(super) fn is_path(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == ValueParser::path_buf().type_id()
}

/// Whether its value need not be UTF-8.
pub(super) fn takes_any_bytes(arg: &Arg) -> bool {
    is_path(arg) || arg.get_value_parser().type_id() == ValueParser::os_string().type_id()
}
