//! Prompts on the terminal, without echo. The terminal gets its modes back, also if a signal ends or stops the prompt.

use super::Error;
use super::secrets::next_line;
use crate::signals::{self, StandIn};
use crate::transport::descriptors;
use rustix::process::Signal as Number;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::sync::mpsc::channel;
use std::thread;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// The value of a special character that no key has.
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// Prompts on the controlling terminal, even if standard input is redirected.
///
/// # Errors
/// If there is no terminal, the input ends, or a signal ends the prompt.
pub(crate) fn ask(prompt: &str) -> Result<OsString, Error> {
    let terminal =
        File::options().read(true).write(true).open("/dev/tty").map_err(|_| failed(no_terminal()))?;
    let mut device = terminal.try_clone().map_err(failed)?;
    let text = prompt.to_owned();
    without_echo(terminal, prompt.to_owned(), move || {
        device.write_all(text.as_bytes())?;
        let mut input = BufReader::new(&device);
        // After its end, a terminal can be read again.
        let answer = if input.fill_buf()?.is_empty() { None } else { Some(next_line(input)?) };
        // The typed line end is not echoed.
        device.write_all(b"\n")?;
        answer.ok_or_else(|| {
            let text = "the input ended; an empty line is an empty password";
            io::Error::new(io::ErrorKind::UnexpectedEof, text)
        })
    })
}

/// Reads while the terminal's echo is off. `read` writes the prompt, which is written again when the process continues after a stop. The
/// caller may have an event loop, so the one for the signals has its own thread, which stays for signals after the prompt.
///
/// # Errors
/// If a signal ends the prompt, or reading fails.
pub(crate) fn without_echo<T: Send + 'static>(
    terminal: File,
    prompt: String,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let (sender, answer) = channel();
    let answer_prompt = move || {
        let begin = || {
            descriptors::reserve_for_event_loop().map_err(failed)?;
            Builder::new_current_thread().enable_all().build().map_err(failed)
        };
        match begin() {
            Ok(runtime) => runtime.block_on(async {
                let mut stand_in = match StandIn::begin() {
                    Ok(stand_in) => stand_in,
                    Err(source) => {
                        let _ = sender.send(Err(cannot_catch(source)));
                        return;
                    }
                };
                let answer = read_without_echo(&terminal, &prompt, &mut stand_in, read).await;
                let is_answered = answer.is_ok();
                let _ = sender.send(answer);
                if is_answered {
                    stand_in.act().await;
                }
            }),
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        }
    };
    thread::Builder::new().spawn(answer_prompt).map_err(failed)?;
    answer.recv().unwrap_or_else(|_| Err(failed(io::Error::other("the prompt ended early"))))
}

async fn read_without_echo<T: Send + 'static>(
    mut terminal: &File,
    prompt: &str,
    signals: &mut StandIn,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let before = tcgetattr(terminal).map_err(|_| failed(no_terminal()))?;
    let mut proceed = signal(SignalKind::from_raw(Number::CONT.as_raw())).map_err(cannot_catch)?;
    // Before the prompt, since the user may start typing early.
    silence(terminal, &before).map_err(failed)?;
    let answer = tokio::task::spawn_blocking(read);
    let answer = async {
        let answer = answer.await;
        // A signal before the answer may not have been noticed yet: let the runtime poll once more.
        tokio::task::yield_now().await;
        answer
    };
    tokio::pin!(answer);
    loop {
        tokio::select! {
            biased;
            number = signals.next() => {
                let _ = tcsetattr(terminal, OptionalActions::Now, &before);
                // Further output starts on a new line.
                let _ = terminal.write_all(b"\n");
                if number != Number::TSTP {
                    return Err(Error::Interrupted(signals::status(number)));
                }
                signals::stop_process();
            }
            // A shell that continues the process may have switched the echo on.
            _ = proceed.recv() => {
                let is_echoed = tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO));
                if is_echoed && silence(terminal, &before).is_ok() {
                    let _ = terminal.write_all(prompt.as_bytes());
                }
            }
            answer = &mut answer => {
                let _ = tcsetattr(terminal, OptionalActions::Now, &before);
                return answer.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(failed);
            }
        }
    }
}

/// Switches the echo off. A process in the background is stopped for it, until it is in the foreground.
fn silence(terminal: &File, before: &Termios) -> io::Result<()> {
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    // Nobody means to end a prompt with a core dump, which could hold passwords.
    silent.special_codes[SpecialCodeIndex::VQUIT] = NO_KEY;
    Ok(tcsetattr(terminal, OptionalActions::Now, &silent)?)
}

fn cannot_catch(source: io::Error) -> Error {
    Error::System { action: "catch signals".to_owned(), source }
}

fn failed(source: io::Error) -> Error {
    Error::System { action: "ask for the password".to_owned(), source }
}

fn no_terminal() -> io::Error {
    io::Error::other("no terminal to ask for the password; set --password-file FILE")
}
