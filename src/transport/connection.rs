//! A stream with a receive and a send buffer, so that packets are cut from one and appended to the other.
//!
//! All that is due goes out in one write, and whatever the socket holds comes in with one read. An idle connection holds
//! no buffer memory: bytes are read to the stack first, and empty buffers are freed before waiting.

use super::{Stream, Tls};
use crate::protocol::sn::client::Rejections;
use std::fmt::Debug;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

/// The most bytes that one read takes.
const READ_SIZE: usize = 64 * 1024;

/// Sent bytes are cut off the front of a send buffer that never empties once there are this many.
const COMPACT_SIZE: usize = 256 * 1024;

/// An observer of the bytes of a connection, above TLS and WebSocket. It is dropped with the connection.
pub(crate) trait Tap: Debug {
    /// Bytes were sent.
    fn sent(&mut self, bytes: &[u8]);

    /// Bytes were received.
    fn received(&mut self, bytes: &[u8]);
}

/// A stream and its two buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    tap: Option<Box<dyn Tap>>,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    /// Whether the stream, such as TLS, buffers bytes that the kernel does not have yet.
    is_flushing: bool,
    /// A failed write, reported after the bytes that remain to be read: they may contain the reason.
    write_error: Option<io::Error>,
}

/// The result of [`Connection::progress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that were added to the input.
    pub received: usize,
    /// Bytes of the output that the kernel took.
    pub sent: usize,
    /// The peer sends no more.
    pub is_closed: bool,
}

impl Connection {
    /// A connection with empty buffers.
    pub(crate) fn new(stream: Stream) -> Connection {
        Connection::watched(stream, None)
    }

    /// A connection with empty buffers and an observer.
    pub(crate) fn watched(stream: Stream, tap: Option<Box<dyn Tap>>) -> Connection {
        let (input, output) = (Vec::new(), Vec::new());
        Connection { stream, tap, input, output, written: 0, is_flushing: false, write_error: None }
    }

    /// The received bytes that were not consumed, and the buffer to append packets to.
    pub(crate) fn buffers(&mut self) -> (&[u8], &mut Vec<u8>) {
        (&self.input, &mut self.output)
    }

    /// The buffer to append packets to; they go out with the next [`Connection::progress`].
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// The number of unsent bytes.
    pub(crate) fn unsent(&self) -> usize {
        self.output.len() - self.written
    }

    /// The TLS settings with which the next connection resumes the session; `None` if it cannot.
    pub(crate) fn resumable_tls(&self) -> Option<Tls> {
        self.stream.resumable_tls()
    }

    /// Takes the messages of QoS 0 that an MQTT-SN gateway rejected since the last call.
    pub(crate) fn take_rejections(&mut self) -> Option<Rejections> {
        self.stream.take_rejections()
    }

    /// Whether the kernel has accepted all output.
    pub(crate) fn is_flushed(&self) -> bool {
        self.unsent() == 0 && !self.is_flushing
    }

