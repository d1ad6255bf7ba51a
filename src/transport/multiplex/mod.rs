//! Many byte streams over one socket, between processes of this program.
//!
//! A stream has its own flow control, so that a slow one does not stop the others: its sender has a window, and the receiver extends it
//! as bytes are taken. `frame` is the format, `link` the state of all streams, [`Channel`] one stream.

mod frame;
mod link;
#[cfg(test)]
mod tests;

use frame::Frame;
use link::Link;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// The most bytes that one read of the socket takes.
const READ_SIZE: usize = 256 * 1024;

/// A frame that is not complete yet needs this room in the buffer.
const LARGEST_FRAME: usize = frame::MAX_CONTENT + 8;

/// One end of the socket. One of the two ends opens the streams. All clones are the same end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Multiplexer {
    link: Arc<Mutex<Link>>,
}

/// One byte stream. Its drop closes it.
#[derive(Debug)]
pub(crate) struct Channel {
    link: Arc<Mutex<Link>>,
    stream: u32,
}

impl Multiplexer {
    /// Opens a stream for a client with this address.
    pub(crate) fn open(&self, peer: &str) -> Channel {
        let stream = lock(&self.link).open(peer);
        Channel { link: Arc::clone(&self.link), stream }
    }

    /// Asks the other end for a sign of life.
    pub(crate) fn ping(&self) {
        lock(&self.link).ping();
    }

    /// The number of frames that the other end sent so far.
    pub(crate) fn received(&self) -> u64 {
        lock(&self.link).received()
    }

    /// Carries the bytes of all streams until the socket is closed, and calls `accept` for each that the peer opens, with the address of
    /// its client.
    ///
    /// # Errors
    /// If the socket fails, or the peer sends anything but valid frames. All streams are broken then, as after the end.
    pub(crate) async fn run(
        &self,
        mut socket: UnixStream,
        mut accept: impl FnMut(Channel, &str),
    ) -> io::Result<()> {
        let mut carrier =
            Carrier { input: vec![0; READ_SIZE + LARGEST_FRAME], filled: 0, output: Vec::new(), sent: 0 };
        let result = poll_fn(|cx| {
            if let Err(error) = carrier.poll_send(&mut socket, &self.link, cx) {
                return Poll::Ready(Err(error));
            }
            let received = carrier.poll_receive(&mut socket, &self.link, cx, &mut accept);
            // Received frames may have caused frames to send.
            match carrier.poll_send(&mut socket, &self.link, cx) {
                Ok(()) => received,
                Err(error) => Poll::Ready(Err(error)),
            }
        })
        .await;
        lock(&self.link).break_off();
        result
    }
}

/// The buffers of the socket.
struct Carrier {
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
    sent: usize,
}

