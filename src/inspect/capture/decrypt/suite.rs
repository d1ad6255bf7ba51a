//! The cipher suites that can be decrypted.

use crate::inspect::capture::conversation::Undecryptable;
use ring::{aead, hkdf, hmac};
use rustls::CipherSuite;

/// A version of TLS that can be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsVersion {
    Tls12,
    Tls13,
}

/// The record protection of a cipher suite. The key exchange does not matter once the secrets are known.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    pub(super) version: TlsVersion,
    pub(super) cipher: &'static aead::Algorithm,
    pub(super) hash: Hash,
}

/// The hash function for key derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Suite {
    /// The suite that the server chose.
    pub(super) fn find(version: u16, suite: u16) -> Result<Suite, Undecryptable> {
        let version = match version {
            0x0303 => TlsVersion::Tls12,
            0x0304 => TlsVersion::Tls13,
            _ => return Err(Undecryptable::Version(rustls::ProtocolVersion::from(version))),
        };
        let (cipher, hash) = match (version, suite) {
            (TlsVersion::Tls13, 0x1301) => (&aead::AES_128_GCM, Hash::Sha256),
            (TlsVersion::Tls13, 0x1302) => (&aead::AES_256_GCM, Hash::Sha384),
            (TlsVersion::Tls13, 0x1303) => (&aead::CHACHA20_POLY1305, Hash::Sha256),
            // RSA, DHE_RSA, PSK, DHE_PSK, ECDHE_ECDSA, ECDHE_RSA, ECDHE_PSK.
            (TlsVersion::Tls12, 0x009c | 0x009e | 0x00a8 | 0x00aa | 0xc02b | 0xc02f | 0xd001) => {
                (&aead::AES_128_GCM, Hash::Sha256)
            }
            (TlsVersion::Tls12, 0x009d | 0x009f | 0x00a9 | 0x00ab | 0xc02c | 0xc030 | 0xd002) => {
                (&aead::AES_256_GCM, Hash::Sha384)
            }
            (TlsVersion::Tls12, 0xcca8..=0xccae) => (&aead::CHACHA20_POLY1305, Hash::Sha256),
            _ => return Err(Undecryptable::CipherSuite(CipherSuite::from(suite))),
        };
        Ok(Suite { version, cipher, hash })
    }
}

impl Hash {
    pub(super) fn length(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }

    pub(super) fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Hash::Sha256 => hkdf::HKDF_SHA256,
            Hash::Sha384 => hkdf::HKDF_SHA384,
        }
    }

    pub(super) fn hmac(self) -> hmac::Algorithm {
        match self {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
        }
    }
}
