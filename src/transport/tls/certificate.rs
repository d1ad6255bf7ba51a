//! Reads the parts of a certificate that webpki does not expose: subject, issuer, validity.
//!
//! Nothing here accepts a certificate. An unreadable or duplicate extension never counts as absent: `Extension` keeps the two apart.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use std::net::IpAddr;
use x509_cert::certificate::Version;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, Uint};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, DecodeOwned, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

const SERVER_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
/// The extensions that are checked here, for certificates that webpki does not check.
pub(super) const CHECKED_HERE: [ObjectIdentifier; 4] =
    [BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID, SubjectAltName::OID];

/// The extensions that webpki knows.
pub(super) const CHECKED_BY_WEBPKI: [ObjectIdentifier; 6] = [
    BasicConstraints::OID,
    KeyUsage::OID,
    ExtendedKeyUsage::OID,
    SubjectAltName::OID,
    NameConstraints::OID,
    ObjectIdentifier::new_unwrap("2.5.29.31"),
];

/// The maximum number of purposes that an error lists.
const FEW: usize = 5;

const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// A parsed certificate.
#[derive(Debug)]
pub(super) struct Certificate(x509_cert::Certificate);

#[derive(Debug)]
pub(super) enum Extension<T> {
    Absent,
    Present(T),
    /// Its value is invalid, or it occurs more than once.
    Unreadable,
}

/// The validity of a certificate at a point in time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Validity {
    /// Between its dates.
    Valid,
    /// After its last date, which is given.
    Expired(String),
    /// Before its first date, which is given.
    NotYet(String),
}

