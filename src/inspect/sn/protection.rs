//! Opens the Protection Encapsulation of MQTT-SN 2.0 (section 3.17) with the keys of a file.
//!
//! The tag covers all octets before it. The nonce is the SHA-256 of the octets before the packet, cut to its length; those
//! octets are also the additional data of the encryption.

use super::Settings;
use crate::message::decode_hex;
use crate::protocol::sn::Header;
use crate::protocol::sn::v2::{Packet, PacketType, Protection};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::AesGcm;
use ccm::Ccm;
use ccm::aead::inout::InOutBuf;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U8, U12, U13, U16};
use hmac::{Hmac, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;

/// The sender in a line for all senders.
const ALL: &str = "*";

/// The keys of senders.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    of_all: Option<Box<[u8]>>,
    of_senders: HashMap<[u8; 8], Box<[u8]>>,
}

/// A line of the file that cannot be used. It does not contain the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: expected SENDER KEY: 16 hexadecimal digits, or * for all senders, and the key in hexadecimal digits"
)]
pub(crate) struct KeyError {
    /// The number of the line, from 1.
    pub line: usize,
}

/// The result of the verification of a protected packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    /// The tag is right.
    Authentic,
    /// The tag is wrong: another key, or a changed packet.
    WrongTag,
    /// The file has no key for the sender.
    NoKey,
    /// The scheme is not known, or the key has a wrong length for it.
    Unsupported,
}

impl Verification {
    /// The words for it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Verification::Authentic => "authentic",
            Verification::WrongTag => "wrong tag",
            Verification::NoKey => "no key",
            Verification::Unsupported => "not verified",
        }
    }
}

impl Keys {
    /// Reads the text of a file. Empty lines and lines that start with `#` are ignored.
    ///
    /// # Errors
    /// The first line that is invalid.
    pub(crate) fn parse(text: &str) -> Result<Keys, KeyError> {
        let mut keys = Keys::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                keys.add_line(line).ok_or(KeyError { line: index + 1 })?;
            }
        }
        Ok(keys)
    }

    fn add_line(&mut self, line: &str) -> Option<()> {
        let (sender, key) = line.split_once(char::is_whitespace)?;
        let key = decode_hex(key.trim()).ok().filter(|key| !key.is_empty())?;
        match sender {
            ALL => self.of_all = Some(key.into()),
            sender => {
                let sender = <[u8; 8]>::try_from(decode_hex(sender).ok()?).ok()?;
                self.of_senders.insert(sender, key.into());
            }
        }
        Some(())
    }

    /// Whether there is no file, or no key in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.of_all.is_none() && self.of_senders.is_empty()
    }

    fn of(&self, sender: [u8; 8]) -> Option<&[u8]> {
        self.of_senders.get(&sender).or(self.of_all.as_ref()).map(|key| &**key)
    }
}

/// The keys are secret.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Settings {
    /// Opens a datagram if there are keys; see [`open`].
    pub(super) fn open(&self, datagram: &[u8]) -> Option<(Verification, Option<Vec<u8>>)> {
        if self.keys.is_empty() { None } else { open(datagram, &self.keys) }
    }
}

/// The result for a datagram with a protected packet, perhaps behind a forwarder: the verification, and the datagram with the
/// packet decrypted in its place if it was encrypted and is authentic.
pub(super) fn open(datagram: &[u8], keys: &Keys) -> Option<(Verification, Option<Vec<u8>>)> {
    let header = Header::read(datagram)?;
    let (start, protection) = match PacketType::from_octet(header.type_octet)? {
        PacketType::Protection => (0, read(datagram)?),
        PacketType::Forwarder => {
            let Ok(Packet::Forwarder(forwarder)) = Packet::decode(datagram) else { return None };
            (datagram.len() - forwarder.packet.len(), read(forwarder.packet)?)
        }
        _ => return None,
    };
    let Some(key) = keys.of(protection.sender) else { return Some((Verification::NoKey, None)) };
    let mut packet = protection.packet.to_vec();
    let verification = verify(&protection, key, &mut packet);
    if verification != Verification::Authentic || packet == protection.packet {
        return Some((verification, None));
    }
    let place = start + protection.header.len();
    let mut opened = datagram.to_vec();
    opened.get_mut(place..place + packet.len())?.copy_from_slice(&packet);
    Some((verification, Some(opened)))
}

fn read(datagram: &[u8]) -> Option<Protection<'_>> {
    match Packet::decode(datagram) {
        Ok(Packet::Protection(protection)) => Some(protection),
        _ => None,
    }
}

/// Decrypts a packet in place. Takes key, octets before the packet, packet and tag. `None` if the key has a wrong length.
type Open = fn(&[u8], &[u8], &mut [u8], &[u8]) -> Option<bool>;

/// Verifies the tag, and decrypts the packet in place.
fn verify(protection: &Protection<'_>, key: &[u8], packet: &mut [u8]) -> Verification {
    let open: Open = match protection.scheme {
        0x00 => return verdict(Some(is_hmac(protection, key))),
        0x40 => decrypt::<Ccm<Aes128, U8, U13>>,
        0x41 => decrypt::<Ccm<Aes192, U8, U13>>,
        0x42 => decrypt::<Ccm<Aes256, U8, U13>>,
        0x43 => decrypt::<Ccm<Aes128, U16, U13>>,
        0x44 => decrypt::<Ccm<Aes192, U16, U13>>,
        0x45 => decrypt::<Ccm<Aes256, U16, U13>>,
        0x46 => decrypt::<AesGcm<Aes128, U12>>,
        0x47 => decrypt::<AesGcm<Aes192, U12>>,
        0x48 => decrypt::<AesGcm<Aes256, U12>>,
        0x49 => decrypt_chacha,
        _ => return Verification::Unsupported,
    };
    verdict(open(key, protection.header, packet, protection.tag))
}

