//! The options for the payload of a message.

use super::output::{InputForm, PayloadForm, input_form};
use super::schema::SchemaArgs;
use super::values::{self, Sizes};
use crate::cli::Error;
use crate::payload::schema::MessageTypes;
use clap::{ArgAction, Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// The sources of a payload, of which exactly one must be set.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Message")]
pub(crate) struct PayloadArgs {
    /// Publish this payload
    #[arg(short = 'm', long, group = "payload")]
    pub message: Option<OsString>,
    /// Publish the content of a file
    #[arg(short = 'f', long, group = "payload", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Publish all of standard input as one message
    #[arg(short = 's', long, group = "payload", action = ArgAction::SetTrue)]
    pub stdin_file: bool,
    /// Publish a random payload of a size such as 64KiB, or a range such as 64..1KiB; new for each repetition
    #[arg(long, group = "payload", value_name = "SIZE", value_parser = values::sizes)]
    pub random: Option<Sizes>,
    /// Publish an empty message
    #[arg(short = 'n', long, group = "payload", action = ArgAction::SetTrue)]
    pub null_message: bool,
    /// Encoding of the input of -m, -f, -s and the lines of -l: raw, hex, base64, or json to encode JSON as the
    /// topic's message type in protocol buffers [default: json with --type, otherwise raw]
    #[arg(long, value_name = "AS", value_parser = input_form, conflicts_with_all = ["random", "null_message", "template"])]
    pub input: Option<InputForm>,
    /// Replace placeholders in the topic and the payload of each message. {i} is its number from 0, {ts} the time
    /// ({ts:ms} in milliseconds since 1970, also s, us, ns), {uuid} a UUID, {rand:0..100} a random integer below 100,
    /// {rand:18.0..25.5} a random number with one decimal
    #[arg(long, action = ArgAction::SetTrue)]
    pub template: bool,
}

impl PayloadArgs {
    /// The encoding of bytes. JSON is text.
    pub(crate) fn form(&self) -> PayloadForm {
        match self.input {
            Some(InputForm::Bytes(form)) => form,
            Some(InputForm::Json) | None => PayloadForm::Raw,
        }
    }

    /// The message types to encode JSON as: if it is the encoding of the input, or a type was typed. Those of the configuration
    /// file alone do not change the meaning of a payload.
    ///
    /// # Errors
    /// If there are no types, or the schema cannot be read.
    pub(crate) fn types(&self, schema: &SchemaArgs) -> Result<Option<&'static MessageTypes>, Error> {
        match self.input {
            Some(InputForm::Json) => match schema.types()? {
                Some(types) => Ok(Some(types)),
                None => Err(Error::usage(
                    "--input json needs --schema FILE and --type TYPE, or [payloads] in the configuration file",
                )),
            },
            None if schema.is_typed() => schema.types(),
            Some(InputForm::Bytes(_)) | None => Ok(None),
        }
    }
}
