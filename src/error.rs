//! What can go wrong in a command, by whose fault it is; with the text for the user and the exit status.

use crate::authentication::Failure;
use crate::client::AuthenticationError;
use crate::passwd::{FileError, HashError, UserName};
use crate::protocol::session::{PublishError, SessionError, SubscribeError};
use crate::protocol::{DecodeError, EncodeError, PacketType, ReasonCode, Version};
use crate::recording::RecordingError;
use crate::service::Violation;
use crate::transport::ConnectError;
use crate::transport::tls::{Defect, TlsError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed cannot be done.
    #[error("{0}")]
    Usage(String),
    /// A file that was named cannot be used.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that an option names is not what the option needs.
    #[error("{option} {}: {problem}", path.display())]
    Unusable {
        /// The option as it is typed.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A file of credentials cannot be read or replaced.
    #[error(transparent)]
    Credentials(#[from] FileError),
    /// A password cannot be hashed, or a hash cannot be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A user is to be deleted who is not there.
    #[error("{} has no user '{}'", path.display(), crate::escape::line(user.as_str()))]
    NoSuchUser {
        /// The password file.
        path: PathBuf,
        /// The user.
        user: UserName,
    },
    /// A recording cannot be read, or added to.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Standard input broke off.
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    /// A capture cannot be read, or is none.
    #[error("{name}: {problem}")]
    Capture {
        /// The file, or standard input.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A line of standard input is not what it should be.
    #[error("standard input, {place}: {problem}")]
    InputLine {
        /// Which line, and where that is known, which column.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Standard output does not take more; a closed pipe is told apart by its kind.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// The operating system denied something that the program cannot do without.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: String,
        /// Why not.
        source: io::Error,
    },
    /// No connection came about.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Something answered that does not speak MQTT, or not right, before the connection was accepted.
    #[error("{0}")]
    NotMqtt(String),
    /// The broker refused the connection.
    #[error("the broker refused the connection: {reason}{details}")]
    Refused {
        /// Why; the return codes of MQTT 3 are given as the reason codes that say the same.
        reason: ReasonCode,
        /// What else the broker said, with punctuation in front.
        details: String,
        /// The version that it was asked for.
        asked: Version,
        /// The version in whose form it answered, which can be MQTT 3.1.1 for a question in MQTT 5.
        answered: Version,
    },
    /// It was not proved who we are, or who the broker is.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// The broker denied a subscription or a message.
    #[error("{0}")]
    Denied(String),
    /// The broker does not take such a message; it was not sent.
    #[error("cannot publish to {topic}: {source}")]
    Unsendable {
        /// The message's topic.
        topic: String,
        /// Why not.
        source: PublishError,
    },
    /// The service that the broker is of does not take such a message; it was not sent.
    #[error("cannot publish to {topic}: {violation}")]
    NotTaken {
        /// The message's topic.
        topic: String,
        /// Why not.
        violation: Violation,
    },
    /// The broker does not offer such a subscription; it was not asked for.
    #[error("cannot subscribe: {0}")]
    Unsubscribable(#[from] SubscribeError),
    /// A packet cannot be written.
    #[error("cannot send: {0}")]
    Encode(#[from] EncodeError),
    /// The connection broke.
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
    /// The broker closed the connection without a word.
    #[error("the broker closed the connection {0}")]
    Closed(&'static str),
    /// The broker ended the connection with a DISCONNECT.
    #[error("the broker ended the connection: {reason}{details}")]
    Disconnected {
        /// Why.
        reason: ReasonCode,
        /// What else the broker said, with punctuation in front.
        details: String,
    },
    /// The broker sent bytes that are no packet.
    #[error("the broker sent a bad packet: {0}")]
    Decode(#[from] DecodeError),
    /// The connection broke before CONNACK.
    #[error("the connection was lost before the broker accepted it: {0}")]
    NotAccepted(io::Error),
    /// The broker sent a packet that it must not send.
    #[error("the broker broke the protocol: {0}")]
    Session(#[from] SessionError),
    /// No answer to a PINGREQ.
    #[error("the broker did not answer for {} s (keep alive)", .0.as_secs())]
    KeepAlive(Duration),
    /// A signal ended it.
    #[error("interrupted")]
    Interrupted(ExitStatus),
    /// The time that was given is up.
    #[error("Timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// Nothing arrived for as long as was given.
    #[error("no message for {} s", .0.as_secs_f64())]
    Idle(Duration),
}

/// What the program says with its exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(pub u8);

#[allow(missing_docs)] // the table in the README says what each means
impl ExitStatus {
    pub const DONE: ExitStatus = ExitStatus(0);
    pub const FAILED: ExitStatus = ExitStatus(1);
    pub const USAGE: ExitStatus = ExitStatus(2);
    pub const DENIED: ExitStatus = ExitStatus(3);
    pub const MISSED: ExitStatus = ExitStatus(4);
    pub const REFUSED: ExitStatus = ExitStatus(5);
    pub const LOST: ExitStatus = ExitStatus(7);
    pub const TIMED_OUT: ExitStatus = ExitStatus(27);
    pub const INTERRUPTED: ExitStatus = ExitStatus(130);
    pub const TERMINATED: ExitStatus = ExitStatus(143);
}

impl Error {
    /// The exit status that stands for this failure.
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Error::Usage(_) => ExitStatus::USAGE,
            Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::DONE,
            Error::File { .. }
            | Error::Recording(_)
            | Error::Unusable { .. }
            | Error::Credentials(_)
            | Error::Hash(_)
            | Error::NoSuchUser { .. }
            | Error::Input(_)
            | Error::InputLine { .. }
            | Error::Capture { .. }
            | Error::Output(_)
            | Error::System { .. }
            | Error::Connect(_)
            | Error::NotMqtt(_)
            | Error::Encode(_) => ExitStatus::FAILED,
            Error::Authentication(failure) if failure.is_lost_connection() => ExitStatus::LOST,
            Error::Refused { .. } | Error::Authentication(_) => ExitStatus::REFUSED,
            Error::Denied(_)
            | Error::Unsendable { .. }
            | Error::NotTaken { .. }
            | Error::Unsubscribable(_) => ExitStatus::DENIED,
            Error::Lost(_)
            | Error::NotAccepted(_)
            | Error::Closed(_)
            | Error::Disconnected { .. }
            | Error::Decode(_)
            | Error::Session(_)
            | Error::KeepAlive(_) => ExitStatus::LOST,
            Error::Interrupted(status) => *status,
            Error::Timeout(_) | Error::Idle(_) => ExitStatus::TIMED_OUT,
        }
    }

    /// Whether it is only that nobody reads our output any more, which ends a command quietly.
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether nothing needs to be said: the user knows, or is gone.
    pub fn is_known_to_the_user(&self) -> bool {
        self.is_closed_output() || matches!(self, Error::Interrupted(_))
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Connect(ConnectError::Connect { source, .. })
                if source.kind() == io::ErrorKind::ConnectionRefused =>
            {
                Some(
                    "is the broker running there? -h HOST and -p PORT choose another; `mq broker` starts one",
                )
            }
            Error::Connect(ConnectError::Lookup { .. }) => Some("-h takes a host name or an address"),
            Error::Connect(ConnectError::ProxyUnreachable { .. } | ConnectError::NotAProxy { .. }) => {
                Some("--proxy URL says where the proxy is and what it speaks: socks5h, socks5 or http")
            }
            Error::Connect(ConnectError::ProxyCredentials { .. }) => {
                Some("they stand in the URL of --proxy, as in socks5h://USER:PASSWORD@HOST")
            }
            Error::Connect(ConnectError::NoService { .. }) => {
                Some("without -S, -h HOST and -p PORT say where the broker is")
            }
            Error::Connect(ConnectError::WebSocketRefused { code, .. }) => Some(match code {
                401 | 403 => "--ws-header 'Authorization: ...' says who you are",
                404 | 405 => "--ws-path PATH chooses another path; RabbitMQ's is /ws, most others' /mqtt",
                _ => "is it the port for WebSockets? -p PORT and --ws-path PATH choose another place",
            }),
            Error::Connect(ConnectError::WebSocket { .. }) => {
                Some("is it the port for WebSockets? -p PORT and --ws-path PATH choose another place")
            }
            Error::Connect(ConnectError::Tls(failure)) => tls_hint(failure),
            Error::Refused { reason, .. } => match *reason {
                ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::NOT_AUTHORIZED => Some(
                    "-u USER and -P PASSWORD say who you are; with RabbitMQ, a virtual host can go in front, as in -u VHOST:USER; with ejabberd, USER@DOMAIN is the name",
                ),
                ReasonCode::BAD_AUTHENTICATION_METHOD => Some(
                    "--auth-method NAME chooses another one; without it, user name and password are sent",
                ),
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => Some("-V chooses another version of MQTT"),
                ReasonCode::SERVER_UNAVAILABLE => {
                    Some("with ejabberd, the domain is not one of its own: -u USER@DOMAIN chooses another")
                }
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => Some("-i ID chooses a client identifier"),
                _ => None,
            },
            Error::Session(SessionError::WrongAcknowledgement {
                packet_type: PacketType::Puback, ..
            }) => Some("some brokers take QoS 2 as QoS 1, RabbitMQ among them; use -q 1"),
            Error::Authentication(failure) => authentication_hint(failure),
            Error::System { source, .. } | Error::Output(source) | Error::File { source, .. }
                if source.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) =>
            {
                Some("`ulimit -n` shows how many files a program can have open; `ulimit -n 1024` raises it")
            }
            Error::Credentials(failure) => file_hint(failure),
            Error::Unsendable { source: PublishError::QosNotSupported { .. }, .. } => {
                Some("-q chooses a lower QoS")
            }
            Error::Unsendable { source: PublishError::RetainNotSupported, .. } => {
                Some("without -r it can be published, but is not kept")
            }
            _ => None,
        }
    }

    /// Whether connecting again may help.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            Error::Lost(_)
            | Error::NotAccepted(_)
            | Error::Closed(_)
            | Error::KeepAlive(_)
            | Error::Connect(_) => true,
            Error::Disconnected { reason, .. } => matches!(
                *reason,
                ReasonCode::SUCCESS
                    | ReasonCode::UNSPECIFIED_ERROR
                    | ReasonCode::SERVER_BUSY
                    | ReasonCode::SERVER_SHUTTING_DOWN
                    | ReasonCode::KEEP_ALIVE_TIMEOUT
                    | ReasonCode::MESSAGE_RATE_TOO_HIGH
                    | ReasonCode::QUOTA_EXCEEDED
                    | ReasonCode::CONNECTION_RATE_EXCEEDED
                    | ReasonCode::MAXIMUM_CONNECT_TIME
            ),
            Error::Refused { reason, .. } => {
                matches!(*reason, ReasonCode::SERVER_UNAVAILABLE | ReasonCode::SERVER_BUSY)
            }
            Error::Authentication(failure) => matches!(failure, AuthenticationError::NoAnswer(_)),
            Error::Usage(_)
            | Error::File { .. }
            | Error::Recording(_)
            | Error::Unusable { .. }
            | Error::Credentials(_)
            | Error::Hash(_)
            | Error::NoSuchUser { .. }
            | Error::Input(_)
            | Error::InputLine { .. }
            | Error::Capture { .. }
            | Error::Output(_)
            | Error::System { .. }
            | Error::NotMqtt(_)
            | Error::Denied(_)
            | Error::Unsendable { .. }
            | Error::NotTaken { .. }
            | Error::Unsubscribable(_)
            | Error::Encode(_)
            | Error::Decode(_)
            | Error::Session(_)
            | Error::Interrupted(_)
            | Error::Timeout(_)
            | Error::Idle(_) => false,
        }
    }
}

fn authentication_hint(failure: &AuthenticationError) -> Option<&'static str> {
    match failure {
        AuthenticationError::Failed { failure: Failure::NothingMoreToSay, .. } => Some(
            "of the methods that have more to say, --auth-method knows SCRAM-SHA-256, SCRAM-SHA-512 and SCRAM-SHA-1",
        ),
        AuthenticationError::Failed { failure: Failure::Told(_) | Failure::WrongProof, .. } => {
            Some("are -u USER and the password right?")
        }
        AuthenticationError::Failed { .. }
        | AuthenticationError::Refused { .. }
        | AuthenticationError::NoAnswer(_)
        | AuthenticationError::OtherMethod { .. }
        | AuthenticationError::NotAskedFor
        | AuthenticationError::OutOfTurn
        | AuthenticationError::WrongStep(_)
        | AuthenticationError::TooLarge { .. } => None,
    }
}

fn file_hint(failure: &FileError) -> Option<&'static str> {
    match failure {
        FileError::System { source, action: "find", .. } if source.kind() == io::ErrorKind::NotFound => {
            Some("-c makes a new file")
        }
        FileError::Exists { .. } => {
            Some("without -c, the user is added to it; `mq passwd -c --force` makes a new one in its place")
        }
        FileError::System { .. }
        | FileError::NotAFile { .. }
        | FileError::Content { .. }
        | FileError::TooLarge { .. }
        | FileError::Locked { .. }
        | FileError::Owner { .. }
        | FileError::NotOnDisk { .. } => None,
    }
}

