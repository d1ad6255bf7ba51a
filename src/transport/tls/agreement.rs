//! What the two sides of a connection agreed on, and what the server showed of itself.

use super::certificate::Certificate;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConnection, ProtocolVersion};

/// What a client and a server agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The version of TLS, as in `TLS 1.3`.
    pub version: String,
    /// The cipher suite, by the name that its specification gives it.
    pub suite: String,
    /// The protocol that ALPN chose.
    pub protocol: Option<String>,
    /// The server's certificate and those that it sent along, in its order. `None` stands for one that cannot be read; with a
    /// shared key there are none.
    pub chain: Vec<Option<ShownCertificate>>,
}

/// A certificate as people look at it. Names are escaped where a terminal could obey them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCertificate {
    /// Whom it is for, as in `CN=localhost`.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The hosts that it is for, by its subjectAltName.
    pub names: Vec<String>,
    /// From when it is valid, in seconds since 1970.
    pub not_before: u64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: u64,
}

impl Agreement {
    pub(super) fn of(connection: &ClientConnection) -> Agreement {
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let protocol = connection.alpn_protocol().map(|name| name.escape_ascii().to_string());
        let chain = connection.peer_certificates().unwrap_or_default();
        Agreement {
            version: version(connection.protocol_version()),
            suite: suite.unwrap_or("unknown").to_owned(),
            protocol,
            chain: chain.iter().map(ShownCertificate::read).collect(),
        }
    }

    /// What was agreed on where both sides know a key.
    #[cfg(feature = "psk")]
    pub(in crate::transport) fn of_shared_key(connection: &openssl::ssl::SslRef) -> Agreement {
        Agreement {
            version: connection.version_str().replace("TLSv", "TLS "),
            suite: connection.current_cipher().map_or("unknown", |cipher| cipher.name()).to_owned(),
            protocol: connection.selected_alpn_protocol().map(|name| name.escape_ascii().to_string()),
            chain: Vec::new(),
        }
    }
}

impl ShownCertificate {
    fn read(der: &CertificateDer<'_>) -> Option<ShownCertificate> {
        let certificate = Certificate::read(der)?;
        let (not_before, not_after) = certificate.dates();
        Some(ShownCertificate {
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            names: certificate.names(),
            not_before,
            not_after,
        })
    }
}

fn version(version: Option<ProtocolVersion>) -> String {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(other) => format!("{other:?}"),
        None => "unknown".to_owned(),
    }
}
