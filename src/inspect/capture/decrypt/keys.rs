//! Keys of one direction: derivation from a secret, and decryption of records.

use super::record::{APPLICATION_DATA, HEADER, Record};
use super::suite::{Suite, TlsVersion};
use crate::inspect::Direction;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{aead, hkdf, hmac};

/// The size of the implicit part of a TLS 1.2 GCM nonce, from the handshake. The rest is in each record.
const GCM_SALT: usize = 4;

/// The size of the nonce's explicit part, in the record.
const EXPLICIT_NONCE: usize = 8;

/// The key of one direction, with the sequence number of its next record.
pub(super) struct Keys {
    version: TlsVersion,
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    has_explicit_nonce: bool,
    sequence: u64,
}

/// The number of bytes to expand to.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Keys {
    /// Derives keys from a traffic secret (RFC 8446, 7.3). `None` if the secret is invalid.
    pub(super) fn tls13(suite: Suite, secret: &[u8]) -> Option<Keys> {
        let mut iv = [0; NONCE_LEN];
        let key = expand_label(suite, secret, b"key", suite.cipher.key_len());
        iv.copy_from_slice(expand_label(suite, secret, b"iv", NONCE_LEN).get(..NONCE_LEN)?);
        Keys::new(suite, &key, iv, false)
    }

    /// Derives keys from the master secret (RFC 5246, 6.3). `None` if the secret is invalid.
    pub(super) fn tls12(
        suite: Suite,
        master: &[u8],
        client_random: &[u8],
        server_random: &[u8],
        direction: Direction,
    ) -> Option<Keys> {
        let has_explicit_nonce = suite.cipher != &aead::CHACHA20_POLY1305;
        let iv_length = if has_explicit_nonce { GCM_SALT } else { NONCE_LEN };
        let key_length = suite.cipher.key_len();
        let seed = [server_random, client_random].concat();
        let block = expand(suite, master, b"key expansion", &seed, 2 * (key_length + iv_length));
        let (keys, ivs) = block.split_at_checked(2 * key_length)?;
        let (keys, ivs) = (keys.split_at_checked(key_length)?, ivs.split_at_checked(iv_length)?);
        let (key, salt) = match direction {
            Direction::ClientToServer => (keys.0, ivs.0),
            Direction::ServerToClient => (keys.1, ivs.1),
        };
        let mut iv = [0; NONCE_LEN];
        iv.get_mut(..iv_length)?.copy_from_slice(salt);
        Keys::new(suite, key, iv, has_explicit_nonce)
    }

    fn new(suite: Suite, key: &[u8], iv: [u8; NONCE_LEN], has_explicit_nonce: bool) -> Option<Keys> {
        let key = LessSafeKey::new(UnboundKey::new(suite.cipher, key).ok()?);
        Some(Keys { version: suite.version, key, iv, has_explicit_nonce, sequence: 0 })
    }

    /// Whether no record has been decrypted yet.
    pub(super) fn is_unused(&self) -> bool {
        self.sequence == 0
    }

    /// Decrypts a record and returns its kind and content. `None` if it is not authentic.
    pub(super) fn open<'r>(&mut self, record: &'r mut Record) -> Option<(u8, &'r [u8])> {
        let header = record.header;
        let (nonce, sealed) = if self.has_explicit_nonce {
            let (explicit, sealed) = record.body.split_at_mut_checked(EXPLICIT_NONCE)?;
            (self.salted(explicit)?, sealed)
        } else {
            (self.counted(), record.body.as_mut_slice())
        };
        let aad = self.additional_data(header, sealed.len())?;
        let opened = self.key.open_in_place(nonce, Aad::from(aad), sealed).ok()?;
        self.sequence = self.sequence.checked_add(1)?;
        match (self.version, header) {
            (TlsVersion::Tls12, [kind, ..]) => Some((kind, opened)),
            (TlsVersion::Tls13, [APPLICATION_DATA, ..]) => inner(opened),
            (TlsVersion::Tls13, _) => None,
        }
    }

    fn salted(&self, explicit: &[u8]) -> Option<Nonce> {
        let mut nonce = self.iv;
        nonce.get_mut(GCM_SALT..)?.copy_from_slice(explicit);
        Some(Nonce::assume_unique_for_key(nonce))
    }

    fn counted(&self) -> Nonce {
        let mut nonce = self.iv;
        let number = self.sequence.to_be_bytes();
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, digit)| *byte ^= digit);
        Nonce::assume_unique_for_key(nonce)
    }

    /// The additional authenticated data of a record.
    fn additional_data(&self, header: [u8; HEADER], sealed: usize) -> Option<Vec<u8>> {
        if self.version == TlsVersion::Tls13 {
            return Some(header.to_vec());
        }
        let [kind, major, minor, ..] = header;
        let length = u16::try_from(sealed.checked_sub(self.key.algorithm().tag_len())?).ok()?;
        let [high, low] = length.to_be_bytes();
        Some([&self.sequence.to_be_bytes()[..], &[kind, major, minor, high, low]].concat())
    }
}

/// The secret after a key update.
pub(super) fn next_secret(suite: Suite, secret: &[u8]) -> Vec<u8> {
    expand_label(suite, secret, b"traffic upd", suite.hash.length())
}

/// Splits the plaintext of a TLS 1.3 record: content, kind, and zero padding.
fn inner(opened: &[u8]) -> Option<(u8, &[u8])> {
    let end = opened.iter().rposition(|byte| *byte != 0)?;
    Some((*opened.get(end)?, opened.get(..end)?))
}

/// HKDF-Expand-Label without a context (RFC 8446, 7.1); empty if the length exceeds the maximum.
fn expand_label(suite: Suite, secret: &[u8], label: &[u8], length: usize) -> Vec<u8> {
    let size = u16::try_from(length).unwrap_or_default().to_be_bytes();
    let label_size = [u8::try_from(b"tls13 ".len() + label.len()).unwrap_or_default()];
    let info = [&size[..], &label_size, b"tls13 ", label, &[0]];
    let mut output = vec![0; length];
    let prk = hkdf::Prk::new_less_safe(suite.hash.hkdf(), secret);
    match prk.expand(&info, Length(length)).and_then(|okm| okm.fill(&mut output)) {
        Ok(()) => output,
        Err(ring::error::Unspecified) => Vec::new(),
    }
}

/// The pseudorandom function of TLS 1.2 (RFC 5246, 5).
fn expand(suite: Suite, secret: &[u8], label: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let key = hmac::Key::new(suite.hash.hmac(), secret);
    let seed = [label, seed].concat();
    let mut output = Vec::with_capacity(length + suite.hash.length());
    let mut link = hmac::sign(&key, &seed);
    while output.len() < length {
        output.extend_from_slice(hmac::sign(&key, &[link.as_ref(), &seed].concat()).as_ref());
        link = hmac::sign(&key, link.as_ref());
    }
    output.truncate(length);
    output
}
