//! Why there is no TLS with a server, in words that say which check failed and on what.

use super::identity::Presenter;
use rustls::{AlertDescription, CertificateError, PeerIncompatible};
use std::io;

/// Why there is no TLS with a server.
#[derive(Debug, Clone, thiserror::Error)]
#[allow(missing_docs)] // the texts say what each is
pub enum TlsError {
    #[error("the certificate of {host} is not valid any more: {subject} expired on {date}")]
    Expired { host: String, subject: String, date: String },
    #[error("the certificate of {host} is not valid yet: {subject} begins on {date}")]
    NotYetValid { host: String, subject: String, date: String },
    #[error(
        "the certificate of {host} is not trusted: {subject} was issued by {issuer}, \
         which is not among the certificates of {trusted}"
    )]
    UnknownIssuer { host: String, subject: String, issuer: String, trusted: String },
    #[error(
        "the certificate of {host} is not trusted: {subject} is self-signed, \
         and is not among the certificates of {trusted}"
    )]
    SelfSigned { host: String, subject: String, trusted: String },
    #[error(
        "the certificate of {host} is not trusted: {subject} says that {issuer} issued it, \
         but the certificate of that name in {trusted} {reason}"
    )]
    NotByIssuer { host: String, subject: String, issuer: String, trusted: String, reason: &'static str },
    #[error("the certificate is not for {host}: it names {names}")]
    OtherName { host: String, names: String },
    #[error("the certificate of {host} cannot be used: {subject} {reason}")]
    Unfit { host: String, subject: String, reason: String },
    #[error("{host} asks for a client certificate, and there is none to show{}", accepts(.accepted))]
    CertificateWanted { host: String, accepted: Vec<String> },
    #[error("{host} refused our certificate {ours}: {reason}{}", accepts(.accepted))]
    CertificateRefused { host: String, ours: String, reason: String, accepted: Vec<String> },
    #[error("{host} and we have no version of TLS in common; ours are {offered}")]
    Version { host: String, offered: &'static str },
    #[error("{host} and we have no cipher suite or key exchange in common{}", or_wanted(.or_certificate))]
    Cipher { host: String, or_certificate: bool },
    #[error("{host} speaks none of the protocols that ALPN offered it")]
    Protocol { host: String },
    #[error("{host} knows no server of this name")]
    UnknownName { host: String },
    #[error("what listens at {host} does not speak TLS")]
    NotTls { host: String },
    #[error("{host} closed the connection in the middle of the TLS handshake")]
    Closed { host: String },
    #[error("the TLS handshake with {host} failed: {reason}")]
    Other { host: String, reason: String },
}

fn accepts(accepted: &[String]) -> String {
    match accepted {
        [] => String::new(),
        names => format!("; it takes those issued by {}", names.join(" or ")),
    }
}

fn or_wanted(or_certificate: &bool) -> &'static str {
    if *or_certificate { ", or it wants a client certificate" } else { "" }
}

/// What is known of a connection besides its failure.
#[derive(Debug)]
pub(super) struct Circumstances<'a> {
    pub(super) host: &'a str,
    pub(super) presenter: &'a Presenter,
    pub(super) offered: &'static str,
}

