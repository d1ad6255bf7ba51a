//! A TLS stream that explains its failures.

use super::{Certificates, Negotiated, NegotiatedAlgorithms, Tls};
use crate::transport::Stream;
use rustls::SignatureScheme;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream inside TLS.
#[derive(Debug)]
pub(crate) struct TlsStream {
    stream: tokio_rustls::client::TlsStream<Stream>,
    tls: Certificates,
    /// The scheme of the server's signature.
    signature: Option<SignatureScheme>,
    has_received: bool,
}

impl TlsStream {
    pub(super) fn new(
        stream: tokio_rustls::client::TlsStream<Stream>,
        tls: Certificates,
        signature: Option<SignatureScheme>,
    ) -> TlsStream {
        TlsStream { stream, tls, signature, has_received: false }
    }

    /// The stream beneath.
    pub(crate) fn carrier(&self) -> &Stream {
        self.stream.get_ref().0
    }

    /// The settings of the connection with its session, for the next one; `None` if sessions are not resumed.
    pub(crate) fn resumable(&self) -> Option<Tls> {
        self.tls.resumes.then(|| Tls::Certificates(self.tls.clone()))
    }

    /// The parameters negotiated with the server.
    pub(crate) fn agreement(&self) -> Negotiated {
        Negotiated::of(self.stream.get_ref().1, self.signature)
    }

    /// The algorithms negotiated with the server.
    pub(crate) fn algorithms(&self) -> NegotiatedAlgorithms {
        NegotiatedAlgorithms::of(self.stream.get_ref().1, self.signature)
    }

    fn explained<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let explain =
            |error| self.tls.with_circumstances(|known| known.explain_later(error, self.has_received));
        result.map_err(explain)
    }

    /// The end of the stream. Many servers close the TCP connection without a close_notify of TLS; MQTT's own lengths show where
    /// its packets end.
    fn end(&self) -> io::Result<()> {
        self.tls.with_circumstances(|known| match !self.has_received && known.lacks_certificate() {
            true => Err(io::Error::new(io::ErrorKind::UnexpectedEof, known.certificate_wanted())),
            false => Ok(()),
        })
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = ready!(Pin::new(&mut this.stream).poll_read(cx, buffer));
        Poll::Ready(match result {
            Ok(()) if buffer.filled().len() > before => {
                this.has_received = true;
                Ok(())
            }
            Ok(()) => this.end(),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => this.end(),
            Err(error) => this.explained(Err(error)),
        })
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
        Poll::Ready(this.explained(result))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, slices));
        Poll::Ready(this.explained(result))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.stream).poll_flush(cx));
        Poll::Ready(this.explained(result))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.stream).poll_shutdown(cx));
        Poll::Ready(this.explained(result))
    }
}
