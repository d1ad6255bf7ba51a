//! Records with authenticated encryption: GCM, CCM and ChaCha20-Poly1305.

use super::record::{HEADER, Record};
use super::version::TlsVersion;
use ccm::aead::inout::InOutBuf;
use ccm::aead::{self, AeadInOut, KeyInit};
use ccm::consts::U12;
use ring::aead::{Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The size of a nonce's implicit part, from the handshake, if each record has the explicit part.
const SALT: usize = 4;

/// The size of a nonce's explicit part.
const EXPLICIT_NONCE: usize = NONCE_LEN - SALT;

/// A cipher.
#[derive(Clone, Copy)]
pub(super) enum Aead {
    /// Faster than the other crates, but has few ciphers.
    Ring(&'static Algorithm),
    Other(Other),
}

/// A cipher that ring lacks.
#[derive(Clone, Copy)]
pub(super) struct Other {
    key_length: usize,
    tag_length: usize,
    open: Open,
}

/// Decrypts in place. Takes key, nonce, additional data, data and tag.
type Open = fn(&[u8], [u8; NONCE_LEN], &[u8], &mut [u8], &[u8]) -> Option<()>;

/// The key of one direction.
pub(super) struct AeadKey {
    key: Key,
    iv: [u8; NONCE_LEN],
    version: TlsVersion,
    has_explicit_nonce: bool,
    tag_length: usize,
}

enum Key {
    Ring(Box<LessSafeKey>),
    Other(Other, Vec<u8>),
}

impl Aead {
    pub(super) const fn of<A: AeadInOut<NonceSize = U12> + KeyInit>() -> Aead {
        let (key_length, tag_length) = (size_of::<aead::Key<A>>(), size_of::<aead::Tag<A>>());
        Aead::Other(Other { key_length, tag_length, open: open::<A> })
    }

    pub(super) fn key_length(self) -> usize {
        match self {
            Aead::Ring(algorithm) => algorithm.key_len(),
            Aead::Other(other) => other.key_length,
        }
    }

    /// The number of bytes that key derivation provides for the nonces.
    pub(super) fn iv_length(self, version: TlsVersion) -> usize {
        if self.has_explicit_nonce(version) { SALT } else { NONCE_LEN }
    }

    fn has_explicit_nonce(self, version: TlsVersion) -> bool {
        let is_counted = matches!(self, Aead::Ring(algorithm) if algorithm == &CHACHA20_POLY1305);
        version == TlsVersion::Tls12 && !is_counted
    }
}

impl AeadKey {
    /// `None` if a length is wrong.
    pub(super) fn new(aead: Aead, version: TlsVersion, key: &[u8], implicit: &[u8]) -> Option<AeadKey> {
        let mut iv = [0; NONCE_LEN];
        iv.get_mut(..implicit.len())?.copy_from_slice(implicit);
        let (key, tag_length) = match aead {
            Aead::Ring(algorithm) => (
                Key::Ring(Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?))),
                algorithm.tag_len(),
            ),
            Aead::Other(other) => (Key::Other(other, key.to_vec()), other.tag_length),
        };
        let has_explicit_nonce = aead.has_explicit_nonce(version);
        Some(AeadKey { key, iv, version, has_explicit_nonce, tag_length })
    }

    /// The number of bytes of a record's body that are not content.
    pub(super) fn overhead(&self) -> usize {
        let nonce = if self.has_explicit_nonce { EXPLICIT_NONCE } else { 0 };
        let kind = usize::from(self.version == TlsVersion::Tls13);
        nonce + self.tag_length + kind
    }

    /// Decrypts a record. `None` if it is not authentic.
    pub(super) fn open<'r>(&self, sequence: u64, record: &'r mut Record) -> Option<&'r [u8]> {
        let header = record.header;
        let (nonce, sealed) = match self.has_explicit_nonce {
            true => {
                let (explicit, sealed) = record.body.split_at_mut_checked(EXPLICIT_NONCE)?;
                (self.salted(explicit)?, sealed)
            }
            false => (self.counted(sequence), record.body.as_mut_slice()),
        };
        let length = sealed.len().checked_sub(self.tag_length)?;
        match self.version {
            TlsVersion::Tls12 => self.decrypt(nonce, &additional_data(sequence, header, length)?, sealed)?,
            TlsVersion::Tls13 => self.decrypt(nonce, &header, sealed)?,
        }
        sealed.get(..length)
    }

    fn decrypt(&self, nonce: [u8; NONCE_LEN], additional_data: &[u8], sealed: &mut [u8]) -> Option<()> {
        match &self.key {
            Key::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(additional_data), sealed).ok().map(drop)
            }
            Key::Other(cipher, key) => {
                let length = sealed.len().checked_sub(self.tag_length)?;
                let (data, tag) = sealed.split_at_mut_checked(length)?;
                (cipher.open)(key, nonce, additional_data, data, tag)
            }
        }
    }

    fn salted(&self, explicit: &[u8]) -> Option<[u8; NONCE_LEN]> {
        let mut nonce = self.iv;
        nonce.get_mut(SALT..)?.copy_from_slice(explicit);
        Some(nonce)
    }

    fn counted(&self, sequence: u64) -> [u8; NONCE_LEN] {
        let mut nonce = self.iv;
        let number = sequence.to_be_bytes();
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, digit)| *byte ^= digit);
        nonce
    }
}

/// The authenticated bytes of a TLS 1.2 record that are not in its content.
pub(super) fn additional_data(sequence: u64, header: [u8; HEADER], length: usize) -> Option<Vec<u8>> {
    let [kind, major, minor, ..] = header;
    let [high, low] = u16::try_from(length).ok()?.to_be_bytes();
    Some([&sequence.to_be_bytes()[..], &[kind, major, minor, high, low]].concat())
}

fn open<A: AeadInOut<NonceSize = U12> + KeyInit>(
    key: &[u8],
    nonce: [u8; NONCE_LEN],
    additional_data: &[u8],
    data: &mut [u8],
    tag: &[u8],
) -> Option<()> {
    let cipher = A::new_from_slice(key).ok()?;
    let tag = tag.try_into().ok()?;
    cipher.decrypt_inout_detached(&nonce.into(), additional_data, InOutBuf::from(data), tag).ok()
}
