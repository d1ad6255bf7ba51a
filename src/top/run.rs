//! The loop of the screen: joins terminal, keys, signals and the shared state.

use super::acting::{Draft, Effect, Payload};
use super::app::{App, Input, Settings};
use super::delivery::Delivery;
use super::editor::{self, Edit, Edited};
use super::events::{Caught, Ending, Keys, Signals};
use super::fault;
use super::feed::{Connection, FeedError, Outbound, Request, Shared, State};
use super::model::{History, Model, NodeId};
use super::payload_file;
use super::playback::Control;
use super::terminal::{Terminal, is_hung_up};
use crate::recording::{Recorder, RecordingError};
use crate::words::counted;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::Event;
use rustix::process::{Signal, getpid, kill_process};
use std::future::{Future, poll_fn};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// The time between two frames while messages arrive.
const FRAME: Duration = Duration::from_millis(80);

/// The time between two frames while nothing arrives: ages change.
const QUIET_FRAME: Duration = Duration::from_secs(1);

/// The time between two looks at a terminal that takes no frame.
const BUSY: Duration = Duration::from_millis(10);

/// The most bytes for the clipboard; terminals ignore longer ones.
const MAX_COPY: usize = 74_994;

/// A broker or a recording, with the ways to its thread.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) settings: Settings,
    pub(crate) shared: Shared,
    pub(crate) requests: mpsc::Sender<Request>,
    /// To a replay.
    pub(crate) controls: Option<std::sync::mpsc::Sender<Control>>,
    pub(crate) failed: oneshot::Receiver<FeedError>,
}

/// Shows the sources on the terminal, each in a tab, until the user quits or the only one fails.
///
/// # Errors
/// If the terminal fails.
pub(crate) async fn run(sources: Vec<Source>) -> io::Result<Ending> {
    match show(sources).await {
        Err(_) if is_hung_up() => Ok(Ending::HungUp),
        result => result,
    }
}

async fn show(sources: Vec<Source>) -> io::Result<Ending> {
    let mut signals = Signals::catch()?;
    let mut screen = Screen::new(sources)?;
    let mut keys = Keys::read()?;
    loop {
        let due = screen.next_frame();
        let next = tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Caught::End(ending) => Next::End(ending),
                Caught::Suspend => screen.suspend()?,
                Caught::Continue => screen.resume()?,
                Caught::Resized => screen.redraw(),
            },
            event = keys.next() => match event {
                Some(event) => screen.handle(event)?,
                None => Next::End(Ending::HungUp),
            },
            (index, failure) = screen.next_failure() => match failure {
                Some(error) if screen.is_empty() => Next::End(Ending::Feed(error)),
                Some(error) => screen.show_failure(index, error),
                None => Next::End(Ending::Quit),
            },
            () = sleep_until(due) => screen.frame()?,
        };
        match next {
            Next::Frame => {}
            Next::End(ending) => return Ok(screen.ending(ending)),
            Next::Edit(edit) => {
                if let Some(ending) = screen.edit(edit, &mut signals, &mut keys).await? {
                    return Ok(ending);
                }
            }
        }
        if screen.terminal.is_lost() {
            return Ok(Ending::HungUp);
        }
    }
}

/// The next step after an event.
enum Next {
    Frame,
    End(Ending),
    /// The editor of the user.
    Edit(Edit),
}

/// A source and its view.
struct Tab {
    app: App,
    shared: Shared,
    requests: mpsc::Sender<Request>,
    controls: Option<std::sync::mpsc::Sender<Control>>,
    /// `None` after the failure.
    failed: Option<oneshot::Receiver<FeedError>>,
    /// The failure of the recorder, which is printed at the end as well.
    record_failure: Option<RecordingError>,
    /// The revision of the last frame.
    revision: u64,
}

/// The tabs on their terminal.
struct Screen {
    tabs: Vec<Tab>,
    active: usize,
    terminal: Terminal,
    drawn: Instant,
    /// A frame is due because of a key.
    is_due: bool,
}

impl Screen {
    fn new(sources: Vec<Source>) -> io::Result<Screen> {
        let terminal = Terminal::enter()?;
        let count = sources.len();
        let tab = |(index, source): (usize, Source)| {
            let Source { mut settings, shared, requests, controls, failed } = source;
            if count > 1 {
                settings.broker = format!("{} [{}/{count}]", settings.broker, index + 1);
            }
            Tab {
                app: App::new(settings),
                shared,
                requests,
                controls,
                failed: Some(failed),
                record_failure: None,
                revision: 0,
            }
        };
        let tabs = sources.into_iter().enumerate().map(tab).collect();
        Ok(Screen { tabs, active: 0, terminal, drawn: Instant::now(), is_due: true })
    }

