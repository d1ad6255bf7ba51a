//! The rules for AUTH that bind both sides (MQTT 5.0, section 4.12).

use super::{Properties, PropertyId, ReasonCode};
use std::fmt;

/// A violation of the rules for AUTH. The text does not name the side that broke the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthViolation {
    /// CONNECT set no authentication method [MQTT-4.12.0-6].
    #[error("AUTH, but CONNECT set no authentication method")]
    NoMethod,
    /// The packet has another method than CONNECT [MQTT-4.12.0-5].
    #[error("expected the authentication method {expected}, but found {}", Found(.found.as_deref()))]
    OtherMethod {
        /// The method in CONNECT.
        expected: String,
        /// The method in the packet.
        found: Option<String>,
    },
    /// The other side must send the next AUTH.
    #[error("AUTH out of turn")]
    OutOfTurn,
    /// The reason code is not allowed there.
    #[error("AUTH with {0}, which is not allowed there")]
    ReasonCode(ReasonCode),
}

struct Found<'a>(Option<&'a str>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(method) => write!(f, "{}", method.escape_debug()),
            None => f.write_str("none"),
        }
    }
}

impl AuthViolation {
    /// Checks that a packet has the authentication method of CONNECT.
    ///
    /// # Errors
    /// If it has another method, or none.
    pub fn check_method(expected: &str, properties: Properties<'_>) -> Result<(), AuthViolation> {
        match properties.text(PropertyId::AuthenticationMethod) {
            Some(found) if found == expected => Ok(()),
            found => {
                let found = found.map(str::to_owned);
                Err(AuthViolation::OtherMethod { expected: expected.to_owned(), found })
            }
        }
    }
}
