//! Errors of private keys.

use super::roots::RootsError;

/// Why a private key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(transparent)]
    Read(#[from] RootsError),
    #[error("contains a certificate but not a private key; use the file with the key")]
    Certificate,
    #[error("contains no private key; expected -----BEGIN PRIVATE KEY----- or similar")]
    None,
    #[error(
        "expected PEM, but found a key in DER form; `openssl pkey -inform der -in FILE -out FILE.pem` converts it"
    )]
    Der,
    #[error(
        "the key is encrypted by a method that is not supported; \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc{} -in FILE -out NEW` converts it{}",
        if *.is_legacy { " -provider default -provider legacy" } else { "" },
        if *.is_legacy { " (OpenSSL before 3.0 needs no -provider)" } else { "" },
    )]
    UnknownEncryption { is_legacy: bool },
    #[error("{0}")]
    OtherKind(&'static str),
    #[error("the password of the key is wrong")]
    WrongPassword,
    #[error("the key is damaged")]
    Damaged,
    #[error("unsupported key; supported are RSA with 2048 bits or more, P-256, P-384 and Ed25519")]
    Unsupported,
}
