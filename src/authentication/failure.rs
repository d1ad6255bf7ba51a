//! Why an authentication came to nothing.

/// What went wrong inside a mechanism.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server asks on after all was said.
    #[error("more is asked for than the authentication data that was sent")]
    NothingMoreToSay,
    /// A user name or a password has no form in which both sides could compute with it.
    #[error("the {what} cannot be used with SCRAM: {problem}")]
    Unprepared {
        /// The user name or the password.
        what: &'static str,
        /// Why not.
        problem: String,
    },
    /// A message is not as RFC 5802 demands.
    #[error("bad SCRAM message: {0}")]
    Message(#[from] Malformed),
    /// The other side's nonce is none that answers ours.
    #[error("the nonce in the answer does not begin with ours")]
    ForeignNonce,
    /// Too few iterations let whoever listens guess the password, too many take for ever.
    #[error("{count} iterations of PBKDF2 are asked for; {least} to {most} are taken")]
    Iterations {
        /// How many.
        count: u64,
        /// The fewest.
        least: u32,
        /// The most.
        most: u32,
    },
    /// The server says that it failed.
    #[error("the broker says '{}'", .0.escape_debug())]
    Told(String),
    /// Success without a signature, or before its time.
    #[error("the broker did not prove that it knows the password")]
    NoProof,
    /// Success with a signature that only somebody makes who does not know the password.
    #[error("the broker did not prove that it knows the password: its signature is wrong")]
    WrongProof,
    /// The client's proof is wrong, or there is no such user.
    #[error("the proof is wrong")]
    Denied,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for SCRAM: {0}")]
    Random(String),
}

/// What is wrong with a SCRAM message. Nothing of the message is shown, since it may hold what is secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no text.
    #[error("it is not valid UTF-8")]
    NotUtf8,
    /// An attribute is not where it should be.
    #[error("it has no {name} ({key}=) where it should be")]
    Missing {
        /// The attribute's letter.
        key: char,
        /// What it holds.
        name: &'static str,
    },
    /// An attribute's value is none.
    #[error("its {name} is {problem}")]
    Value {
        /// What the attribute holds.
        name: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// An extension that must be understood is not.
    #[error("it demands an extension (m=) that is not known here")]
    Extension,
    /// The beginning of a client's first message is not right.
    #[error("it wants channel binding or another identity, which are not offered")]
    Header,
}
