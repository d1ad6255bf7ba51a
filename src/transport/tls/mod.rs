//! TLS around any other stream.
//!
//! Everything that can fail without the network is done when a [`Tls`] is made: reading and matching certificates and keys,
//! and choosing suites. One `Tls` serves any number of connections.

mod algorithms;
mod certificate;
mod chain;
mod ciphers;
mod defect;
mod error;
mod file_kind;
mod identity;
mod key_error;
mod key_log;
mod negotiated;
mod own_session;
#[cfg(feature = "psk")]
mod psk;
mod roots;
mod server;
mod stream;
mod traditional;
mod validity;
mod verify;

use super::{ConnectError, Stream};
pub(crate) use algorithms::{AlgorithmError, KeyExchangeGroups, SignatureSchemes};
pub(crate) use ciphers::Suites;
pub(crate) use defect::Defect;
use error::Circumstances;
pub(crate) use error::TlsError;
use identity::Presenter;
pub(crate) use identity::{Identity, Key, KeyPassword, OwnCertificate};
pub(crate) use key_error::KeyError;
pub(crate) use key_log::KeyLogFile;
pub(crate) use negotiated::{Negotiated, NegotiatedAlgorithms, ShownCertificate};
use own_session::OwnSession;
#[cfg(feature = "psk")]
pub(crate) use psk::{Psk, PskError, PskSettings};
pub(crate) use roots::{Roots, RootsError};
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
pub(crate) use server::{Acceptor, ServerStream, first_bytes};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
pub(crate) use stream::TlsStream;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_rustls::TlsConnector;
pub(crate) use validity::ChainValidity;
use verify::{OfferedSchemes, Remembered};

/// The supported versions, the preferred one first.
static VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// The first bytes of a client that speaks TLS: a handshake record, of any version from SSL 3 on.
pub(crate) const HANDSHAKE_RECORD: &[u8] = &[0x16, 3];

/// The maximum number of bytes that a server can have sent after the refused certificate.
const MAXIMUM_FLIGHT: usize = 64 * 1024;

/// The TLS settings for one server.
#[derive(Debug, Clone)]
pub(crate) enum Tls {
    Certificates(Certificates),
    /// With a pre-shared key.
    #[cfg(feature = "psk")]
    SharedKey(Psk),
}

impl Tls {
    /// The same without session resumption: every connection makes a full handshake.
    #[must_use]
    pub(crate) fn without_resumption(self) -> Tls {
        match self {
            Tls::Certificates(tls) => Tls::Certificates(tls.without_resumption()),
            // OpenSSL resumes sessions only on request.
            #[cfg(feature = "psk")]
            Tls::SharedKey(tls) => Tls::SharedKey(tls),
        }
    }

    /// Whether sessions can be resumed at all.
    pub(crate) fn can_resume(&self) -> bool {
        match self {
            Tls::Certificates(_) => true,
            #[cfg(feature = "psk")]
            Tls::SharedKey(_) => false,
        }
    }

    /// Whether connections resume the sessions of earlier ones.
    pub(crate) fn resumes(&self) -> bool {
        match self {
            Tls::Certificates(tls) => tls.resumes,
            #[cfg(feature = "psk")]
            Tls::SharedKey(_) => false,
        }
    }

    /// The same with a session of its own, for a client that connects again and again; `None` if sessions are not resumed.
    pub(crate) fn with_own_session(&self) -> Option<Tls> {
        match self {
            Tls::Certificates(tls) => tls.with_own_session().map(Tls::Certificates),
            #[cfg(feature = "psk")]
            Tls::SharedKey(_) => None,
        }
    }

    /// The checks that a server's certificate must pass; `None` without certificates.
    pub(crate) fn verified(&self) -> Option<Verified> {
        match self {
            Tls::Certificates(tls) => Some(tls.verified),
            #[cfg(feature = "psk")]
            Tls::SharedKey(_) => None,
        }
    }
}