impl Circumstances<'_> {
    /// What a failed handshake failed on.
    pub(super) fn explain_handshake(&self, error: &io::Error) -> TlsError {
        let host = self.host.to_owned();
        match inner(error) {
            Some(error) => self.explain(error),
            // A server that wants a certificate may reset the connection on top of its alert.
            None if is_closing(error) && self.lacks_certificate() => self.certificate_wanted(),
            None if is_closing(error) => TlsError::Closed { host },
            None => TlsError::Other { host, reason: error.to_string() },
        }
    }

    /// What a connection broke with, after our side of the handshake was done. TLS 1.3 refuses client certificates then.
    pub(super) fn explain_later(&self, error: io::Error, has_received: bool) -> io::Error {
        let explained = match inner(&error) {
            Some(error) => self.explain(error),
            None if !has_received && is_closing(&error) && self.lacks_certificate() => {
                self.certificate_wanted()
            }
            None => return error,
        };
        io::Error::new(error.kind(), explained)
    }

    /// The server asked for a certificate, and we had none.
    pub(super) fn lacks_certificate(&self) -> bool {
        self.presenter.accepted().is_some() && self.presenter.ours().is_none()
    }

    pub(super) fn certificate_wanted(&self) -> TlsError {
        TlsError::CertificateWanted { host: self.host.to_owned(), accepted: self.accepted() }
    }

    fn accepted(&self) -> Vec<String> {
        self.presenter.accepted().unwrap_or_default().to_vec()
    }

    fn explain(&self, error: &rustls::Error) -> TlsError {
        let host = self.host.to_owned();
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
                let explained = other.0.downcast_ref::<TlsError>().cloned();
                explained.unwrap_or_else(|| TlsError::Other { host, reason: other.to_string() })
            }
            rustls::Error::AlertReceived(alert) => self.explain_alert(*alert),
            rustls::Error::InvalidMessage(_) => TlsError::NotTls { host },
            rustls::Error::PeerIncompatible(reason) => self.explain_incompatible(reason),
            rustls::Error::NoApplicationProtocol => TlsError::Protocol { host },
            error => TlsError::Other { host, reason: error.to_string() },
        }
    }

    fn explain_incompatible(&self, reason: &PeerIncompatible) -> TlsError {
        let host = self.host.to_owned();
        match reason {
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled => TlsError::Version { host, offered: self.offered },
            PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon => {
                TlsError::Cipher { host, or_certificate: false }
            }
            reason => TlsError::Other { host, reason: format!("{reason:?}") },
        }
    }

    fn explain_alert(&self, alert: AlertDescription) -> TlsError {
        let host = self.host.to_owned();
        let reason = match alert {
            AlertDescription::CertificateRequired => return self.certificate_wanted(),
            // What TLS 1.2 has for it.
            AlertDescription::HandshakeFailure | AlertDescription::NoCertificate
                if self.lacks_certificate() =>
            {
                return self.certificate_wanted();
            }
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
                let or_certificate = self.presenter.ours().is_none() && self.presenter.accepted().is_none();
                return TlsError::Cipher { host, or_certificate };
            }
            AlertDescription::ProtocolVersion => {
                return TlsError::Version { host, offered: self.offered };
            }
            AlertDescription::NoApplicationProtocol => return TlsError::Protocol { host },
            AlertDescription::UnrecognisedName => return TlsError::UnknownName { host },
            AlertDescription::UnknownCA => "it does not know who issued it",
            AlertDescription::CertificateExpired => "it has expired, or is not valid yet",
            AlertDescription::CertificateRevoked => "it was revoked",
            AlertDescription::UnsupportedCertificate => "it is not of a kind for clients",
            AlertDescription::BadCertificate => "it is not a good one",
            AlertDescription::CertificateUnknown => "it does not accept it",
            AlertDescription::AccessDenied => "access denied",
            AlertDescription::DecryptError => "its signature is wrong",
            alert => {
                let reason = format!("it answered with the alert {}", name(alert));
                return TlsError::Other { host, reason };
            }
        };
        match self.presenter.ours() {
            Some(ours) if self.presenter.accepted().is_some() => TlsError::CertificateRefused {
                host,
                ours: ours.to_owned(),
                reason: reason.to_owned(),
                accepted: self.accepted(),
            },
            _ => TlsError::Other { host, reason: format!("it answered with the alert {}", name(alert)) },
        }
    }
}

/// `UnknownCA` as it is called in the standards, `unknown ca`.
fn name(alert: AlertDescription) -> String {
    match alert.as_str() {
        None => format!("{}", u8::from(alert)),
        Some(name) => {
            let mut words = String::new();
            let mut was_upper = true;
            for letter in name.chars() {
                if letter.is_uppercase() && !was_upper {
                    words.push(' ');
                }
                was_upper = letter.is_uppercase();
                words.extend(letter.to_lowercase());
            }
            words
        }
    }
}

fn inner(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn is_closing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}
