//! `mq config init`, `set` and `edit`: they write the file of profiles.

use super::{Messages, foreground, standard_output};
use crate::cli;
use crate::cli::config::args::{InitArgs, SetArgs};
use crate::cli::config::change::{Change, read};
use crate::cli::config::{EXAMPLE, location};
use crate::commands::error::{Error, ExitStatus};
use crate::passwd::Locked;
use crate::passwd::replace::create;
use crate::top::words::words;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variables with the editor, and the editor without them.
const EDITORS: [&str; 2] = ["VISUAL", "EDITOR"];
const USUAL_EDITOR: &str = "vi";

/// Only the owner may read a file that can have passwords.
const PRIVATE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;

/// Writes the example, and prints the path.
pub(super) fn init(args: &InitArgs) -> Result<ExitStatus, Error> {
    let path = path()?;
    if fs::symlink_metadata(&path).is_err() {
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
    let change = Change { profile: args.profile.as_deref(), key: &args.key, values: &values };
    if fs::metadata(&path).is_err() {
        create_file(&path, &change.apply(&path, "", PRIVATE)?)?;
        return Ok(ExitStatus::DONE);
    }
    let file = Locked::open(&path).map_err(Error::Profiles)?;
    let (text, mode) = read(&path)?;
    let changed = change.apply(&path, &text, mode)?;
    if let Some(warning) = file.replace(changed.as_bytes()).map_err(Error::Profiles)? {
        messages.say(&warning);
    }
    Ok(ExitStatus::DONE)
}

/// The typed values, or a line of standard input, which no process list shows.
fn values(args: &SetArgs) -> Result<Vec<String>, Error> {
    if args.values != ["-"] {
        return Ok(args.values.clone());
    }
    let line = cli::first_line(io::stdin().lock()).map_err(Error::input)?;
    let line = line.into_string().map_err(|_| Error::usage("standard input is not valid UTF-8"))?;
    Ok(vec![line])
}

/// Opens the file in an editor, with the example if it is new. Returns the path.
pub(super) fn edit() -> Result<PathBuf, Error> {
    let path = path()?;
    if fs::metadata(&path).is_err() {
        create_file(&path, EXAMPLE)?;
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

/// Creates the file, and the directories above it.
fn create_file(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(directory);
        made.map_err(|source| failed("create", directory, source))?;
    }
    create(path, text.as_bytes()).map_err(Error::Profiles)
}

fn failed(action: &str, path: &Path, source: io::Error) -> Error {
    Error::system(format!("{action} {}", path.display()), source)
}

fn print(text: &str) -> Result<ExitStatus, Error> {
    standard_output::print(text)?;
    Ok(ExitStatus::DONE)
}
