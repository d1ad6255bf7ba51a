//! `mq config init`, `set`, `unset` and `edit`: they write the file of profiles.

use super::{Messages, foreground, password, standard_output};
use crate::cli;
use crate::cli::config::args::{InitArgs, SetArgs, UnsetArgs};
use crate::cli::config::change::{Change, read};
use crate::cli::config::{EXAMPLE, location};
use crate::commands::error::{Error, ExitStatus};
use crate::escape;
use crate::passwd::Locked;
use crate::passwd::replace::create;
use crate::top::words::words;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, IsTerminal};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variables with the editor, and the editor without them.
const EDITORS: [&str; 2] = ["VISUAL", "EDITOR"];
const USUAL_EDITOR: &str = "vi";

/// Only the owner may read a file that can have passwords.
const PRIVATE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;

/// The maximum number of symbolic links in a row, as in Linux.
const MAX_LINKS: usize = 40;

/// Writes the example, and prints the path.
pub(super) fn init(args: &InitArgs) -> Result<ExitStatus, Error> {
    let path = path()?;
    if is_missing(&path) {
        create_file(&path, EXAMPLE)?;
    } else if args.force {
        let file = Locked::open(&path).map_err(Error::Profiles)?;
        fs::set_permissions(&path, Permissions::from_mode(PRIVATE))
            .map_err(|source| failed("write", &path, source))?;
        // Opened again, since a replaced file gets the mode of the old one.
        drop(file);
        let file = Locked::open(&path).map_err(Error::Profiles)?;
        file.replace(EXAMPLE.as_bytes()).map_err(Error::Profiles)?;
    } else {
        let problem = "it exists; `mq config edit` opens it, --force replaces it";
        return Err(failed("create", &path, io::Error::new(io::ErrorKind::AlreadyExists, problem)));
    }
    print(&format!("{}\n", path.display()))
}

/// Sets a value, which is checked before the file is replaced.
pub(super) fn set(args: &SetArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let path = path()?;
    let values = values(args)?;
    let change = Change { profile: args.profile.as_deref(), key: &args.key, values: Some(&values) };
    if is_missing(&path) {
        let changed = change.apply(&path, "", PRIVATE)?;
        create_file(&path, &changed.text)?;
        changed.notes.iter().for_each(|note| messages.say(note));
        return Ok(ExitStatus::DONE);
    }
    replace(&path, &change, messages)
}

/// Removes a value.
pub(super) fn unset(args: &UnsetArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let change = Change { profile: args.profile.as_deref(), key: &args.key, values: None };
    replace(&path()?, &change, messages)
}

fn replace(path: &Path, change: &Change<'_>, messages: Messages) -> Result<ExitStatus, Error> {
    let file = Locked::open(path).map_err(Error::Profiles)?;
    let (text, mode) = read(path)?;
    let changed = change.apply(path, &text, mode)?;
    let warning = file.replace(changed.text.as_bytes()).map_err(Error::Profiles)?;
    warning.iter().chain(&changed.notes).for_each(|note| messages.say(note));
    Ok(ExitStatus::DONE)
}

/// The typed values, or a line of standard input, which no process list shows. On a terminal it is not echoed.
fn values(args: &SetArgs) -> Result<Vec<String>, Error> {
    if args.values != ["-"] {
        return Ok(args.values.clone());
    }
    let line = match io::stdin().is_terminal() {
        true => password::ask(&format!("Value of {}: ", escape::line(&args.key)))?,
        false => cli::first_line(io::stdin().lock()).map_err(Error::input)?,
    };
    if line.is_empty() {
        return Err(Error::usage(format!("the value of {} is empty; nothing was changed", args.key)));
    }
    let line = line.into_string().map_err(|_| Error::usage("standard input is not valid UTF-8"))?;
    Ok(vec![line])
}

/// Opens the file in an editor, with the example if it is new. Returns the path.
pub(super) fn edit() -> Result<PathBuf, Error> {
    let path = path()?;
    if is_missing(&path) {
        create_file(&path, EXAMPLE)?;
    }
    if path.is_dir() {
        return Err(failed("edit", &path, io::ErrorKind::IsADirectory.into()));
    }
    let editor = EDITORS.iter().filter_map(std::env::var_os).find(|name| !name.is_empty());
    let editor =
        editor.map_or_else(|| USUAL_EDITOR.to_owned(), |editor| editor.to_string_lossy().into_owned());
    let words = words(&editor).map_err(|problem| Error::usage(format!("{problem} in {editor}")))?;
    let Some((program, options)) = words.split_first() else {
        return Err(Error::usage(format!("no program in the variable: {editor:?}")));
    };
    let mut command = Command::new(program);
    command.args(options).arg(&path);
    let problem = match foreground::run(command, None)? {
        Some(status) if status.success() => return Ok(path),
        Some(status) => format!("it ended with {status}"),
        None => "there is no such program; set VISUAL or EDITOR".to_owned(),
    };
    Err(Error::system(format!("run the editor {editor}"), io::Error::other(problem)))
}

/// The path of the file that commands read.
fn path() -> Result<PathBuf, Error> {
    location().path.map_err(|reason| Error::usage(format!("no profile file: {reason}")))
}

/// Whether the file does not exist. A symbolic link may lead to it.
fn is_missing(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Creates the file, and the directories above it. A symbolic link stays; the file that it leads to is created.
fn create_file(path: &Path, text: &str) -> Result<(), Error> {
    let path = &target(path);
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(directory);
        made.map_err(|source| failed("create", directory, source))?;
    }
    create(path, text.as_bytes()).map_err(Error::Profiles)
}

/// The path after all symbolic links in its last part.
fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs::read_link(&path) else { break };
        path = path.parent().map_or_else(|| next.clone(), |directory| directory.join(&next));
    }
    path
}

fn failed(action: &str, path: &Path, source: io::Error) -> Error {
    Error::system(format!("{action} {}", path.display()), source)
}

fn print(text: &str) -> Result<ExitStatus, Error> {
    standard_output::print(text)?;
    Ok(ExitStatus::DONE)
}
