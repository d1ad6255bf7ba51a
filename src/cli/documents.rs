//! The options of `mq install-links`, `mq completions` and `mq man`.

use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// What `mq install-links` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Called by one of these names, mq takes the tool's place: the same options, output and exit statuses.

Examples:
  mq install-links ~/bin              mosquitto_pub, _sub, _rr and _passwd in ~/bin
  mq install-links --force /usr/bin   also in the place of the programs

Exit status: 0 when all links are there, 1 when one cannot be made, 2 usage.")]
pub struct InstallLinksArgs {
    /// The directory for the links
    #[arg(value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Put the links in the place of files that are there, too
    #[arg(long, action = ArgAction::SetTrue)]
    pub force: bool,
}

/// What `mq completions` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  mq completions bash > ~/.local/share/bash-completion/completions/mq
  mq completions zsh > ~/.zfunc/_mq     with ~/.zfunc in fpath
  mq completions fish > ~/.config/fish/completions/mq.fish
  mq completions --dir completions      all of them

Exit status: 0 done, 1 a file cannot be written, 2 usage.")]
pub struct CompletionsArgs {
    /// The shell to complete in
    #[arg(required_unless_present = "dir")]
    pub shell: Option<Shell>,
    /// Write the files for all shells into this directory
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath, conflicts_with = "shell")]
    pub dir: Option<PathBuf>,
}

/// The shells that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // the names say it
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Elvish,
}

/// What `mq man` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  mq man sub | man -l -     read about mq sub
  mq man --dir man          all pages, as mq.1, mq-pub.1 and so on

Exit status: 0 done, 1 a file cannot be written, 2 usage.")]
pub struct ManArgs {
    /// The command that the page is about; without it, the page is about mq itself
    pub command: Option<String>,
    /// Write all pages into this directory
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath, conflicts_with = "command")]
    pub dir: Option<PathBuf>,
}
