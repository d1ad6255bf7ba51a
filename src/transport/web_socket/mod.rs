//! MQTT over WebSocket: a byte stream in binary frames, on top of any other stream.
//!
//! A write is one frame, and is complete once the stream below accepted all of it. Reads answer pings and the close.

mod frame;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod handshake;

use super::Stream;
use frame::{ControlFrame, Decoder, FrameError, Role, fault_of_close, put_frame};
#[cfg(any(test, fuzzing))]
pub(super) use handshake::answer_to;
pub(crate) use handshake::connect;
pub(crate) use handshake::{Accepted, accept};
pub(crate) use handshake::{Header, Query, Upgrade};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The largest payload of a frame of ours: so that a large send buffer is not copied as a whole.
const MAX_PAYLOAD: usize = 64 * 1024;

/// The code of a close without a fault.
const NORMAL: [u8; 2] = 1000u16.to_be_bytes();

/// A stream in WebSocket frames.
pub(crate) struct WebSocket {
    stream: Stream,
    role: Role,
    decoder: Decoder,
    signals: Vec<ControlFrame>,
    /// Bytes that arrived together with the handshake.
    early: Vec<u8>,
    /// The frame on its way, and how much of it is written.
    output: Vec<u8>,
    written: usize,
    /// How many of the caller's bytes are in that frame.
    taken: usize,
    /// The control frame to send before the next data frame. Only the latest ping is answered (RFC 6455, 5.5.3), so a flood of pings costs
    /// nothing.
    response: Option<(Control, Vec<u8>)>,
    /// Our close was queued or sent: no data may follow it.
    is_closing: bool,
    /// Nothing more is read.
    is_over: bool,
    /// The reason of the end, returned after all earlier bytes were read.
    failure: Option<io::Error>,
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl WebSocket {
    fn new(stream: Stream, role: Role, early: Vec<u8>) -> WebSocket {
        WebSocket {
            stream,
            role,
            decoder: Decoder::new(role),
            signals: Vec::new(),
            early,
            output: Vec::new(),
            written: 0,
            taken: 0,
            response: None,
            is_closing: false,
            is_over: false,
            failure: None,
        }
    }

    /// The stream beneath.
    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Reads available bytes and leaves their payload in the buffer, which may be empty.
    fn poll_payload(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.early.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        } else {
            let count = self.early.len().min(buffer.remaining());
            let early: Vec<u8> = self.early.drain(..count).collect();
            buffer.put_slice(&early);
        }
        let arrived = buffer.filled_mut().get_mut(before..).unwrap_or_default();
        if arrived.is_empty() {
            self.is_over = true;
            return Poll::Ready(Ok(()));
        }
        match self.decoder.decode(arrived, &mut self.signals) {
            Ok(kept) => buffer.set_filled(before + kept),
            Err(error) => {
                buffer.set_filled(before);
                self.refuse(&error);
            }
        }
        for signal in std::mem::take(&mut self.signals) {
            match signal {
                ControlFrame::Ping(payload) if !self.is_closing => {
                    self.response = Some((Control::Pong, payload));
                }
                ControlFrame::Ping(_) => {}
                ControlFrame::Close(payload) => match fault_of_close(&payload) {
                    Some(error) => self.refuse(&error),
                    None => {
                        let failure = describe_close(self.role, &payload).map(io::Error::other);
                        self.end(payload.get(..2).unwrap_or_default().to_vec(), failure);
                    }
                },
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ends the reading after a violation of the protocol.
    fn refuse(&mut self, error: &FrameError) {
        let text = format!("the {} sent {error}", self.role.other());
        let failure = io::Error::new(io::ErrorKind::InvalidData, text);
        self.end(error.close_code().to_be_bytes().to_vec(), Some(failure));
    }

    /// Ends the reading, and queues a close frame.
    fn end(&mut self, payload: Vec<u8>, failure: Option<io::Error>) {
        self.is_over = true;
        self.failure = failure;
        self.close(payload);
    }

    fn close(&mut self, payload: Vec<u8>) {
        if !std::mem::replace(&mut self.is_closing, true) {
            self.response = Some((Control::Close, payload));
        }
    }

    /// Writes the pending frame to the stream below, then the pending control frame.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while let Some(due) = self.output.get(self.written..).filter(|due| !due.is_empty()) {
                match ready!(Pin::new(&mut self.stream).poll_write(cx, due))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    count => self.written += count,
                }
            }
            self.output.clear();
            self.written = 0;
            let Some((opcode, payload)) = self.response.take() else { return Poll::Ready(Ok(())) };
            put_frame(self.role, OpCode::Control(opcode), &payload, &mut self.output);
        }
    }

    /// Sends pending answers as far as possible without waiting. The next write reports a failure.
    fn send_answers(&mut self, cx: &mut Context<'_>) {
        if self.response.is_some() && self.poll_drain(cx).is_ready() {
            let _ = Pin::new(&mut self.stream).poll_flush(cx);
        }
    }
}

impl AsyncRead for WebSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        while !this.is_over && buffer.remaining() > 0 && buffer.filled().len() == before {
            let polled = this.poll_payload(cx, buffer);
            this.send_answers(cx);
            if polled.is_pending() && this.output.is_empty() {
                // Idle connections hold no memory.
                this.output = Vec::new();
            }
            ready!(polled)?;
        }
        match this.failure.take_if(|_| buffer.filled().len() == before) {
            Some(failure) => Poll::Ready(Err(failure)),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for WebSocket {
    /// After `Pending`, the next call must begin with the same bytes: they are already in a frame.
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.taken == 0 {
            ready!(this.poll_drain(cx))?;
            if this.is_closing {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::BrokenPipe,
                    "the WebSocket is closed",
                )));
            }
            let payload = bytes.get(..MAX_PAYLOAD).unwrap_or(bytes);
            if payload.is_empty() {
                return Poll::Ready(Ok(0));
            }
            put_frame(this.role, OpCode::Data(Data::Binary), payload, &mut this.output);
            this.taken = payload.len();
        }
        ready!(this.poll_drain(cx))?;
        Poll::Ready(Ok(std::mem::take(&mut this.taken)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.close(NORMAL.to_vec());
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

/// The reason in a close frame, unless it is the normal end.
fn describe_close(role: Role, payload: &[u8]) -> Option<String> {
    let (code, text) = payload.split_first_chunk()?;
    let code = u16::from_be_bytes(*code);
    if matches!(code, 1000 | 1001) {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    let text = if text.is_empty() { String::new() } else { format!(": {}", text.escape_debug()) };
    Some(format!("the {} closed the WebSocket with code {code}{text}", role.other()))
}
