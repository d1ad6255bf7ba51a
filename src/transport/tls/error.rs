//! TLS errors, worded with the failed check and its subject.

use super::certificate::usage_without;
use super::defect::{Defect, plain_words};
use super::identity::Presenter;
use rustls::{AlertDescription, CertificateError, ExtendedKeyPurpose, InvalidMessage, PeerIncompatible};
use std::io;

/// The numbers of an object identifier that an error shows.
const MAX_NUMBERS: usize = 20;

/// A TLS connection failed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the certificate of {host} is no longer valid: {subject} expired on {date}")]
    Expired { host: String, subject: String, date: String },
    #[error("the certificate of {host} is not valid yet: {subject} is valid from {date}")]
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
        "the certificate of {host} is not trusted: {subject} names {issuer} as its issuer, \
         but the certificate of that name in {trusted} {reason}"
    )]
    NotByIssuer { host: String, subject: String, issuer: String, trusted: String, reason: &'static str },
    #[error("the certificate is not for {host}: it names {names}")]
    OtherName { host: String, names: String },
    #[error("the certificate is not for {host}: it has {host} as a DNS name, and not as an IP address")]
    AddressAsName { host: String },
    #[error("the certificate of {host} cannot be used: {certificate} {defect}")]
    Unfit { host: String, certificate: String, defect: Defect },
    #[error("{host} requires a client certificate, but none is configured{}", accepts(.accepted))]
    CertificateWanted { host: String, accepted: Vec<String> },
    #[error("{host} rejected the client certificate {ours}: {reason}{}", accepts(.accepted))]
    CertificateRefused { host: String, ours: String, reason: String, accepted: Vec<String> },
    #[error("{host} supports none of the offered TLS versions ({offered})")]
    Version { host: String, offered: &'static str },
    #[error("{host} supports none of the offered cipher suites, key exchanges, signatures or kinds of certificates{}", or_wanted(.or_certificate))]
    Cipher { host: String, or_certificate: bool },
    #[error("{host} supports none of the protocols offered with ALPN")]
    Protocol { host: String },
    #[error("{host} rejected this server name")]
    UnknownName { host: String },
    #[error("the server at {host} does not speak TLS")]
    NotTls { host: String },
    #[error("{host} closed the connection during the TLS handshake")]
    Closed { host: String },
    #[error("{host} rejected the pre-shared key of {identity}: {reason}")]
    #[cfg_attr(not(feature = "psk"), allow(dead_code, reason = "OpenSSL reports it, which the feature adds"))]
    SharedKey { host: String, identity: String, reason: String },
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

/// The facts about a connection that explain its failure.
#[derive(Debug)]
pub(super) struct Circumstances<'a> {
    pub(super) host: &'a str,
    pub(super) presenter: &'a Presenter,
    pub(super) offered: &'static str,
}

impl Circumstances<'_> {
    /// The reason of a failed handshake.
    pub(super) fn explain_handshake(&self, error: &io::Error) -> TlsError {
        let host = self.host.to_owned();
        match inner(error) {
            Some(error) => self.explain(error),
            // A server that requires a certificate may reset the connection right after its alert.
            None if is_closing(error) && self.lacks_certificate() => self.certificate_wanted(),
            None if is_closing(error) => match self.presenter.ours() {
                // As above, though it looked at one.
                Some(ours) if self.presenter.accepted().is_some() => {
                    let reason = "it closed the connection when it saw it".to_owned();
                    TlsError::CertificateRefused {
                        host,
                        ours: ours.to_owned(),
                        reason,
                        accepted: self.accepted(),
                    }
                }
                _ => TlsError::Closed { host },
            },
            None => TlsError::Other { host, reason: error.to_string() },
        }
    }

    /// The reason of a failure after our side of the handshake. TLS 1.3 refuses client certificates then.
    pub(super) fn explain_later(&self, error: io::Error, has_received: bool) -> io::Error {
        let explained = match inner(&error) {
            Some(error) => match self.explain(error) {
                // It spoke TLS before.
                TlsError::NotTls { host } => {
                    TlsError::Other { host, reason: "the server sent bytes that are not TLS".to_owned() }
                }
                explained => explained,
            },
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
            rustls::Error::InvalidCertificate(problem) => {
                TlsError::Unfit { host, certificate: "it".to_owned(), defect: Defect::of_rustls(problem) }
            }
            rustls::Error::AlertReceived(alert) => self.explain_alert(*alert),
            rustls::Error::InvalidMessage(problem) if is_foreign(problem) => TlsError::NotTls { host },
            rustls::Error::PeerIncompatible(reason) => self.explain_incompatible(reason),
            rustls::Error::NoApplicationProtocol => TlsError::Protocol { host },
            error => TlsError::Other { host, reason: reason(error) },
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
            reason => {
                let reason = format!("the server lacks something that TLS needs: {}", plain_words(reason));
                TlsError::Other { host, reason }
            }
        }
    }

    fn explain_alert(&self, alert: AlertDescription) -> TlsError {
        let host = self.host.to_owned();
        let reason = match alert {
            AlertDescription::CertificateRequired => return self.certificate_wanted(),
            // The alerts of TLS 1.2 for it.
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
            AlertDescription::UnknownCA => "it does not know the issuer",
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

/// The name in the standards: `unknown ca` for `UnknownCA`.
fn name(alert: AlertDescription) -> String {
    match alert.as_str() {
        None => format!("{}", u8::from(alert)),
        Some(_) => plain_words(&alert),
    }
}

/// The reason of a failed handshake with a client of the proxy.
pub(super) fn explain_client(error: io::Error) -> io::Error {
    let reason = match inner(&error) {
        None => return error,
        Some(rustls::Error::AlertReceived(alert)) => match distrust(*alert) {
            Some(reason) => {
                format!("the client rejected our certificate: {reason} (TLS alert {})", name(*alert))
            }
            None => format!("the client sent the TLS alert {}", name(*alert)),
        },
        Some(rustls::Error::NoCertificatesPresented) => {
            "the client presented no certificate, which is required here".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(problem)) => {
            format!("the certificate of the client {}", client_defect(problem))
        }
        Some(rustls::Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        )) => "the client offers neither TLS 1.2 nor TLS 1.3".to_owned(),
        Some(rustls::Error::PeerIncompatible(PeerIncompatible::SignatureAlgorithmsExtensionRequired)) => {
            "the client offers no signature algorithms, as before TLS 1.2".to_owned()
        }
        Some(rustls::Error::InvalidMessage(problem)) if is_foreign(problem) => {
            "the client sent bytes that are not TLS".to_owned()
        }
        Some(rustls::Error::PeerIncompatible(problem)) => {
            format!("TLS has nothing in common with the client ({})", plain_words(problem))
        }
        Some(other) => format!("TLS with the client failed ({})", plain_words(other)),
    };
    io::Error::new(error.kind(), reason)
}

/// The defect of a client's certificate: what was expected, and what is there.
fn client_defect(problem: &CertificateError) -> String {
    if let CertificateError::InvalidPurposeContext { presented, .. } = problem {
        let usage = usage_without("clientAuth", presented.iter().map(object_id));
        return format!("is not meant for clients: its extended key usage {usage}");
    }
    match Defect::of_rustls(problem) {
        Defect::NotForServers { .. } => {
            "is not meant for clients: its extended key usage has no clientAuth".to_owned()
        }
        Defect::OnlyAnAuthority => {
            "is that of an authority (CA:TRUE); expected one of a client: CA:FALSE, and an extended key usage, \
             if there is one, with clientAuth"
                .to_owned()
        }
        defect => defect.to_string(),
    }
}

fn object_id(purpose: &ExtendedKeyPurpose) -> String {
    match purpose {
        ExtendedKeyPurpose::ServerAuth => "1.3.6.1.5.5.7.3.1".to_owned(),
        ExtendedKeyPurpose::ClientAuth => "1.3.6.1.5.5.7.3.2".to_owned(),
        ExtendedKeyPurpose::Other(numbers) => {
            let numbers: Vec<String> = numbers.iter().take(MAX_NUMBERS).map(ToString::to_string).collect();
            numbers.join(".")
        }
    }
}

/// The reason of a client that does not accept our certificate.
fn distrust(alert: AlertDescription) -> Option<&'static str> {
    match alert {
        AlertDescription::UnknownCA => Some("it does not know the issuer"),
        AlertDescription::CertificateExpired => Some("it has expired, or is not valid yet"),
        AlertDescription::CertificateRevoked => Some("it was revoked"),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown => Some("it does not trust it, or it is for another name"),
        _ => None,
    }
}

/// Whether the bytes belong to another protocol, rather than to an invalid message of TLS.
fn is_foreign(problem: &InvalidMessage) -> bool {
    matches!(
        problem,
        InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload
    )
}

/// The reason for a failure unrelated to the certificate, the versions and the suites.
fn reason(error: &rustls::Error) -> String {
    use rustls::Error;
    match error {
        Error::InappropriateMessage { got_type, .. } => {
            format!("the server sent a message that does not belong there ({})", plain_words(got_type))
        }
        Error::InappropriateHandshakeMessage { got_type, .. } => {
            format!("the server sent a message that does not belong there ({})", plain_words(got_type))
        }
        Error::InvalidMessage(problem) => {
            format!("the server sent an invalid message ({})", plain_words(problem))
        }
        Error::PeerMisbehaved(problem) => {
            format!("the server broke the rules of TLS ({})", plain_words(problem))
        }
        Error::InvalidEncryptedClientHello(problem) => {
            format!("encrypted client hello failed ({})", plain_words(problem))
        }
        Error::InvalidCertRevocationList(problem) => {
            format!("the revocation list cannot be used ({})", plain_words(problem))
        }
        Error::InconsistentKeys(_) => "our key and our certificate do not belong together".to_owned(),
        Error::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        Error::UnsupportedNameType => "the host is of a kind that no certificate can name".to_owned(),
        Error::DecryptError => "a message of the server could not be decrypted".to_owned(),
        Error::EncryptError => "a message to the server could not be encrypted".to_owned(),
        Error::FailedToGetCurrentTime => "the time of this machine is before 1970".to_owned(),
        Error::FailedToGetRandomBytes => "the operating system gave no random numbers".to_owned(),
        Error::HandshakeNotComplete => "the handshake is not complete".to_owned(),
        Error::PeerSentOversizedRecord => "the server sent a record that is too long".to_owned(),
        Error::BadMaxFragmentSize => "the maximum size of a fragment is invalid".to_owned(),
        Error::NoApplicationProtocol => "no protocol of ALPN in common".to_owned(),
        Error::General(text) => text.escape_debug().to_string(),
        Error::InvalidCertificate(problem) => format!("the certificate {}", Defect::of_rustls(problem)),
        Error::AlertReceived(alert) => format!("it answered with the alert {}", name(*alert)),
        Error::PeerIncompatible(problem) => plain_words(problem),
        Error::Other(_) => "an error inside of the TLS library".to_owned(),
        unknown => plain_words(unknown),
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

#[cfg(test)]
mod tests {
    use super::super::defect::tests::{all_of_rustls, assert_plain};
    use super::*;
    use rustls::{
        CertRevocationListError, ContentType, EncryptedClientHelloError, Error, HandshakeType,
        InconsistentKeys, OtherError, PeerMisbehaved,
    };
    use std::sync::Arc;

    /// Every variant of rustls's error, with some of each of those that it carries.
    fn all_errors() -> Vec<Error> {
        let other = || OtherError(Arc::new(webpki::Error::BadDer));
        let mut all = vec![
            Error::InappropriateMessage {
                expect_types: vec![ContentType::Handshake],
                got_type: ContentType::ApplicationData,
            },
            Error::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::ServerHello],
                got_type: HandshakeType::EncryptedExtensions,
            },
            Error::InvalidEncryptedClientHello(EncryptedClientHelloError::InvalidConfigList),
            Error::InvalidMessage(InvalidMessage::MissingData("ServerHelloPayload")),
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::EncryptError,
            Error::PeerMisbehaved(PeerMisbehaved::TooManyWarningAlertsReceived),
            Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite),
            Error::InvalidCertRevocationList(CertRevocationListError::InvalidCrlNumber),
            Error::InvalidCertRevocationList(CertRevocationListError::Other(other())),
            Error::General("words".to_owned()),
            Error::FailedToGetCurrentTime,
            Error::FailedToGetRandomBytes,
            Error::HandshakeNotComplete,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::BadMaxFragmentSize,
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch),
            Error::Other(other()),
        ];
        all.extend(all_of_rustls().into_iter().map(Error::InvalidCertificate));
        let incompatible = [
            PeerIncompatible::EcPointsExtensionRequired,
            PeerIncompatible::ExtendedMasterSecretExtensionRequired,
            PeerIncompatible::IncorrectCertificateTypeExtension,
            PeerIncompatible::KeyShareExtensionRequired,
            PeerIncompatible::NamedGroupsExtensionRequired,
            PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon,
            PeerIncompatible::NoCipherSuitesInCommon,
            PeerIncompatible::NoEcPointFormatsInCommon,
            PeerIncompatible::NoKxGroupsInCommon,
            PeerIncompatible::NoSignatureSchemesInCommon,
            PeerIncompatible::NullCompressionRequired,
            PeerIncompatible::ServerDoesNotSupportTls12Or13,
            PeerIncompatible::ServerSentHelloRetryRequestWithUnknownExtension,
            PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            PeerIncompatible::SignatureAlgorithmsExtensionRequired,
            PeerIncompatible::SupportedVersionsExtensionRequired,
            PeerIncompatible::Tls12NotOffered,
            PeerIncompatible::Tls12NotOfferedOrEnabled,
            PeerIncompatible::Tls13RequiredForQuic,
            PeerIncompatible::UncompressedEcPointsRequired,
            PeerIncompatible::UnsolicitedCertificateTypeExtension,
            PeerIncompatible::ServerRejectedEncryptedClientHello(None),
        ];
        all.extend(incompatible.map(Error::PeerIncompatible));
        all.extend((0..=u8::MAX).map(|alert| Error::AlertReceived(alert.into())));
        all
    }

    #[test]
    fn every_error_with_a_client_is_reported_in_plain_words() {
        for error in all_errors() {
            let io_error = io::Error::new(io::ErrorKind::InvalidData, error.clone());
            assert_plain(&explain_client(io_error).to_string(), &error);
        }
    }

    #[test]
    fn every_error_of_rustls_is_reported_in_plain_words() {
        let presenter = Presenter::new(None);
        let known = Circumstances { host: "localhost", presenter: &presenter, offered: "TLS 1.2 and 1.3" };
        for error in all_errors() {
            let text = known.explain(&error).to_string();
            assert_plain(&text, &error);
            assert!(text.contains("localhost"), "{text}");
        }
    }
}
