//! The log of a service on standard error. Writing never blocks: lines beyond the queue are counted.

use super::Messages;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::time::Duration;

/// The maximum of lines queued for a slow reader. Further ones are left out.
const WAITING_LINES: usize = 1000;

/// The longest line in characters.
const LONGEST_LINE: usize = 1000;

/// The longest part of a client identifier, user name or topic that is shown, in characters.
const LONGEST_SHOWN: usize = 100;

/// The timeout for writing the last lines.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// Takes lines from any thread.
#[derive(Debug, Clone)]
pub(super) struct Log {
    lines: SyncSender<String>,
    left_out: Arc<AtomicU64>,
}

/// The end of a log, to wait for its last line.
#[derive(Debug)]
pub(super) struct LogEnd(Receiver<()>);

impl Log {
    /// Starts the thread that writes.
    pub(super) fn start(messages: Messages) -> (Log, LogEnd) {
        let (lines, waiting) = sync_channel(WAITING_LINES);
        let (running, end) = channel();
        let log = Log { lines, left_out: Arc::default() };
        let left_out = Arc::clone(&log.left_out);
        std::thread::spawn(move || {
            write_all(&waiting, &left_out, messages);
            drop::<std::sync::mpsc::Sender<()>>(running);
        });
        (log, LogEnd(end))
    }

    /// Queues a line, or counts it if the queue is full.
    pub(super) fn say(&self, line: &str) {
        let line = match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
            None => line.to_owned(),
        };
        if self.lines.try_send(line).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl LogEnd {
    /// Waits until all lines are written, unless their reader is gone. Every [`Log`] must be dropped before.
    pub(super) fn wait(self) {
        match self.0.recv_timeout(CLOSING_TIME) {
            Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {}
        }
    }
}

/// A text of a client in quotes, without its end if it is long.
pub(super) fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(LONGEST_SHOWN).collect::<String>())
}

fn write_all(lines: &Receiver<String>, left_out: &AtomicU64, messages: Messages) {
    for line in lines {
        messages.say(&line);
        match left_out.swap(0, Ordering::Relaxed) {
            0 => {}
            1 => messages.say("left out 1 line of this log: standard error was not read in time"),
            count => {
                messages
                    .say(&format!("left out {count} lines of this log: standard error was not read in time"));
            }
        }
    }
}
