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
    /// The schema and the message types of the configuration file.
    #[arg(skip)]
    pub configured: Option<ConfiguredTypes>,
}

/// The tables of message types in the configuration file that apply to a command.
#[derive(Debug, Clone)]
pub(crate) struct ConfiguredTypes {
    /// The tables and their file, for errors.
    pub(crate) tables: String,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) rules: Vec<TypeRule>,
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

    /// The message types for payloads that are decoded by this choice; `None` if it uses no types.
    ///
    /// # Errors
    /// Those of `types`.
    pub(crate) fn types_for(&self, choice: PayloadDecoding) -> Result<Option<&'static MessageTypes>, Error> {
        if choice.uses_types() { self.types() } else { Ok(None) }
    }

    /// Reads the schema; `None` if there is none, or no type in it is named. It is kept until the process ends.
    ///
    /// # Errors
    /// If a file cannot be read or is invalid, or a type is not in the schema.
    pub(crate) fn types(&self) -> Result<Option<&'static MessageTypes>, Error> {
        // Types of the configuration file are those of its schema.
        let configured = self.configured.as_ref().filter(|_| self.schema.is_empty());
        let (files, rules) =
            configured.map_or((&self.schema[..], &[][..]), |it| (&it.files[..], &it.rules[..]));
        if files.is_empty() {
            return match configured {
                _ if !self.message_type.is_empty() => {
                    Err(Error::usage(UsageError::Needs { option: "--type".into(), needed: "--schema FILE" }))
                }
                Some(configured) if !rules.is_empty() => {
                    Err(Error::usage(format!("{} needs schema = \"FILE\"", configured.tables)))
                }
                _ => Ok(None),
            };
        }
        let has_types = !self.message_type.is_empty() || !rules.is_empty();
        if !has_types && configured.is_some() {
            return Ok(None);
        }
        let schema = load(files).map_err(|error| unusable(error, configured))?;
        if !has_types {
            let needed = format!("--schema needs --type TYPE: the schema has {}", schema.listed());
            return Err(Error::usage(needed));
        }
        let mut types = MessageTypes::new(schema);
        let unknown = |source: &str, problem| Error::usage(UsageError::invalid(source, problem));
        types.add(&self.message_type).map_err(|problem| unknown("--type", problem))?;
        if let Some(configured) = configured {
            types.add(rules).map_err(|problem| unknown(&configured.tables, problem))?;
        }
        Ok(Some(Box::leak(Box::new(types))))
    }
}

fn unusable(error: SchemaError, configured: Option<&ConfiguredTypes>) -> Error {
    match (error, configured) {
        (source, Some(configured)) => Error::ConfiguredSchema { tables: configured.tables.clone(), source },
        (SchemaError::Unreadable { path, source }, None) => Error::File { path, source },
        (SchemaError::Invalid { path, problem }, None) => {
            Error::Unusable { option: "--schema", path, problem }
        }
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
///
/// # Errors
/// The problem of the filter or the type.
pub(super) fn configured_rule(text: &str) -> Result<TypeRule, String> {
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
