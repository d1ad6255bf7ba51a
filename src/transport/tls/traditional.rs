//! Private keys in the traditional form of OpenSSL that are encrypted: `Proc-Type: 4,ENCRYPTED` and `DEK-Info: AES-256-CBC,...`
//! before the Base64. `openssl genrsa -des3` made them until OpenSSL 3, and `-traditional` still does.
//!
//! The key comes from the password by MD5 and the first eight bytes of the IV (OpenSSL's `EVP_BytesToKey`).

use super::key_error::KeyError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use md5::{Digest, Md5};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivateSec1KeyDer};
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Tag, Tagged};
use zeroize::Zeroizing;

/// The number of bytes of the IV that are also the salt.
const SALT: usize = 8;

/// Ciphers that OpenSSL 3 keeps in its legacy provider.
const LEGACY: [&str; 7] = ["DES-CBC", "DES-CFB", "DES-OFB", "RC2-", "BF-", "CAST5-", "SEED-"];

/// An encrypted key.
#[derive(Debug)]
pub(super) struct TraditionalKey {
    kind: Kind,
    cipher: Cipher,
    iv: Vec<u8>,
    data: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Rsa,
    Ec,
}

#[derive(Debug, Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

impl TraditionalKey {
    /// The first such key in a PEM file, if any.
    pub(super) fn find(pem: &str) -> Option<Result<TraditionalKey, KeyError>> {
        let mut lines = pem.lines().map(str::trim_end);
        loop {
            let label =
                lines.find_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix(" PRIVATE KEY-----"))?;
            let mut section = lines.clone().peekable();
            if section.next_if(|line| line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED")).is_some()
            {
                return Some(TraditionalKey::read(label, section));
            }
        }
    }

    fn read<'a>(label: &str, mut lines: impl Iterator<Item = &'a str>) -> Result<TraditionalKey, KeyError> {
        let kind = match label {
            "RSA" => Kind::Rsa,
            "EC" => Kind::Ec,
            _ => return Err(KeyError::Unsupported),
        };
        let headers = lines.by_ref().take_while(|line| !line.is_empty());
        let method = headers.filter_map(|line| line.strip_prefix("DEK-Info:")).last().unwrap_or_default();
        let (name, iv) = method.split_once(',').unwrap_or_default();
        let unknown =
            || KeyError::UnknownEncryption { is_legacy: LEGACY.iter().any(|old| name.contains(old)) };
        let cipher = Cipher::of(name.trim()).ok_or_else(unknown)?;
        let iv = hexadecimal(iv.trim()).filter(|iv| iv.len() == cipher.block()).ok_or_else(unknown)?;
        let text: String = lines.take_while(|line| !line.starts_with("-----END ")).collect();
        let data = STANDARD.decode(text).map_err(|_| KeyError::Damaged)?;
        Ok(TraditionalKey { kind, cipher, iv, data })
    }

    /// Decrypts the key.
    pub(super) fn decrypt(&self, password: &[u8]) -> Result<PrivateKeyDer<'static>, KeyError> {
        let mut data = Zeroizing::new(self.data.clone());
        let plain = self.cipher.decrypt(password, &self.iv, &mut data);
        // With a wrong password, the decrypted bytes can have valid padding by chance, but are not a key.
        let is_sequence = |der: &&[u8]| AnyRef::from_der(der).is_ok_and(|any| any.tag() == Tag::Sequence);
        let der = plain.filter(is_sequence).ok_or(KeyError::WrongPassword)?.to_vec();
        Ok(match self.kind {
            Kind::Rsa => PrivatePkcs1KeyDer::from(der).into(),
            Kind::Ec => PrivateSec1KeyDer::from(der).into(),
        })
    }
}

impl Cipher {
    fn of(name: &str) -> Option<Cipher> {
        match name {
            "AES-128-CBC" => Some(Cipher::Aes128),
            "AES-192-CBC" => Some(Cipher::Aes192),
            "AES-256-CBC" => Some(Cipher::Aes256),
            "DES-EDE3-CBC" => Some(Cipher::TripleDes),
            _ => None,
        }
    }

    fn block(self) -> usize {
        if matches!(self, Cipher::TripleDes) { 8 } else { 16 }
    }

    fn decrypt<'d>(self, password: &[u8], iv: &[u8], data: &'d mut [u8]) -> Option<&'d [u8]> {
        let salt = iv.get(..SALT)?;
        match self {
            Cipher::Aes128 => decrypt::<aes::Aes128>(&derived_key(password, salt, 16), iv, data),
            Cipher::Aes192 => decrypt::<aes::Aes192>(&derived_key(password, salt, 24), iv, data),
            Cipher::Aes256 => decrypt::<aes::Aes256>(&derived_key(password, salt, 32), iv, data),
            Cipher::TripleDes => decrypt::<des::TdesEde3>(&derived_key(password, salt, 24), iv, data),
        }
    }
}

fn decrypt<'d, C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    data: &'d mut [u8],
) -> Option<&'d [u8]> {
    cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?.decrypt_padded::<Pkcs7>(data).ok()
}

fn derived_key(password: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut block = Zeroizing::new(Vec::new());
    while key.len() < length {
        let hash = Md5::new().chain_update(&*block).chain_update(password).chain_update(salt).finalize();
        *block = hash.to_vec();
        key.extend_from_slice(&block);
    }
    key.truncate(length);
    key
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let digits = |place: usize| text.get(place..place + 2);
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(digits(place)?, 16).ok()).collect()
}
