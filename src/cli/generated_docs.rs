//! The options of `mq install-links`, `mq completions` and `mq man`.

use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Arguments of `mq install-links`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Called by one of these names, mq replaces the tool: it has the same options, output and exit statuses.

Examples:
  mq install-links ~/bin              link mosquitto_pub, _sub, _rr and _passwd
  mq install-links --force /usr/bin   replace the installed programs

Exit status: 0 all links exist, 1 a link cannot be made, 2 usage.")]
pub(crate) struct InstallLinksArgs {
    /// Directory for the links
    #[arg(value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Replace existing files
    #[arg(long, action = ArgAction::SetTrue)]
    pub force: bool,
}

/// Arguments of `mq completions`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  mq completions --dir completions   write the files for all shells
  # bash
  mq completions bash > ~/.local/share/bash-completion/completions/mq
  # zsh, with ~/.zfunc in fpath
  mq completions zsh > ~/.zfunc/_mq
  # fish
  mq completions fish > ~/.config/fish/completions/mq.fish

Exit status: 0 success, 1 a file cannot be written, 2 usage.")]
pub(crate) struct CompletionsArgs {
    /// Shell to generate completions for
    #[arg(required_unless_present = "dir")]
    pub shell: Option<Shell>,
    /// Write the files for all shells to this directory
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath, conflicts_with = "shell")]
    pub dir: Option<PathBuf>,
}

/// The supported shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(clippy::enum_variant_names)] // PowerShell's own name
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Elvish,
}

/// Arguments of `mq man`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  mq man sub | man -l -   read the page about mq sub
  mq man --dir man        write all pages: mq.1, mq-pub.1 and so on

Exit status: 0 success, 1 a file cannot be written, 2 usage.")]
pub(crate) struct ManArgs {
    /// Command that the page describes; if missing, mq itself
    pub command: Option<String>,
    /// Write all pages to this directory
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath, conflicts_with = "command")]
    pub dir: Option<PathBuf>,
}
