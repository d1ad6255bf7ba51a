//! A pipe that SIGINT or SIGTERM ends, so that the report on a running capture is not lost.

use super::super::block_on;
use super::super::shutdown::Signals;
use crate::commands::error::{Error, ExitStatus};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

/// The size of a read, and the number of reads in advance.
const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 4;

/// The exit status for the signal that ended the input.
pub(super) type Interruption = Arc<OnceLock<ExitStatus>>;

type Chunk = io::Result<Vec<u8>>;

/// Reads in a thread of its own. An empty chunk is the end.
pub(super) struct InterruptibleInput {
    chunks: Receiver<Chunk>,
    chunk: Vec<u8>,
    position: usize,
    has_ended: bool,
    interruption: Interruption,
    /// The number of chunks to read after a signal: those that had been read in advance.
    rest: usize,
}

impl InterruptibleInput {
    /// Starts reading. A signal ends the input; a second one ends the process.
    pub(super) fn start(
        source: impl Read + Send + 'static,
        interruption: &Interruption,
    ) -> Result<InterruptibleInput, Error> {
        let failed = |source| Error::system("start a thread", source);
        let (sender, chunks) = sync_channel(CHUNKS);
        let (ready, is_ready) = channel();
        let (end, interruption) = (sender.clone(), Arc::clone(interruption));
        let caught = Arc::clone(&interruption);
        let watch = move || {
            let result: Result<(), Error> = block_on(async {
                let mut signals = Signals::catch()?;
                let _ = ready.send(());
                let _ = caught.set(signals.next().await);
                // If the channel is full, the receiver is not waiting for a chunk.
                let _ = end.try_send(Ok(Vec::new()));
                std::process::exit(signals.second().await.0.into());
            });
            drop(result);
        };
        Builder::new().name("signals".to_owned()).spawn(watch).map_err(failed)?;
        let _ = is_ready.recv();
        Builder::new().name("input".to_owned()).spawn(move || read(source, &sender)).map_err(failed)?;
        let chunk = Vec::new();
        Ok(InterruptibleInput { chunks, chunk, position: 0, has_ended: false, interruption, rest: CHUNKS })
    }

    /// The next chunk; an empty one at the end.
    fn next_chunk(&mut self) -> Chunk {
        if self.interruption.get().is_none() {
            return self.chunks.recv().unwrap_or_else(|_| Ok(Vec::new()));
        }
        let is_over = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        self.chunks.try_recv().ok().filter(|_| !is_over).unwrap_or_else(|| Ok(Vec::new()))
    }
}

fn read(mut source: impl Read, sender: &SyncSender<Chunk>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let result = match source.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result,
        };
        let is_last = !matches!(result, Ok(1..));
        let result = result.map(|length| {
            chunk.truncate(length);
            chunk
        });
        if sender.send(result).is_err() || is_last {
            return;
        }
    }
}

impl Read for InterruptibleInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.chunk.len() && !self.has_ended {
            self.chunk = self.next_chunk()?;
            self.position = 0;
            self.has_ended = self.chunk.is_empty();
        }
        let mut rest = self.chunk.get(self.position..).unwrap_or_default();
        let length = rest.read(buffer)?;
        self.position += length;
        Ok(length)
    }
}
