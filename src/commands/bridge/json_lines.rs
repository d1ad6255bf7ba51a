//! JSON lines on standard output. A thread writes them, so that a slow or full output delays no message: lines beyond the queue
//! are left out, and after an error the next line is tried.

use crate::commands::log::Log;
use rustix::io::Errno;
use std::io;
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
    /// Starts the thread that writes. `log` gets a line about the first failure, and one when it is over.
    pub(super) fn start(log: Log) -> JsonLines {
        let (lines, waiting) = sync_channel::<Vec<u8>>(WAITING_LINES);
        let (running, end) = channel();
        std::thread::spawn(move || {
            let mut output = Output { log, left_out: 0, is_cut: false };
            waiting.into_iter().for_each(|line| output.write(&line));
            drop(output);
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

/// Standard output, which may be a disk that is full for a while.
struct Output {
    log: Log,
    /// The number of lines that were not written since the last one that was.
    left_out: u64,
    /// Whether only a part of the last line was written.
    is_cut: bool,
}

impl Output {
    fn write(&mut self, line: &[u8]) {
        // A cut line gets its end, so that the next one can be read.
        let result = if self.is_cut { self.write_all(b"\n") } else { Ok(()) };
        match result.and_then(|()| self.write_all(line)) {
            Ok(()) => match std::mem::take(&mut self.left_out) {
                0 => {}
                1 => self.log.say("standard output works again; 1 JSON line is missing"),
                count => {
                    self.log.say(&format!("standard output works again; {count} JSON lines are missing"));
                }
            },
            Err(error) => {
                if self.left_out == 0 {
                    self.log.say(&format!(
                        "cannot write to standard output: {}; JSON lines are left out, messages are forwarded",
                        io::Error::from(error)
                    ));
                }
                self.left_out += 1;
            }
        }
    }

    /// Writes without a buffer, which would keep a line that failed.
    fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            match rustix::io::write(io::stdout(), bytes) {
                Ok(count) => {
                    self.is_cut = count < bytes.len();
                    bytes = bytes.get(count..).unwrap_or_default();
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
