//! The one type for everything that carries MQTT's bytes.

use super::mqtt_sn::GatewayStream;
use super::multiplex::Channel;
use super::tls::{Negotiated, NegotiatedAlgorithms, ServerStream, Tls, TlsStream};
use super::web_socket::WebSocket;
use crate::protocol::sn::client::Rejections;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// The memory of an idle TLS connection. While its client does not read, rustls buffers up to 64 KiB more.
const TLS_OVERHEAD: usize = 8 << 10;

/// A connected byte stream.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Plain TCP.
    Tcp(TcpStream),
    /// A unix socket.
    Unix(UnixStream),
    /// A stream of a multiplexed socket.
    Channel(Channel),
    /// Datagrams to an MQTT-SN gateway.
    Gateway(Box<GatewayStream>),
    /// TLS over another stream.
    Tls(Box<TlsStream>),
    /// TLS over another stream, from the server's end.
    TlsServer(Box<ServerStream>),
    /// WebSocket on another stream.
    WebSocket(Box<WebSocket>),
    /// TLS with a shared key over another stream.
    #[cfg(feature = "psk")]
    SharedKey(Box<tokio_openssl::SslStream<Stream>>),
}

impl Stream {
    /// The address of the peer, if it has one.
    pub(crate) fn peer_address(&self) -> Option<SocketAddr> {
        self.tcp().and_then(|stream| stream.peer_addr().ok())
    }

    /// The local address, if there is one.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.tcp().and_then(|stream| stream.local_addr().ok())
    }

    /// Makes the drop of this stream look like a broken connection to the peer: TCP sends RST instead of FIN.
    pub(crate) fn break_when_dropped(&self) {
        // An error means that the connection is broken already.
        let _ = self.tcp().map(TcpStream::set_zero_linger);
    }

    /// Acknowledges the received bytes on the TCP level now, and not with the next packet that is sent or up to 40 ms later. The
    /// kernel returns to delayed acknowledgements by itself.
    pub(crate) fn acknowledge_now(&self) {
        // An error means that the connection is broken, which the next read reports.
        #[cfg(all(target_os = "linux", not(feature = "portable")))]
        let _ = self.tcp().map(|stream| stream.set_quickack(true));
    }

    /// The memory of the layers above the socket, roughly, at a server.
    pub(super) fn overhead(&self) -> usize {
        match self {
            Stream::TlsServer(_) => TLS_OVERHEAD,
            Stream::WebSocket(web_socket) => web_socket.stream().overhead(),
            _ => 0,
        }
    }

    /// The negotiated TLS parameters, for a TLS client.
    pub(crate) fn agreement(&self) -> Option<Negotiated> {
        match self {
            Stream::Tls(stream) => Some(stream.agreement()),
            Stream::WebSocket(web_socket) => web_socket.stream().agreement(),
            Stream::Tcp(_)
            | Stream::Unix(_)
            | Stream::Channel(_)
            | Stream::Gateway(_)
            | Stream::TlsServer(_) => None,
            #[cfg(feature = "psk")]
            Stream::SharedKey(stream) => Some(Negotiated::of_shared_key(stream.ssl())),
        }
    }

    /// The negotiated algorithms, for a TLS client.
    pub(crate) fn tls_algorithms(&self) -> Option<NegotiatedAlgorithms> {
        match self {
            Stream::Tls(stream) => Some(stream.algorithms()),
            Stream::WebSocket(web_socket) => web_socket.stream().tls_algorithms(),
            Stream::Tcp(_)
            | Stream::Unix(_)
            | Stream::Channel(_)
            | Stream::Gateway(_)
            | Stream::TlsServer(_) => None,
            #[cfg(feature = "psk")]
            Stream::SharedKey(stream) => Some(NegotiatedAlgorithms::of_shared_key(stream.ssl())),
        }
    }

    /// The TLS settings with which the next connection resumes the session; `None` if it cannot.
    pub(super) fn resumable_tls(&self) -> Option<Tls> {
        match self {
            Stream::Tls(stream) => stream.resumable(),
            Stream::WebSocket(web_socket) => web_socket.stream().resumable_tls(),
            Stream::Tcp(_)
            | Stream::Unix(_)
            | Stream::Channel(_)
            | Stream::Gateway(_)
            | Stream::TlsServer(_) => None,
            #[cfg(feature = "psk")]
            Stream::SharedKey(_) => None,
        }
    }

    /// Takes the messages of QoS 0 that an MQTT-SN gateway rejected since the last call.
    pub(super) fn take_rejections(&mut self) -> Option<Rejections> {
        match self {
            Stream::Gateway(stream) => stream.take_rejections(),
            _ => None,
        }
    }

    /// The TCP connection beneath all layers, if there is one.
    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(stream) => Some(stream),
            Stream::Unix(_) | Stream::Channel(_) | Stream::Gateway(_) => None,
            Stream::Tls(stream) => stream.carrier().tcp(),
            Stream::TlsServer(stream) => stream.carrier().tcp(),
            Stream::WebSocket(web_socket) => web_socket.stream().tcp(),
            #[cfg(feature = "psk")]
            Stream::SharedKey(stream) => stream.get_ref().tcp(),
        }
    }
}

/// Calls a method of the layer that a stream is.
macro_rules! delegate {
    ($stream:expr, $layer:ident => $call:expr) => {
        match $stream {
            Stream::Tcp($layer) => $call,
            Stream::Unix($layer) => $call,
            Stream::Channel($layer) => $call,
            Stream::Gateway($layer) => $call,
            Stream::Tls($layer) => $call,
            Stream::TlsServer($layer) => $call,
            Stream::WebSocket($layer) => $call,
            #[cfg(feature = "psk")]
            Stream::SharedKey($layer) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), layer => Pin::new(layer).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), layer => Pin::new(layer).poll_write(cx, bytes))
    }

    /// TLS has several records to send at once, and tries only once when the last of them is an alert.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), layer => Pin::new(layer).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        delegate!(self, layer => layer.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), layer => Pin::new(layer).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), layer => Pin::new(layer).poll_shutdown(cx))
    }
}
