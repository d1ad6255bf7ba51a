//! The negotiated parameters of a TLS connection, and the server's certificates.

use super::algorithms::{name_of_group, name_of_scheme};
use super::certificate::Certificate;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConnection, ProtocolVersion, SignatureScheme};

/// The negotiated parameters of a TLS connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negotiated {
    pub algorithms: NegotiatedAlgorithms,
    /// The protocol that ALPN chose.
    pub protocol: Option<String>,
    /// The server's certificate and the others it sent, in its order. `None` for an unreadable certificate; empty with a pre-shared key.
    pub chain: Vec<Option<ShownCertificate>>,
}

/// The algorithms of a TLS connection, by their names in the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NegotiatedAlgorithms {
    /// The version of TLS, as in `TLS 1.3`.
    pub version: String,
    pub suite: String,
    /// The key exchange group; `None` with a pre-shared key, and in a resumed session of TLS 1.2.
    pub group: Option<String>,
    /// The scheme of the server's signature; `None` with a pre-shared key, and in a resumed session.
    pub signature: Option<String>,
}

impl NegotiatedAlgorithms {
    pub(super) fn of(
        connection: &ClientConnection,
        signature: Option<SignatureScheme>,
    ) -> NegotiatedAlgorithms {
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        NegotiatedAlgorithms {
            version: version(connection.protocol_version()),
            // rustls has a prefix of its own for the suites of TLS 1.3.
            suite: suite.unwrap_or("unknown").replace("TLS13_", "TLS_"),
            group: connection.negotiated_key_exchange_group().map(name_of_group),
            signature: signature.map(|scheme| name_of_scheme(scheme).to_owned()),
        }
    }

    #[cfg(feature = "psk")]
    pub(in crate::transport) fn of_shared_key(connection: &openssl::ssl::SslRef) -> NegotiatedAlgorithms {
        NegotiatedAlgorithms {
            version: connection.version_str().replace("TLSv", "TLS "),
            suite: connection.current_cipher().map_or("unknown", |cipher| cipher.name()).to_owned(),
            group: None,
            signature: None,
        }
    }
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
    pub(super) fn of(connection: &ClientConnection, signature: Option<SignatureScheme>) -> Negotiated {
        let protocol = connection.alpn_protocol().map(|name| name.escape_ascii().to_string());
        let chain = connection.peer_certificates().unwrap_or_default();
        Negotiated {
            algorithms: NegotiatedAlgorithms::of(connection, signature),
            protocol,
            chain: chain.iter().map(ShownCertificate::read).collect(),
        }
    }

    /// The parameters of a connection with a pre-shared key.
    #[cfg(feature = "psk")]
    pub(in crate::transport) fn of_shared_key(connection: &openssl::ssl::SslRef) -> Negotiated {
        Negotiated {
            algorithms: NegotiatedAlgorithms::of_shared_key(connection),
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
