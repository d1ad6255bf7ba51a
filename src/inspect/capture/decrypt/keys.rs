//! Keys of one direction: derivation from a secret, and decryption of records.

use super::ServerParameters;
use super::aead::AeadKey;
use super::mac::MacKey;
use super::record::{APPLICATION_DATA, HEADER, Record};
use super::suite::{Protection, Suite};
use super::version::TlsVersion;
use crate::inspect::Direction;
use ring::{hkdf, hmac};

/// The key of one direction, with the sequence number of its next record.
pub(super) struct Keys {
    version: TlsVersion,
    key: RecordKey,
    sequence: u64,
}

enum RecordKey {
    Aead(AeadKey),
    Mac(MacKey),
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
        let Protection::Aead(aead) = suite.protection else { return None };
        let key = expand_label(suite, secret, b"key", aead.key_length());
        let iv = expand_label(suite, secret, b"iv", aead.iv_length(suite.version));
        Some(Keys::new(suite, RecordKey::Aead(AeadKey::new(aead, suite.version, &key, &iv)?)))
    }

    /// Derives keys from the master secret (RFC 5246, 6.3). `None` if the secret is invalid.
    pub(super) fn tls12(
        parameters: &ServerParameters,
        master: &[u8],
        client_random: &[u8],
        direction: Direction,
    ) -> Option<Keys> {
        let suite = parameters.suite;
        let (mac, key, iv) = lengths(suite);
        let seed = [&parameters.random, client_random].concat();
        let block = expand(suite, master, b"key expansion", &seed, 2 * (mac + key + iv));
        let mut rest = block.as_slice();
        let [mac, key, iv] = [mac, key, iv].map(|length| {
            let (client, after) = rest.split_at_checked(length)?;
            let (server, after) = after.split_at_checked(length)?;
            rest = after;
            Some(if direction == Direction::ClientToServer { client } else { server })
        });
        let (mac, key) = (mac?, key?);
        let new_mac = |algorithm: &hmac::Algorithm, cbc| {
            RecordKey::Mac(MacKey::new(*algorithm, mac, cbc, parameters.encrypt_then_mac))
        };
        let key = match suite.protection {
            Protection::Aead(aead) => RecordKey::Aead(AeadKey::new(aead, suite.version, key, iv?)?),
            Protection::Cbc(cbc, algorithm) => new_mac(algorithm, Some((cbc, key))),
            Protection::Mac(algorithm) => new_mac(algorithm, None),
        };
        Some(Keys::new(suite, key))
    }

    fn new(suite: Suite, key: RecordKey) -> Keys {
        Keys { version: suite.version, key, sequence: 0 }
    }

    /// Whether no record has been decrypted yet.
    pub(super) fn is_unused(&self) -> bool {
        self.sequence == 0
    }

    /// The number of records so far.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Skips records that are missing.
    pub(super) fn skip(&mut self, records: u64) {
        self.sequence = self.sequence.saturating_add(records);
    }

    /// The number of bytes of a record that are not content; `None` if it varies.
    pub(super) fn overhead(&self) -> Option<u64> {
        let body = match &self.key {
            RecordKey::Aead(key) => Some(key.overhead()),
            RecordKey::Mac(key) => key.overhead(),
        };
        body.map(|body| (HEADER + body) as u64)
    }

    /// Whether a record is authentic if `lost` others are missing before it.
    pub(super) fn fits(&self, record: &Record, lost: u64) -> bool {
        let Some(sequence) = self.sequence.checked_add(lost) else { return false };
        self.decrypt(sequence, &mut record.clone()).is_some()
    }

    /// Decrypts a record and returns its kind and content. `None` if it is not authentic.
    pub(super) fn open<'r>(&mut self, record: &'r mut Record) -> Option<(u8, &'r [u8])> {
        let opened = self.decrypt(self.sequence, record)?;
        self.sequence = self.sequence.checked_add(1)?;
        Some(opened)
    }

    fn decrypt<'r>(&self, sequence: u64, record: &'r mut Record) -> Option<(u8, &'r [u8])> {
        let kind = record.kind();
        if self.version == TlsVersion::Tls13 && kind != APPLICATION_DATA {
            return None;
        }
        let opened = match &self.key {
            RecordKey::Aead(key) => key.open(sequence, record),
            RecordKey::Mac(key) => key.open(sequence, record),
        }?;
        match self.version {
            TlsVersion::Tls12 => Some((kind, opened)),
            TlsVersion::Tls13 => inner(opened),
        }
    }
}

/// The lengths of MAC key, key and initialisation vector in the key block of TLS 1.2.
fn lengths(suite: Suite) -> (usize, usize, usize) {
    match suite.protection {
        Protection::Aead(aead) => (0, aead.key_length(), aead.iv_length(suite.version)),
        Protection::Cbc(cbc, mac) => (mac.digest_algorithm().output_len(), cbc.key_length, 0),
        Protection::Mac(mac) => (mac.digest_algorithm().output_len(), 0, 0),
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
