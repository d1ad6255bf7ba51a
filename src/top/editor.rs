//! A payload written in the user's editor.

use super::events::{Caught, Ending, Signals};
use super::payload_file;
use super::words::words;
use crate::protocol::TopicName;
use rustix::process::{Signal, getpid, kill_process};
use std::fs::{DirBuilder, OpenOptions, remove_dir_all};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use tokio::process::{Child, Command};

/// The variables with the editor, and the editor without them.
const VARIABLES: [&str; 2] = ["VISUAL", "EDITOR"];
const USUAL: &str = "vi";

/// A message whose payload is written in the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) topic: TopicName,
    /// The text of the prompt, which comes back if the editor fails.
    pub(crate) typed: String,
    /// The text of the next prompt.
    pub(crate) delivery: String,
    /// The text to begin with.
    pub(crate) text: String,
}

/// The result of the editor.
pub(super) enum Edited {
    Payload(Vec<u8>),
    /// The reason why there is no payload.
    Failed(String),
    /// A signal ended the program meanwhile.
    End(Ending),
}

/// Runs the editor on a file with this text until it ends.
pub(super) async fn run(text: &str, signals: &mut Signals) -> Edited {
    let (variable, shown) = editor();
    let file = match TemporaryFile::new(text) {
        Ok(file) => file,
        Err(error) => {
            let place = std::env::temp_dir();
            return Edited::Failed(format!("cannot write a temporary file in {}: {error}", place.display()));
        }
    };
    let (program, options) = match words(&shown).as_deref() {
        Ok([program, options @ ..]) => (program.clone(), options.to_vec()),
        Ok([]) => return Edited::Failed(format!("{variable} names no program (\"{shown}\")")),
        Err(problem) => return Edited::Failed(format!("invalid {variable}: {problem} ({shown})")),
    };
    let ended = match Command::new(program).args(options).arg(&file.path).spawn() {
        Ok(child) => wait(child, signals).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => return Edited::Failed(failure(status, &shown)),
        Ok(Err(ending)) => return Edited::End(ending),
        Err(error) => {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "program not found".to_owned(),
                _ => error.to_string(),
            };
            return Edited::Failed(format!(
                "cannot start the editor: {reason} ({variable}: {shown}); set VISUAL or EDITOR to another one"
            ));
        }
    }
    match payload_file::read(&file.path) {
        Ok(payload) => Edited::Payload(without_last_line_end(payload, text)),
        Err(problem) => Edited::Failed(format!("{problem} (written by {shown})")),
    }
}

/// The variable with the editor, and its value.
fn editor() -> (&'static str, String) {
    let set = |name: &&'static str| Some((*name, std::env::var_os(name)?));
    let editor = VARIABLES.iter().filter_map(set).find(|(_, editor)| !editor.is_empty());
    editor.map_or_else(
        || ("default", USUAL.to_owned()),
        |(name, editor)| (name, editor.to_string_lossy().into_owned()),
    )
}

/// The status of an editor that failed, and the consequence for its text.
fn failure(status: ExitStatus, editor: &str) -> String {
    let end = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "failed".to_owned(),
    };
    format!("the editor {end} ({editor}); its text is discarded, and nothing is published yet")
}

/// Waits for the end of the editor, or for a signal that ends this program.
async fn wait(mut child: Child, signals: &mut Signals) -> io::Result<Result<ExitStatus, Ending>> {
    loop {
        tokio::select! {
            status = child.wait() => return status.map(Ok),
            signal = signals.next() => match signal {
                // The terminal sends the signals of its keys to the editor as well, which decides their effect.
                Caught::End(ending) if ending.is_by_key() => {}
                Caught::Continue | Caught::Resized => {}
                Caught::Suspend => kill_process(getpid(), Signal::STOP)?,
                Caught::End(ending) => {
                    child.kill().await?;
                    return Ok(Err(ending));
                }
            },
        }
    }
}

/// Editors end the last line, which is not meant as a part of the payload, unless it was one before.
fn without_last_line_end(mut payload: Vec<u8>, before: &str) -> Vec<u8> {
    if payload.ends_with(b"\n") && !before.ends_with('\n') {
        payload.pop();
    }
    payload
}

/// A file that only this user can read, in a directory of its own, where the editor may keep its own files.
struct TemporaryFile {
    directory: PathBuf,
    path: PathBuf,
}

impl TemporaryFile {
    fn new(text: &str) -> io::Result<TemporaryFile> {
        let directory = std::env::temp_dir().join(format!("mq-{:016x}", fastrand::u64(..)));
        // Fails if the name is taken, by a link of another user for example.
        DirBuilder::new().mode(0o700).create(&directory)?;
        let path = directory.join("payload.txt");
        let file = TemporaryFile { directory, path };
        file.write(text)?;
        Ok(file)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let path: &Path = &self.path;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = remove_dir_all(&self.directory);
    }
}
