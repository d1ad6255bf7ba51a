//! The reasons why an authentication fails.

/// The reason why an authentication mechanism failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// A challenge for a mechanism that has sent all its data.
    #[error("the broker sent a challenge, which the method cannot answer")]
    NothingMoreToSay,
    /// SASLprep rejects the user name or the password.
    #[error("the {what} cannot be used with SCRAM: {problem}")]
    Unprepared {
        /// The user name or the password.
        what: &'static str,
        /// The reason.
        problem: String,
    },
    /// A message violates RFC 5802.
    #[error("invalid SCRAM message: {0}")]
    Message(#[from] Malformed),
    /// The server's nonce does not start with the client's, or the client did not repeat the server's.
    #[error("the nonce in the answer does not match")]
    ForeignNonce,
    /// Too few iterations let an eavesdropper guess the password; too many would occupy the client for hours.
    #[error("the broker requests {count} iterations of PBKDF2, expected {least} to {most}")]
    Iterations {
        /// The requested number.
        count: u64,
        /// The accepted range.
        least: u32,
        most: u32,
    },
    /// The server reported a failure.
    #[error("the broker reported '{}'", .0.escape_debug())]
    Reported(String),
    /// The server reported success without its signature.
    #[error("the broker did not prove that it knows the password")]
    NoProof,
    /// The server's signature does not match the password.
    #[error("the broker did not prove that it knows the password: its signature is wrong")]
    WrongProof,
    /// The client's proof is wrong, or the user does not exist.
    #[error("the proof is wrong")]
    Denied,
    /// The operating system's random number generator failed.
    #[error("cannot get random bytes from the system: {0}")]
    Random(String),
}

/// The defect of a SCRAM message. The error does not show the message, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// Not valid UTF-8.
    #[error("it is not valid UTF-8")]
    NotUtf8,
    /// An attribute is missing, or not in the prescribed order.
    #[error("missing {name} ({key}=)")]
    Missing {
        /// The attribute's letter.
        key: char,
        /// The meaning of the attribute.
        name: &'static str,
    },
    /// The value of an attribute is invalid.
    #[error("the {name} is {problem}")]
    Value {
        /// The meaning of the attribute.
        name: &'static str,
        /// The reason.
        problem: &'static str,
    },
    /// A mandatory extension; none is supported.
    #[error("unsupported mandatory extension (m=)")]
    Extension,
    /// An unsupported GS2 header in the client's first message.
    #[error("channel binding and authorization identities are not supported")]
    Header,
}
