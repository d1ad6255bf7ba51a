//! The options for payloads in protocol buffers.

use super::values;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::payload::PayloadDecoding;
use crate::payload::schema::{MessageTypes, SchemaError, TypeRule, load};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The schema of payloads, and the message types of topics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Protocol buffers")]
pub(crate) struct SchemaArgs {
    /// Schema of payloads in protocol buffers: a .proto file, whose imports are found beside it, or a descriptor
    /// set of `protoc --include_imports -o FILE`. Can be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub schema: Vec<PathBuf>,
    /// Message type of payloads, such as `gw.Uplink`, or of the topics of a filter, as in 'gw/+/up=gw.Uplink'. Can be
    /// repeated; the most exact filter counts. The table `[payloads]` in the configuration file sets both options
    #[arg(long = "type", value_name = "[FILTER=]TYPE", value_parser = type_rule)]
    pub message_type: Vec<TypeRule>,
    /// The schemas of the configuration file
    #[arg(long, hide = true, value_name = "FILE")]
    pub configured_schema: Vec<PathBuf>,
    /// The message types of the configuration file
    #[arg(long, hide = true, value_name = "FILTER=TYPE", value_parser = configured_rule)]
    pub configured_type: Vec<TypeRule>,
}

impl SchemaArgs {
    /// Whether message types are typed, which also asks to use them.
    pub(crate) fn is_typed(&self) -> bool {
        !self.message_type.is_empty() || !self.schema.is_empty()
    }

    /// Rejects an option that leaves nothing for a typed type to do.
    ///
    /// # Errors
    /// The conflicting option.
    pub(crate) fn check_used(&self, option: &str, is_given: bool) -> Result<(), Error> {
        if is_given && self.is_typed() {
            let one = if self.message_type.is_empty() { "--schema" } else { "--type" };
            return Err(Error::usage(UsageError::Conflict { one: one.into(), other: option.into() }));
        }
        Ok(())
    }

    /// Rejects a format that is not in protocol buffers.
    ///
    /// # Errors
    /// The conflicting option.
    pub(crate) fn check_format(&self, option: &str, choice: PayloadDecoding) -> Result<(), Error> {
        self.check_used(&format!("{option} {}", choice.name().0), !choice.uses_types())
    }

    /// Reads the schema; `None` if there is none. It is kept until the process ends.
    ///
    /// # Errors
    /// If a file cannot be read or is invalid, or a type is not in the schema.
    pub(crate) fn types(&self) -> Result<Option<&'static MessageTypes>, Error> {
        // Types of the configuration file are those of its schema.
        let (files, configured) = match self.schema.is_empty() {
            true => (&self.configured_schema, &self.configured_type[..]),
            false => (&self.schema, &[][..]),
        };
        if files.is_empty() {
            return match (self.message_type.is_empty(), configured.is_empty()) {
                (true, true) => Ok(None),
                (false, _) => {
                    Err(Error::usage(UsageError::Needs { option: "--type".into(), needed: "--schema FILE" }))
                }
                (true, false) => {
                    Err(Error::usage("[payloads] in the configuration file needs schema = \"FILE\""))
                }
            };
        }
        let schema = load(files).map_err(unusable)?;
        if self.message_type.is_empty() && configured.is_empty() {
            let needed = format!("--schema needs --type TYPE: the schema has {}", schema.listed());
            return Err(Error::usage(needed));
        }
        let mut types = MessageTypes::new(schema);
        let unknown = |source: &str, problem| Error::usage(UsageError::invalid(source, problem));
        types.add(&self.message_type).map_err(|problem| unknown("--type", problem))?;
        types.add(configured).map_err(|problem| unknown("[payloads] in the configuration file", problem))?;
        Ok(Some(Box::leak(Box::new(types))))
    }
}

fn unusable(error: SchemaError) -> Error {
    match error {
        SchemaError::Unreadable { path, source } => Error::File { path, source },
        SchemaError::Invalid { path, problem } => Error::Unusable { option: "--schema", path, problem },
    }
}

/// Parses a message type, with a topic filter before it or without.
fn type_rule(text: &str) -> Result<TypeRule, String> {
    let (filter, type_name) = match text.rsplit_once('=') {
        Some((filter, type_name)) => (Some(values::topic_filter(filter)?), type_name),
        None => (None, text),
    };
    if !is_type_name(type_name) {
        return Err(values::expected("a message type such as pkg.Message, or FILTER=TYPE"));
    }
    Ok(TypeRule { filter, type_name: type_name.to_owned() })
}

/// Parses a rule of the configuration file, which has a filter.
fn configured_rule(text: &str) -> Result<TypeRule, String> {
    let rule = type_rule(text)?;
    if rule.filter.is_none() { Err(values::expected("FILTER = \"TYPE\"")) } else { Ok(rule) }
}

fn is_type_name(name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    name.split('.').all(is_word)
}
