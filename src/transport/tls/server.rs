//! TLS as a server, for clients of the proxy and of the embedded broker.

use super::error::explain_client;
use super::roots::{Roots, RootsError};
use super::{ChainValidity, Identity, VERSIONS};
use crate::protocol::Connect;
use crate::transport::Stream;
use rustls::crypto::ring;
use rustls::server::{NoServerSessionStorage, WantsServerCert, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{ConfigBuilder, ServerConfig, ServerConnection, WantsVerifier};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

/// The bytes of a handshake that are read at a time. A flight of a client is rarely longer.
const READ_SIZE: usize = 4096;

/// The most bytes of a client in a handshake that is computed on threads. A chain of certificates takes a few KiB.
const MAX_BYTES: usize = 24 << 10;

/// The starts of requests from web browsers and other clients of HTTP.
const HTTP_METHODS: [&[u8]; 4] = [b"GET ", b"POST ", b"HEAD ", b"CONNECT "];

/// Presents one certificate, and requests certificates from clients if it has authorities for them.
#[derive(Debug, Clone)]
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
    identity: Identity,
}

impl Acceptor {
    /// Presents this certificate, and accepts clients without one.
    pub(crate) fn new(identity: &Identity) -> Acceptor {
        let builder = Acceptor::builder().with_no_client_auth();
        Acceptor::presenting(identity, builder)
    }

    /// Presents this certificate, and accepts only clients with a certificate of these authorities.
    ///
    /// # Errors
    /// If none of them is an authority.
    pub(crate) fn demanding(identity: &Identity, authorities: Roots) -> Result<Acceptor, RootsError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities.anchors), provider);
        let verifier = verifier.build().map_err(|_| RootsError::NoAuthority)?;
        let mut acceptor =
            Acceptor::presenting(identity, Acceptor::builder().with_client_cert_verifier(verifier));
        // A resumed session would not look at the client's certificate again, which may have expired.
        let config = Arc::make_mut(&mut acceptor.config);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(acceptor)
    }

    fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&VERSIONS)
            .expect("ring has suites for both")
    }

    fn presenting(identity: &Identity, builder: ConfigBuilder<ServerConfig, WantsServerCert>) -> Acceptor {
        let certified = SingleCertAndKey::from((*identity.key).clone());
        let config = Arc::new(builder.with_cert_resolver(Arc::new(certified)));
        Acceptor { config, identity: identity.clone() }
    }

    /// The certificate in words: its subject and issuer, and why it is not valid now.
    pub(crate) fn certificate(&self) -> &str {
        self.identity.description()
    }

    /// The times between which the certificate and its issuers are valid.
    pub(crate) fn validity(&self) -> &ChainValidity {
        self.identity.validity()
    }

    /// Performs the handshake with a client.
    ///
    /// # Errors
    /// The reason of the failure.
    pub(crate) async fn accept(&self, stream: Stream) -> io::Result<Stream> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let stream = acceptor.accept(stream).await.map_err(explain_client)?;
        Ok(Stream::TlsServer(Box::new(ServerStream(stream))))
    }

    /// Performs the handshake with a client, and computes on another thread, with a place for each part of the work: a
    /// signature can take milliseconds.
    ///
    /// # Errors
    /// The reason of the failure.
    pub(crate) async fn accept_on_threads<P: Send + 'static>(
        &self,
        mut stream: Stream,
        first: Vec<u8>,
        place: impl AsyncFn() -> P,
    ) -> io::Result<Stream> {
        let session = ServerConnection::new(Arc::clone(&self.config));
        let mut session = session.map_err(|error| explain_client(io::Error::other(error)))?;
        let (mut bytes, mut received) = (first, 0);
        loop {
            received += bytes.len();
            if received > MAX_BYTES {
                let text = format!("the TLS handshake of the client exceeds {MAX_BYTES} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            take_in(&mut session, &bytes)?;
            let result;
            (session, result) = compute(session, place().await).await?;
            // After an error, this is the alert for the client.
            let written = write_all(&mut session, &mut stream).await;
            result.map_err(|error| explain_client(io::Error::new(io::ErrorKind::InvalidData, error)))?;
            written?;
            if !session.is_handshaking() {
                break;
            }
            bytes = read_part(&mut stream).await?;
        }
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let finished = acceptor.accept_with(stream, |fresh| *fresh = session);
        Ok(Stream::TlsServer(Box::new(ServerStream(finished.await.map_err(explain_client)?))))
    }
}

/// Waits for the first bytes of a client.
///
/// # Errors
/// If the client closes the connection, or speaks a known protocol without TLS.
pub(crate) async fn first_bytes(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let bytes = read_part(stream).await?;
    let protocol = if Connect::peek_version(&bytes).is_some() {
        "MQTT"
    } else if HTTP_METHODS.iter().any(|method| bytes.starts_with(method)) {
        "HTTP"
    } else {
        return Ok(bytes);
    };
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the client speaks {protocol} without TLS, and this port is for TLS"),
    ))
}

/// Reads available bytes of a handshake.
async fn read_part(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut bytes = [0; READ_SIZE];
    let count = stream.read(&mut bytes).await?;
    match bytes.get(..count) {
        Some(part) if !part.is_empty() => Ok(part.to_vec()),
        _ => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the client closed the connection during the TLS handshake",
        )),
    }
}

fn take_in(session: &mut ServerConnection, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // It fails if the buffer is full, which the processing of the packets prevents.
        if session.read_tls(&mut bytes)? == 0 {
            break;
        }
    }
    Ok(())
}

/// Processes the bytes read so far on another thread.
async fn compute<P: Send + 'static>(
    mut session: ServerConnection,
    place: P,
) -> io::Result<(ServerConnection, Result<(), rustls::Error>)> {
    let processed = spawn_blocking(move || {
        // With the thread, which goes on if the handshake is ended meanwhile.
        let _place = place;
        let result = session.process_new_packets().map(drop);
        (session, result)
    });
    processed.await.map_err(io::Error::other)
}

async fn write_all(session: &mut ServerConnection, stream: &mut Stream) -> io::Result<()> {
    let mut bytes = Vec::new();
    while session.wants_write() {
        session.write_tls(&mut bytes)?;
    }
    stream.write_all(&bytes).await?;
    stream.flush().await
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
