//! The PROXY protocol header that a client of the proxy may send first. It is read before TLS and WebSocket, shown, and forwarded
//! byte for byte before the layers to the broker.

use super::live_pipeline::ConnectionTap;
use crate::inspect::Direction;
use crate::protocol::{Beginning, ProxyHeader};
use crate::transport::{self, Endpoint};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The timeout for the first byte. A load balancer sends its header immediately; a silent client is connected anyway.
const FIRST_BYTE: Duration = Duration::from_secs(1);

/// The first bytes of both versions.
const FIRST: [u8; 2] = *b"P\r";

/// The first bytes of a client's connection.
pub(super) struct Preface {
    bytes: Vec<u8>,
    beginning: Beginning,
}

impl Preface {
    /// Reads a header. If the connection begins with other bytes, it takes at most as many as may belong to a header.
    ///
    /// # Errors
    /// If the connection breaks or ends within a header.
    pub(super) async fn read(client: &mut TcpStream) -> io::Result<Preface> {
        let mut preface = Preface { bytes: Vec::new(), beginning: Beginning::Other };
        let mut first = [0];
        match timeout(FIRST_BYTE, client.peek(&mut first)).await {
            Ok(Ok(1..)) if first.iter().all(|byte| FIRST.contains(byte)) => {}
            _ => return Ok(preface),
        }
        // Read single bytes, since those after the header belong to the next layer.
        loop {
            preface.bytes.push(client.read_u8().await?);
            preface.beginning = ProxyHeader::parse(&preface.bytes);
            if preface.beginning != Beginning::Partial {
                return Ok(preface);
            }
        }
    }

    /// The address of the client that the sender of the header represents.
    pub(super) fn client(&self) -> Option<SocketAddr> {
        match self.beginning {
            Beginning::Header(ProxyHeader { addresses, .. }, _) => addresses.map(|(client, _)| client),
            Beginning::Other | Beginning::Partial | Beginning::Invalid(..) => None,
        }
    }

    /// The broker's endpoint, with the header's bytes to send before all layers.
    pub(super) fn endpoint(&self, target: &Endpoint) -> Endpoint {
        let preface = transport::Preface::Forwarded(self.bytes.clone());
        Endpoint { preface: (!self.bytes.is_empty()).then_some(preface), ..target.clone() }
    }

    /// Shows the header, or the bytes if they are not a header.
    pub(super) async fn show(&self, proxy: SocketAddr, tap: &ConnectionTap) {
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
