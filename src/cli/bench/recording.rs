//! Messages from a file, as `mq sub --json` writes them, to replay the messages of one broker to another.

use crate::bench::payload::Recorded;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::message::{self, Message};
use crate::protocol::MAX_PACKET_SIZE;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// The longest line: the largest packet with every byte written as `\u0000`.
const LONGEST_LINE: u64 = MAX_PACKET_SIZE as u64 * 6 + 65_536;

/// A larger recording would not fit into the memory of typical load machines.
const MAX_BYTES: usize = 1 << 30;

/// Reads the payloads, and the topics if they are used. `topics` is the option or the key that asks for them, for messages.
///
/// # Errors
/// If the file cannot be read, or a line is not a message.
pub(super) fn read(path: &Path, topics: Option<&str>) -> Result<Arc<[Recorded]>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut lines = BufReader::new(File::open(path).map_err(failed)?);
    let (mut messages, mut bytes, mut line) = (Vec::new(), 0, Vec::new());
    for number in 1_u64.. {
        let wrong = |problem: String| {
            Error::usage(UsageError::Line { path: path.to_owned(), line: number, column: None, problem })
        };
        line.clear();
        if (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        if line.len() as u64 == LONGEST_LINE {
            return Err(wrong(format!("it has over {LONGEST_LINE} bytes, more than any message needs")));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let message = message::read(&line).map_err(|error| wrong(error.to_string()))?;
        let recorded = recorded(message, topics).map_err(wrong)?;
        bytes += recorded.payload.len();
        if bytes > MAX_BYTES {
            return Err(wrong(format!(
                "the payloads up to here have over {MAX_BYTES} bytes; use a part of the file"
            )));
        }
        messages.push(recorded);
    }
    if messages.is_empty() {
        return Err(Error::usage(format!(
            "{} has no messages; record them with `mq sub --json`",
            path.display()
        )));
    }
    Ok(messages.into())
}

fn recorded(message: Message, topics: Option<&str>) -> Result<Recorded, String> {
    let topic = match (message.topic, topics) {
        (Some(topic), Some(_)) => Some(topic.as_str().into()),
        (None, Some(option)) => return Err(format!("it has no \"topic\", which {option} needs")),
        (_, None) => None,
    };
    Ok(Recorded { topic, payload: message.payload.into() })
}
