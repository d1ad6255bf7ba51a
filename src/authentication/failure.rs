//! Why an authentication came to nothing.

/// An authentication mechanism failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The server asks on after all was said.
    #[error("more is asked for than the authentication data that was sent")]
    NothingMoreToSay,
    /// A user name or a password has no form in which both sides could compute with it.
    #[error("the {what} is not usable with SCRAM: {problem}")]
    Unprepared {
        /// The user name or the password.
        what: &'static str,
        /// Why not.
        problem: String,
    },
    /// A message is not as RFC 5802 demands.
    #[error("bad SCRAM message: {0}")]
    Message(#[from] Malformed),
    /// The server's nonce does not start with the client's.
    #[error("the nonce in the answer does not begin with ours")]
    ForeignNonce,
    /// With too few iterations an eavesdropper can guess the password; too many take forever.
    #[error("{count} iterations of PBKDF2 are asked for; {least} to {most} are taken")]
    Iterations {
        /// How many.
        count: u64,
        /// The fewest.
        least: u32,
        most: u32,
    },
    /// The server reported a failure.
    #[error("the broker says '{}'", .0.escape_debug())]
    Reported(String),
    /// Success without a signature, or before its time.
    #[error("the broker did not prove that it knows the password")]
    NoProof,
    /// The broker reported success, but its signature needs no knowledge of the password.
    #[error("the broker did not prove that it knows the password: its signature is wrong")]
    WrongProof,
    /// The client's proof is wrong, or the user does not exist.
    #[error("the proof is wrong")]
    Denied,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for SCRAM: {0}")]
    Random(String),
}

/// A SCRAM message is invalid. The error shows nothing of the message, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// Not valid UTF-8.
    #[error("it is not valid UTF-8")]
    NotUtf8,
    /// An attribute is not where it should be.
    #[error("it has no {name} ({key}=) where it should be")]
    Missing {
        /// The attribute's letter.
        key: char,
        /// The meaning of the attribute.
        name: &'static str,
    },
    /// The value of an attribute is invalid.
    #[error("its {name} is {problem}")]
    Value {
        /// The meaning of the attribute.
        name: &'static str,
        /// The reason.
        problem: &'static str,
    },
    /// An extension that must be understood is not.
    #[error("it demands an extension (m=) that is not known here")]
    Extension,
    /// The beginning of a client's first message is not right.
    #[error("it wants channel binding or another identity, which are not offered")]
    Header,
}
