//! JSON lines on standard output. A thread writes them, so that a slow or full output delays no message: lines beyond the queue
//! are left out, and after an error the next line is tried.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The maximum of waiting lines.
const WAITING_LINES: usize = 1000;

/// The timeout for writing the last lines.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// Takes lines from any thread.
#[derive(Debug, Clone)]
pub(super) struct JsonLines {
    lines: SyncSender<Vec<u8>>,
    end: Arc<Mutex<Receiver<()>>>,
}

impl JsonLines {
    /// Starts the thread that writes.
    pub(super) fn start() -> JsonLines {
        let (lines, waiting) = sync_channel::<Vec<u8>>(WAITING_LINES);
        let (running, end) = channel();
        std::thread::spawn(move || {
            for line in waiting {
                let mut output = io::stdout().lock();
                // A disk can be full for a while.
                let _ = output.write_all(&line).and_then(|()| output.flush());
            }
            drop::<std::sync::mpsc::Sender<()>>(running);
        });
        JsonLines { lines, end: Arc::new(Mutex::new(end)) }
    }

    /// Queues a line.
    pub(super) fn print(&self, line: &[u8]) {
        let _ = self.lines.try_send(line.to_vec());
    }

    /// Waits for the last line. All clones must be dropped before.
    pub(super) fn finish(self) {
        let JsonLines { lines, end } = self;
        drop(lines);
        let _ = end.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(CLOSING_TIME);
    }
}