fn verdict(is_authentic: Option<bool>) -> Verification {
    match is_authentic {
        Some(true) => Verification::Authentic,
        Some(false) => Verification::WrongTag,
        None => Verification::Unsupported,
    }
}

/// Whether the tag is the leftmost octets of the HMAC-SHA256 of all octets before it.
fn is_hmac(protection: &Protection<'_>, key: &[u8]) -> bool {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return false };
    mac.update(protection.header);
    mac.update(protection.packet);
    mac.verify_truncated_left(protection.tag).is_ok()
}

fn decrypt<A: AeadInOut + KeyInit>(key: &[u8], header: &[u8], packet: &mut [u8], tag: &[u8]) -> Option<bool> {
    let cipher = A::new_from_slice(key).ok()?;
    let digest = Sha256::digest(header);
    let nonce = digest.get(..size_of::<ccm::aead::Nonce<A>>())?;
    let (nonce, tag) = (nonce.try_into().ok()?, tag.try_into().ok()?);
    Some(cipher.decrypt_inout_detached(nonce, header, InOutBuf::from(packet), tag).is_ok())
}

fn decrypt_chacha(key: &[u8], header: &[u8], packet: &mut [u8], tag: &[u8]) -> Option<bool> {
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(Sha256::digest(header).get(..12)?).ok()?;
    let mut sealed = [&*packet, tag].concat();
    let is_authentic = key.open_in_place(nonce, Aad::from(header), &mut sealed).is_ok();
    if is_authentic {
        packet.copy_from_slice(sealed.get(..packet.len())?);
    }
    Some(is_authentic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        decode_hex(&text.replace(' ', "")).unwrap()
    }

    /// PINGREQ in a protected packet of this scheme, encrypted by the crate that opens it.
    fn sealed(scheme: u8, key: &[u8], tag: usize) -> Vec<u8> {
        let mut datagram = hex("00 ff 10 00 0102030405060708 a1a2a3a4 04 0c 00 07");
        datagram[3] = scheme;
        datagram[0] = u8::try_from(datagram.len() + tag).unwrap();
        let (header, packet) = datagram.split_at(16);
        let (nonce, mut packet) = (Sha256::digest(header), packet.to_vec());
        let tag = match scheme {
            0x00 => {
                let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
                mac.update(&datagram);
                mac.finalize().into_bytes().to_vec()
            }
            0x43 => {
                let cipher = Ccm::<Aes128, U16, U13>::new_from_slice(key).unwrap();
                let (nonce, buffer) = (nonce[..13].try_into().unwrap(), InOutBuf::from(&mut *packet));
                cipher.encrypt_inout_detached(nonce, header, buffer).unwrap().to_vec()
            }
            0x48 => {
                let cipher = AesGcm::<Aes256, U12>::new_from_slice(key).unwrap();
                let (nonce, buffer) = (nonce[..12].try_into().unwrap(), InOutBuf::from(&mut *packet));
                cipher.encrypt_inout_detached(nonce, header, buffer).unwrap().to_vec()
            }
            _ => {
                let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).unwrap());
                let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).unwrap();
                key.seal_in_place_separate_tag(nonce, Aad::from(header), &mut packet)
                    .unwrap()
                    .as_ref()
                    .to_vec()
            }
        };
        [header, &packet, &tag].concat()
    }

    #[test]
    fn packets_of_each_kind_are_opened_and_changed_ones_are_not() {
        for (scheme, key_length, tag) in [(0x00, 20, 32), (0x43, 16, 16), (0x48, 32, 16), (0x49, 32, 16)] {
            let key = vec![7; key_length];
            let text = format!("# keys\n0102030405060708 {}\n", "07".repeat(key_length));
            let keys = Keys::parse(&text).unwrap();
            let mut datagram = sealed(scheme, &key, tag);
            let (verification, opened) = open(&datagram, &keys).unwrap();
            assert_eq!(verification, Verification::Authentic, "{scheme:#x}");
            assert_eq!(opened.unwrap_or(datagram.clone())[16..20], [4, 0x0c, 0, 7], "{scheme:#x}");
            let last = datagram.len() - 1;
            datagram[last] ^= 1;
            assert_eq!(open(&datagram, &keys), Some((Verification::WrongTag, None)), "{scheme:#x}");
            datagram[11] ^= 1; // another sender
            assert_eq!(open(&datagram, &keys), Some((Verification::NoKey, None)), "{scheme:#x}");
        }
    }

    #[test]
    fn a_key_of_a_wrong_length_or_an_unknown_scheme_is_not_verified() {
        let keys = Keys::parse("* 0707").unwrap();
        let datagram = sealed(0x43, &[7; 16], 16);
        assert_eq!(open(&datagram, &keys), Some((Verification::Unsupported, None)));
        let mut datagram = sealed(0x00, &[7; 2], 32);
        datagram[3] = 0x01; // HMAC-SHA3
        assert_eq!(open(&datagram, &keys), Some((Verification::Unsupported, None)));
    }

    #[test]
    fn mistakes_name_the_line_without_the_key() {
        for text in ["\n12 00", "\n0102030405060708", "\n* 0", "\n* xy", "\n010203040506070809 00"] {
            assert_eq!(Keys::parse(text).unwrap_err(), KeyError { line: 2 }, "{text}");
        }
        assert_eq!(format!("{:?}", Keys::parse("* 0102").unwrap()), "Keys");
    }
}
