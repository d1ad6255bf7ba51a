//! TLS as a server, for clients of the proxy.

use super::Identity;
use super::error::explain_client;
use crate::transport::Stream;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;

/// Presents one certificate, and requests none from clients.
#[derive(Clone)]
pub(crate) struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Shows this certificate.
    pub(crate) fn new(identity: &Identity) -> Acceptor {
        let certified = SingleCertAndKey::from((*identity.key).clone());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("ring has suites for both")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certified));
        Acceptor(TlsAcceptor::from(Arc::new(config)))
    }

    /// Performs the handshake with a client.
    ///
    /// # Errors
    /// The reason of the failure.
    pub(crate) async fn accept(&self, stream: Stream) -> io::Result<Stream> {
        let Acceptor(acceptor) = self;
        let stream = acceptor.accept(stream).await.map_err(explain_client)?;
        Ok(Stream::TlsServer(Box::new(ServerStream(stream))))
    }
}

/// The server's end of a TLS stream.
#[derive(Debug)]
pub(crate) struct ServerStream(tokio_rustls::server::TlsStream<Stream>);

impl ServerStream {
    /// The stream beneath.
    pub(crate) fn carrier(&self) -> &Stream {
        self.0.get_ref().0
    }
}

impl AsyncRead for ServerStream {
    /// Many clients close the TCP connection without a close_notify of TLS; MQTT's own lengths show where its packets end.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.get_mut().0).poll_read(cx, buffer));
        Poll::Ready(match result {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            result => result.map_err(explain_client),
        })
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
