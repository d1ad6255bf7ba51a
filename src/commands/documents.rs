//! `mq completions` and `mq man`: shell completions and manuals, generated from the command line's definition.

use crate::cli::generated_docs::{CompletionsArgs, ManArgs, Shell};
use crate::cli::{self, man};
use crate::commands::error::{Error, ExitStatus};
use crate::suggestion::did_you_mean;
use clap::ValueEnum;
use clap_complete::{Generator, shells};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

pub(super) fn run_completions(args: &CompletionsArgs) -> Result<ExitStatus, Error> {
    if let Some(shell) = args.shell {
        return print(&completions(shell));
    }
    for shell in Shell::value_variants() {
        write(args.dir.as_deref(), &file_name(*shell), &completions(*shell))?;
    }
    Ok(ExitStatus::DONE)
}

pub(super) fn run_man(args: &ManArgs) -> Result<ExitStatus, Error> {
    let pages = man::pages().map_err(|source| Error::system("make the page", source))?;
    if args.dir.is_some() {
        for page in &pages {
            write(args.dir.as_deref(), &page.file_name(), &page.text)?;
        }
        return Ok(ExitStatus::DONE);
    }
    let page = pages.iter().find(|page| page.command == args.command);
    match page {
        Some(page) => print(&page.text),
        None => {
            let name = args.command.as_deref().unwrap_or_default();
            let known: Vec<&str> = pages.iter().filter_map(|page| page.command.as_deref()).collect();
            Err(Error::usage(format!(
                "unknown command '{name}': expected one of {}{}",
                known.join(", "),
                did_you_mean(name, known.iter().copied())
            )))
        }
    }
}

fn completions(shell: Shell) -> Vec<u8> {
    match shell {
        Shell::Bash => generated(shells::Bash),
        Shell::Zsh => generated(shells::Zsh),
        Shell::Fish => generated(shells::Fish),
        Shell::PowerShell => generated(shells::PowerShell),
        Shell::Elvish => generated(shells::Elvish),
    }
}

fn generated(generator: impl Generator) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(generator, &mut cli::complete::command(), "mq", &mut text);
    text
}

/// The names that the shells look for.
fn file_name(shell: Shell) -> String {
    let name = match shell {
        Shell::Bash => "mq.bash",
        Shell::Zsh => "_mq",
        Shell::Fish => "mq.fish",
        Shell::PowerShell => "_mq.ps1",
        Shell::Elvish => "mq.elv",
    };
    name.to_owned()
}

fn print(text: &[u8]) -> Result<ExitStatus, Error> {
    let mut output = io::stdout().lock();
    output.write_all(text).and_then(|()| output.flush()).map_err(Error::Output)?;
    Ok(ExitStatus::DONE)
}

fn write(directory: Option<&Path>, name: &str, text: &[u8]) -> Result<(), Error> {
    let path = directory.unwrap_or(Path::new(".")).join(name);
    let failed = |source| Error::system(format!("write {}", path.display()), source);
    if let Some(directory) = directory {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    fs::write(&path, text).map_err(failed)
}
