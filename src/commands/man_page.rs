//! `mq man`: a page of the manual, rendered as `man` does, or its source.

use super::{documents, foreground, pager};
use crate::cli::generated_docs::ManArgs;
use crate::cli::man::{self, Found};
use crate::commands::error::{Error, ExitStatus};
use rustix::termios::tcgetwinsize;
use std::io::{IsTerminal, stdout};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

pub(super) fn run(args: &ManArgs) -> Result<ExitStatus, Error> {
    let failed = |source| Error::system("make the page", source);
    if let Some(directory) = &args.dir {
        for page in man::pages().map_err(failed)? {
            documents::write(Some(directory), &page.file_name(), &page.text)?;
        }
        return Ok(ExitStatus::DONE);
    }
    let found = man::find(&args.words)?;
    if args.roff {
        return documents::print(&found.page.text);
    }
    show(&found)
}

/// Renders the page with `man`, as plain text or, on a terminal, for a pager. Without `man`, prints the help.
///
/// A pager that `man` starts would survive a signal that ends this program, and keep the terminal.
fn show(found: &Found) -> Result<ExitStatus, Error> {
    let mut program = Command::new("man");
    program.args(["-l", "-"]);
    let source = String::from_utf8_lossy(&found.page.text);
    if !stdout().is_terminal() {
        // `man` does not report output that cannot be written.
        return match foreground::output(program, Some(&source))? {
            Some(page) if page.status.success() => documents::print(&page.stdout),
            Some(_) | None => documents::print(found.help.as_bytes()),
        };
    }
    program.env("MAN_KEEP_FORMATTING", "1");
    let columns = tcgetwinsize(stdout()).map_or(0, |size| size.ws_col);
    if std::env::var_os("MANWIDTH").is_none() && columns > 0 {
        program.env("MANWIDTH", columns.to_string());
    }
    match foreground::output(program, Some(&source))? {
        Some(page) if page.status.success() => pager::page(&String::from_utf8_lossy(&page.stdout))?,
        // The key of the terminal ended it.
        Some(page) if page.status.signal().is_some() => return Ok(ExitStatus::INTERRUPTED),
        Some(_) | None => pager::print(&found.help)?,
    }
    Ok(ExitStatus::DONE)
}
