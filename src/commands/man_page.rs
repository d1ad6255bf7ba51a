//! `mq man`: a page of the manual, rendered as `man` does, or its source.

use super::{documents, foreground, pager};
use crate::cli::generated_docs::ManArgs;
use crate::cli::man::{self, Found};
use crate::commands::error::{Error, ExitStatus};
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

/// Renders the page with `man`, which pages on a terminal and prints plain text otherwise. Without `man`, prints the help.
fn show(found: &Found) -> Result<ExitStatus, Error> {
    let mut program = Command::new("man");
    program.args(["-l", "-"]);
    let source = String::from_utf8_lossy(&found.page.text);
    let ended = foreground::run(program, Some(&source))?;
    if !ended.is_some_and(|status| status.success()) {
        pager::print(&found.help)?;
    }
    Ok(ExitStatus::DONE)
}
