//! A user name that fits into a line of mosquitto's password file.

use std::fmt;

/// A user name without colons and control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct UserName(String);

/// An invalid user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UserNameError {
    /// It is not valid UTF-8.
    #[error("the user name is not valid UTF-8 at byte {at}")]
    NotUtf8 {
        /// The byte position, from 0.
        at: usize,
    },
    /// It is longer than the CONNECT field.
    #[error("the user name has {length} bytes; MQTT permits at most {}", UserName::MAX_LENGTH)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It contains a character with a special meaning in the file.
    #[error(
        "the user name '{}' has {what} at byte {at}, which a password file cannot represent",
        crate::escape::line(name)
    )]
    Character {
        name: String,
        /// The character.
        what: &'static str,
        /// The byte position, from 0.
        at: usize,
    },
}

impl UserName {
    /// The CONNECT field has a length of two bytes.
    pub(crate) const MAX_LENGTH: usize = 65_535;

    /// Parses a user name.
    ///
    /// # Errors
    /// If it is too long, not valid UTF-8, or contains a colon or a control character.
    pub(crate) fn parse(bytes: &[u8]) -> Result<UserName, UserNameError> {
        if bytes.len() > UserName::MAX_LENGTH {
            return Err(UserNameError::TooLong { length: bytes.len() });
        }
        let name =
            std::str::from_utf8(bytes).map_err(|error| UserNameError::NotUtf8 { at: error.valid_up_to() })?;
        let name = name.to_owned();
        let wrong = name.char_indices().find(|(_, character)| *character == ':' || character.is_control());
        match wrong {
            Some((at, ':')) => Err(UserNameError::Character { name, what: "a ':'", at }),
            Some((at, _)) => Err(UserNameError::Character { name, what: "a control character", at }),
            None => Ok(UserName(name)),
        }
    }

    /// The reason why brokers skip a line with this name, if they do. mosquitto_passwd writes such lines.
    pub(crate) fn why_not_loaded(&self) -> Option<&'static str> {
        let is_blank = |character: char| character.is_ascii_whitespace();
        match self.0.as_str() {
            "" => Some("is empty"),
            name if name.starts_with('#') => Some("begins with '#', as comments do"),
            name if name.starts_with(is_blank) || name.ends_with(is_blank) => {
                Some("begins or ends with a blank, which brokers strip")
            }
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_breaks_its_line_is_refused_with_the_place() {
        for (name, says) in [
            (&b"a:b"[..], "'a:b' has a ':' at byte 1"),
            (b"ann\n", "'ann\\n' has a control character at byte 3"),
            (b"\x1b[31m", "'\\u{1b}[31m' has a control character at byte 0"),
            ("ü\u{85}".as_bytes(), "control character at byte 2"),
            (b"ann\xff", "not valid UTF-8 at byte 3"),
            (&[b'a'; 65_536], "65536 bytes"),
        ] {
            let error = UserName::parse(name).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(UserName::parse(&[b'a'; 65_535]).is_ok());
    }

    #[test]
    fn a_name_that_brokers_pass_over_is_reported() {
        for name in ["", "#ann", " ann", "ann "] {
            assert!(UserName::parse(name.as_bytes()).unwrap().why_not_loaded().is_some(), "{name:?}");
        }
        for name in ["ann", "an n", "a#", "Jürgen"] {
            assert_eq!(UserName::parse(name.as_bytes()).unwrap().why_not_loaded(), None, "{name:?}");
        }
    }
}
