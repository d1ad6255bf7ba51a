//! `mq completions`: the scripts of the shells, which ask `mq complete` for everything that they offer.

use super::standard_output;
use crate::cli::generated_docs::{CompletionsArgs, Shell};
use crate::commands::error::{Error, ExitStatus};
use clap::ValueEnum;
use std::fs;
use std::path::Path;

pub(super) fn run_completions(args: &CompletionsArgs) -> Result<ExitStatus, Error> {
    if let Some(shell) = args.shell {
        return print(script(shell).1.as_bytes());
    }
    for shell in Shell::value_variants() {
        let (name, text) = script(*shell);
        write(args.dir.as_deref(), name, text.as_bytes())?;
    }
    Ok(ExitStatus::DONE)
}

/// The script of a shell, under the name that it looks for.
fn script(shell: Shell) -> (&'static str, &'static str) {
    match shell {
        Shell::Bash => ("mq.bash", include_str!("../../completions/mq.bash")),
        Shell::Zsh => ("_mq", include_str!("../../completions/_mq")),
        Shell::Fish => ("mq.fish", include_str!("../../completions/mq.fish")),
        Shell::PowerShell => ("_mq.ps1", include_str!("../../completions/_mq.ps1")),
        Shell::Elvish => ("mq.elv", include_str!("../../completions/mq.elv")),
    }
}

pub(super) fn print(text: &[u8]) -> Result<ExitStatus, Error> {
    standard_output::print(text)?;
    Ok(ExitStatus::DONE)
}

pub(super) fn write(directory: Option<&Path>, name: &str, text: &[u8]) -> Result<(), Error> {
    let path = directory.unwrap_or(Path::new(".")).join(name);
    let failed = |source| Error::system(format!("write {}", path.display()), source);
    if let Some(directory) = directory {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    fs::write(&path, text).map_err(failed)
}
