//! The state of all streams on one socket: received data, credit for sending, and the frames to send.

use super::frame::{Frame, MAX_CONTENT};
use foldhash::HashMap;
use std::io;
use std::task::{Context, Poll, Waker};

/// The bytes of one stream that may be on their way: sent, but not yet taken by the receiver.
const WINDOW: usize = 32 * 1024;

/// Streams wait to send while this number of bytes waits for the socket.
const MAX_UNSENT: usize = 1024 * 1024;

/// The number in frames that belong to no stream.
const NO_STREAM: u32 = 0;

/// The state of all streams on one socket.
#[derive(Debug, Default)]
pub(super) struct Link {
    streams: HashMap<u32, State>,
    /// Frames for the socket.
    output: Vec<u8>,
    /// Wakes the task that sends the frames.
    sender: Option<Waker>,
    /// The streams that wait until the output is shorter.
    waiting: Vec<Waker>,
    /// The socket is gone.
    is_broken: bool,
    last: u32,
    /// The number of received frames.
    received: u64,
}

/// One stream, as its owner has not yet dropped it.
#[derive(Debug)]
struct State {
    input: Vec<u8>,
    /// The bytes of the input that were taken.
    taken: usize,
    /// The taken bytes that the peer does not know of.
    uncredited: usize,
    /// The number of bytes that may be sent.
    window: usize,
    /// The peer sends no more.
    is_finished: bool,
    /// The peer receives no more.
    is_closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl State {
    fn new() -> State {
        State {
            input: Vec::new(),
            taken: 0,
            uncredited: 0,
            window: WINDOW,
            is_finished: false,
            is_closed: false,
            reader: None,
            writer: None,
        }
    }

    fn wake(&mut self) {
        [self.reader.take(), self.writer.take()].into_iter().flatten().for_each(Waker::wake);
    }
}

impl Link {
    /// Opens a stream for a client with this address, and returns its number.
    pub(super) fn open(&mut self, peer: &str) -> u32 {
        // A number is used once: frames of a closed stream cannot reach another one.
        self.last = self.last.wrapping_add(1);
        self.streams.insert(self.last, State::new());
        self.send(self.last, Frame::Open(peer));
        self.last
    }

    /// Asks the peer for a frame.
    pub(super) fn ping(&mut self) {
        self.send(NO_STREAM, Frame::Ping);
    }

    /// The number of frames received so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// The owner of a stream dropped it.
    pub(super) fn close(&mut self, stream: u32) {
        if self.streams.remove(&stream).is_some() && !self.is_broken {
            self.send(stream, Frame::Close);
        }
    }

    /// The owner of a stream sends no more.
    pub(super) fn finish(&mut self, stream: u32) {
        self.send(stream, Frame::Finish);
    }

    fn send(&mut self, stream: u32, frame: Frame<'_>) {
        frame.append(stream, &mut self.output);
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
    }

    /// The number of bytes that a stream may send, at least 1.
    pub(super) fn poll_room(&mut self, stream: u32, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        let Some(state) = self.streams.get_mut(&stream).filter(|state| !state.is_closed) else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        if self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.window == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if self.output.len() >= MAX_UNSENT {
            self.waiting.push(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(state.window.min(MAX_CONTENT)))
    }

    /// Sends bytes, as many as [`Link::poll_room`] allows.
    pub(super) fn send_bytes(&mut self, stream: u32, bytes: &[u8]) {
        if let Some(state) = self.streams.get_mut(&stream) {
            state.window = state.window.saturating_sub(bytes.len());
            self.send(stream, Frame::Data(bytes));
        }
    }

    /// The received bytes of a stream; none if the peer sends no more.
    pub(super) fn poll_received(&mut self, stream: u32, cx: &Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Some(state) = self.streams.get_mut(&stream) else { return Poll::Ready(Ok(&[])) };
        let is_empty = state.input.is_empty();
        if is_empty && self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if is_empty && !state.is_finished && !state.is_closed {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(state.input.get(state.taken..).unwrap_or_default()))
    }

    /// Takes received bytes away.
    pub(super) fn take(&mut self, stream: u32, count: usize) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        state.taken += count;
        state.uncredited += count;
        if state.taken >= state.input.len() {
            // An idle stream holds no memory.
            (state.input, state.taken) = (Vec::new(), 0);
        }
        if state.uncredited >= WINDOW / 2 {
            let credit = std::mem::take(&mut state.uncredited) as u32;
            self.send(stream, Frame::Credit(credit));
        }
    }

    /// Applies a frame of the peer. Frames of a stream that was closed here have no effect.
    ///
    /// # Errors
    /// If the peer sends more than it may, or a frame that belongs to no stream.
    pub(super) fn apply(&mut self, stream: u32, frame: Frame<'_>) -> io::Result<()> {
        self.received = self.received.wrapping_add(1);
        match frame {
            Frame::Open(_) => {
                return match self.streams.insert(stream, State::new()) {
                    None => Ok(()),
                    Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a stream is opened twice")),
                };
            }
            Frame::Ping => self.send(NO_STREAM, Frame::Pong),
            Frame::Pong | Frame::Data(_) | Frame::Finish | Frame::Close | Frame::Credit(_) => {}
        }
        let Some(state) = self.streams.get_mut(&stream) else { return Ok(()) };
        match frame {
            Frame::Open(_) | Frame::Ping | Frame::Pong => return Ok(()),
            Frame::Data(bytes) => {
                state.input.extend_from_slice(bytes);
                if state.input.len() - state.taken > WINDOW {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "more bytes than the window"));
                }
            }
            Frame::Finish => state.is_finished = true,
            Frame::Close => (state.is_finished, state.is_closed) = (true, true),
            Frame::Credit(count) => state.window = (state.window + count as usize).min(WINDOW),
        }
        state.wake();
        Ok(())
    }

    /// Swaps the frames to send with an empty buffer; the caller is woken when there are some.
    pub(super) fn poll_output(&mut self, buffer: &mut Vec<u8>, cx: &Context<'_>) -> Poll<()> {
        if self.output.is_empty() {
            self.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut self.output, buffer);
        self.waiting.drain(..).for_each(Waker::wake);
        Poll::Ready(())
    }

    /// The socket is gone: all streams end.
    pub(super) fn break_off(&mut self) {
        self.is_broken = true;
        self.streams.values_mut().for_each(State::wake);
        self.waiting.drain(..).for_each(Waker::wake);
    }
}
