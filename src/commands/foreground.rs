//! Another program that has the terminal until it ends: a pager, `man` or an editor.

use super::block_on;
use crate::commands::error::{Error, ExitStatus};
use crate::signals;
use rustix::process::Signal as Number;
use std::io;
use std::process::{self, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Runs a program with this text as its standard input, if any. `None` if there is no such program.
///
/// # Errors
/// If it cannot be started, or SIGTERM ended it and this program.
pub(super) fn run(
    program: process::Command,
    input: Option<&str>,
) -> Result<Option<process::ExitStatus>, Error> {
    Ok(finish(program, input)?.map(|output| output.status))
}

/// As [`run`], but returns the output instead of printing it.
///
/// # Errors
/// The same as for [`run`].
pub(super) fn output(
    mut program: process::Command,
    input: Option<&str>,
) -> Result<Option<process::Output>, Error> {
    program.stdout(Stdio::piped());
    finish(program, input)
}

fn finish(program: process::Command, input: Option<&str>) -> Result<Option<process::Output>, Error> {
    block_on(async {
        // The keys of the terminal send these to the program as well, which decides their effect.
        let failed = |source| Error::system("catch signals", source);
        let _keys = [Number::INT, Number::QUIT].map(signals::catch);
        let mut terminate = signals::catch(Number::TERM).map_err(failed)?;
        let name = program.get_program().to_string_lossy().into_owned();
        let mut program = Command::from(program);
        if input.is_some() {
            program.stdin(Stdio::piped());
        }
        let mut child = match program.spawn() {
            Ok(child) => child,
            Err(error) if is_no_program(&error) => return Ok(None),
            Err(source) => return Err(Error::system(format!("start {name}"), source)),
        };
        tokio::select! {
            output = fed(&mut child, input) => output.map(Some).map_err(|source| Error::system(format!("run {name}"), source)),
            _ = terminate.recv() => {
                // It may have changed the modes of the terminal, which it restores only if it is asked to end.
                end(&mut child).await;
                Err(Error::Interrupted(ExitStatus::TERMINATED))
            }
        }
    })
}

/// Whether the program does not exist, or its file is not executable.
fn is_no_program(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory
    )
}

/// Writes the text, which the program need not read, reads its output, and waits for its end.
async fn fed(child: &mut Child, input: Option<&str>) -> io::Result<process::Output> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let write = async move {
        if let (Some(mut stdin), Some(text)) = (stdin, input) {
            let _ = stdin.write_all(text.as_bytes()).await;
        }
    };
    let read = async move {
        let mut output = Vec::new();
        if let Some(mut stdout) = stdout {
            stdout.read_to_end(&mut output).await?;
        }
        Ok::<_, io::Error>(output)
    };
    let end = async {
        tokio::select! {
            status = child.wait() => return status,
            () = write => {}
        }
        child.wait().await
    };
    let (status, stdout) = tokio::join!(end, read);
    Ok(process::Output { status: status?, stdout: stdout?, stderr: Vec::new() })
}

async fn end(child: &mut Child) {
    let process = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    if let Some(process) = process {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
    let _ = child.wait().await;
}
