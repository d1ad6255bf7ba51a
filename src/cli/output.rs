//! How `mq sub` and `mq rr` print messages.

use crate::error::Error;
use crate::message::Encoding;
use crate::output::{Decoding, FieldPath, Layout, Printer, Template, TemplateError};
use crate::payload::{Choice, Format};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args};
use std::ffi::OsString;

/// How messages are printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Print the topic in front of the payload
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Print no line end after a message
    #[arg(short = 'N', long = "no-newline", action = ArgAction::SetTrue)]
    pub no_newline: bool,
    /// Print each message so: %t topic, %p payload, %x in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time,
    /// %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime's %H
    #[arg(short = 'F', long, value_name = "FORMAT", value_parser = OsStringValueParser::new().try_map(template))]
    pub format: Option<Template>,
    /// Print each message as a JSON object on a line of its own, whatever it holds; `mq pub --ndjson` reads it
    #[arg(long, action = ArgAction::SetTrue)]
    pub json: bool,
    /// Print payloads raw, without line ends, or as hex or base64, each on a line
    #[arg(long, value_name = "AS", value_parser = payload_form)]
    pub output: Option<PayloadForm>,
    /// Decode payloads to JSON: auto (by content type, topic and shape), json, cbor, cbor-seq, msgpack, sparkplug (only below spBv1.0/, with
    /// any levels in front), protobuf (fields by number), gzip, zlib, deflate, zstd, lz4 or snappy
    #[arg(long, value_name = "FORMAT", value_parser = choice)]
    pub decode: Option<Choice>,
    /// Print only this field of each payload, as in `a.b[0]` or `/a/b/0`, decoded as --decode says or as its shape does; strings without
    /// quotes, null where it is not there. Can be repeated: a tab stands between
    #[arg(long, value_name = "PATH", value_parser = FieldPath::parse)]
    pub select: Vec<FieldPath>,
    /// Lay JSON out over several lines
    #[arg(long, action = ArgAction::SetTrue)]
    pub pretty: bool,
    /// Show on the screen the latest message of each topic
    #[arg(short = 'w', long, action = ArgAction::SetTrue)]
    pub watch: bool,
}

/// How `--output` shows payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the help says it
pub enum PayloadForm {
    Raw,
    Hex,
    Base64,
}

impl OutputArgs {
    /// What prints messages so, from the broker of that name.
    ///
    /// # Errors
    /// Which options do not go together.
    pub fn printer(&self, broker: &str) -> Result<Printer, Error> {
        self.check()?;
        let layout = match (&self.format, self.output) {
            (Some(template), _) => Layout::Template(template.clone()),
            (None, Some(PayloadForm::Hex)) => self.encoded(Encoding::Hex),
            (None, Some(PayloadForm::Base64)) => self.encoded(Encoding::Base64),
            (None, None | Some(PayloadForm::Raw)) if self.json => Layout::Json,
            (None, None | Some(PayloadForm::Raw)) if self.verbose => Layout::TopicAndPayload,
            (None, None | Some(PayloadForm::Raw)) => Layout::Payload,
        };
        let has_newlines = !self.no_newline && self.output != Some(PayloadForm::Raw);
        let printer = Printer::new(layout, has_newlines).pretty(self.pretty).decoding(self.decoding());
        Ok(if self.watch { printer.watching(broker) } else { printer })
    }

    /// Whether it was asked for printing, or for a way of it.
    pub fn is_given(&self) -> bool {
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

    fn decoding(&self) -> Option<Decoding> {
        let choice = self.decode.or((!self.select.is_empty()).then_some(Choice::Auto))?;
        Some(Decoding { choice, fields: self.select.clone() })
    }

    fn encoded(&self, encoding: Encoding) -> Layout {
        Layout::Encoded { encoding, has_topic: self.verbose }
    }

    /// Refuses what would have to leave one of two options out; -F over -v is mosquitto's habit.
    fn check(&self) -> Result<(), Error> {
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
            (json, decode),
            (json, select),
            (output, decode),
            (output, select),
            (pretty, select),
        ];
        match conflicts.into_iter().find(|((_, one), (_, other))| *one && *other) {
            Some(((one, _), (other, _))) => Err(Error::Usage(format!("{one} cannot be used with {other}"))),
            None => Ok(()),
        }
    }
}

fn choice(text: &str) -> Result<Choice, String> {
    match Format::SELECTABLE.into_iter().find(|format| format.name() == text) {
        Some(format) => Ok(Choice::As(format)),
        None if text == "auto" => Ok(Choice::Auto),
        None => {
            let names = Format::SELECTABLE.map(Format::name).join(", ");
            Err(format!("expected auto or one of {names}"))
        }
    }
}

#[allow(clippy::needless_pass_by_value)] // clap's parsers take values
fn template(format: OsString) -> Result<Template, TemplateError> {
    Template::parse(format.as_encoded_bytes())
}

pub(super) fn payload_form(text: &str) -> Result<PayloadForm, String> {
    match text {
        "raw" => Ok(PayloadForm::Raw),
        "hex" => Ok(PayloadForm::Hex),
        "base64" => Ok(PayloadForm::Base64),
        _ => Err("it takes raw, hex or base64".to_owned()),
    }
}
