//! Reads a certificate, for what webpki does not tell: who it names, who issued it, and for when.
//!
//! Nothing here decides alone that a certificate is good; what cannot be read is never taken for permission.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use std::net::IpAddr;
use x509_cert::certificate::Version;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, Uint};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

const SERVER_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// A certificate that was taken apart.
#[derive(Debug)]
pub(super) struct Certificate(x509_cert::Certificate);

/// Where a moment lies in a certificate's validity.
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
    /// `None` when it is no certificate.
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
        x509_cert::Certificate::from_der(der).ok().map(Certificate)
    }

    /// Whom it is for, as `CN=localhost,O=Example`.
    pub(super) fn subject(&self) -> String {
        let subject = self.0.tbs_certificate().subject();
        match (subject.is_empty(), self.names().first()) {
            (false, _) => describe(subject),
            (true, Some(name)) => format!("the one for {name}"),
            (true, None) => "the one without a subject".to_owned(),
        }
    }

    /// Who issued it.
    pub(super) fn issuer(&self) -> String {
        describe(self.0.tbs_certificate().issuer())
    }

    /// Whether it names itself as its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.names_as_issuer(self)
    }

    /// Whether it says that the other one issued it; without a look at signatures.
    pub(super) fn names_as_issuer(&self, other: &Certificate) -> bool {
        self.0.tbs_certificate().issuer() == other.0.tbs_certificate().subject()
    }

    /// Whether it is of the first version of X.509, without extensions; `openssl x509 -req` made such ones for years.
    pub(super) fn is_version_1(&self) -> bool {
        self.0.tbs_certificate().version() == Version::V1
    }

    /// Whether it says of itself that it may issue others.
    pub(super) fn is_authority(&self) -> bool {
        let constraints = self.0.tbs_certificate().get_extension::<BasicConstraints>();
        matches!(constraints, Ok(Some((_, constraints))) if constraints.ca)
    }

    /// Whether it may issue others, by the rules of OpenSSL: version 1 knows no difference.
    pub(super) fn may_issue(&self) -> bool {
        let tbs = self.0.tbs_certificate();
        let has_constraints = !matches!(tbs.get_extension::<BasicConstraints>(), Ok(None));
        match tbs.get_extension::<KeyUsage>() {
            Ok(Some((_, usage))) => usage.key_cert_sign() && (!has_constraints || self.is_authority()),
            Ok(None) => self.is_authority() || self.is_version_1(),
            Err(_) => false,
        }
    }

    /// Whether it limits the names that it may issue certificates for.
    pub(super) fn has_name_constraints(&self) -> bool {
        !matches!(self.0.tbs_certificate().get_extension::<NameConstraints>(), Ok(None))
    }

    /// Whether it asks for something that nothing here looks at.
    pub(super) fn has_unknown_critical_extension(&self) -> bool {
        let known = [BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID, SubjectAltName::OID];
        let mut extensions = self.0.tbs_certificate().extensions().into_iter().flatten();
        extensions.any(|extension| extension.critical && !known.contains(&extension.extn_id))
    }

    /// Whether a server may use it: where purposes are named, this is among them.
    pub(super) fn is_for_servers(&self) -> bool {
        match self.0.tbs_certificate().get_extension::<ExtendedKeyUsage>() {
            Ok(Some((_, usage))) => {
                usage.0.iter().any(|purpose| [SERVER_AUTHENTICATION, ANY_PURPOSE].contains(purpose))
            }
            Ok(None) => true,
            Err(_) => false,
        }
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
        self.alternative_names().iter().filter_map(host_name).collect()
    }

    /// Whether its subjectAltName has host names, so that its common name does not count.
    pub(super) fn has_dns_names(&self) -> bool {
        self.alternative_names().iter().any(|name| matches!(name, GeneralName::DnsName(_)))
    }

    /// The most specific common name of its subject.
    pub(super) fn common_name(&self) -> Option<String> {
        let name = self.0.tbs_certificate().subject().common_name().ok().flatten()?;
        Some(name.value().into_owned())
    }

    /// The name of the algorithm that it is signed with, where it is a known one.
    pub(super) fn signature_algorithm(&self) -> String {
        let algorithm = self.0.signature_algorithm().oid.to_string();
        match algorithm.as_str() {
            "1.2.840.113549.1.1.4" => "MD5 and RSA".to_owned(),
            "1.2.840.113549.1.1.5" => "SHA-1 and RSA".to_owned(),
            "1.2.840.10045.4.1" => "SHA-1 and ECDSA".to_owned(),
            "1.2.840.113549.1.1.10" => "RSA-PSS".to_owned(),
            "1.2.840.10045.4.3.4" => "SHA-512 and ECDSA".to_owned(),
            _ => format!("algorithm {algorithm}"),
        }
    }

    /// How many bits the modulus of a key of RSA has, when that is less than ring takes.
    pub(super) fn weak_rsa_bits(&self) -> Option<usize> {
        let key = self.0.tbs_certificate().subject_public_key_info();
        // A sequence of modulus and exponent; keys of other kinds are no sequence.
        let numbers = Vec::<Uint>::from_der(key.subject_public_key.as_bytes()?).ok()?;
        let modulus = numbers.first()?.as_bytes();
        let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
        Some(bits).filter(|bits| *bits < 2048)
    }

    /// Its public key, as rustls takes it.
    pub(super) fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'static>> {
        self.0.tbs_certificate().subject_public_key_info().to_der().ok().map(Into::into)
    }

    /// Whether the other certificate's key signed this one.
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

    fn alternative_names(&self) -> Vec<GeneralName> {
        match self.0.tbs_certificate().get_extension::<SubjectAltName>() {
            Ok(Some((_, names))) => names.0,
            _ => Vec::new(),
        }
    }
}

/// A distinguished name in its DER form, in words.
pub(super) fn describe_name(der: &[u8]) -> Option<String> {
    Name::from_der(der).ok().map(|name| describe(&name))
}

/// As `CN=Example CA,O=Example`, with what could disturb a terminal escaped.
fn describe(name: &Name) -> String {
    name.to_string()
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
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
