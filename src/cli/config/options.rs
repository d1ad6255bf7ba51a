//! The configurable options: all options of a client, taken from their definition.

use crate::cli::session::ClientArgs;
use clap::builder::{OsStringValueParser, ValueParser};
use clap::{Arg, ArgAction, Args, Command};

/// All options that can be configured, in the order of their definition.
#[derive(Debug)]
pub(super) struct Options {
    client: Command,
    /// The entries of the table of message types, which no command has as options.
    payloads: [Arg; 2],
}

/// The table of message types, in the file or in a profile.
pub(super) const PAYLOADS: &str = "payloads";

/// The key of that table for the files of the schema. The other keys are topic filters.
pub(super) const SCHEMA: &str = "schema";

/// The identifiers of the schema's files and of the message types in that table.
pub(super) const OF_PAYLOADS: [&str; 2] = ["payloads_schema", "payloads_type"];

impl Options {
    pub(super) fn all() -> Options {
        let command = Command::new("client").no_binary_name(true).disable_help_flag(true);
        let [schema, message_type] = OF_PAYLOADS.map(|id| Arg::new(id).long(id).action(ArgAction::Append));
        let payloads = [
            schema.value_parser(ValueParser::path_buf()),
            message_type.value_parser(OsStringValueParser::new()),
        ];
        Options { client: ClientArgs::augment_args(command), payloads }
    }

    /// The entries for the files and the message types of a schema.
    pub(super) fn of_payloads(&self) -> [&Arg; 2] {
        self.payloads.each_ref()
    }

    /// A command with exactly these options.
    pub(super) fn command(&self) -> &Command {
        &self.client
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arg> {
        self.client.get_arguments()
    }

    pub(super) fn find(&self, wanted: &str) -> Option<&Arg> {
        self.iter().find(|arg| key(arg) == wanted)
    }
}

/// Whether an entry with this identifier is of the table of message types.
pub(super) fn is_of_payloads(id: &str) -> bool {
    OF_PAYLOADS.contains(&id)
}

/// An option's key: its long name, but `password` instead of mosquitto's abbreviation `--pw`.
pub(super) fn key(arg: &Arg) -> &str {
    let id = arg.get_id().as_str();
    if id == "password" { id } else { arg.get_long().unwrap_or(id) }
}

/// The environment variable for a key.
pub(super) fn variable(key: &str) -> String {
    format!("MQ_{}", key.to_ascii_uppercase().replace('-', "_"))
}

pub(in crate::cli) fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

pub(super) fn is_repeated(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Whether the value names a file.
pub(in crate::cli) fn is_path(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == ValueParser::path_buf().type_id()
}

/// Whether the value need not be UTF-8.
pub(super) fn takes_any_bytes(arg: &Arg) -> bool {
    is_path(arg) || arg.get_value_parser().type_id() == ValueParser::os_string().type_id()
}
