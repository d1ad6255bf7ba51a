//! Protection schemes of MQTT-SN 2.0 (section 3.17): their names, and the lengths that depend on them.

/// The schemes with authentication only, and those that also encrypt: number, name, and nominal tag length in octets.
const SCHEMES: [(u8, &str, usize); 15] = [
    (0x00, "HMAC-SHA256", 32),
    (0x01, "HMAC-SHA3-256", 32),
    (0x02, "AES-CMAC-128", 16),
    (0x03, "AES-CMAC-192", 16),
    (0x04, "AES-CMAC-256", 16),
    (0x40, "AES-CCM-64-128", 8),
    (0x41, "AES-CCM-64-192", 8),
    (0x42, "AES-CCM-64-256", 8),
    (0x43, "AES-CCM-128-128", 16),
    (0x44, "AES-CCM-128-192", 16),
    (0x45, "AES-CCM-128-256", 16),
    (0x46, "AES-GCM-128-128", 16),
    (0x47, "AES-GCM-192-128", 16),
    (0x48, "AES-GCM-256-128", 16),
    (0x49, "ChaCha20-Poly1305", 16),
];

/// The name of a scheme; `None` if it is reserved or a provider's own.
pub fn name(scheme: u8) -> Option<&'static str> {
    SCHEMES.iter().find(|(number, ..)| *number == scheme).map(|(_, name, _)| *name)
}

/// Whether the scheme encrypts the packet. Schemes below 0x40 only authenticate it.
pub fn is_encrypted(scheme: u8) -> bool {
    scheme >= 0x40
}

/// The octets of the crypto material for the two bits of the flags.
pub fn material_length(bits: u8) -> usize {
    match bits {
        0 => 0,
        1 => 2,
        2 => 4,
        _ => 12,
    }
}

/// The octets of the counter for the two bits of the flags; `None` for the reserved 3.
pub fn counter_length(bits: u8) -> Option<usize> {
    match bits {
        0 => Some(0),
        1 => Some(2),
        2 => Some(4),
        _ => None,
    }
}

/// The octets of the tag for the four bits of the flags; `None` if the provider chooses it, or the bits are reserved.
pub fn tag_length(bits: u8, scheme: u8) -> Option<usize> {
    match bits {
        1 => SCHEMES.iter().find(|(number, ..)| *number == scheme).map(|(.., length)| *length),
        4..=15 => Some(usize::from(bits) * 2),
        _ => None,
    }
}
