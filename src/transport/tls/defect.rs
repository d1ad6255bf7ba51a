//! The defects of a certificate in a chain: the sentence for users, and the alert for the server.
//!
//! webpki and rustls name their errors in Rust's terms, and new versions add some. Users never see these names: every error becomes a
//! [`Defect`], and an unknown error becomes the words of its name.

use rustls::{CertificateError, OtherError};
use std::fmt::Debug;
use std::sync::Arc;

/// The check that a certificate failed. The text follows the name of the certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Defect {
    #[error("cannot be read: {0}")]
    Malformed(&'static str),
    #[error("has an invalid extension {0}{count}", count = common_name(.0))]
    UnreadableExtension(&'static str),
    #[error("has an RSA key of {bits} bits, expected 2048 or more")]
    WeakKey { bits: usize },
    #[error("has {0}, which is not supported")]
    UnsupportedKey(String),
    #[error("is signed with {0}, which is not accepted")]
    UnsupportedSignature(String),
    #[error("has an invalid signature: {issuer}, which it names as its issuer, did not sign it")]
    BadSignature { issuer: String },
    #[error("is not meant for servers (its extended key usage {usage})")]
    NotForServers { usage: String },
    #[error("issued a certificate of the chain, but is not an authority (CA:TRUE)")]
    NotAnAuthority,
    #[error("is that of an authority (CA:TRUE); expected one of a client or server (CA:FALSE)")]
    OnlyAnAuthority,
    #[error("is {kind}, and is accepted only if a trusted authority issued it directly")]
    IndirectlyIssued { kind: &'static str },
    #[error("allows fewer intermediate certificates than the chain has (path length constraint)")]
    PathLength,
    #[error("is not allowed to issue certificates for the names in this one (name constraints)")]
    NameConstraints,
    #[error("has the critical extension {0}, which is not supported")]
    CriticalExtension(String),
    #[error("is of a version of X.509 other than 3")]
    Version,
    #[error("has contradictory dates")]
    Dates,
    #[error("has expired")]
    Expired,
    #[error("is not valid yet")]
    NotYetValid,
    #[error("has a key that must not be trusted, since it is known to be misused")]
    Distrusted,
    #[error("was revoked by its issuer")]
    Revoked,
    #[error("may be revoked: its revocation status cannot be determined ({0})")]
    RevocationUnknown(&'static str),
    #[error("has an unknown issuer")]
    UnknownIssuer,
    #[error("is for another host")]
    OtherName,
    #[error("belongs to a chain that is too long or too complex to be checked")]
    TooComplex,
    #[error("cannot be compared with a host name of this kind")]
    UnsupportedName,
    #[error("was refused by the application")]
    Application,
    #[error("failed a check: {0}")]
    Unnamed(String),
}

impl Defect {
    /// The check that webpki reports, if the certificate has no further details.
    pub(super) fn of_webpki(error: &webpki::Error) -> Defect {
        use webpki::Error;
        #[allow(deprecated)] // they are still variants
        match error {
            Error::BadDer => Defect::Malformed("its encoding (DER) is invalid"),
            Error::BadDerTime => Defect::Malformed("one of its dates is invalid"),
            Error::TrailingData(_) => Defect::Malformed("bytes follow the end of one of its fields"),
            Error::MalformedExtensions => Defect::Malformed("its extensions are invalid"),
            Error::ExtensionValueInvalid => {
                Defect::Malformed("an extension is invalid, or is there more than once")
            }
            Error::InvalidSerialNumber => Defect::Malformed("its serial number is invalid"),
            Error::SignatureAlgorithmMismatch => {
                Defect::Malformed("it names two different signature algorithms")
            }
            Error::MalformedDnsIdentifier => Defect::Malformed("one of its DNS names is invalid"),
            Error::MalformedNameConstraint => Defect::Malformed("its name constraints are invalid"),
            Error::InvalidNetworkMaskConstraint => {
                Defect::Malformed("an address range in its name constraints is invalid")
            }
            Error::InvalidCertValidity => Defect::Dates,
            Error::CertExpired { .. } => Defect::Expired,
            Error::CertNotValidYet { .. } => Defect::NotYetValid,
            Error::CertNotValidForName(_) => Defect::OtherName,
            Error::CertDistrusted => Defect::Distrusted,
            Error::CaUsedAsEndEntity => Defect::OnlyAnAuthority,
            Error::EndEntityUsedAsCa => Defect::NotAnAuthority,
            Error::EmptyEkuExtension => Defect::NotForServers { usage: "is empty".to_owned() },
            Error::RequiredEkuNotFound | Error::RequiredEkuNotFoundContext(_) => Defect::not_for_servers(),
            Error::NameConstraintViolation => Defect::NameConstraints,
            Error::PathLenConstraintViolated => Defect::PathLength,
            Error::MaximumNameConstraintComparisonsExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumPathDepthExceeded
            | Error::MaximumSignatureChecksExceeded => Defect::TooComplex,
            Error::UnknownIssuer => Defect::UnknownIssuer,
            Error::InvalidSignatureForPublicKey => Defect::bad_signature(),
            Error::UnsupportedSignatureAlgorithm | Error::UnsupportedSignatureAlgorithmContext(_) => {
                Defect::unsupported_signature()
            }
            Error::UnsupportedSignatureAlgorithmForPublicKey
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Defect::unsupported_key(),
            Error::UnsupportedCertVersion => Defect::Version,
            Error::UnsupportedCriticalExtension => Defect::critical_extension(),
            Error::UnsupportedNameType => Defect::UnsupportedName,
            Error::CertRevoked => Defect::Revoked,
            Error::UnknownRevocationStatus => Defect::RevocationUnknown("no revocation list covers it"),
            Error::CrlExpired { .. } => Defect::RevocationUnknown("the revocation list has expired"),
            Error::InvalidCrlNumber | Error::InvalidCrlSignatureForPublicKey | Error::IssuerNotCrlSigner => {
                Defect::RevocationUnknown("the revocation list is invalid")
            }
            Error::UnsupportedCrlIssuingDistributionPoint
            | Error::UnsupportedCrlVersion
            | Error::UnsupportedDeltaCrl
            | Error::UnsupportedIndirectCrl
            | Error::UnsupportedRevocationReason
            | Error::UnsupportedRevocationReasonsPartitioning
            | Error::UnsupportedCrlSignatureAlgorithm
            | Error::UnsupportedCrlSignatureAlgorithmContext(_)
            | Error::UnsupportedCrlSignatureAlgorithmForPublicKey
            | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => {
                Defect::RevocationUnknown("the revocation list is of a kind that is not supported")
            }
            unknown => Defect::Unnamed(plain_words(unknown)),
        }
    }

    /// The check that rustls found to fail.
    pub(super) fn of_rustls(error: &CertificateError) -> Defect {
        #[allow(deprecated)] // they are still variants
        match error {
            CertificateError::BadEncoding => Defect::Malformed("its encoding (DER) is invalid"),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Defect::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Defect::NotYetValid
            }
            CertificateError::Revoked => Defect::Revoked,
            CertificateError::UnhandledCriticalExtension => Defect::critical_extension(),
            CertificateError::UnknownIssuer => Defect::UnknownIssuer,
            CertificateError::UnknownRevocationStatus => {
                Defect::RevocationUnknown("no revocation list covers it")
            }
            CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => {
                Defect::RevocationUnknown("the revocation list has expired")
            }
            CertificateError::InvalidOcspResponse => {
                Defect::RevocationUnknown("the OCSP response of the server is invalid")
            }
            CertificateError::BadSignature => Defect::bad_signature(),
            CertificateError::UnsupportedSignatureAlgorithm
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. } => {
                Defect::unsupported_signature()
            }
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Defect::unsupported_key()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Defect::OtherName
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Defect::not_for_servers()
            }
            CertificateError::ApplicationVerificationFailure => Defect::Application,
            CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
                Some(error) => Defect::of_webpki(error),
                None => Defect::Unnamed("the reason is unknown".to_owned()),
            },
            unknown => Defect::Unnamed(plain_words(unknown)),
        }
    }

    /// The error with which rustls sends the alert that OpenSSL sends for the same defect. Only for dates RFC 8446, 6.2, is
    /// followed instead: `certificate_expired` is also for certificates that are not valid yet.
    pub(super) fn alert(&self) -> CertificateError {
        match self {
            Defect::Malformed(_)
            | Defect::UnreadableExtension(_)
            | Defect::WeakKey { .. }
            | Defect::UnsupportedKey(_)
            | Defect::UnsupportedSignature(_)
            | Defect::CriticalExtension(_)
            | Defect::Version
            | Defect::Distrusted
            | Defect::OtherName
            | Defect::UnsupportedName
            | Defect::NameConstraints => CertificateError::BadEncoding, // bad_certificate
            Defect::BadSignature { .. } => CertificateError::BadSignature, // decrypt_error
            Defect::NotForServers { .. } | Defect::OnlyAnAuthority => CertificateError::InvalidPurpose,
            Defect::NotAnAuthority
            | Defect::IndirectlyIssued { .. }
            | Defect::PathLength
            | Defect::UnknownIssuer
            | Defect::TooComplex => CertificateError::UnknownIssuer,
            Defect::Dates | Defect::Expired | Defect::NotYetValid => CertificateError::Expired,
            Defect::Revoked => CertificateError::Revoked,
            Defect::RevocationUnknown(_) => CertificateError::UnknownRevocationStatus,
            Defect::Application => CertificateError::ApplicationVerificationFailure,
            Defect::Unnamed(_) => CertificateError::Other(OtherError(Arc::new(self.clone()))),
        }
    }

    fn not_for_servers() -> Defect {
        Defect::NotForServers { usage: "does not say so".to_owned() }
    }

    fn bad_signature() -> Defect {
        Defect::BadSignature { issuer: "the authority".to_owned() }
    }

    fn unsupported_signature() -> Defect {
        Defect::UnsupportedSignature("an algorithm that is unknown here".to_owned())
    }

    fn unsupported_key() -> Defect {
        Defect::UnsupportedKey("a key of another kind than its signature algorithm".to_owned())
    }

    fn critical_extension() -> Defect {
        Defect::CriticalExtension("of an unknown kind".to_owned())
    }
}

