//! The options of `mq install-links`, `mq completions`, `mq man` and `mq help`.

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
  mkdir -p ~/.local/share/bash-completion/completions
  mq completions bash > ~/.local/share/bash-completion/completions/mq
  # zsh, with ~/.zfunc in fpath
  mkdir -p ~/.zfunc && mq completions zsh > ~/.zfunc/_mq
  # fish
  mkdir -p ~/.config/fish/completions
  mq completions fish > ~/.config/fish/completions/mq.fish

The scripts ask mq itself: profiles, and topics of a recording in the current directory (*.ndjson) or of --replay,
are offered as well.

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
The page is rendered by man, which uses MANPAGER or PAGER on a terminal and prints plain text otherwise. Without
man, the help of the command is printed instead.

Examples:
  mq man sub                   read the page about mq sub
  mq man bench conn            read the page about a mode of bench
  mq man bench report          read about one group of options
  mq man --roff sub > mq-sub.1   write the source of the page
  mq man --dir man             write all pages: mq.1, mq-pub.1 and so on
  # After cargo install: man finds the pages if ~/.cargo/bin is in PATH
  mq man --dir ~/.cargo/share/man/man1

Exit status: 0 success, 1 a file cannot be written, 2 usage.")]
pub(crate) struct ManArgs {
    /// Command that the page describes, or a group of its options; if missing, mq itself
    #[arg(value_name = "COMMAND")]
    pub words: Vec<String>,
    /// Print the source of the page
    #[arg(long, action = ArgAction::SetTrue)]
    pub roff: bool,
    /// Write the source of all pages to this directory
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath, conflicts_with_all = ["words", "roff"])]
    pub dir: Option<PathBuf>,
}

/// Arguments of `mq help`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A group is a heading of the help, such as TLS or Report; the start of the word is enough.

Examples:
  mq help sub            print the help of mq sub
  mq help bench report   print the options below the heading Report
  mq help bench conn     print the help of a mode of bench
  mq help sub tls        print the options for TLS

Exit status: 0 success, 2 the command or the group is unknown.")]
pub(crate) struct HelpArgs {
    /// Command, mode of bench, or group of options
    #[arg(value_name = "COMMAND|GROUP")]
    pub words: Vec<String>,
}
