//! Records of TLS 1.2 with a MAC of their own: CBC, or no encryption.

use super::aead::additional_data;
use super::record::{HEADER, Record};
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use cbc::Decryptor;
use ring::hmac;

/// A block cipher in CBC mode.
#[derive(Clone, Copy)]
pub(super) struct Cbc {
    pub(super) key_length: usize,
    block_length: usize,
    decrypt: Decrypt,
}

/// Decrypts in place. Takes key, initialisation vector and data.
type Decrypt = fn(&[u8], &[u8], &mut [u8]) -> Option<()>;

/// The keys of one direction.
pub(super) struct MacKey {
    mac: hmac::Key,
    /// Without it, records are not encrypted.
    cbc: Option<(Cbc, Vec<u8>)>,
    encrypt_then_mac: bool,
}

impl Cbc {
    pub(super) const fn of<C: BlockCipherDecrypt + KeyInit>() -> Cbc {
        let (key_length, block_length) =
            (size_of::<aes::cipher::Key<C>>(), size_of::<aes::cipher::Block<C>>());
        Cbc { key_length, block_length, decrypt: decrypt::<C> }
    }
}

impl MacKey {
    pub(super) fn new(
        algorithm: hmac::Algorithm,
        mac: &[u8],
        cbc: Option<(Cbc, &[u8])>,
        encrypt_then_mac: bool,
    ) -> MacKey {
        let cbc = cbc.map(|(cbc, key)| (cbc, key.to_vec()));
        MacKey {
            mac: hmac::Key::new(algorithm, mac),
            encrypt_then_mac: encrypt_then_mac && cbc.is_some(),
            cbc,
        }
    }

    /// The number of bytes of a record's body that are not content; `None` if it varies.
    pub(super) fn overhead(&self) -> Option<usize> {
        self.cbc.is_none().then(|| self.mac_length())
    }

    fn mac_length(&self) -> usize {
        self.mac.algorithm().digest_algorithm().output_len()
    }

    /// Decrypts a record. `None` if it is not authentic.
    pub(super) fn open<'r>(&self, sequence: u64, record: &'r mut Record) -> Option<&'r [u8]> {
        let header = record.header;
        let body = record.body.as_mut_slice();
        let Some((cbc, key)) = &self.cbc else { return self.verified(sequence, header, body) };
        let sealed = match self.encrypt_then_mac {
            true => {
                let length = self.verified(sequence, header, body)?.len();
                body.get_mut(..length)?
            }
            false => body,
        };
        let (iv, data) = sealed.split_at_mut_checked(cbc.block_length)?;
        (cbc.decrypt)(key, iv, data)?;
        let content = unpadded(data)?;
        if self.encrypt_then_mac { Some(content) } else { self.verified(sequence, header, content) }
    }

    /// The bytes before the MAC, which must match.
    fn verified<'r>(&self, sequence: u64, header: [u8; HEADER], bytes: &'r [u8]) -> Option<&'r [u8]> {
        let (content, mac) = bytes.split_at_checked(bytes.len().checked_sub(self.mac_length())?)?;
        let authenticated = [&additional_data(sequence, header, content.len())?, content].concat();
        hmac::verify(&self.mac, &authenticated, mac).ok()?;
        Some(content)
    }
}

/// Removes the padding, each byte of which is the number of the others (RFC 5246, 6.2.3.2).
fn unpadded(data: &[u8]) -> Option<&[u8]> {
    let count = *data.last()?;
    let (content, padding) = data.split_at_checked(data.len().checked_sub(usize::from(count) + 1)?)?;
    padding.iter().all(|byte| *byte == count).then_some(content)
}

fn decrypt<C: BlockCipherDecrypt + KeyInit>(key: &[u8], iv: &[u8], data: &mut [u8]) -> Option<()> {
    Decryptor::<C>::new_from_slices(key, iv).ok()?.decrypt_padded::<NoPadding>(data).ok().map(drop)
}
