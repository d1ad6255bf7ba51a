//! The only writer to standard output while messages arrive: it collects them in a buffer and writes them in one piece.
//!
//! A reader that stops reading must not block the program, which has a connection to keep alive. Standard output is shared
//! with other programs and so must not be made non-blocking; instead nothing is written unless it fits.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use std::fs::File;
use std::future::pending;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The number of bytes that a writable pipe accepts at once on every system (PIPE_BUF on Linux; terminals and sockets accept
/// more).
const FITS: usize = 4096;

/// A buffer in front of standard output.
#[derive(Debug)]
pub(crate) struct Sink {
    buffer: Vec<u8>,
    written: usize,
    output: Output,
    is_terminal: bool,
}

#[derive(Debug)]
enum Output {
    /// A file, which never blocks for long and cannot be polled.
    File(File),
    /// A pipe, a terminal or a socket.
    Stream { file: AsyncFd<File>, is_pipe: bool },
}

impl Sink {
    /// Opens standard output, bypassing the standard library's line buffer. Call it inside the runtime.
    ///
    /// # Errors
    /// If standard output is closed.
    pub(crate) fn stdout() -> io::Result<Sink> {
        let descriptor = io::stdout().as_fd().try_clone_to_owned()?;
        let is_terminal = descriptor.is_terminal();
        let output = Output::new(File::from(descriptor))?;
        Ok(Sink { buffer: Vec::new(), written: 0, output, is_terminal })
    }

    /// The buffer to append to.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes the buffer as far as possible without blocking; returns whether all of it was written.
    ///
    /// # Errors
    /// If standard output is closed or broken.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while let Some(due) = self.buffer.get(self.written..).filter(|due| !due.is_empty()) {
            match self.output.write(due) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => {
                    self.clear();
                    return Err(error);
                }
            }
        }
        self.clear();
        Ok(true)
    }

    /// Writes the buffer, waiting for a slow reader.
    ///
    /// # Errors
    /// If standard output is closed or broken.
    pub(crate) async fn drain(&mut self) -> io::Result<()> {
        while !self.flush()? {
            self.writable().await;
        }
        Ok(())
    }

    /// Whether standard output is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether something was appended and not yet written.
    pub(crate) fn has_unwritten(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Waits until [`Sink::flush`] can write something.
    pub(crate) async fn writable(&mut self) {
        if let Output::Stream { file, .. } = &self.output {
            // Readiness is edge-triggered: clear it, then check once more.
            if let Ok(mut ready) = file.writable().await {
                ready.clear_ready();
            }
            if !is_writable(file.get_ref()) {
                let _ = file.writable().await;
            }
        }
    }

    /// Waits until standard output has no reader, which only a pipe can detect.
    pub(crate) async fn closed(&self) {
        match &self.output {
            Output::Stream { file, is_pipe: true } => {
                let _ = file.ready(Interest::ERROR).await;
            }
            Output::Stream { .. } | Output::File(_) => pending().await,
        }
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.written = 0;
    }
}

impl Output {
    fn new(file: File) -> io::Result<Output> {
        let is_pipe = fstat(&file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        let copy = file.try_clone()?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for types that change their descriptor; a File does not"
        )]
        Ok(match AsyncFd::with_interest(copy, Interest::WRITABLE | Interest::ERROR) {
            Ok(stream) => Output::Stream { file: stream, is_pipe },
            Err(_) => Output::File(file),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::File(file) => file.write(bytes),
            Output::Stream { file, .. } => {
                let mut file = file.get_ref();
                if !is_writable(file) {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                file.write(bytes.get(..FITS).unwrap_or(bytes))
            }
        }
    }
}

fn is_writable(file: &File) -> bool {
    let mut descriptors = [PollFd::new(file, PollFlags::OUT)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    // A pipe without readers is ready as well: the write then fails.
    poll(&mut descriptors, Some(&now)).is_ok_and(|ready| ready > 0)
}
