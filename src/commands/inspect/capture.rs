//! A capture, from a file or a pipe.
//!
//! A file is read in a thread of its own, which reassembles the connections while this one decodes and shows their packets. A pipe
//! is read in this thread, which shows all complete packets before it waits for more.

use super::interruptible::{InterruptibleInput, Interruption};
use super::key_log::SharedKeyLog;
use super::viewer::Viewer;
use super::write::Recorder;
use crate::commands::error::Error;
use crate::inspect::Inspector;
use crate::inspect::capture::conversation::{Batch, ConversationEvent, Ports};
use crate::inspect::capture::decrypt::TlsDecryptor;
use crate::inspect::capture::reader::{ReadError, Reader, secrets_of};
use crate::inspect::capture::skipped::Skipped;
use crate::inspect::capture::{Capture, Counts};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// The path of standard input.
const STDIN: &str = "-";

/// The batches of events between the two threads.
const BATCHES: usize = 4;

/// The capture and the means to read it.
pub(super) struct Source<'s> {
    /// Standard input if there is none.
    pub(super) file: Option<&'s Path>,
    pub(super) ports: Ports,
    pub(super) secrets: &'s SharedKeyLog,
    /// The output is a report on MQTT.
    pub(super) is_report: bool,
}

/// Reads a capture to its end; returns notes for the user. A signal ends a pipe, and sets the `interruption`.
pub(super) fn run(
    Source { file, ports, secrets, is_report }: Source<'_>,
    inspector: Inspector,
    viewer: &mut Viewer,
    recorder: Option<&mut Recorder>,
    interruption: &Interruption,
) -> Result<Vec<String>, Error> {
    let path = file.filter(|path| path.as_os_str() != STDIN);
    let name = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let damaged = |problem: ReadError| match (problem, path) {
        (ReadError::Io(source), Some(path)) => Error::file(path, source),
        (ReadError::Io(source), None) => Error::input(source),
        (problem, _) => Error::Capture { name, problem: problem.to_string() },
    };
    let handler = EventHandler { inspector, recorder, viewer };
    let layers = Layers { ports, secrets, is_report };
    let Some(path) = path else {
        let input = InterruptibleInput::start(io::stdin(), interruption)?;
        return handler.read(input, layers).map_err(damaged);
    };
    let failed = |source| Error::file(path, source);
    let mut file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        // In a pipe, secrets written after the packets come too late.
        let input = InterruptibleInput::start(file, interruption)?;
        return handler.read(input, layers).map_err(damaged);
    }
    secrets.add(&secrets_of(&mut file).map_err(failed)?);
    handler.read_in_thread(file, layers)?.map_err(damaged)
}

/// The settings of the layers between the file and MQTT.
struct Layers<'s> {
    ports: Ports,
    secrets: &'s SharedKeyLog,
    /// The output is a report on MQTT.
    is_report: bool,
}

/// Reads a capture and passes its events to `take`, as long as that returns that it wants more; returns notes for the user.
fn read(
    source: impl Read,
    Layers { ports, secrets, is_report }: Layers<'_>,
    mut take: impl FnMut(ConversationEvent<'_>) -> bool,
) -> Result<Vec<String>, ReadError> {
    let mut reader = Reader::new(source);
    let decryptor = TlsDecryptor::new(Box::new(secrets.clone()));
    let mut capture = Capture::new(ports, Some(Box::new(decryptor)));
    let (mut has_mqtt, wants_more) = (false, Cell::new(true));
    let mut emit = |event: ConversationEvent<'_>| {
        has_mqtt |= matches!(event, ConversationEvent::Opened { .. } | ConversationEvent::Datagram { .. });
        wants_more.set(take(event));
    };
    let failure = loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                capture.frame(&frame, &mut emit);
                if !wants_more.get() {
                    return Ok(Vec::new());
                }
                secrets.add(&reader.take_secrets());
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    secrets.add(&reader.take_secrets());
    // Show the packets before the error.
    capture.finish(&mut emit);
    let mut notes: Vec<String> =
        reader.truncation().map(|truncation| truncation.to_string()).into_iter().collect();
    notes.extend(describe(&capture.counts(), has_mqtt));
    if is_report {
        notes.extend(unreported(capture.counts().messages));
    }
    notes.extend(secrets.note());
    failure.map_or(Ok(notes), Err)
}

