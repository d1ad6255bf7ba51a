//! Asks for the password on the terminal, without echo, and leaves the terminal as it was, also when a signal comes.

use super::block_on;
use super::stop::Signals;
use crate::error::{Error, ExitStatus};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::fs::File;
use std::io;

pub(super) fn ask(prompt: &str) -> Result<OsString, Error> {
    let failed = |source| Error::System { action: "ask for the password".to_owned(), source };
    let terminal = File::open("/dev/tty").map_err(|_| failed(no_terminal()))?;
    let before = tcgetattr(&terminal).map_err(|_| failed(no_terminal()))?;
    let prompt = prompt.to_owned();
    block_on(async {
        let mut signals = Signals::catch()?;
        let asked = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt));
        let answer = tokio::select! {
            biased;
            status = signals.next() => {
                let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
                return Err(Error::Interrupted(status));
            }
            answer = asked => answer.unwrap_or_else(|error| Err(io::Error::other(error))),
        };
        match answer {
            Ok(password) => Ok(password.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Error::Interrupted(ExitStatus::INTERRUPTED))
            }
            Err(source) => Err(failed(source)),
        }
    })
}

fn no_terminal() -> io::Error {
    io::Error::other("there is no terminal; --password-file FILE gives it without one")
}