impl Carrier {
    fn poll_send(
        &mut self,
        socket: &mut UnixStream,
        link: &Mutex<Link>,
        cx: &mut Context<'_>,
    ) -> io::Result<()> {
        loop {
            if self.sent >= self.output.len() {
                self.output.clear();
                self.sent = 0;
                if lock(link).poll_output(&mut self.output, cx).is_pending() {
                    return Ok(());
                }
            }
            let due = self.output.get(self.sent..).unwrap_or_default();
            match Pin::new(&mut *socket).poll_write(cx, due) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => self.sent += count,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Ready at the end of the socket.
    fn poll_receive(
        &mut self,
        socket: &mut UnixStream,
        link: &Arc<Mutex<Link>>,
        cx: &mut Context<'_>,
        accept: &mut impl FnMut(Channel, &str),
    ) -> Poll<io::Result<()>> {
        loop {
            let mut room = ReadBuf::new(self.input.get_mut(self.filled..).unwrap_or_default());
            ready!(Pin::new(&mut *socket).poll_read(cx, &mut room))?;
            let received = room.filled().len();
            if received == 0 {
                return Poll::Ready(Ok(()));
            }
            self.filled += received;
            self.apply(link, accept)?;
        }
    }

    /// Applies all complete frames, and keeps the incomplete one.
    fn apply(&mut self, link: &Arc<Mutex<Link>>, accept: &mut impl FnMut(Channel, &str)) -> io::Result<()> {
        let mut start = 0;
        while let Some((stream, frame, size)) =
            Frame::cut(self.input.get(start..self.filled).unwrap_or_default())?
        {
            lock(link).apply(stream, frame)?;
            if let Frame::Open(peer) = frame {
                accept(Channel { link: Arc::clone(link), stream }, peer);
            }
            start += size;
        }
        self.input.copy_within(start..self.filled, 0);
        self.filled -= start;
        Ok(())
    }
}

impl Channel {
    /// Copies bytes in both directions between this stream and another one, until both directions end or one fails.
    pub(crate) async fn join<S: AsyncRead + AsyncWrite + Unpin>(self, mut other: S) -> io::Result<()> {
        let (mut is_sending, mut is_receiving) = (true, true);
        poll_fn(|cx| {
            while is_sending && self.poll_take_from(&mut other, cx, &mut is_sending)?.is_ready() {}
            while is_receiving && self.poll_give_to(&mut other, cx, &mut is_receiving)?.is_ready() {}
            if is_sending || is_receiving { Poll::Pending } else { Poll::Ready(Ok(())) }
        })
        .await
    }

    /// Sends bytes that another stream receives. Nothing is read that cannot be sent.
    fn poll_take_from(
        &self,
        other: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
        is_sending: &mut bool,
    ) -> io::Result<Poll<()>> {
        let room = match lock(&self.link).poll_room(self.stream, cx) {
            Poll::Ready(Ok(room)) => room,
            Poll::Ready(Err(_)) => {
                // The peer receives no more; the bytes that it sent before are still due.
                *is_sending = false;
                return Ok(Poll::Pending);
            }
            Poll::Pending => return Ok(Poll::Pending),
        };
        let mut bytes = [MaybeUninit::uninit(); frame::MAX_CONTENT];
        let mut buffer = ReadBuf::uninit(bytes.get_mut(..room).unwrap_or_default());
        match Pin::new(other).poll_read(cx, &mut buffer) {
            Poll::Ready(result) => result?,
            Poll::Pending => return Ok(Poll::Pending),
        }
        let mut link = lock(&self.link);
        match buffer.filled() {
            [] => {
                *is_sending = false;
                link.finish(self.stream);
            }
            bytes => link.send_bytes(self.stream, bytes),
        }
        Ok(Poll::Ready(()))
    }

    /// Writes received bytes to another stream.
    fn poll_give_to(
        &self,
        other: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        is_receiving: &mut bool,
    ) -> io::Result<Poll<()>> {
        let mut other = Pin::new(other);
        let mut link = lock(&self.link);
        let bytes = match link.poll_received(self.stream, cx) {
            Poll::Ready(bytes) => bytes?,
            Poll::Pending => return Ok(Poll::Pending),
        };
        if bytes.is_empty() {
            let is_closed = other.as_mut().poll_shutdown(cx)?;
            *is_receiving = is_closed.is_pending();
            return Ok(is_closed);
        }
        let written = other.as_mut().poll_write(cx, bytes)?;
        if let Poll::Ready(count) = written {
            link.take(self.stream, count);
        }
        Ok(written.map(drop))
    }
}

impl AsyncRead for Channel {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut link = lock(&self.link);
        let received = ready!(link.poll_received(self.stream, cx))?;
        let count = received.len().min(buffer.remaining());
        buffer.put_slice(received.get(..count).unwrap_or_default());
        link.take(self.stream, count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Channel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut link = lock(&self.link);
        let room = ready!(link.poll_room(self.stream, cx))?;
        let bytes = bytes.get(..room).unwrap_or(bytes);
        if !bytes.is_empty() {
            link.send_bytes(self.stream, bytes);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.link).finish(self.stream);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        lock(&self.link).close(self.stream);
    }
}

/// No code panics while it holds the lock, and a panic ends the program.
fn lock(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}
