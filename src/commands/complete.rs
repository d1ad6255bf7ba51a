//! `mq complete`, which the scripts of the shells call: reads the words up to the cursor, and prints the completions of the last one.
//!
//! The words come on standard input, each with a NUL after it, and not on the command line: one of them may be a password, which the
//! process list would show. The first line of the output is `words` or `partial` (no space follows), and the paths to add, `none`, `files` or
//! `directories`, with the text of the word before the path. Each further line is a word and, after a tab, its meaning.

use super::documents;
use crate::cli::complete::{Completion, Paths, complete};
use crate::commands::error::{Error, ExitStatus};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{IsTerminal, Read, stdin};
use std::os::unix::ffi::OsStringExt;

/// The maximum size of a command line.
const MAX_SIZE: u64 = 1024 * 1024;

pub(super) fn run() -> Result<ExitStatus, Error> {
    if stdin().is_terminal() {
        return Err(Error::usage("mq complete is for completion scripts; `mq completions SHELL` prints one"));
    }
    let mut line = Vec::new();
    stdin().lock().take(MAX_SIZE).read_to_end(&mut line).map_err(Error::input)?;
    // After the last NUL comes a line end that a shell added.
    let end = line.iter().rposition(|&byte| byte == 0).unwrap_or_default();
    let words = line.get(..end).unwrap_or_default().split(|&byte| byte == 0);
    let words: Vec<OsString> = words.map(|word| OsString::from_vec(word.to_vec())).collect();
    documents::print(text(&complete(&words)).as_bytes())
}

fn text(completion: &Completion) -> String {
    let kind = if completion.is_partial { "partial" } else { "words" };
    let paths = match completion.paths {
        Paths::None => "none",
        Paths::Files => "files",
        Paths::Directories => "directories",
    };
    let mut text = format!("{kind}\t{paths}\t{}\n", completion.prefix);
    for candidate in &completion.candidates {
        let _ = writeln!(text, "{}\t{}", candidate.value, candidate.about);
    }
    text
}
