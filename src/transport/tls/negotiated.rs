//! The negotiated parameters of a TLS connection, and the server's certificates.

use super::certificate::Certificate;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConnection, ProtocolVersion};

/// The negotiated parameters of a TLS connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negotiated {
    /// The version of TLS, as in `TLS 1.3`.
    pub version: String,
    /// The cipher suite, by its name in the specification.
    pub suite: String,
    /// The protocol that ALPN chose.
    pub protocol: Option<String>,
    /// The server's certificate and the others it sent, in its order. `None` for an unreadable certificate; empty with a pre-shared key.
    pub chain: Vec<Option<ShownCertificate>>,
}

/// The readable parts of a certificate. Names are escaped for terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownCertificate {
    /// The subject, such as `CN=localhost`.
    pub subject: String,
    pub issuer: String,
    /// The hosts that it is for, by its subjectAltName.
    pub names: Vec<String>,
    /// From when it is valid, in seconds since 1970.
    pub not_before: u64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: u64,
}

impl Negotiated {
    pub(super) fn of(connection: &ClientConnection) -> Negotiated {
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let protocol = connection.alpn_protocol().map(|name| name.escape_ascii().to_string());
        let chain = connection.peer_certificates().unwrap_or_default();
        Negotiated {
            version: version(connection.protocol_version()),
            suite: suite.unwrap_or("unknown").to_owned(),
            protocol,
            chain: chain.iter().map(ShownCertificate::read).collect(),
        }
    }

    /// The parameters of a connection with a pre-shared key.
    #[cfg(feature = "psk")]
    pub(in crate::transport) fn of_shared_key(connection: &openssl::ssl::SslRef) -> Negotiated {
        Negotiated {
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
