//! The fields of ClientHello and ServerHello that the keys depend on.

/// The random field that marks a ServerHello as a HelloRetryRequest (RFC 8446, 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

// The extensions that matter.
const ENCRYPT_THEN_MAC: u16 = 22;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;

pub(super) struct ClientHello {
    /// The key of the connection's secrets in a key log.
    pub(super) random: [u8; 32],
    /// Application data may follow before the ServerHello.
    pub(super) offers_early_data: bool,
}

pub(super) struct ServerHello {
    pub(super) random: [u8; 32],
    pub(super) version: u16,
    pub(super) cipher_suite: u16,
    /// RFC 7366.
    pub(super) encrypt_then_mac: bool,
}

impl ClientHello {
    pub(super) fn read(body: &[u8]) -> Option<ClientHello> {
        let mut fields = Fields(body);
        fields.u16()?;
        let random = fields.random()?;
        fields.short()?; // The session ID.
        fields.long()?; // Cipher suites.
        fields.short()?; // Compression methods.
        let offers_early_data = fields.extensions().any(|(kind, _)| kind == EARLY_DATA);
        Some(ClientHello { random, offers_early_data })
    }
}

impl ServerHello {
    pub(super) fn read(body: &[u8]) -> Option<ServerHello> {
        let mut fields = Fields(body);
        let version = fields.u16()?;
        let random = fields.random()?;
        fields.short()?; // The session ID.
        let cipher_suite = fields.u16()?;
        fields.take(1)?; // The compression method.
        let mut hello = ServerHello { random, version, cipher_suite, encrypt_then_mac: false };
        for (kind, value) in fields.extensions() {
            match kind {
                SUPPORTED_VERSIONS => hello.version = Fields(value).u16().unwrap_or(version),
                ENCRYPT_THEN_MAC => hello.encrypt_then_mac = true,
                _ => {}
            }
        }
        Some(hello)
    }

    /// The client must send another ClientHello, which another ServerHello answers.
    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }
}

/// Whether EncryptedExtensions accept the client's early data.
pub(super) fn accepts_early_data(encrypted_extensions: &[u8]) -> bool {
    Fields(encrypted_extensions).extensions().any(|(kind, _)| kind == EARLY_DATA)
}

/// Reads fields one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    fn random(&mut self) -> Option<[u8; 32]> {
        self.take(32)?.first_chunk().copied()
    }

    /// A vector with a one-byte length prefix.
    fn short(&mut self) -> Option<&'a [u8]> {
        let length = *self.take(1)?.first()?;
        self.take(length.into())
    }

    /// A vector with a two-byte length prefix.
    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// All extensions, which are optional.
    fn extensions(&mut self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut list = Fields(self.long().unwrap_or_default());
        std::iter::from_fn(move || Some((list.u16()?, list.long()?)))
    }
}
