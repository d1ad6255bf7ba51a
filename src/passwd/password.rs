//! A password in memory: wiped when it is no longer needed, and never shown.

use std::fmt;
use zeroize::Zeroizing;

/// The bytes of a password, which need not be text. Two of them are compared in a time that tells nothing about them.
pub struct Password(Zeroizing<Vec<u8>>);

/// It has more bytes than CONNECT has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password has {length} bytes; MQTT carries {} at most", Password::MAX_LENGTH)]
pub struct PasswordTooLong {
    /// How many it has.
    pub length: usize,
}

impl Password {
    /// MQTT has two bytes for its length.
    pub const MAX_LENGTH: usize = 65_535;

    /// Takes the bytes, which are wiped in the end, also when they are refused.
    ///
    /// # Errors
    /// When there are more than MQTT carries.
    pub fn new(bytes: Vec<u8>) -> Result<Password, PasswordTooLong> {
        let bytes = Zeroizing::new(bytes);
        match bytes.len() {
            length if length > Password::MAX_LENGTH => Err(PasswordTooLong { length }),
            _ => Ok(Password(bytes)),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
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
        assert_eq!(refused.to_string(), "the password has 65536 bytes; MQTT carries 65535 at most");
    }
}