/// What helps against a certificate that fails a check: mostly another certificate, which is for the broker's operator to get.
fn certificate_hint(defect: &Defect) -> Option<&'static str> {
    match defect {
        Defect::NotForServers { .. } => Some(
            "the broker needs a chain without extended key usage, or with serverAuth in each certificate",
        ),
        Defect::NotAnAuthority
        | Defect::PathLength
        | Defect::NameConstraints
        | Defect::IndirectlyIssued { .. } => Some(
            "the broker needs a certificate from an authority that may issue it; --cafile FILE with the broker's own certificate trusts that one alone",
        ),
        Defect::WeakKey { .. } | Defect::UnsupportedKey(_) | Defect::UnsupportedSignature(_) => Some(
            "supported are RSA with 2048 bits or more, P-256, P-384 and Ed25519, signed with SHA-256 or SHA-384 (RSA: also SHA-512)",
        ),
        Defect::BadSignature { .. } | Defect::UnknownIssuer | Defect::TooComplex => {
            Some("does the broker send its own certificate first, and then each one's issuer?")
        }
        Defect::Expired | Defect::NotYetValid => Some("is the clock of this machine right?"),
        Defect::OtherName | Defect::UnsupportedName => {
            Some("--tls-hostname NAME checks another name than the host's")
        }
        Defect::Malformed(_)
        | Defect::UnreadableExtension(_)
        | Defect::CriticalExtension(_)
        | Defect::Version
        | Defect::OnlyAnAuthority
        | Defect::Dates
        | Defect::Distrusted
        | Defect::Revoked
        | Defect::RevocationUnknown(_)
        | Defect::Application
        | Defect::Unnamed(_) => Some(
            "the broker needs another certificate; --insecure without a trust source connects all the same, and unprotected",
        ),
    }
}

