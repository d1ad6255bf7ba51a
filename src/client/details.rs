//! The broker's explanation of a reason code.

use crate::protocol::{Properties, PropertyId};
use std::fmt;

/// The broker's explanation of a reason code. As text, it begins with punctuation, to follow the code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The error of the authentication mechanism.
    pub mechanism: Option<String>,
    pub reason: Option<String>,
    /// The server to use instead.
    pub server: Option<String>,
}

impl Details {
    /// The explanation in a packet's properties.
    pub(crate) fn of(properties: Properties<'_>) -> Details {
        let text = |id| properties.text(id).map(str::to_owned);
        Details {
            mechanism: None,
            reason: text(PropertyId::ReasonString),
            server: text(PropertyId::ServerReference),
        }
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.mechanism {
            write!(f, " ('{}')", text.escape_debug())?;
        }
        if let Some(text) = &self.reason {
            write!(f, ": {text}")?;
        }
        if let Some(server) = &self.server {
            write!(f, "; use the server {server}")?;
        }
        Ok(())
    }
}