    /// Drops the first `count` received bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        if count >= self.input.len() {
            self.input.clear();
        } else {
            self.input.drain(..count);
        }
    }

    /// Takes out the first `count` received bytes.
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        if count >= self.input.len() {
            return std::mem::take(&mut self.input);
        }
        let rest = self.input.split_off(count);
        std::mem::replace(&mut self.input, rest)
    }

    /// The number of received bytes that were not consumed.
    pub(crate) fn unread(&self) -> usize {
        self.input.len()
    }

    /// How many bytes both buffers hold, and the layers of the stream. They may have room for more, which takes no memory until it is
    /// used.
    pub(crate) fn buffered(&self) -> usize {
        self.input.len() + self.output.len() + self.stream.overhead()
    }

    /// Writes the send buffer and, if `wants_input`, reads available bytes; returns when either made progress.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// If the connection broke. Bytes that arrived before are returned first.
    pub(crate) async fn progress(&mut self, wants_input: bool) -> io::Result<Progress> {
        poll_fn(|cx| self.poll_progress(cx, wants_input)).await
    }

    /// Acknowledges the received bytes on the TCP level now.
    pub(crate) fn acknowledge_now(&self) {
        self.stream.acknowledge_now();
    }

    /// Writes all that is due.
    ///
    /// # Errors
    /// If the connection broke.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        while self.unsent() > 0 {
            self.progress(false).await?;
        }
        // TLS takes bytes before the kernel does.
        poll_fn(|cx| Pin::new(&mut self.stream).poll_flush(cx)).await
    }

    /// Writes the send buffer, then waits for the peer to close, as a server does after DISCONNECT; at most `close_timeout` for each step.
    ///
    /// Closing first with unread bytes would reset the connection and could lose the last packets, and would keep the local port busy for
    /// a minute. Errors are ignored. Returns whether it has ended in time.
    pub(crate) async fn finish(&mut self, close_timeout: Duration) -> bool {
        match timeout(close_timeout, self.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return true,
            Err(_) => return false,
        }
        let is_closed = async {
            while let Ok(Progress { is_closed: false, .. }) = self.progress(true).await {
                self.input.clear();
            }
        };
        timeout(close_timeout, is_closed).await.is_ok()
    }

    /// Closes the sending direction.
    ///
    /// # Errors
    /// If the connection broke.
    pub(crate) async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await
    }

    fn poll_progress(&mut self, cx: &mut Context<'_>, wants_input: bool) -> Poll<io::Result<Progress>> {
        let was_flushing = self.is_flushing;
        let sent = if self.write_error.is_none() { self.poll_write(cx) } else { 0 };
        let mut progress = Progress { received: 0, sent, is_closed: false };
        if wants_input || self.write_error.is_some() {
            match self.poll_read(cx) {
                Poll::Ready(Ok(0)) => progress.is_closed = true,
                Poll::Ready(Ok(received)) => progress.received = received,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        if progress.received > 0 {
            return Poll::Ready(Ok(progress));
        }
        if let Some(error) = self.write_error.take() {
            return Poll::Ready(Err(error));
        }
        let is_flushed = was_flushing && !self.is_flushing;
        if progress.sent > 0 || progress.is_closed || is_flushed {
            return Poll::Ready(Ok(progress));
        }
        self.release_memory();
        Poll::Pending
    }

    /// Hands as much output to the kernel as it takes.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> usize {
        let before = self.written;
        while let Some(due) = self.output.get(self.written..).filter(|due| !due.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, due) {
                Poll::Ready(Ok(0)) => self.write_error = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    if let Some(tap) = &mut self.tap {
                        tap.sent(due.get(..count).unwrap_or(due));
                    }
                    self.written += count;
                    continue;
                }
                Poll::Ready(Err(error)) => self.write_error = Some(error),
                Poll::Pending => {}
            }
            break;
        }
        let sent = self.written - before;
        if self.written == self.output.len() {
            self.output.clear();
            self.written = 0;
            let flushed = Pin::new(&mut self.stream).poll_flush(cx);
            self.is_flushing = flushed.is_pending();
            if let Poll::Ready(Err(error)) = flushed {
                self.write_error = Some(error);
            }
        } else if is_compacted(self.written, self.unsent()) {
            self.output.drain(..self.written);
            self.written = 0;
        }
        sent
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let received = buffer.filled();
        if let Some(tap) = &mut self.tap
            && !received.is_empty()
        {
            tap.received(received);
        }
        self.input.extend_from_slice(received);
        Poll::Ready(Ok(received.len()))
    }

    fn release_memory(&mut self) {
        release(&mut self.input);
        release(&mut self.output);
    }
}

/// Whether the sent bytes are cut off the front of a send buffer: there are many, and no more have to be moved than are cut off. The
/// rest of a packet of 256 MB would be moved a thousand times otherwise.
fn is_compacted(written: usize, unsent: usize) -> bool {
    written >= COMPACT_SIZE && written >= unsent
}

/// Frees the memory of a large packet, even if the beginning of the next one has arrived.
fn release(buffer: &mut Vec<u8>) {
    if buffer.is_empty() {
        *buffer = Vec::new();
    } else if buffer.capacity() > 4 * READ_SIZE && buffer.len() < buffer.capacity() / 4 {
        buffer.shrink_to(2 * buffer.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_packet_is_moved_no_more_than_once() {
        let size = 256 << 20;
        let (mut written, mut unsent, mut moved) = (0, size, 0);
        while unsent > 0 {
            (written, unsent) = (written + READ_SIZE, unsent - READ_SIZE);
            if is_compacted(written, unsent) {
                (moved, written) = (moved + unsent, 0);
            }
        }
        assert!(moved <= size, "{moved} bytes moved");
    }

    #[test]
    fn a_buffer_that_never_empties_stays_small() {
        let (mut written, mut longest) = (0, 0);
        for _ in 0..1000 {
            written += READ_SIZE;
            longest = longest.max(written + READ_SIZE);
            if is_compacted(written, READ_SIZE) {
                written = 0;
            }
        }
        assert!(longest <= COMPACT_SIZE + 2 * READ_SIZE, "{longest} bytes");
    }
}
