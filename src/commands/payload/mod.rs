//! Payloads from the sources that the options name.

mod template;

use crate::cli::UsageError;
use crate::cli::output::PayloadForm;
use crate::cli::payload::PayloadArgs;
use crate::cli::values::Sizes;
use crate::commands::error::Error;
use crate::message::Encoding;
use crate::payload::schema::MessageTypes;
use crate::protocol::MAX_REMAINING_LENGTH;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;
pub(super) use template::Template;

/// The maximum for a packet; a larger file is not read.
const MAX_PAYLOAD: u64 = MAX_REMAINING_LENGTH as u64;

/// The payload of messages: the same, or a new one for each.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Fixed(Rc<[u8]>),
    Template(Template),
    Random(Sizes),
}

impl Payload {
    /// The payload from the options; empty if they have none.
    ///
    /// # Errors
    /// If a file or standard input cannot be read, is larger than a message can be, or is not in the form that the options state.
    pub(super) fn read(args: &PayloadArgs) -> Result<Payload, Error> {
        if let Some(sizes) = args.random {
            return Ok(Payload::Random(sizes));
        }
        let (source, bytes) = if let Some(message) = &args.message {
            ("-m".to_owned(), message.as_encoded_bytes().to_vec())
        } else if let Some(path) = &args.file {
            (path.display().to_string(), read_file(path)?)
        } else if args.stdin_file {
            ("standard input".to_owned(), read_stdin()?)
        } else {
            (String::new(), Vec::new())
        };
        if args.template {
            let text = String::from_utf8(bytes).map_err(|_| no_text(&source))?;
            return parse(&source, &text).map(Payload::Template);
        }
        let decoded = decode(args.form(), &bytes);
        let decoded = decoded.map_err(|problem| Error::usage(format!("{source}: {problem}")))?;
        Ok(Payload::Fixed(decoded.into()))
    }

    /// The payload of the message with this number.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub(super) fn of_message(&self, number: u64) -> io::Result<Rc<[u8]>> {
        Ok(match self {
            Payload::Fixed(bytes) => Rc::clone(bytes),
            Payload::Template(template) => template.fill_in(number)?.into_bytes().into(),
            Payload::Random(Sizes { least, most }) => {
                let mut bytes = vec![0; fastrand::usize(*least..=*most)];
                fastrand::fill(&mut bytes);
                bytes.into()
            }
        })
    }
}

/// The option or file that the payload comes from.
pub(super) fn source_name(args: &PayloadArgs) -> String {
    match &args.file {
        Some(path) => path.display().to_string(),
        None if args.stdin_file => "standard input".to_owned(),
        None => "-m".to_owned(),
    }
}

/// Encodes JSON as the message type of the topic, if payloads have types.
///
/// # Errors
/// If the topic has no type, or the JSON is not of its type.
pub(super) fn encode<'p>(
    types: Option<&MessageTypes>,
    topic: &str,
    payload: Cow<'p, [u8]>,
) -> Result<Cow<'p, [u8]>, String> {
    let Some(types) = types else { return Ok(payload) };
    let of_topic = types.of_topic(topic).ok_or_else(|| {
        format!("the topic {topic} has no message type; --type TYPE sets one for all topics")
    })?;
    of_topic.encode(&payload).map(Cow::Owned).map_err(|error| format!("not {}: {error}", of_topic.name()))
}

/// Parses a text with placeholders; `source` names its origin in errors.
///
/// # Errors
/// If it holds an unknown placeholder.
pub(super) fn parse(source: &str, text: &str) -> Result<Template, Error> {
    Template::parse(text).map_err(|error| Error::usage(UsageError::invalid(source, error)))
}

/// The topic of a message that is sent once.
///
/// # Errors
/// If it is a template with an unknown placeholder.
pub(super) fn topic_once(args: &PayloadArgs, topic: &str) -> Result<String, Error> {
    if args.template { parse("-t", topic)?.fill_in(0).map_err(no_random) } else { Ok(topic.to_owned()) }
}

/// The system has no random numbers.
pub(super) fn no_random(source: io::Error) -> Error {
    Error::system("make the message", source)
}

fn no_text(source: &str) -> Error {
    Error::usage(format!("{source}: --template takes text, and this is not UTF-8"))
}

/// Decodes a payload in this form. White space in hexadecimal and Base64 is ignored.
///
/// # Errors
/// The reason why it is invalid.
pub(super) fn decode(form: PayloadForm, bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let encoding = match form {
        PayloadForm::Raw => return Ok(bytes.into()),
        PayloadForm::Hex => Encoding::Hex,
        PayloadForm::Base64 => Encoding::Base64,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| format!("it is not {}", encoding.name()))?;
    encoding.decode(text.split_ascii_whitespace().collect()).map(Cow::Owned)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::file(path, source);
    read_all(File::open(path).map_err(failed)?).map_err(failed)
}

fn read_stdin() -> Result<Vec<u8>, Error> {
    let payload = read_all(io::stdin().lock()).map_err(Error::input)?;
    if payload.is_empty() {
        // An empty message deletes a retained one; a broken pipe must not.
        let error =
            io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty; -n publishes an empty message");
        return Err(Error::input(error));
    }
    Ok(payload)
}

fn read_all(input: impl Read) -> io::Result<Vec<u8>> {
    let mut payload = Vec::new();
    input.take(MAX_PAYLOAD + 1).read_to_end(&mut payload)?;
    if payload.len() as u64 > MAX_PAYLOAD {
        let text = format!("it exceeds {MAX_PAYLOAD} bytes, the maximum of a message");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(payload)
}
