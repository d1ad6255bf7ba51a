//! A capture, from a file or a pipe.

use super::interruptible::{InterruptibleInput, Interruption};
use super::key_log::SharedKeyLog;
use super::viewer::Viewer;
use super::write::Recorder;
use crate::commands::error::Error;
use crate::inspect::Inspector;
use crate::inspect::capture::conversation::{ConversationEvent, Ports};
use crate::inspect::capture::decrypt::TlsDecryptor;
use crate::inspect::capture::reader::{ReadError, Reader, secrets_of};
use crate::inspect::capture::skipped::Skipped;
use crate::inspect::capture::{Capture, Counts};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The path of standard input.
const STDIN: &str = "-";

/// The capture and the means to read it.
pub(super) struct Source<'s> {
    /// Standard input if there is none.
    pub(super) file: Option<&'s Path>,
    pub(super) ports: Ports,
    pub(super) secrets: &'s SharedKeyLog,
}

/// Reads a capture to its end, or to a signal if there is an `interruption` to set; returns notes for the user.
pub(super) fn run(
    Source { file, ports, secrets }: Source<'_>,
    inspector: Inspector,
    viewer: &mut Viewer,
    recorder: Option<&mut Recorder>,
    interruption: Option<&Interruption>,
) -> Result<Vec<String>, Error> {
    let path = file.filter(|path| path.as_os_str() != STDIN);
    let source: Box<dyn Read> = match path {
        None => match interruption {
            Some(interruption) => Box::new(InterruptibleInput::start(io::stdin(), interruption)?),
            None => Box::new(io::stdin().lock()),
        },
        Some(path) => {
            let failed = |source| Error::file(path, source);
            let mut file = File::open(path).map_err(failed)?;
            // In a pipe, secrets written after the packets come too late.
            if file.metadata().map_err(failed)?.is_file() {
                secrets.add(&secrets_of(&mut file).map_err(failed)?);
            }
            Box::new(file)
        }
    };
    let viewer = RefCell::new(viewer);
    let reader = Reader::new(FlushBeforeRead { source, viewer: &viewer });
    let name = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let decryptor = TlsDecryptor::new(Box::new(secrets.clone()));
    let capture = Capture::new(ports, Some(Box::new(decryptor)));
    let handler = EventHandler { inspector, recorder, has_mqtt: false, is_report: interruption.is_some() };
    read(reader, secrets, capture, handler, &viewer)
        .map_err(|problem| Error::Capture { name, problem: problem.to_string() })
}

fn read(
    mut reader: Reader<impl Read>,
    secrets: &SharedKeyLog,
    mut capture: Capture,
    mut handler: EventHandler<'_>,
    viewer: &RefCell<&mut Viewer>,
) -> Result<Vec<String>, ReadError> {
    let failure = loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                let mut viewer = viewer.borrow_mut();
                capture.frame(&frame, &mut |event| handler.take(&event, &mut viewer));
                if viewer.has_failed() {
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
    let mut viewer = viewer.borrow_mut();
    capture.finish(&mut |event| handler.take(&event, &mut viewer));
    let mut notes: Vec<String> =
        reader.truncation().map(|truncation| truncation.to_string()).into_iter().collect();
    notes.extend(describe(&capture.counts(), handler.has_mqtt));
    if handler.is_report {
        notes.extend(unreported(capture.counts().messages));
    }
    notes.extend(secrets.note());
    failure.map_or(Ok(notes), Err)
}

/// Passes a capture's events to the inspector and the recorder.
struct EventHandler<'r> {
    inspector: Inspector,
    recorder: Option<&'r mut Recorder>,
    has_mqtt: bool,
    /// The output is a report on MQTT.
    is_report: bool,
}

impl EventHandler<'_> {
    fn take(&mut self, event: &ConversationEvent<'_>, viewer: &mut Viewer) {
        if let Some(recorder) = &mut self.recorder {
            recorder.take(event);
        }
        self.has_mqtt |=
            matches!(event, ConversationEvent::Opened { .. } | ConversationEvent::Datagram { .. });
        self.inspector.take(event, &mut |item| viewer.show(item));
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
struct FlushBeforeRead<'v, 'w, R> {
    source: R,
    viewer: &'v RefCell<&'w mut Viewer>,
}

impl<R: Read> Read for FlushBeforeRead<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.viewer.borrow_mut().write();
        self.source.read(buffer)
    }
}