impl Verification {
    fn verified(&self) -> Verified {
        match self {
            Verification::Full(_) => Verified { chain: true, name: true },
            Verification::ChainOnly(_) => Verified { chain: true, name: false },
            Verification::Nothing => Verified { chain: false, name: false },
        }
    }
}

/// The TLS settings for a server with a certificate.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
    presenter: Arc<Presenter>,
    offered: &'static str,
    verified: Verified,
    /// Whether connections resume the sessions of earlier ones.
    resumes: bool,
}

/// The input of [`Certificates`].
#[derive(Debug)]
pub(crate) struct Settings {
    /// The name or address that the server's certificate must be for; a name is also sent to the server.
    pub server_name: String,
    /// The checks of the server's certificate.
    pub verification: Verification,
    /// Our own certificate.
    pub identity: Option<Identity>,
    /// The suites to offer.
    pub suites: Suites,
    /// The key exchange groups to offer; `None` for all.
    pub groups: Option<KeyExchangeGroups>,
    /// The signature schemes to offer; `None` for all.
    pub signatures: Option<SignatureSchemes>,
    /// The lowest version to speak.
    pub minimum_version: Version,
    /// The protocols to offer with ALPN.
    pub alpn: Vec<Vec<u8>>,
    /// The file for the connection's secrets.
    pub key_log: Option<KeyLogFile>,
}

/// The checks of a server's certificate.
#[derive(Debug, Clone)]
pub(crate) enum Verification {
    /// The chain and the name.
    Full(Roots),
    /// The chain alone: the certificate may be for any host.
    ChainOnly(Roots),
    /// None: any certificate is accepted.
    Nothing,
}

/// The checks that the certificate of a connected server passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    /// A trusted authority issued it.
    pub chain: bool,
    /// It is for the host.
    pub name: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// The reason why settings are unusable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("'{0}' is neither a host name nor an address")]
    ServerName(String),
    #[error("no suite is left that could be used with these versions of TLS")]
    Suites,
    #[error("none of the signature schemes can be used in TLS 1.3, which alone is offered")]
    Signatures,
}

impl Settings {
    /// The versions to offer, and their names.
    fn versions(
        &self,
    ) -> Result<(&'static [&'static SupportedProtocolVersion], &'static str), SettingsError> {
        let has_tls_12 = self.suites.chosen.iter().any(|suite| suite.tls13().is_none());
        let has_tls_13 = self.suites.chosen.iter().any(|suite| suite.tls13().is_some());
        let signs_tls_13 = self.signatures.as_ref().is_none_or(SignatureSchemes::has_tls_13);
        let (tls_13, tls_12) = VERSIONS.split_at(1);
        match self.minimum_version {
            Version::Tls12 if has_tls_12 && has_tls_13 && signs_tls_13 => Ok((&VERSIONS, "TLS 1.2 and 1.3")),
            Version::Tls12 if has_tls_12 => Ok((tls_12, "TLS 1.2 only")),
            Version::Tls12 | Version::Tls13 if signs_tls_13 => Ok((tls_13, "TLS 1.3 only")),
            Version::Tls12 | Version::Tls13 => Err(SettingsError::Signatures),
        }
    }
}

impl Certificates {
    /// Prepares connections.
    ///
    /// # Errors
    /// If the server's name is invalid, or no suite fits the versions.
    pub(crate) fn new(settings: Settings) -> Result<Certificates, SettingsError> {
        let server_name = server_name(&settings.server_name)?;
        let (versions, offered) = settings.versions()?;
        let mut provider =
            CryptoProvider { cipher_suites: settings.suites.chosen, ..ring::default_provider() };
        if let Some(KeyExchangeGroups(groups)) = settings.groups {
            provider.kx_groups = groups;
        }
        let supported = provider.signature_verification_algorithms;
        let schemes = match settings.signatures {
            Some(SignatureSchemes(schemes)) => OfferedSchemes(schemes),
            None => OfferedSchemes(supported.supported_schemes()),
        };
        let verified = settings.verification.verified();
        let checks_name = verified.name;
        let verifier: Arc<dyn ServerCertVerifier> = match settings.verification {
            Verification::Full(trust) | Verification::ChainOnly(trust) => {
                let host = server_name.to_str().into_owned();
                Arc::new(verify::Verifier { host, trust, checks_name, supported, schemes })
            }
            Verification::Nothing => Arc::new(verify::NoVerifier { schemes }),
        };
        let presenter = Arc::new(Presenter::new(settings.identity));
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .map_err(|_| SettingsError::Suites)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(presenter.clone());
        config.alpn_protocols = settings.alpn;
        if let Some(key_log) = settings.key_log {
            config.key_log = Arc::new(key_log);
        }
        Ok(Certificates {
            config: Arc::new(config),
            server_name,
            presenter,
            offered,
            verified,
            resumes: true,
        })
    }