impl Certificate {
    /// `None` if it is not a certificate.
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
        x509_cert::Certificate::from_der(der).ok().map(Certificate)
    }

    /// The subject, such as `CN=localhost,O=Example`.
    pub(super) fn subject(&self) -> String {
        let subject = self.0.tbs_certificate().subject();
        match (subject.is_empty(), self.names().first()) {
            (false, _) => describe(subject),
            (true, Some(name)) => format!("the one for {name}"),
            (true, None) => "the one without a subject".to_owned(),
        }
    }

    pub(super) fn issuer(&self) -> String {
        describe(self.0.tbs_certificate().issuer())
    }

    /// Whether its issuer is its own subject.
    pub(super) fn is_self_issued(&self) -> bool {
        self.names_as_issuer(self)
    }

    /// Whether its issuer is the other certificate's subject; signatures are not checked.
    pub(super) fn names_as_issuer(&self, other: &Certificate) -> bool {
        self.0.tbs_certificate().issuer() == other.0.tbs_certificate().subject()
    }

    /// Whether it is of version 1 of X.509, without extensions, as `openssl x509 -req` made them for years.
    pub(super) fn is_version_1(&self) -> bool {
        self.0.tbs_certificate().version() == Version::V1
    }

    /// Whether its basic constraints make it an authority.
    pub(super) fn is_authority(&self) -> bool {
        matches!(self.extension::<BasicConstraints>(), Extension::Present(constraints) if constraints.ca)
    }

    /// The maximum number of intermediates below it.
    pub(super) fn path_length(&self) -> Option<usize> {
        match self.extension::<BasicConstraints>() {
            Extension::Present(constraints) => constraints.path_len_constraint.map(usize::from),
            Extension::Absent | Extension::Unreadable => None,
        }
    }

    /// Whether it may issue others, by the rules of OpenSSL: any certificate of version 1 may.
    pub(super) fn may_issue(&self) -> bool {
        let has_constraints = !matches!(self.extension::<BasicConstraints>(), Extension::Absent);
        match self.extension::<KeyUsage>() {
            Extension::Present(usage) => usage.key_cert_sign() && (!has_constraints || self.is_authority()),
            Extension::Absent => self.is_authority() || self.is_version_1(),
            Extension::Unreadable => false,
        }
    }

    /// Whether it limits the names that it may issue certificates for.
    pub(super) fn has_name_constraints(&self) -> bool {
        !matches!(self.extension::<NameConstraints>(), Extension::Absent)
    }

    /// A critical extension that is not checked, so that the certificate has to be refused.
    pub(super) fn unknown_critical_extension(&self, known: &[ObjectIdentifier]) -> Option<String> {
        let mut extensions = self.0.tbs_certificate().extensions().into_iter().flatten();
        let unknown = extensions.find(|extension| extension.critical && !known.contains(&extension.extn_id));
        unknown.map(|extension| match extension.extn_id.to_string().as_str() {
            "2.5.29.30" => "nameConstraints".to_owned(),
            "2.5.29.31" => "cRLDistributionPoints".to_owned(),
            "2.5.29.32" => "certificatePolicies".to_owned(),
            "2.5.29.36" => "policyConstraints".to_owned(),
            "2.5.29.54" => "inhibitAnyPolicy".to_owned(),
            id => id.to_owned(),
        })
    }

    /// The name of an extension that has to be checked, but cannot be read.
    pub(super) fn unreadable_extension(&self) -> Option<&'static str> {
        let extensions = [
            ("basicConstraints", self.extension::<BasicConstraints>().is_unreadable()),
            ("keyUsage", self.extension::<KeyUsage>().is_unreadable()),
            ("extendedKeyUsage", self.extension::<ExtendedKeyUsage>().is_unreadable()),
            ("nameConstraints", self.extension::<NameConstraints>().is_unreadable()),
            ("subjectAltName", self.alternative_names().is_unreadable()),
        ];
        extensions.into_iter().find(|(_, is_unreadable)| *is_unreadable).map(|(name, _)| name)
    }

    /// Whether a server may use it: it lists no purposes, or this one among them.
    pub(super) fn is_for_servers(&self) -> bool {
        match self.extension::<ExtendedKeyUsage>() {
            Extension::Present(usage) => {
                usage.0.iter().any(|purpose| [SERVER_AUTHENTICATION, ANY_PURPOSE].contains(purpose))
            }
            Extension::Absent => true,
            Extension::Unreadable => false,
        }
    }

    /// The extended key usages, for a certificate that is not for servers.
    pub(super) fn other_usage(&self) -> String {
        let Extension::Present(usage) = self.extension::<ExtendedKeyUsage>() else {
            return "cannot be read".to_owned();
        };
        usage_without("serverAuth", usage.0.iter().map(ToString::to_string))
    }

    /// Whether it is valid at this time.
    pub(super) fn validity(&self, now: UnixTime) -> Validity {
        let validity = self.0.tbs_certificate().validity();
        if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
            Validity::Expired(date(&validity.not_after))
        } else if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
            Validity::NotYet(date(&validity.not_before))
        } else {
            Validity::Valid
        }
    }

    /// The first and the last moment of its validity, in seconds since 1970.
    pub(super) fn dates(&self) -> (u64, u64) {
        let validity = self.0.tbs_certificate().validity();
        let seconds = |time: &Time| time.to_unix_duration().as_secs();
        (seconds(&validity.not_before), seconds(&validity.not_after))
    }

    /// The host names and addresses that it is for, by its subjectAltName.
    pub(super) fn names(&self) -> Vec<String> {
        match self.alternative_names() {
            Extension::Present(names) => names.0.iter().filter_map(host_name).collect(),
            Extension::Absent | Extension::Unreadable => Vec::new(),
        }
    }

    /// The DNS names in its subjectAltName. If there are any, its common name does not count.
    pub(super) fn dns_names(&self) -> Extension<Vec<String>> {
        let dns_name = |name: &GeneralName| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        };
        match self.alternative_names() {
            Extension::Present(names) => Extension::Present(names.0.iter().filter_map(dns_name).collect()),
            Extension::Absent => Extension::Absent,
            Extension::Unreadable => Extension::Unreadable,
        }
    }

    /// The most specific common name of its subject.
    pub(super) fn common_name(&self) -> Option<String> {
        let name = self.0.tbs_certificate().subject().common_name().ok().flatten()?;
        Some(name.value().into_owned())
    }

    /// The name of its signature algorithm, or the identifier of an unknown one.
    pub(super) fn signature_algorithm(&self) -> String {
        let algorithm = self.0.signature_algorithm().oid.to_string();
        match algorithm.as_str() {
            "1.2.840.113549.1.1.4" => "MD5 and RSA".to_owned(),
            "1.2.840.113549.1.1.5" => "SHA-1 and RSA".to_owned(),
            "1.2.840.10045.4.1" => "SHA-1 and ECDSA".to_owned(),
            "1.2.840.113549.1.1.10" => "RSA-PSS with parameters other than the usual ones".to_owned(),
            "1.2.840.113549.1.1.11" => "SHA-256 and RSA".to_owned(),
            "1.2.840.113549.1.1.12" => "SHA-384 and RSA".to_owned(),
            "1.2.840.113549.1.1.13" => "SHA-512 and RSA".to_owned(),
            "1.2.840.113549.1.1.14" => "SHA-224 and RSA".to_owned(),
            "1.2.840.10045.4.3.1" => "SHA-224 and ECDSA".to_owned(),
            "1.2.840.10045.4.3.2" => "SHA-256 and ECDSA".to_owned(),
            "1.2.840.10045.4.3.3" => "SHA-384 and ECDSA".to_owned(),
            "1.2.840.10045.4.3.4" => "SHA-512 and ECDSA".to_owned(),
            "1.3.101.112" => "Ed25519".to_owned(),
            "1.3.101.113" => "Ed448".to_owned(),
            _ => format!("algorithm {algorithm}"),
        }
    }

    /// The identifier of the algorithm that it is signed with, as webpki compares it.
    pub(super) fn signature_identifier(&self) -> Option<Vec<u8>> {
        identifier(self.0.signature_algorithm())
    }

    /// The identifier of the algorithm of its key, as webpki compares it.
    pub(super) fn key_identifier(&self) -> Option<Vec<u8>> {
        identifier(&self.0.tbs_certificate().subject_public_key_info().algorithm)
    }

    /// The kind of its key, as `a key of P-521`.
    pub(super) fn key_kind(&self) -> String {
        let algorithm = &self.0.tbs_certificate().subject_public_key_info().algorithm;
        let parameters = algorithm.parameters.as_ref();
        match (algorithm.oid.to_string().as_str(), parameters) {
            ("1.2.840.113549.1.1.1", _) => "a key of RSA".to_owned(),
            ("1.2.840.113549.1.1.10", _) => "a key for RSA-PSS alone".to_owned(),
            ("1.2.840.10045.2.1", Some(parameters)) => match parameters.decode_as::<ObjectIdentifier>() {
                Ok(curve) => format!("a key of {}", curve_name(curve)),
                Err(_) => "a key of an elliptic curve with explicit parameters".to_owned(),
            },
            ("1.2.840.10045.2.1", None) => "a key of an elliptic curve that is not named".to_owned(),
            ("1.2.840.10040.4.1", _) => "a key of DSA".to_owned(),
            ("1.3.101.112", _) => "a key of Ed25519".to_owned(),
            ("1.3.101.113", _) => "a key of Ed448".to_owned(),
            (id, _) => format!("a key of the algorithm {id}"),
        }
    }

    /// The size of an RSA key in bits, if ring requires a larger one.
    pub(super) fn weak_rsa_bits(&self) -> Option<usize> {
        let key = self.0.tbs_certificate().subject_public_key_info();
        // A sequence of modulus and exponent; other key types are not sequences.
        let numbers = Vec::<Uint>::from_der(key.subject_public_key.as_bytes()?).ok()?;
        let modulus = numbers.first()?.as_bytes();
        let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
        Some(bits).filter(|bits| *bits < 2048)
    }

    /// Its public key, as rustls takes it.
    pub(super) fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'static>> {
        self.0.tbs_certificate().subject_public_key_info().to_der().ok().map(Into::into)
    }

    /// Whether the key of the other certificate signed this one.
    pub(super) fn is_signed_by(&self, issuer: &Certificate, supported: WebPkiSupportedAlgorithms) -> bool {
        let check = || {
            let signed = self.0.tbs_certificate().to_der().ok()?;
            let algorithm = identifier(self.0.signature_algorithm())?;
            let key = issuer.0.tbs_certificate().subject_public_key_info();
            let key_algorithm = identifier(&key.algorithm)?;
            let (key, signature) = (key.subject_public_key.as_bytes()?, self.0.signature().as_bytes()?);
            let mut fitting = supported.all.iter().filter(|candidate| {
                candidate.signature_alg_id().as_ref() == algorithm
                    && candidate.public_key_alg_id().as_ref() == key_algorithm
            });
            Some(fitting.any(|candidate| candidate.verify_signature(key, &signed, signature).is_ok()))
        };
        check().unwrap_or(false)
    }

    /// Whether this certificate's key made a signature, by any of these algorithms.
    pub(super) fn has_signed(
        &self,
        message: &[u8],
        signature: &[u8],
        algorithms: &[&dyn rustls::pki_types::SignatureVerificationAlgorithm],
    ) -> bool {
        let key = self.0.tbs_certificate().subject_public_key_info();
        let (Some(key_algorithm), Some(key)) =
            (identifier(&key.algorithm), key.subject_public_key.as_bytes())
        else {
            return false;
        };
        let mut fitting = algorithms.iter().filter(|one| one.public_key_alg_id().as_ref() == key_algorithm);
        fitting.any(|one| one.verify_signature(key, message, signature).is_ok())
    }

    fn alternative_names(&self) -> Extension<SubjectAltName> {
        self.extension()
    }

    /// The one place where extensions are read.
    fn extension<T: DecodeOwned + AssociatedOid>(&self) -> Extension<T> {
        match self.0.tbs_certificate().get_extension::<T>() {
            Ok(Some((_, value))) => Extension::Present(value),
            Ok(None) => Extension::Absent,
            Err(_) => Extension::Unreadable,
        }
    }
}