    /// Waits for the failure of a source. `None` if it ended without one.
    async fn next_failure(&mut self) -> (usize, Option<FeedError>) {
        poll_fn(|context| {
            for (index, tab) in self.tabs.iter_mut().enumerate() {
                let Some(failed) = &mut tab.failed else { continue };
                if let Poll::Ready(failure) = Pin::new(failed).poll(context) {
                    tab.failed = None;
                    return Poll::Ready((index, failure.ok()));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Whether there is one tab only, which never had data.
    fn is_empty(&self) -> bool {
        let [tab] = self.tabs.as_slice() else { return false };
        !tab.shared.lock().has_begun
    }

    /// Shows the failure in its tab, whose data stays, as the others go on.
    fn show_failure(&mut self, index: usize, error: FeedError) -> Next {
        if let Some(tab) = self.tabs.get_mut(index) {
            let mut state = tab.shared.lock();
            state.connection = Connection::Ended(error.to_string());
            state.revision += 1;
            drop(state);
            if let FeedError::Recording(error) = error {
                tab.record_failure = Some(error);
            }
        }
        Next::Frame
    }

    /// The end of the screen: if the user quits, the failure of a recorder.
    fn ending(&mut self, ending: Ending) -> Ending {
        let failure = self.tabs.iter_mut().find_map(|tab| tab.record_failure.take());
        match (ending, failure) {
            (Ending::Quit, Some(error)) => Ending::Feed(FeedError::Recording(error)),
            (ending, _) => ending,
        }
    }

    /// Goes to the next tab, or to the one before.
    fn turn(&mut self, is_forward: bool) {
        let count = self.tabs.len().max(1);
        self.active = (self.active + if is_forward { 1 } else { count - 1 }) % count;
    }

    /// The time of the next frame.
    fn next_frame(&mut self) -> Instant {
        let now = Instant::now();
        let tab = self.tabs.get(self.active);
        let is_changed = tab.is_some_and(|tab| tab.shared.lock().revision != tab.revision);
        let due = match (self.is_due, is_changed) {
            (true, _) => now,
            (false, true) => self.drawn + FRAME,
            // A change is noticed at the next look.
            (false, false) => (now + FRAME).min(self.drawn + QUIET_FRAME),
        };
        if self.terminal.is_ready() { due } else { due.max(now + BUSY) }
    }

    /// Draws a frame if something changed and the terminal has taken the last one.
    fn frame(&mut self) -> io::Result<Next> {
        if !self.terminal.is_ready() {
            return Ok(Next::Frame);
        }
        let Some(tab) = self.tabs.get_mut(self.active) else { return Ok(Next::End(Ending::Quit)) };
        let now = tab.shared.now();
        let mut state = tab.shared.lock();
        let is_quiet = state.revision == tab.revision && self.drawn.elapsed() < QUIET_FRAME;
        if !self.is_due && is_quiet {
            return Ok(Next::Frame);
        }
        while let Some(notice) = state.take_notice() {
            tab.app.notify(notice, now);
        }
        let mut buffer = Buffer::empty(Terminal::area());
        let cursor = tab.app.render(input(&state, now), &mut buffer);
        // The frame may have moved the selection.
        let is_begun = tab.app.looks_at().is_some_and(|id| state.model.look_at(id));
        let is_partial = tab.app.is_filtering();
        tab.revision = state.revision;
        drop(state);
        self.terminal.draw(buffer, cursor)?;
        self.drawn = Instant::now();
        self.is_due = is_begun || is_partial;
        Ok(Next::Frame)
    }

    fn handle(&mut self, event: Event) -> io::Result<Next> {
        fault::panic_if_asked("screen");
        let is_alone = self.tabs.len() == 1;
        let Some(tab) = self.tabs.get_mut(self.active) else { return Ok(Next::End(Ending::Quit)) };
        let now = tab.shared.now();
        let effect = tab.app.handle(event, input(&tab.shared.lock(), now));
        self.is_due = true;
        let done: Result<Option<String>, String> = match effect {
            None => Ok(None),
            Some(Effect::Quit) => return Ok(Next::End(Ending::Quit)),
            Some(Effect::Interrupt) => return Ok(Next::End(Ending::interrupted())),
            Some(Effect::Edit(edit)) => return Ok(Next::Edit(edit)),
            Some(Effect::Suspend) => {
                self.suspend()?;
                Ok(None)
            }
            Some(Effect::Redraw) => {
                self.terminal.forget();
                Ok(None)
            }
            Some(Effect::Turn(_)) if is_alone => Ok(Some("there is one tab only".to_owned())),
            Some(Effect::Turn(is_forward)) => {
                self.turn(is_forward);
                Ok(None)
            }
            Some(Effect::ToggleMouse) => {
                let is_on = !self.terminal.has_mouse();
                self.terminal.set_mouse(is_on)?;
                let text = match is_on {
                    true => "the mouse is used by mq; most terminals select text while Shift is held",
                    false => "the mouse is left to the terminal, to select text; m takes it back",
                };
                Ok(Some(text.to_owned()))
            }
            Some(Effect::Request(request)) => tab.request(request),
            Some(Effect::Publish(draft)) => {
                outbound(draft).and_then(|message| tab.request(Request::Publish(vec![message], "published")))
            }
            Some(Effect::Copy(bytes)) => Ok(Some(copy(&mut self.terminal, &bytes))),
            Some(Effect::Control(control)) => {
                if let Some(controls) = &tab.controls {
                    let _ = controls.send(control);
                }
                Ok(None)
            }
            Some(Effect::Export(id, path)) => export(&tab.shared.lock().model, id, &path)
                .map(Some)
                .map_err(|error| format!("cannot export the history: {error}")),
        };
        if let Some(tab) = self.tabs.get_mut(self.active) {
            match done {
                Ok(None) => {}
                Ok(Some(notice)) => tab.app.notify(notice, now),
                Err(problem) => tab.app.failed(problem, now),
            }
        }
        Ok(Next::Frame)
    }

    /// Draws all cells again, as the terminal has another size.
    fn redraw(&mut self) -> Next {
        self.terminal.forget();
        self.is_due = true;
        Next::Frame
    }

    /// Stops the process, as the shell expects it after Ctrl-Z, and draws again when it continues.
    fn suspend(&mut self) -> io::Result<Next> {
        self.terminal.suspend();
        kill_process(getpid(), Signal::STOP)?;
        self.resume()
    }

    fn resume(&mut self) -> io::Result<Next> {
        self.is_due = true;
        self.terminal.resume()?;
        Ok(Next::Frame)
    }

    /// Lets the user write a payload in an editor, which has the terminal meanwhile.
    async fn edit(
        &mut self,
        edit: Edit,
        signals: &mut Signals,
        keys: &mut Keys,
    ) -> io::Result<Option<Ending>> {
        let edited = if keys.pause().is_err() {
            Edited::Failed("the terminal is busy; try again".to_owned())
        } else {
            self.terminal.suspend();
            let edited = editor::run(&edit.text, signals).await;
            self.resume()?;
            keys.resume()?;
            edited
        };
        let Some(tab) = self.tabs.get_mut(self.active) else { return Ok(Some(Ending::Quit)) };
        match edited {
            Edited::Payload(payload) => tab.app.ask_for_delivery(edit.topic, payload, &edit.delivery),
            Edited::Failed(problem) => {
                tab.app.ask_for_payload(edit.topic, &edit.typed, edit.delivery, problem);
            }
            Edited::End(ending) => return Ok(Some(ending)),
        }
        Ok(None)
    }
}

impl Tab {
    /// Passes a request to the reception. Returns a notice if it waits.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn request(&mut self, request: Request) -> Result<Option<String>, String> {
        let is_connected = matches!(self.shared.lock().connection, Connection::Connected);
        match self.requests.try_send(request) {
            Ok(()) if is_connected => Ok(None),
            Ok(()) => Ok(Some("not connected: this is done when the connection is back".to_owned())),
            Err(TrySendError::Closed(_)) => Err("not connected: nothing is sent".to_owned()),
            Err(TrySendError::Full(_)) => Err("too many requests wait for the connection".to_owned()),
        }
    }
}

/// Puts bytes on the clipboard with OSC 52, which terminals also obey over ssh. Returns a notice.
fn copy(terminal: &mut Terminal, bytes: &[u8]) -> String {
    if bytes.len() > MAX_COPY {
        return format!("not copied: {} bytes are more than terminals accept", bytes.len());
    }
    let data = BASE64_STANDARD.encode(bytes);
    terminal.write(format!("\x1b]52;c;{data}\x07").into_bytes());
    format!("sent {} to the clipboard of the terminal", counted(bytes.len(), "byte"))
}

/// Reads the file of a message to publish.
fn outbound(draft: Draft) -> Result<Outbound, String> {
    let Draft { topic, payload, delivery: Delivery { qos, retain, properties } } = draft;
    let payload = match payload {
        Payload::Text(text) => text.into_bytes(),
        Payload::Edited(bytes) => bytes,
        Payload::File(path) => payload_file::read(&path)?,
    };
    Ok(Outbound { topic, payload, qos, retain, properties })
}

/// Appends the history of a topic, or else its last message, to a recording.
fn export(model: &Model, id: NodeId, path: &Path) -> Result<String, RecordingError> {
    let topic = model.tree().path(id);
    let history = model.history(id).into_iter().flat_map(History::entries).map(|entry| &entry.value);
    let values: Vec<_> = history.collect();
    let values = if values.is_empty() { model.value(id).into_iter().collect() } else { values };
    if path.exists() {
        payload_file::check_is_regular(path)
            .map_err(|source| RecordingError::Write { path: path.to_owned(), source })?;
    }
    let (mut recorder, _) = Recorder::open(path, None)?;
    for value in &values {
        recorder.add(&value.as_publish(&topic), value.time)?;
    }
    recorder.flush()?;
    let cut = values.iter().filter(|value| !value.is_whole()).count();
    let cut = if cut > 0 { format!(", {cut} without the end of their payload") } else { String::new() };
    let messages = counted(values.len(), "message");
    Ok(format!("exported {messages} to {}{cut}", path.display()))
}

fn input(state: &State, now: u64) -> Input<'_> {
    Input {
        model: &state.model,
        births: &state.births,
        connection: &state.connection,
        rejection: state.rejection(),
        now,
        clock: state.clock.unwrap_or(now),
    }
}
