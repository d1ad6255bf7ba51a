//! Reads a payload from where the options say.

use crate::cli::payload::PayloadArgs;
use crate::error::Error;
use crate::protocol::MAX_REMAINING_LENGTH;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// More cannot fit into a packet; a larger file is not even read.
const MAX_PAYLOAD: u64 = MAX_REMAINING_LENGTH as u64;

/// The payload that the options ask for; empty where they ask for none.
///
/// # Errors
/// When a file or standard input cannot be read, or holds more than a message can.
pub(super) fn read(args: &PayloadArgs) -> Result<Vec<u8>, Error> {
    if let Some(message) = &args.message {
        Ok(message.as_encoded_bytes().to_vec())
    } else if let Some(path) = &args.file {
        read_file(path)
    } else if args.stdin_file {
        read_stdin()
    } else {
        Ok(Vec::new())
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    read_all(File::open(path).map_err(failed)?).map_err(failed)
}

fn read_stdin() -> Result<Vec<u8>, Error> {
    let payload = read_all(io::stdin().lock()).map_err(Error::Input)?;
    if payload.is_empty() {
        // An empty message deletes what a broker has kept; a pipe that broke must not.
        let error =
            io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty; -n publishes an empty message");
        return Err(Error::Input(error));
    }
    Ok(payload)
}

fn read_all(input: impl Read) -> io::Result<Vec<u8>> {
    let mut payload = Vec::new();
    input.take(MAX_PAYLOAD + 1).read_to_end(&mut payload)?;
    if payload.len() as u64 > MAX_PAYLOAD {
        let text = format!("it is larger than {MAX_PAYLOAD} bytes, the most that a message can hold");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(payload)
}