impl<T> Extension<T> {
    fn is_unreadable(&self) -> bool {
        matches!(self, Extension::Unreadable)
    }
}

/// A distinguished name in DER, as text.
pub(super) fn describe_name(der: &[u8]) -> Option<String> {
    Name::from_der(der).ok().map(|name| describe(&name))
}

/// A name such as `CN=Example CA,O=Example`, escaped for terminals.
fn describe(name: &Name) -> String {
    name.to_string()
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// An extended key usage without the purpose that was expected, after the words for it.
pub(super) fn usage_without(expected: &str, object_ids: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = object_ids.take(FEW).map(|id| purpose(&id)).collect();
    match names.as_slice() {
        [] => "is empty".to_owned(),
        names => format!("has {}, and not {expected}", names.join(", ")),
    }
}

fn purpose(object_id: &str) -> String {
    match object_id {
        "1.3.6.1.5.5.7.3.1" => "serverAuth".to_owned(),
        "1.3.6.1.5.5.7.3.2" => "clientAuth".to_owned(),
        "1.3.6.1.5.5.7.3.3" => "codeSigning".to_owned(),
        "1.3.6.1.5.5.7.3.4" => "emailProtection".to_owned(),
        "1.3.6.1.5.5.7.3.8" => "timeStamping".to_owned(),
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning".to_owned(),
        id => id.to_owned(),
    }
}

fn curve_name(id: ObjectIdentifier) -> String {
    match id.to_string().as_str() {
        "1.2.840.10045.3.1.7" => "P-256".to_owned(),
        "1.3.132.0.34" => "P-384".to_owned(),
        "1.3.132.0.35" => "P-521".to_owned(),
        "1.3.132.0.33" => "P-224".to_owned(),
        "1.3.132.0.10" => "secp256k1".to_owned(),
        id => format!("the elliptic curve {id}"),
    }
}

fn host_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string().escape_debug().to_string()),
        GeneralName::IpAddress(address) => {
            let bytes = address.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()?;
            Some(address.to_string())
        }
        _ => None,
    }
}

/// The identifier of an algorithm without the header around it, as rustls compares it.
fn identifier(algorithm: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let der = algorithm.to_der().ok()?;
    AnyRef::from_der(&der).ok().map(|any| any.value().to_vec())
}

/// As `2026-10-01 12:00 UTC`.
fn date(time: &Time) -> String {
    let at = time.to_date_time();
    format!("{}-{:02}-{:02} {:02}:{:02} UTC", at.year(), at.month(), at.day(), at.hour(), at.minutes())
}
