//! A server that speaks TLS by itself, for tests that need no broker or check the parameters of the handshake.

use super::certificates::Certificate;
use super::{ScriptedPeer, Server};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    AlertDescription, NamedGroup, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection,
    StreamOwned, SupportedProtocolVersion,
};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex};

/// Accepts one connection, answers CONNECT, and reads until its end.
pub struct TlsPeer {
    peer: ScriptedPeer,
    seen: Arc<Mutex<Seen>>,
}

/// The connection as the server saw it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub server_name: Option<String>,
    pub alpn: Option<Vec<u8>>,
    pub version: Option<ProtocolVersion>,
    pub suite: String,
    pub group: Option<NamedGroup>,
    /// The alert that the client refused the handshake with.
    pub alert: Option<AlertDescription>,
}

impl TlsPeer {
    /// Shows this certificate, and those that issued it.
    pub fn start(chain: &[&Certificate]) -> TlsPeer {
        TlsPeer::start_any(rustls::ALL_VERSIONS, chain, None, |_| {})
    }

    /// Wants a certificate of this authority from clients.
    pub fn demanding(chain: &[&Certificate], clients: &Certificate) -> TlsPeer {
        TlsPeer::start_any(rustls::ALL_VERSIONS, chain, Some(clients), |_| {})
    }

    /// With one version of TLS, and with changes to the configuration of rustls.
    pub fn start_with(
        version: &'static SupportedProtocolVersion,
        chain: &[&Certificate],
        clients: Option<&Certificate>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> TlsPeer {
        TlsPeer::start_any(&[version], chain, clients, change)
    }

    /// Listens on this address.
    pub fn start_on(address: SocketAddr, chain: &[&Certificate]) -> TlsPeer {
        TlsPeer::start_anywhere(address, rustls::ALL_VERSIONS, chain, None, |_| {})
    }

    fn start_any(
        versions: &[&'static SupportedProtocolVersion],
        chain: &[&Certificate],
        clients: Option<&Certificate>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> TlsPeer {
        TlsPeer::start_anywhere(([127, 0, 0, 1], 0).into(), versions, chain, clients, change)
    }

    fn start_anywhere(
        address: SocketAddr,
        versions: &[&'static SupportedProtocolVersion],
        chain: &[&Certificate],
        clients: Option<&Certificate>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> TlsPeer {
        let builder = ServerConfig::builder_with_protocol_versions(versions);
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der.clone()).unwrap();
                builder
                    .with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().unwrap())
            }
        };
        // Not `with_single_cert`, which refuses certificates that servers should not have.
        let key = rustls::crypto::ring::sign::any_supported_type(&chain[0].key_der()).unwrap();
        let certificates = chain.iter().map(|certificate| certificate.der.clone()).collect();
        let certified = rustls::sign::CertifiedKey::new(certificates, key);
        let resolver = rustls::sign::SingleCertAndKey::from(certified);
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        change(&mut config);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let result = seen.clone();
        let peer = ScriptedPeer::start_on(address, move |peer| {
            let stream = peer.accept().into_stream();
            let session = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(session, stream);
            // The client reports the failure, so it must get all bytes that were sent: to close with unread bytes would reset
            // the connection on top of an alert.
            let alert = converse(&mut stream).err().and_then(|error| alert(&error));
            let _ = stream.sock.shutdown(Shutdown::Write);
            let _ = stream.sock.read_to_end(&mut Vec::new());
            *result.lock().unwrap() = Seen {
                server_name: stream.conn.server_name().map(str::to_owned),
                alpn: stream.conn.alpn_protocol().map(<[u8]>::to_vec),
                version: stream.conn.protocol_version(),
                suite: format!("{:?}", stream.conn.negotiated_cipher_suite().map(|suite| suite.suite())),
                group: stream
                    .conn
                    .negotiated_key_exchange_group()
                    .map(rustls::crypto::SupportedKxGroup::name),
                alert,
            };
        });
        TlsPeer { peer, seen }
    }

    /// Waits for the connection's end, and returns the observations.
    pub fn finish(self) -> Seen {
        self.peer.finish();
        self.seen.lock().unwrap().clone()
    }
}

impl Server for TlsPeer {
    fn address(&self) -> SocketAddr {
        self.peer.address()
    }
}

fn alert(error: &std::io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// CONNECT, CONNACK, and whatever comes until DISCONNECT.
fn converse(stream: &mut (impl Read + Write)) -> std::io::Result<()> {
    let mut bytes = [0; 1024];
    let count = stream.read(&mut bytes)?;
    assert_eq!(bytes[..count.min(1)], [0x10; 1][..count.min(1)], "CONNECT comes first");
    stream.write_all(&[0x20, 2, 0, 0])?;
    stream.flush()?;
    loop {
        let count = stream.read(&mut bytes)?;
        if count == 0 || bytes[..count].ends_with(&[0xe0, 0]) {
            return Ok(());
        }
    }
}
