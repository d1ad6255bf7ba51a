//! Keys for TLS-PSK.

use super::HashError;
use std::fmt::Write;
use zeroize::Zeroizing;

/// A random key of `length` bytes, in hexadecimal digits.
///
/// # Errors
/// If the operating system's random number generator fails.
pub(crate) fn random_key(length: usize) -> Result<Zeroizing<String>, HashError> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    getrandom::fill(&mut bytes).map_err(|error| HashError::Random(error.to_string()))?;
    let mut key = Zeroizing::new(String::with_capacity(length * 2));
    for byte in bytes.iter() {
        let _ = write!(key, "{byte:02x}"); // into memory
    }
    Ok(key)
}
