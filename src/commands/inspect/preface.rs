//! The header of the PROXY protocol that a client of the proxy may send first. It is read before TLS and WebSocket, shown, and forwarded byte for
//! byte in front of the layers to the broker.

use super::feed::Tap;
use crate::inspect::Direction;
use crate::protocol::{Beginning, ProxyHeader};
use crate::transport::{self, Endpoint};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the first byte is waited for. A load balancer sends its header at once; a client that is silent is connected all the same.
const FIRST_BYTE: Duration = Duration::from_secs(1);

/// The first bytes of both versions.
const FIRST: [u8; 2] = *b"P\r";

/// The first bytes of a client's connection.
pub(super) struct Preface {
    bytes: Vec<u8>,
    beginning: Beginning,
}

impl Preface {
    /// Reads a header. Of other beginnings it takes only the bytes that a header could have.
    ///
    /// # Errors
    /// When the connection breaks or ends within a header.
    pub(super) async fn read(client: &mut TcpStream) -> io::Result<Preface> {
        let mut preface = Preface { bytes: Vec::new(), beginning: Beginning::Other };
        let mut first = [0];
        match timeout(FIRST_BYTE, client.peek(&mut first)).await {
            Ok(Ok(1..)) if first.iter().all(|byte| FIRST.contains(byte)) => {}
            _ => return Ok(preface),
        }
        // Byte by byte, since what follows belongs to the next layer.
        loop {
            preface.bytes.push(client.read_u8().await?);
            preface.beginning = ProxyHeader::parse(&preface.bytes);
            if preface.beginning != Beginning::Partial {
                return Ok(preface);
            }
        }
    }

    /// The address of the client behind the one that sent it.
    pub(super) fn client(&self) -> Option<SocketAddr> {
        match self.beginning {
            Beginning::Header(ProxyHeader { addresses, .. }, _) => addresses.map(|(client, _)| client),
            Beginning::Other | Beginning::Partial | Beginning::Invalid(..) => None,
        }
    }

    /// The broker, with the bytes in front of all layers.
    pub(super) fn endpoint(&self, target: &Endpoint) -> Endpoint {
        let preface = transport::Preface::Forwarded(self.bytes.clone());
        Endpoint { preface: (!self.bytes.is_empty()).then_some(preface), ..target.clone() }
    }

    /// Shows the header, or the bytes if they are not one.
    pub(super) async fn show(&self, proxy: SocketAddr, tap: &Tap) {
        match self.beginning {
            Beginning::Header(header, _) => tap.proxy_header(proxy, Ok(header)),
            Beginning::Invalid(fault, _) => tap.proxy_header(proxy, Err(fault)),
            Beginning::Other | Beginning::Partial if self.bytes.is_empty() => {}
            Beginning::Other | Beginning::Partial => {
                tap.bytes(Direction::ClientToServer, &self.bytes).await;
            }
        }
    }
}
