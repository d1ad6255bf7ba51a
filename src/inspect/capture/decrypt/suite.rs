//! The cipher suites that can be decrypted: one row for each cipher and MAC, whatever the key exchange.

use super::aead::Aead;
use super::mac::Cbc;
use super::version::TlsVersion;
use crate::inspect::capture::conversation::Undecryptable;
use Hash::{Sha256, Sha384};
use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};
use ccm::Ccm;
use ccm::consts::{U8, U12, U16};
use des::TdesEde3;
use ring::aead::{AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305};
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY as HMAC_SHA1, HMAC_SHA256, HMAC_SHA384};
use ring::{hkdf, hmac};
use rustls::CipherSuite;

/// The record protection of a connection. The key exchange does not matter once the secrets are known.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    pub(super) version: TlsVersion,
    pub(super) protection: Protection,
    /// The hash function for key derivation.
    pub(super) hash: Hash,
}

/// The form of encrypted records.
#[derive(Clone, Copy)]
pub(super) enum Protection {
    /// Encryption and authentication in one.
    Aead(Aead),
    /// CBC with a MAC.
    Cbc(Cbc, &'static hmac::Algorithm),
    /// A MAC, without encryption.
    Mac(&'static hmac::Algorithm),
}

/// A hash function for key derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

/// The protection of a suite, by the part of its name after `_WITH_`.
#[rustfmt::skip]
static ROWS: [(&str, Protection, Hash); 29] = [
    ("AES_128_GCM_SHA256",       Protection::Aead(Aead::Ring(&AES_128_GCM)), Sha256),
    ("AES_256_GCM_SHA384",       Protection::Aead(Aead::Ring(&AES_256_GCM)), Sha384),
    ("CHACHA20_POLY1305_SHA256", Protection::Aead(Aead::Ring(&CHACHA20_POLY1305)), Sha256),
    ("CAMELLIA_128_GCM_SHA256",  Protection::Aead(Aead::of::<AesGcm<Camellia128, U12>>()), Sha256),
    ("CAMELLIA_256_GCM_SHA384",  Protection::Aead(Aead::of::<AesGcm<Camellia256, U12>>()), Sha384),
    ("ARIA_128_GCM_SHA256",      Protection::Aead(Aead::of::<AesGcm<Aria128, U12>>()), Sha256),
    ("ARIA_256_GCM_SHA384",      Protection::Aead(Aead::of::<AesGcm<Aria256, U12>>()), Sha384),
    ("AES_128_CCM",              Protection::Aead(Aead::of::<Ccm<Aes128, U16, U12>>()), Sha256),
    ("AES_256_CCM",              Protection::Aead(Aead::of::<Ccm<Aes256, U16, U12>>()), Sha256),
    ("AES_128_CCM_8",            Protection::Aead(Aead::of::<Ccm<Aes128, U8, U12>>()), Sha256),
    ("AES_256_CCM_8",            Protection::Aead(Aead::of::<Ccm<Aes256, U8, U12>>()), Sha256),
    // With the hash function in the name: TLS 1.3, and ECDHE_PSK in TLS 1.2.
    ("AES_128_CCM_SHA256",       Protection::Aead(Aead::of::<Ccm<Aes128, U16, U12>>()), Sha256),
    ("AES_128_CCM_8_SHA256",     Protection::Aead(Aead::of::<Ccm<Aes128, U8, U12>>()), Sha256),
    ("AES_128_CBC_SHA",          Protection::Cbc(Cbc::of::<Aes128>(), &HMAC_SHA1), Sha256),
    ("AES_256_CBC_SHA",          Protection::Cbc(Cbc::of::<Aes256>(), &HMAC_SHA1), Sha256),
    ("AES_128_CBC_SHA256",       Protection::Cbc(Cbc::of::<Aes128>(), &HMAC_SHA256), Sha256),
    ("AES_256_CBC_SHA256",       Protection::Cbc(Cbc::of::<Aes256>(), &HMAC_SHA256), Sha256),
    ("AES_256_CBC_SHA384",       Protection::Cbc(Cbc::of::<Aes256>(), &HMAC_SHA384), Sha384),
    ("CAMELLIA_128_CBC_SHA",     Protection::Cbc(Cbc::of::<Camellia128>(), &HMAC_SHA1), Sha256),
    ("CAMELLIA_256_CBC_SHA",     Protection::Cbc(Cbc::of::<Camellia256>(), &HMAC_SHA1), Sha256),
    ("CAMELLIA_128_CBC_SHA256",  Protection::Cbc(Cbc::of::<Camellia128>(), &HMAC_SHA256), Sha256),
    ("CAMELLIA_256_CBC_SHA256",  Protection::Cbc(Cbc::of::<Camellia256>(), &HMAC_SHA256), Sha256),
    ("CAMELLIA_256_CBC_SHA384",  Protection::Cbc(Cbc::of::<Camellia256>(), &HMAC_SHA384), Sha384),
    ("ARIA_128_CBC_SHA256",      Protection::Cbc(Cbc::of::<Aria128>(), &HMAC_SHA256), Sha256),
    ("ARIA_256_CBC_SHA384",      Protection::Cbc(Cbc::of::<Aria256>(), &HMAC_SHA384), Sha384),
    ("3DES_EDE_CBC_SHA",         Protection::Cbc(Cbc::of::<TdesEde3>(), &HMAC_SHA1), Sha256),
    ("NULL_SHA",                 Protection::Mac(&HMAC_SHA1), Sha256),
    ("NULL_SHA256",              Protection::Mac(&HMAC_SHA256), Sha256),
    ("NULL_SHA384",              Protection::Mac(&HMAC_SHA384), Sha384),
];

/// Suites of TLS 1.2 that rustls has no name for (RFC 8442).
const UNNAMED: [(u16, &str); 4] = [
    (0xd001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256"),
    (0xd002, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384"),
    (0xd003, "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256"),
    (0xd005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256"),
];

impl Suite {
    /// The suite that the server chose.
    pub(super) fn find(version: u16, suite: u16) -> Result<Suite, Undecryptable> {
        let (version, parts) = match version {
            0x0303 => (TlsVersion::Tls12, "_WITH_"),
            0x0304 => (TlsVersion::Tls13, "TLS13_"),
            _ => return Err(Undecryptable::Version(rustls::ProtocolVersion::from(version))),
        };
        let protection =
            name(suite).and_then(|name| name.split_once(parts)).map(|(_, protection)| protection);
        let row = ROWS.iter().find(|row| Some(row.0) == protection);
        match row {
            Some((_, protection, hash)) => Ok(Suite { version, protection: *protection, hash: *hash }),
            None => Err(Undecryptable::CipherSuite(CipherSuite::from(suite))),
        }
    }
}

/// All rows.
#[cfg(test)]
pub(super) fn rows() -> &'static [(&'static str, Protection, Hash)] {
    &ROWS
}

/// The registered name of a suite.
fn name(suite: u16) -> Option<&'static str> {
    let unnamed = || UNNAMED.iter().find(|(id, _)| *id == suite).map(|(_, name)| *name);
    CipherSuite::from(suite).as_str().or_else(unnamed)
}

impl Hash {
    pub(super) fn length(self) -> usize {
        match self {
            Sha256 => 32,
            Sha384 => 48,
        }
    }

    pub(super) fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Sha256 => hkdf::HKDF_SHA256,
            Sha384 => hkdf::HKDF_SHA384,
        }
    }

    pub(super) fn hmac(self) -> hmac::Algorithm {
        match self {
            Sha256 => HMAC_SHA256,
            Sha384 => HMAC_SHA384,
        }
    }
}