    /// The same without session resumption.
    fn without_resumption(mut self) -> Certificates {
        Arc::make_mut(&mut self.config).resumption = Resumption::disabled();
        self.resumes = false;
        self
    }

    fn with_own_session(&self) -> Option<Certificates> {
        self.resumes.then(|| {
            let mut own = self.clone();
            Arc::make_mut(&mut own.config).resumption = Resumption::store(Arc::new(OwnSession::default()));
            own
        })
    }

    async fn connect(&self, stream: Stream) -> Result<Stream, TlsError> {
        let connector = TlsConnector::from(self.config.clone());
        let handshake = connector.connect(self.server_name.clone(), stream).into_fallible();
        let (error, mut stream, refusal) = match verify::remembering(handshake).await {
            (Ok(stream), Remembered { signature, .. }) => {
                let stream = TlsStream::new(stream, self.clone(), signature);
                return Ok(Stream::Tls(Box::new(stream)));
            }
            (Err((error, stream)), Remembered { refusal, .. }) => (error, stream, refusal),
        };
        discard_received(&mut stream).await;
        Err(refusal.unwrap_or_else(|| self.with_circumstances(|known| known.explain_handshake(&error))))
    }

    /// Calls `explain` with the circumstances of the connection.
    fn with_circumstances<T>(&self, explain: impl FnOnce(&Circumstances<'_>) -> T) -> T {
        let host = self.server_name.to_str();
        explain(&Circumstances { host: &host, presenter: &self.presenter, offered: self.offered })
    }
}

/// Discards bytes that have arrived. Closing a socket with unread bytes resets the connection, and the reset can overtake the alert.
async fn discard_received(stream: &mut Stream) {
    let mut bytes = [0; 4096];
    let mut reads_left = MAXIMUM_FLIGHT / bytes.len();
    poll_fn(|cx| {
        let mut buffer = ReadBuf::new(&mut bytes);
        while let Poll::Ready(Ok(())) = Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
            reads_left = reads_left.saturating_sub(1);
            if buffer.filled().is_empty() || reads_left == 0 {
                break;
            }
            buffer.clear();
        }
        Poll::Ready(())
    })
    .await;
}

/// Starts TLS on a connected stream.
///
/// # Errors
/// The reason of a failed handshake.
pub(crate) async fn connect(stream: Stream, tls: &Tls) -> Result<Stream, ConnectError> {
    let result = match tls {
        Tls::Certificates(tls) => tls.connect(stream).await,
        #[cfg(feature = "psk")]
        Tls::SharedKey(tls) => tls.connect(stream).await,
    };
    result.map_err(ConnectError::Tls)
}

/// Checks the name of a server.
///
/// # Errors
/// If it is neither a host name nor an address.
pub(crate) fn check_server_name(name: &str) -> Result<(), SettingsError> {
    server_name(name).map(drop)
}

/// An IPv6 address may have a zone, which has a meaning only on this machine.
fn server_name(name: &str) -> Result<ServerName<'static>, SettingsError> {
    let without_zone = name.split_once('%').map_or(name, |(address, _)| address);
    let parsed = ServerName::try_from(without_zone.to_owned());
    parsed.map_err(|_| SettingsError::ServerName(name.to_owned()))
}
