//! Client certificates and their keys.

use super::certificate::{Certificate, Validity, describe_name};
use super::file_kind;
use super::key_error::KeyError;
use super::roots::{RootsError, read_certificates};
use super::traditional::TraditionalKey;
use super::validity::ChainValidity;
use crate::input_file;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use x509_cert::der::Decode;
use x509_cert::der::asn1::Any;
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

/// A certificate with its issuers, and its key.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    description: String,
    validity: ChainValidity,
}

impl Identity {
    /// The certificate in words: its subject and issuer, and why it is not valid now.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    pub(super) fn validity(&self) -> &ChainValidity {
        &self.validity
    }
}

/// A password that is never shown.
pub(crate) struct KeyPassword(Zeroizing<Vec<u8>>);

impl KeyPassword {
    /// A password whose bytes are wiped from memory when it is dropped.
    pub(crate) fn new(password: Vec<u8>) -> KeyPassword {
        KeyPassword(Zeroizing::new(password))
    }

    /// The bytes, which are still wiped when they are dropped.
    #[cfg(feature = "psk")]
    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl fmt::Debug for KeyPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPassword(..)")
    }
}

/// A private key from a file.
#[derive(Debug)]
pub(crate) enum Key {
    /// Without encryption.
    Plain(PrivateKeyDer<'static>),
    /// It needs a password.
    Encrypted(EncryptedKey),
}

/// A private key that needs a password.
#[derive(Debug)]
pub(crate) struct EncryptedKey(Encryption);

#[derive(Debug)]
enum Encryption {
    Pkcs8(pkcs8::SecretDocument),
    Traditional(TraditionalKey),
}

/// Encryption that OpenSSL 3 keeps in its legacy provider: PBES1 but for Triple DES, and DES, RC2 and RC4.
const LEGACY_ENCRYPTION: [&str; 13] = [
    "1.2.840.113549.1.5.1",
    "1.2.840.113549.1.5.3",
    "1.2.840.113549.1.5.4",
    "1.2.840.113549.1.5.6",
    "1.2.840.113549.1.5.10",
    "1.2.840.113549.1.5.11",
    "1.2.840.113549.1.12.1.1",
    "1.2.840.113549.1.12.1.2",
    "1.2.840.113549.1.12.1.5",
    "1.2.840.113549.1.12.1.6",
    "1.3.14.3.2.7",
    "1.2.840.113549.3.2",
    "1.2.840.113549.3.4",
];

impl Key {
    /// Reads the private key from a PEM file: PKCS#8, PKCS#1 or SEC1, also encrypted.
    ///
    /// # Errors
    /// The problem with the file.
    pub(crate) fn read(path: &Path) -> Result<Key, KeyError> {
        let pem = input_file::read_text(path, input_file::LIMIT).map_err(RootsError::from)?;
        let position = |part: &[u8]| pem.windows(part.len()).position(|window| window == part);
        if let Some(start) = position(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            let section = pem.get(start..).and_then(|section| std::str::from_utf8(section).ok());
            let document = section.and_then(|section| pkcs8::SecretDocument::from_pem(section).ok());
            return document
                .map(|(_, der)| Key::Encrypted(EncryptedKey(Encryption::Pkcs8(der))))
                .ok_or(KeyError::Damaged);
        }
        if let Some(key) = TraditionalKey::find(&String::from_utf8_lossy(&pem)) {
            return key.map(|key| Key::Encrypted(EncryptedKey(Encryption::Traditional(key))));
        }
        PrivateKeyDer::from_pem_slice(&pem).map(Key::Plain).map_err(|_| {
            match (file_kind::of(&pem), pem.first()) {
                (Some(kind), _) => KeyError::OtherKind(kind),
                (None, Some(0x30)) => KeyError::Der, // a SEQUENCE
                _ if position(b"PRIVATE KEY-----").is_some() => KeyError::Damaged,
                _ if position(b"-----BEGIN CERTIFICATE-----").is_some() => KeyError::Certificate,
                _ => KeyError::None,
            }
        })
    }
}

impl EncryptedKey {
    /// Decrypts the key.
    ///
    /// # Errors
    /// If the password is wrong, or the encryption is not known here.
    pub(crate) fn decrypt(&self, password: &KeyPassword) -> Result<PrivateKeyDer<'static>, KeyError> {
        match &self.0 {
            Encryption::Pkcs8(document) => decrypt_pkcs8(document.as_bytes(), password),
            Encryption::Traditional(key) => key.decrypt(&password.0),
        }
    }
}

