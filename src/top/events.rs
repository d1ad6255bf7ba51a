//! Keys and the mouse, read on a thread of its own, and signals.

use super::feed::FeedError;
use super::terminal::HUNG_UP;
use crate::signals::{self, ENDING, Several};
use ratatui::crossterm::event::{self, Event};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal as Number;
use std::io::{self, Read, Write, stdin};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;

/// The most keys that wait.
const MAX_EVENTS: usize = 1000;

/// The time for which crossterm waits for the next key, after which the thread looks at the terminal itself. It has to be long: if it
/// ends before crossterm looks at the keys that it has read, they wait for the next one.
const MORE_KEYS: Duration = Duration::from_millis(200);

/// The time for the thread to stop reading.
const PAUSE_LIMIT: Duration = Duration::from_secs(1);

/// The keys, and the way to stop their thread.
#[derive(Debug)]
pub(super) struct Keys {
    events: mpsc::Receiver<Event>,
    control: UnixStream,
}

impl Keys {
    pub(super) fn read() -> io::Result<Keys> {
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        let (control, controlled) = UnixStream::pair()?;
        control.set_read_timeout(Some(PAUSE_LIMIT))?;
        let pass = move || drop(pass_events(&sender, controlled));
        thread::Builder::new().name("keys".to_owned()).spawn(pass)?;
        Ok(Keys { events, control })
    }

    /// The next key; `None` if the terminal is gone.
    pub(super) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Leaves the terminal to another program until [`Keys::resume`].
    ///
    /// # Errors
    /// If the thread does not stop.
    pub(super) fn pause(&mut self) -> io::Result<()> {
        // An answer that came too late.
        self.control.set_nonblocking(true)?;
        while self.control.read(&mut [0]).is_ok_and(|length| length > 0) {}
        self.control.set_nonblocking(false)?;
        self.control.write_all(b"p")?;
        let answer = self.control.read_exact(&mut [0]);
        if answer.is_err() {
            self.resume()?;
        }
        answer
    }

    pub(super) fn resume(&mut self) -> io::Result<()> {
        self.control.write_all(b"r")
    }
}

/// Passes events on until the terminal is gone.
///
/// crossterm takes the end of the input for a lack of it, and would read again and again. So it reads only if there is input.
fn pass_events(events: &mpsc::Sender<Event>, mut control: UnixStream) -> io::Result<()> {
    loop {
        match wait_for_input(&control)? {
            Ready::Input => {
                while event::poll(MORE_KEYS)? {
                    let event = event::read()?;
                    // `Signals` reports the size without waiting for a key.
                    let is_size = matches!(event, Event::Resize(..));
                    if !is_size && events.blocking_send(event).is_err() {
                        return Ok(());
                    }
                }
            }
            Ready::Control => {
                control.read_exact(&mut [0])?;
                control.write_all(b"p")?;
                control.read_exact(&mut [0])?;
            }
            Ready::HungUp => return Ok(()),
        }
    }
}

enum Ready {
    Input,
    Control,
    HungUp,
}

fn wait_for_input(control: &UnixStream) -> io::Result<Ready> {
    let stdin = stdin();
    loop {
        let mut descriptors = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(control, PollFlags::IN)];
        match poll(&mut descriptors, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [of_input, of_control] = descriptors.map(|descriptor| descriptor.revents());
        if of_input.intersects(HUNG_UP) {
            return Ok(Ready::HungUp);
        }
        if !of_control.is_empty() {
            return Ok(Ready::Control);
        }
        if of_input.contains(PollFlags::IN) {
            return Ok(Ready::Input);
        }
    }
}

/// The end of the screen.
#[derive(Debug)]
pub(crate) enum Ending {
    Quit,
    /// By a signal of this number, or by the key for it.
    Signal(u8),
    /// The terminal is gone.
    HungUp,
    /// The reception ended first.
    Feed(FeedError),
}

impl Ending {
    /// As Ctrl-C does it outside of the raw mode.
    pub(super) fn interrupted() -> Ending {
        Ending::of(Number::INT)
    }

    fn of(number: Number) -> Ending {
        match number {
            Number::HUP => Ending::HungUp,
            other => Ending::Signal(u8::try_from(other.as_raw()).unwrap_or(u8::MAX)),
        }
    }

    /// Whether it is by a key that a program on the terminal may use for something else.
    pub(super) fn is_by_key(&self) -> bool {
        [Number::INT, Number::QUIT]
            .into_iter()
            .any(|key| matches!(self, Ending::Signal(number) if i32::from(*number) == key.as_raw()))
    }
}

/// A caught signal.
pub(super) enum Caught {
    End(Ending),
    Suspend,
    /// The process continues after a stop.
    Continue,
    /// The terminal has another size.
    Resized,
}

/// The caught signals.
pub(super) struct Signals {
    ending: Several,
    suspend: Signal,
    proceed: Signal,
    resize: Signal,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Signals> {
        Ok(Signals {
            ending: Several::catch(ENDING)?,
            suspend: signals::catch(Number::TSTP)?,
            proceed: signals::catch(Number::CONT)?,
            resize: signals::catch(Number::WINCH)?,
        })
    }

    pub(super) async fn next(&mut self) -> Caught {
        tokio::select! {
            number = self.ending.next() => Caught::End(Ending::of(number)),
            _ = self.suspend.recv() => Caught::Suspend,
            _ = self.proceed.recv() => Caught::Continue,
            _ = self.resize.recv() => Caught::Resized,
        }
    }
}
