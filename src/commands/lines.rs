//! Lines from standard input or a file, as they arrive, with any content and of any length.
//!
//! A separate thread reads them, since a terminal or file cannot be polled together with sockets. It reads at most a few
//! blocks ahead.

use crate::protocol::MAX_REMAINING_LENGTH;
use std::fs::File;
use std::io::{self, Read};
use tokio::sync::mpsc::{Receiver, Sender, channel};

const BLOCK_SIZE: usize = 64 * 1024;

/// The number of blocks read ahead of the broker.
const BLOCKS_AHEAD: usize = 2;

/// The largest payload that fits into a packet together with its topic is a little under this; a longer line is an error.
const MAX_LINE: usize = MAX_REMAINING_LENGTH;

/// Lines, one after the other.
#[derive(Debug)]
pub(super) struct Lines {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    position: usize,
    /// The start of an incomplete line.
    partial: Vec<u8>,
    /// Whether `partial` was handed out.
    is_partial_taken: bool,
    is_at_end: bool,
}

/// Lines of standard input, which is not read before the first [`StdinLines::next`].
#[derive(Debug)]
pub(super) struct StdinLines(Option<Lines>);

impl StdinLines {
    pub(super) fn new() -> StdinLines {
        StdinLines(None)
    }

    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        match &mut self.0 {
            Some(lines) => lines.next(),
            not_started => not_started.insert(Lines::from_stdin()?).next(),
        }
    }

    /// As [`Lines::wait`]; pending forever before the first [`StdinLines::next`].
    pub(super) async fn wait(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Some(lines) => lines.wait().await,
            None => std::future::pending().await,
        }
    }
}

/// The result of reading a line.
#[derive(Debug)]
pub(super) enum Next<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// No complete line yet; wait with [`Lines::wait`].
    Waiting,
    /// No more lines.
    End,
}

impl Lines {
    /// Starts reading standard input.
    fn from_stdin() -> io::Result<Lines> {
        Lines::of("stdin", |sender| read_blocks(&mut io::stdin().lock(), sender))
    }

    /// Starts reading a file.
    pub(super) fn of_file(mut file: File) -> io::Result<Lines> {
        Lines::of("file", move |sender| read_blocks(&mut file, sender))
    }

    fn of(name: &str, read: impl FnOnce(&Sender<io::Result<Vec<u8>>>) + Send + 'static) -> io::Result<Lines> {
        let (sender, blocks) = channel(BLOCKS_AHEAD);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || read(&sender))?;
        Ok(Lines {
            blocks,
            block: Vec::new(),
            position: 0,
            partial: Vec::new(),
            is_partial_taken: false,
            is_at_end: false,
        })
    }

    /// The next line, if it is complete. The last one need not have a line end.
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        if std::mem::take(&mut self.is_partial_taken) {
            self.partial.clear();
        }
        loop {
            if let Some(length) = self.find_line_end() {
                return Ok(Next::Line(self.take_line(length)));
            }
            self.keep_partial()?;
            if self.is_at_end {
                return Ok(self.take_last_line());
            }
            match self.blocks.try_recv() {
                Ok(block) => self.accept(Some(block))?,
                Err(tokio::sync::mpsc::error::TryRecvError::Empty) => return Ok(Next::Waiting),
                Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => self.accept(None)?,
            }
        }
    }

    /// Whether the line that was handed out last was the last one, and had no end.
    pub(super) fn is_last_without_end(&self) -> bool {
        self.is_at_end && self.is_partial_taken
    }

    /// Waits until there may be another line.
    pub(super) async fn wait(&mut self) -> io::Result<()> {
        if self.is_at_end || self.position < self.block.len() {
            return Ok(());
        }
        let block = self.blocks.recv().await;
        self.accept(block)
    }

    fn accept(&mut self, block: Option<io::Result<Vec<u8>>>) -> io::Result<()> {
        match block.transpose()? {
            Some(block) => {
                self.block = block;
                self.position = 0;
            }
            None => self.is_at_end = true,
        }
        Ok(())
    }

    fn find_line_end(&self) -> Option<usize> {
        memchr::memchr(b'\n', self.block.get(self.position..)?)
    }

    /// Removes the line that ends after `length` bytes.
    fn take_line(&mut self, length: usize) -> &[u8] {
        let start = self.position;
        self.position = start + length + 1;
        let line = self.block.get(start..start + length).unwrap_or_default();
        if self.partial.is_empty() {
            return line;
        }
        self.partial.extend_from_slice(line);
        self.is_partial_taken = true;
        &self.partial
    }

    fn keep_partial(&mut self) -> io::Result<()> {
        let rest = self.block.get(self.position..).unwrap_or_default();
        if self.partial.len() + rest.len() > MAX_LINE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a line exceeds {MAX_LINE} bytes, the maximum of a message"),
            ));
        }
        self.partial.extend_from_slice(rest);
        self.position = self.block.len();
        Ok(())
    }

    fn take_last_line(&mut self) -> Next<'_> {
        if self.partial.is_empty() {
            return Next::End;
        }
        self.is_partial_taken = true;
        Next::Line(&self.partial)
    }
}

/// Reads until the end, a failure, or the receiver is gone.
fn read_blocks(input: &mut impl Read, sender: &Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = vec![0; BLOCK_SIZE];
        let read = match input.read(&mut block) {
            Ok(0) => return,
            Ok(count) => {
                block.truncate(count);
                Ok(block)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if sender.blocking_send(read).is_err() || failed {
            return;
        }
    }
}