fn decrypt_pkcs8(der: &[u8], password: &KeyPassword) -> Result<PrivateKeyDer<'static>, KeyError> {
    let unknown = || KeyError::UnknownEncryption { is_legacy: is_legacy(der).unwrap_or(true) };
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| unknown())?;
    match encrypted.decrypt(&*password.0) {
        Ok(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
        Err(pkcs8::Error::EncryptedPrivateKey(
            pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. } | pkcs8::pkcs5::Error::NoPbes1CryptSupport,
        )) => Err(unknown()),
        // With a wrong password, the decrypted bytes can have valid padding by chance, but are not a key.
        Err(_) => Err(KeyError::WrongPassword),
    }
}

/// Whether OpenSSL 3 needs its legacy provider to read the key. `None` if the method is unknown.
fn is_legacy(der: &[u8]) -> Option<bool> {
    let parts = Vec::<Any>::from_der(der).ok()?;
    let method = parts.first()?.decode_as::<AlgorithmIdentifierOwned>().ok()?;
    // In PBES2, the cipher follows the key derivation.
    let cipher = method.parameters.as_ref().and_then(|parameters| {
        let parts = parameters.decode_as::<Vec<Any>>().ok()?;
        parts.get(1)?.decode_as::<AlgorithmIdentifierOwned>().ok()
    });
    let is_old = |id: &str| LEGACY_ENCRYPTION.contains(&id);
    Some(is_old(&method.oid.to_string()) || cipher.is_some_and(|cipher| is_old(&cipher.oid.to_string())))
}

/// A certificate file; the first certificate is the client's.
#[derive(Debug)]
pub(crate) struct OwnCertificate {
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    certificate: Certificate,
}

impl OwnCertificate {
    /// Reads the client certificate and its issuers, in this order.
    ///
    /// # Errors
    /// The problem with the file.
    pub(crate) fn read(path: &Path) -> Result<OwnCertificate, RootsError> {
        let chain = read_certificates(path)?;
        let certificate = chain.first().and_then(Certificate::read);
        let certificate = certificate.ok_or(RootsError::Damaged { number: 1 })?;
        Ok(OwnCertificate { chain, certificate })
    }

    /// Joins it with its key; `None` when the key belongs to another certificate.
    ///
    /// # Errors
    /// If the key is of a kind that is not supported.
    pub(crate) fn with_key(self, key: &PrivateKeyDer<'_>) -> Result<Option<Identity>, KeyError> {
        let key = any_supported_type(key).map_err(|_| KeyError::Unsupported)?;
        if key.public_key().is_some_and(|key| Some(key) != self.certificate.public_key()) {
            return Ok(None);
        }
        let subject = self.certificate.subject();
        let mut description = match self.certificate.is_self_issued() {
            true => format!("{subject} (self-signed)"),
            false => format!("{subject} (issued by {})", self.certificate.issuer()),
        };
        match self.certificate.validity(UnixTime::now()) {
            Validity::Valid => {}
            Validity::Expired(date) => description += &format!(", which expired on {date}"),
            Validity::NotYet(date) => description += &format!(", which is not valid before {date}"),
        }
        let validity = ChainValidity::new(self.chain.iter().filter_map(Certificate::read).collect());
        Ok(Some(Identity { key: Arc::new(CertifiedKey::new(self.chain, key)), description, validity }))
    }

    pub(crate) fn subject(&self) -> String {
        self.certificate.subject()
    }
}

/// Presents the client's certificate to servers that request one, and records the request.
#[derive(Debug)]
pub(super) struct Presenter {
    identity: Option<Identity>,
    /// The authorities that the server accepts, once it has requested a certificate.
    accepted: OnceLock<Vec<String>>,
}

impl Presenter {
    pub(super) fn new(identity: Option<Identity>) -> Presenter {
        Presenter { identity, accepted: OnceLock::new() }
    }

    /// The subject of the client's certificate, if there is one.
    pub(super) fn ours(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.description.as_str())
    }

    /// The authorities that the server accepts; `None` if it requested no certificate.
    pub(super) fn accepted(&self) -> Option<&[String]> {
        self.accepted.get().map(Vec::as_slice)
    }
}

impl ResolvesClientCert for Presenter {
    fn resolve(&self, issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.accepted.get_or_init(|| issuers.iter().copied().filter_map(describe_name).collect());
        self.identity.as_ref().map(|identity| identity.key.clone())
    }

    fn has_certs(&self) -> bool {
        // Always true, so that a request by the server is recorded.
        true
    }
}
