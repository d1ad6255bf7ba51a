//! The options of `mq sub` and `mq rr` for printing messages.

use super::schema::SchemaArgs;
use super::values;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::message::Encoding;
use crate::output::{Decoding, FieldPath, Layout, Printer, Template, TemplateError};
use crate::payload::PayloadDecoding;
use crate::suggestion::did_you_mean;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args};
use std::ffi::OsString;

/// The format of printed messages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print the topic before the payload
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Omit the line end after a message
    #[arg(short = 'N', long = "no-newline", action = ArgAction::SetTrue)]
    pub no_newline: bool,
    /// Print each message in this format, such as '%t %p'. %t topic, %p payload, %x payload in hexadecimal, %l its
    /// length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C
    /// %R %D %E %F %S %A %P MQTT 5 properties; @H strftime's %H
    #[arg(short = 'F', long, value_name = "FORMAT", value_parser = OsStringValueParser::new().try_map(template))]
    pub format: Option<Template>,
    /// Print one JSON object per message and line; `mq pub --ndjson` reads this format
    #[arg(long, action = ArgAction::SetTrue)]
    pub json: bool,
    /// Encoding of printed payloads: raw (without line ends), hex or base64 (one per line)
    #[arg(long, value_name = "AS", value_parser = payload_form)]
    pub output: Option<PayloadForm>,
    /// Decode payloads to JSON: auto (by content type, topic and shape) or a format. Formats are json, cbor,
    /// cbor-seq, msgpack, sparkplug (only below spBv1.0/, with any prefix), protobuf (by --schema, or as fields by
    /// number), wire (protobuf without the schema), gzip, zlib, deflate, zstd, lz4 and snappy. With --json, the
    /// value is added
    #[arg(long, value_name = "FORMAT", value_parser = choice)]
    pub decode: Option<PayloadDecoding>,
    /// Print only this field of each payload, as in `a.b[0]` or `/a/b/0`. Payloads are decoded by --decode, or by
    /// their shape; strings have no quotes, a missing field is null. Can be repeated; fields are separated by tabs
    #[arg(long, value_name = "PATH", value_parser = FieldPath::parse)]
    pub select: Vec<FieldPath>,
    /// Print JSON over several lines, with indentation
    #[arg(long, action = ArgAction::SetTrue)]
    pub pretty: bool,
    /// Show the latest message of each topic on the screen. On a terminal, `mq sub -w` is the list of `mq top`
    #[arg(short = 'w', long, action = ArgAction::SetTrue)]
    pub watch: bool,
}

/// The encoding of payloads with `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayloadForm {
    Raw,
    Hex,
    Base64,
}

/// The encoding of payloads with `--input`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputForm {
    Bytes(PayloadForm),
    /// JSON, to encode as a message type.
    Json,
}

impl OutputArgs {
    /// A printer for messages of the named broker.
    ///
    /// # Errors
    /// The conflicting options.
    pub(crate) fn printer(&self, broker: &str, schema: &SchemaArgs) -> Result<Printer, Error> {
        self.check(schema)?;
        let layout = match (&self.format, self.output) {
            (Some(template), _) => Layout::Template(template.clone()),
            (None, Some(PayloadForm::Hex)) => self.encoded(Encoding::Hex),
            (None, Some(PayloadForm::Base64)) => self.encoded(Encoding::Base64),
            (None, None | Some(PayloadForm::Raw)) if self.json => Layout::Json,
            (None, None | Some(PayloadForm::Raw)) if self.verbose => Layout::TopicAndPayload,
            (None, None | Some(PayloadForm::Raw)) => Layout::Payload,
        };
        let has_newlines = !self.no_newline && self.output != Some(PayloadForm::Raw);
        let printer = Printer::new(layout, has_newlines).pretty(self.pretty).decoding(self.decoding(schema)?);
        Ok(if self.watch { printer.watching(broker) } else { printer })
    }

