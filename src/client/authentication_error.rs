//! The errors of enhanced authentication.

use super::details::Details;
use crate::authentication::Failure;
use crate::protocol::{AuthViolation, ReasonCode};
use std::time::Duration;

/// The reason for a failed authentication, or a violation by the broker during one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthenticationError {
    /// The mechanism failed.
    #[error("authentication with {method} failed: {failure}")]
    Failed {
        method: String,
        /// The underlying error.
        failure: Failure,
    },
    /// The broker refused the re-authentication.
    #[error("the broker refused the re-authentication: {reason}{details}")]
    Refused {
        /// The reason code of DISCONNECT.
        reason: ReasonCode,
        /// The broker's explanation.
        details: Details,
    },
    /// The broker did not answer in time.
    #[error("the broker did not answer the re-authentication for {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
    /// The broker broke the rules for AUTH.
    #[error("the broker broke the protocol: {0}")]
    Violation(#[from] AuthViolation),
    /// The packet exceeds the broker's maximum packet size.
    #[error("AUTH of {size} bytes exceeds the broker's maximum packet size of {maximum}")]
    TooLarge {
        /// The packet's size in bytes.
        size: usize,
        /// The broker's maximum packet size.
        maximum: u32,
    },
}

impl AuthenticationError {
    /// The reason code for DISCONNECT.
    pub(crate) fn reason_code(&self) -> ReasonCode {
        match self {
            AuthenticationError::Failed { failure: Failure::NothingMoreToSay, .. } => {
                ReasonCode::BAD_AUTHENTICATION_METHOD
            }
            AuthenticationError::Failed { .. }
            | AuthenticationError::Refused { .. }
            | AuthenticationError::NoAnswer(_)
            | AuthenticationError::TooLarge { .. } => ReasonCode::UNSPECIFIED_ERROR,
            AuthenticationError::Violation(_) => ReasonCode::PROTOCOL_ERROR,
        }
    }

    /// Whether the protocol or the connection failed, and not the proof.
    pub(crate) fn is_lost_connection(&self) -> bool {
        matches!(self, AuthenticationError::NoAnswer(_) | AuthenticationError::Violation(_))
    }
}
