//! The versions of TLS.

/// A version of TLS that can be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsVersion {
    Tls12,
    Tls13,
}