    /// Whether any option about printing is given.
    pub(crate) fn is_given(&self) -> bool {
        self.verbose
            || self.no_newline
            || self.format.is_some()
            || self.json
            || self.output.is_some()
            || self.pretty
            || self.watch
            || self.decode.is_some()
            || !self.select.is_empty()
    }

    /// Whether messages are watched, and not printed in a certain form.
    pub(super) fn is_plain_watch(&self) -> bool {
        let has_form =
            self.no_newline || self.format.is_some() || self.output.is_some() || !self.select.is_empty();
        self.watch && !self.json && !self.pretty && !has_form
    }

    /// The decoding of payloads. Typed message types ask for it, those of the configuration file do not.
    fn decoding(&self, schema: &SchemaArgs) -> Result<Option<Decoding>, Error> {
        let is_implied = !self.select.is_empty() || schema.is_typed();
        let Some(choice) = self.decode.or(is_implied.then_some(PayloadDecoding::Auto)) else {
            return Ok(None);
        };
        schema.check_format("--decode", choice)?;
        Ok(Some(Decoding { choice, fields: self.select.clone(), types: schema.types_for(choice)? }))
    }

    fn encoded(&self, encoding: Encoding) -> Layout {
        Layout::Encoded { encoding, has_topic: self.verbose }
    }

    /// Rejects options that conflict. `-F` overrides `-v`, as in mosquitto's tools.
    fn check(&self, schema: &SchemaArgs) -> Result<(), Error> {
        let format = ("-F", self.format.is_some());
        let json = ("--json", self.json);
        let output = ("--output", self.output.is_some());
        let verbose = ("-v", self.verbose);
        let watch = ("-w", self.watch);
        let pretty = ("--pretty", self.pretty);
        let decode = ("--decode", self.decode.is_some());
        let select = ("--select", !self.select.is_empty());
        let conflicts = [
            (format, json),
            (format, output),
            (json, output),
            (json, verbose),
            (json, watch),
            (pretty, output),
            (pretty, watch),
            (json, select),
            (output, decode),
            (output, select),
            (output, ("--type", schema.is_typed())),
            (pretty, select),
        ];
        match conflicts.into_iter().find(|((_, one), (_, other))| *one && *other) {
            Some(((one, _), (other, _))) => {
                Err(Error::usage(UsageError::Conflict { one: one.into(), other: other.into() }))
            }
            None => Ok(()),
        }
    }
}

/// The choices of `--decode`.
pub(super) fn decoders() -> impl Iterator<Item = PayloadDecoding> + Clone {
    PayloadDecoding::ALL.into_iter().filter(|choice| {
        matches!(choice, PayloadDecoding::Auto | PayloadDecoding::Wire | PayloadDecoding::As(_))
    })
}

/// Parses a choice of `--decode`.
pub(super) fn choice(text: &str) -> Result<PayloadDecoding, String> {
    let choices = decoders();
    choices.clone().find(|choice| choice.name().0 == text).ok_or_else(|| {
        let names: Vec<_> = choices.map(|choice| choice.name().0).collect();
        let tip = did_you_mean(text, names.iter().copied());
        values::expected(format!("one of {}{tip}", names.join(", ")))
    })
}

#[allow(clippy::needless_pass_by_value)] // clap passes values
fn template(format: OsString) -> Result<Template, TemplateError> {
    Template::parse(format.as_encoded_bytes())
}

fn payload_form(text: &str) -> Result<PayloadForm, String> {
    match text {
        "raw" => Ok(PayloadForm::Raw),
        "hex" => Ok(PayloadForm::Hex),
        "base64" => Ok(PayloadForm::Base64),
        _ => Err(format!(
            "{}{}",
            values::expected("raw, hex or base64"),
            did_you_mean(text, ["raw", "hex", "base64"])
        )),
    }
}

pub(super) fn input_form(text: &str) -> Result<InputForm, String> {
    if text == "json" {
        return Ok(InputForm::Json);
    }
    payload_form(text).map(InputForm::Bytes).map_err(|_| {
        let names = ["raw", "hex", "base64", "json"];
        format!("{}{}", values::expected("raw, hex, base64 or json"), did_you_mean(text, names))
    })
}