/// Passes a capture's events to the inspector and the recorder.
struct EventHandler<'r> {
    inspector: Inspector,
    recorder: Option<&'r mut Recorder>,
    viewer: &'r mut Viewer,
}

impl EventHandler<'_> {
    /// Takes an event; returns whether the output still has a reader.
    fn take(&mut self, event: &ConversationEvent<'_>) -> bool {
        if let Some(recorder) = &mut self.recorder {
            recorder.take(event);
        }
        let viewer = &mut *self.viewer;
        self.inspector.take(event, &mut |item| viewer.show(item));
        !viewer.has_failed()
    }

    /// Reads in this thread.
    fn read(self, source: impl Read, layers: Layers<'_>) -> Result<Vec<String>, ReadError> {
        let handler = RefCell::new(self);
        let source = FlushBeforeRead { source, handler: &handler };
        read(source, layers, |event| handler.borrow_mut().take(&event))
    }

    /// Reads in another thread, a few batches of events ahead of this one.
    fn read_in_thread(
        mut self,
        source: File,
        layers: Layers<'_>,
    ) -> Result<Result<Vec<String>, ReadError>, Error> {
        let (full, batches) = channel();
        let (used, empty) = channel();
        (0..BATCHES).for_each(|_| drop(used.send(Batch::default())));
        let sender = BatchSender { batch: Batch::default(), full, empty };
        thread::scope(|scope| {
            let read = move || sender.read(source, layers);
            let reader = thread::Builder::new().name("capture".to_owned()).spawn_scoped(scope, read);
            let reader = reader.map_err(|source| Error::system("start a thread", source))?;
            for mut batch in batches {
                batch.drain(|event| {
                    self.take(event);
                });
                if self.viewer.has_failed() {
                    break;
                }
                let _ = used.send(batch);
            }
            drop(used);
            Ok(reader.join().expect("a panic ends the process"))
        })
    }
}

/// Collects events for the other thread.
struct BatchSender {
    batch: Batch,
    full: Sender<Batch>,
    empty: Receiver<Batch>,
}

impl BatchSender {
    fn read(mut self, source: File, layers: Layers<'_>) -> Result<Vec<String>, ReadError> {
        let notes = read(source, layers, |event| self.take(event));
        self.send();
        notes
    }

    /// Takes an event; returns whether the other thread wants more.
    fn take(&mut self, event: ConversationEvent<'_>) -> bool {
        self.batch.push(event);
        !self.batch.is_full() || self.send()
    }

    fn send(&mut self) -> bool {
        let Ok(empty) = self.empty.recv() else { return false };
        self.full.send(std::mem::replace(&mut self.batch, empty)).is_ok()
    }
}

/// A note on the messages that a report does not cover.
fn unreported(messages: u64) -> Option<String> {
    match messages {
        0 => None,
        1 => Some(
            "1 message of MQTT-SN is not in the report; omit --diagnose and --html to print it".to_owned(),
        ),
        count => Some(format!(
            "{count} messages of MQTT-SN are not in the report; omit --diagnose and --html to print them"
        )),
    }
}

/// A note on frames without TCP and MQTT-SN, if they may explain why nothing is shown.
fn describe(counts: &Counts, has_mqtt: bool) -> Option<String> {
    let skipped_frames = &counts.skipped_frames;
    let is_unsupported = |kind: &Skipped| matches!(kind, Skipped::LinkType(_));
    if has_mqtt && !skipped_frames.kinds().iter().any(|(kind, _)| is_unsupported(kind)) {
        return None;
    }
    match (counts.frames, skipped_frames.total()) {
        (0, _) => Some("the capture holds no frames".to_owned()),
        (_, 0) => None,
        (frames, passed) => {
            Some(format!("{passed} of {frames} frames contain neither TCP nor MQTT-SN: {skipped_frames}"))
        }
    }
}

/// Shows pending output before it waits for more input.
struct FlushBeforeRead<'h, 'r, R> {
    source: R,
    handler: &'h RefCell<EventHandler<'r>>,
}

impl<R: Read> Read for FlushBeforeRead<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.handler.borrow_mut().viewer.write();
        self.source.read(buffer)
    }
}
