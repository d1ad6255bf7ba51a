//! Long texts in a pager, if standard output is a terminal.

use super::{foreground, standard_output, terminal};
use crate::commands::error::Error;
use rustix::termios::tcgetwinsize;
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::process::Command;

/// The variables with the pager.
const PAGER: &str = "PAGER";
const MAN_PAGER: &str = "MANPAGER";

/// The pager without PAGER: less, which ends at once if the text fits, keeps colours, and leaves the text on the screen.
const USUAL: &str = "less -FRX";

/// The options of less in PAGER, unless LESS sets others.
const LESS: &str = "FRX";

/// Characters by which PAGER is a line for the shell.
const OF_SHELL: &str = "|&;<>()$`\\\"'*?[#~=%";

/// The statuses of a shell that cannot start the program.
const NOT_STARTED: [i32; 2] = [126, 127];

/// Prints a text, in a pager if it is longer than the terminal.
///
/// # Errors
/// If standard output cannot be written, or SIGTERM ended the pager.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let pager = if stdout().is_terminal() && is_longer_than_terminal(text) { pager(&[PAGER]) } else { None };
    show(text, pager)
}

/// Prints a page of the manual on a terminal, in a pager. Its bold and underlined characters are printed twice.
///
/// # Errors
/// The same as for [`print()`].
pub(super) fn page(text: &str) -> Result<(), Error> {
    match pager(&[MAN_PAGER, PAGER]) {
        Some(pager) if is_less(&pager) => show(text, Some(pager)),
        pager => show(&without_overstrikes(text), pager),
    }
}

fn show(text: &str, pager: Option<String>) -> Result<(), Error> {
    if let Some(pager) = pager {
        let text = if keeps_colours(&pager) { Cow::Borrowed(text) } else { without_colours(text) };
        let ended = foreground::run(command(&pager), Some(&text))?;
        // Its own status is not ours: the reader has seen the text.
        if ended.is_some_and(|status| !status.code().is_some_and(|code| NOT_STARTED.contains(&code))) {
            return Ok(());
        }
    }
    standard_output::print(text)
}

/// The pager in the first of these variables that is set; `None` if there shall be none.
fn pager(variables: &[&str]) -> Option<String> {
    if terminal::is_dumb() {
        return None;
    }
    let set = variables.iter().find_map(std::env::var_os).map(OsString::into_string);
    let pager = set.map_or_else(|| USUAL.to_owned(), Result::unwrap_or_default);
    let pager = pager.trim();
    (!pager.is_empty() && pager != "cat").then(|| pager.to_owned())
}

fn command(pager: &str) -> Command {
    let mut words = pager.split_whitespace();
    let mut command = match words.next().filter(|_| !pager.contains(|character| OF_SHELL.contains(character)))
    {
        Some(program) => {
            let mut command = Command::new(program);
            command.args(words);
            command
        }
        None => {
            let mut command = Command::new("sh");
            command.args(["-c", pager]);
            command
        }
    };
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    command
}

/// Whether the pager is less with an option for colours.
fn keeps_colours(pager: &str) -> bool {
    let variable =
        std::env::var_os("LESS").map_or_else(|| LESS.to_owned(), |set| set.to_string_lossy().into_owned());
    let words = pager.split_whitespace().skip(1);
    is_less(pager) && words.chain(variable.split_whitespace()).any(|option| option.contains(['R', 'r']))
}

fn is_less(pager: &str) -> bool {
    let program = pager.split_whitespace().next();
    program.and_then(|program| Path::new(program).file_name()).is_some_and(|name| name == "less")
}

fn is_longer_than_terminal(text: &str) -> bool {
    let rows = tcgetwinsize(stdout()).map_or(0, |size| usize::from(size.ws_row));
    rows == 0 || text.lines().count() >= rows
}

/// The text without the escape sequences of colours and styles.
fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\x1b') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part.split_once('m').map_or(part, |(_, rest)| rest);
    }
    Cow::Owned(plain)
}

/// The text with each character once.
fn without_overstrikes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\u{8}' {
            plain.pop();
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_pager_gets_no_colours() {
        assert_eq!(without_colours("\x1b[1ma\x1b[0m b\n\x1b[4m\x1b[0mc"), "a b\nc");
        assert_eq!(without_colours("plain"), "plain");
        assert_eq!(without_overstrikes("N\u{8}NA\u{8}A _\u{8}é"), "NA é");
        assert!(keeps_colours("less -FRX") && keeps_colours("/usr/bin/less -R") && !keeps_colours("more"));
    }
}