fn tls_hint(failure: &TlsError) -> Option<&'static str> {
    match failure {
        TlsError::UnknownIssuer { .. } | TlsError::NotByIssuer { .. } => {
            Some("--cafile FILE names the authority to trust")
        }
        TlsError::SelfSigned { .. } => Some("--cafile FILE with this very certificate trusts it"),
        TlsError::OtherName { .. } => Some("--tls-hostname NAME checks another name than the host's"),
        TlsError::CertificateWanted { .. } => Some("--cert FILE and --key FILE show one"),
        TlsError::Expired { .. } | TlsError::NotYetValid { .. } => {
            Some("is the clock of this machine right?")
        }
        TlsError::Version { .. } => Some("--tls-version chooses others"),
        TlsError::Cipher { .. } => {
            Some("--ciphers chooses other suites; a server's key can be of RSA, P-256, P-384 or Ed25519")
        }
        TlsError::Protocol { .. } => Some("--tls-alpn chooses others"),
        TlsError::NotTls { .. } | TlsError::Closed { .. } => Some(
            "is it a port for plain MQTT? TLS is usually on port 8883; --no-tls speaks without; a listener for a load balancer expects a PROXY protocol header first (--proxy-protocol v2)",
        ),
        TlsError::AddressAsName { .. } => Some(
            "the certificate needs subjectAltName IP:ADDRESS instead of DNS:ADDRESS; --tls-hostname NAME checks another name",
        ),
        TlsError::Unfit { defect, .. } => certificate_hint(defect),
        TlsError::CertificateRefused { .. }
        | TlsError::UnknownName { .. }
        | TlsError::SharedKey { .. }
        | TlsError::Other { .. } => None,
    }
}
