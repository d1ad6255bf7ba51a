//! A password in memory: wiped on drop, and never shown.

use std::fmt;
use zeroize::Zeroizing;

/// The bytes of a password, not necessarily UTF-8. Comparison takes constant time.
pub(crate) struct Password(Zeroizing<Vec<u8>>);

/// The password is longer than the CONNECT field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password has {length} bytes; MQTT permits at most {}", Password::MAX_LENGTH)]
pub(crate) struct PasswordTooLong {
    /// Its length in bytes.
    pub length: usize,
}

impl Password {
    /// The CONNECT field has a length of two bytes.
    pub(crate) const MAX_LENGTH: usize = 65_535;

    /// Takes the bytes, which are wiped on drop and on error.
    ///
    /// # Errors
    /// If the password is longer than MQTT permits.
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Password, PasswordTooLong> {
        let bytes = Zeroizing::new(bytes);
        match bytes.len() {
            length if length > Password::MAX_LENGTH => Err(PasswordTooLong { length }),
            _ => Ok(Password(bytes)),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Password) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.as_bytes(), other.as_bytes()).into()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let password = Password::new(b"xyzzy".to_vec()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(..)");
    }

    #[test]
    fn a_password_that_mqtt_cannot_carry_is_refused() {
        assert!(Password::new(vec![b'a'; 65_535]).is_ok());
        let refused = Password::new(vec![b'a'; 65_536]).unwrap_err();
        assert_eq!(refused.to_string(), "the password has 65536 bytes; MQTT permits at most 65535");
    }
}