/// Only without host names in subjectAltName a common name counts.
fn common_name(extension: &str) -> &'static str {
    if extension == "subjectAltName" { ", so its common name does not count" } else { "" }
}

/// The name of an enum variant as words, without its data: `PathLenExceeded(..)` is "path len exceeded".
pub(super) fn plain_words(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let name: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rustls::ExtendedKeyPurpose;
    use rustls::pki_types::{ServerName, UnixTime};
    use std::time::Duration;

    fn now() -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000))
    }

    /// Every variant of webpki's error that can be made outside of it.
    #[allow(deprecated)]
    fn all_of_webpki() -> Vec<webpki::Error> {
        use webpki::{
            DerTypeId, Error, InvalidNameContext, KeyUsage, RequiredEkuNotFoundContext,
            UnsupportedSignatureAlgorithmContext, UnsupportedSignatureAlgorithmForPublicKeyContext,
        };
        let signature = || UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![1, 2, 3],
            supported_algorithms: vec![rustls::pki_types::alg_id::ECDSA_SHA256],
        };
        let key = || UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![1; 500],
            public_key_algorithm_id: vec![2; 500],
        };
        let expected = ServerName::try_from("localhost").unwrap();
        vec![
            Error::BadDer,
            Error::BadDerTime,
            Error::CaUsedAsEndEntity,
            Error::CertDistrusted,
            Error::CertExpired { time: now(), not_after: now() },
            Error::CertNotValidForName(InvalidNameContext { expected, presented: vec!["a".to_owned()] }),
            Error::CertNotValidYet { time: now(), not_before: now() },
            Error::CertRevoked,
            Error::CrlExpired { time: now(), next_update: now() },
            Error::EmptyEkuExtension,
            Error::EndEntityUsedAsCa,
            Error::ExtensionValueInvalid,
            Error::InvalidCertValidity,
            Error::InvalidCrlNumber,
            Error::InvalidNetworkMaskConstraint,
            Error::InvalidSerialNumber,
            Error::InvalidCrlSignatureForPublicKey,
            Error::InvalidSignatureForPublicKey,
            Error::IssuerNotCrlSigner,
            Error::MalformedDnsIdentifier,
            Error::MalformedExtensions,
            Error::MalformedNameConstraint,
            Error::MaximumNameConstraintComparisonsExceeded,
            Error::MaximumPathBuildCallsExceeded,
            Error::MaximumPathDepthExceeded,
            Error::MaximumSignatureChecksExceeded,
            Error::NameConstraintViolation,
            Error::PathLenConstraintViolated,
            Error::RequiredEkuNotFound,
            Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
                required: KeyUsage::server_auth(),
                present: vec![vec![1, 3, 6]],
            }),
            Error::SignatureAlgorithmMismatch,
            Error::TrailingData(DerTypeId::Certificate),
            Error::UnknownIssuer,
            Error::UnknownRevocationStatus,
            Error::UnsupportedCertVersion,
            Error::UnsupportedCriticalExtension,
            Error::UnsupportedCrlIssuingDistributionPoint,
            Error::UnsupportedCrlVersion,
            Error::UnsupportedDeltaCrl,
            Error::UnsupportedIndirectCrl,
            Error::UnsupportedNameType,
            Error::UnsupportedRevocationReason,
            Error::UnsupportedRevocationReasonsPartitioning,
            Error::UnsupportedCrlSignatureAlgorithm,
            Error::UnsupportedCrlSignatureAlgorithmContext(signature()),
            Error::UnsupportedSignatureAlgorithm,
            Error::UnsupportedSignatureAlgorithmContext(signature()),
            Error::UnsupportedCrlSignatureAlgorithmForPublicKey,
            Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(key()),
            Error::UnsupportedSignatureAlgorithmForPublicKey,
            Error::UnsupportedSignatureAlgorithmForPublicKeyContext(key()),
        ]
    }

    /// Every variant of rustls's error about certificates.
    #[allow(deprecated)]
    pub(in super::super) fn all_of_rustls() -> Vec<CertificateError> {
        let mut all = vec![
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::ExpiredContext { time: now(), not_after: now() },
            CertificateError::NotValidYet,
            CertificateError::NotValidYetContext { time: now(), not_before: now() },
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::ExpiredRevocationListContext { time: now(), next_update: now() },
            CertificateError::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithm,
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![1; 500],
                supported_algorithms: Vec::new(),
            },
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![1; 500],
                public_key_algorithm_id: vec![2; 500],
            },
            CertificateError::NotValidForName,
            CertificateError::NotValidForNameContext {
                expected: ServerName::try_from("localhost").unwrap(),
                presented: Vec::new(),
            },
            CertificateError::InvalidPurpose,
            CertificateError::InvalidPurposeContext {
                required: ExtendedKeyPurpose::ServerAuth,
                presented: vec![ExtendedKeyPurpose::ClientAuth],
            },
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
        ];
        let other = |error: webpki::Error| CertificateError::Other(OtherError(Arc::new(error)));
        all.extend(all_of_webpki().into_iter().map(other));
        all
    }

    /// A sentence: no name of a Rust type or variant, nothing between braces, and no end.
    #[track_caller]
    pub(in super::super) fn assert_plain(text: &str, error: &impl Debug) {
        let debug = format!("{error:?}");
        let names = debug.split(|c: char| !c.is_ascii_alphanumeric());
        let is_rust = |name: &&str| name.chars().skip(1).any(|c| c.is_ascii_uppercase()) && name.len() > 6;
        for name in names.filter(is_rust) {
            assert!(!text.contains(name), "{name} in: {text}");
        }
        assert!(!text.contains(['{', '}', '[', ']']), "{text}");
        assert!(text.len() < 300 && !text.ends_with('.'), "{text}");
    }

    #[test]
    fn every_error_of_webpki_and_rustls_has_a_sentence_of_its_own() {
        for error in all_of_webpki() {
            let defect = Defect::of_webpki(&error);
            assert!(!matches!(defect, Defect::Unnamed(_)), "{error:?}: {defect}");
            assert_plain(&defect.to_string(), &error);
        }
        for error in all_of_rustls() {
            let defect = Defect::of_rustls(&error);
            assert!(!matches!(defect, Defect::Unnamed(_)), "{error:?}: {defect}");
            assert_plain(&defect.to_string(), &error);
        }
    }

    #[test]
    fn an_error_that_is_unknown_is_reported_in_the_words_of_its_name() {
        #[derive(Debug)]
        #[allow(dead_code)]
        enum Later {
            MaximumPathDepthExceeded(Vec<u8>),
        }
        assert_eq!(plain_words(&Later::MaximumPathDepthExceeded(vec![1])), "maximum path depth exceeded");
    }
}
