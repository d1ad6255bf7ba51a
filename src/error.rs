//! The errors of commands by cause, with the text for the user and the exit status.

use crate::authentication::Failure;
use crate::client::AuthenticationError;
use crate::hosted::Violation;
use crate::passwd::{FileError, HashError, UserName};
use crate::protocol::session::{PublishError, SessionError, SubscribeError};
use crate::protocol::{DecodeError, EncodeError, PacketType, ReasonCode, Version};
use crate::recording::RecordingError;
use crate::transport::ConnectError;
use crate::transport::tls::{Defect, TlsError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Invalid arguments.
    #[error("{0}")]
    Usage(String),
    /// An input file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The content of a file is not usable for the option that names it.
    #[error("{option} {}: {problem}", path.display())]
    Unusable {
        /// The option, as typed.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason, and the remedy.
        problem: String,
    },
    /// A credentials file cannot be read or replaced.
    #[error(transparent)]
    Credentials(#[from] FileError),
    /// A password cannot be hashed, or a hash cannot be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The user to delete does not exist.
    #[error("{} has no user '{}'", path.display(), crate::escape::line(user.as_str()))]
    NoSuchUser {
        /// The password file.
        path: PathBuf,
        /// The user.
        user: UserName,
    },
    /// A recording cannot be read or appended to.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    /// A capture cannot be read, or has another format.
    #[error("{name}: {problem}")]
    Capture {
        /// The file, or standard input.
        name: String,
        /// The reason.
        problem: String,
    },
    /// A line of standard input is invalid.
    #[error("standard input, {place}: {problem}")]
    InputLine {
        /// The line and, if known, the column.
        place: String,
        /// The reason.
        problem: String,
    },
    /// Standard output cannot be written. The error kind identifies a closed pipe.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// A required system call failed.
    #[error("cannot {action}: {source}")]
    System {
        /// The attempted action.
        action: String,
        /// The reason.
        source: io::Error,
    },
    /// Connecting failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Before CONNACK, the peer sent something other than valid MQTT.
    #[error("{0}")]
    NotMqtt(String),
    /// The broker refused the connection.
    #[error("the broker refused the connection: {reason}{details}")]
    Refused {
        /// The reason. Return codes of MQTT 3 are mapped to the equivalent reason codes.
        reason: ReasonCode,
        /// Further details from the broker, with leading punctuation.
        details: String,
        /// The requested version.
        asked: Version,
        /// The version of the answer, which can be MQTT 3.1.1 for a request in MQTT 5.
        answered: Version,
    },
    /// Authentication of the client or of the broker failed.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// The broker rejected a subscription or a message.
    #[error("{0}")]
    Denied(String),
    /// The broker does not support this message, which was not sent.
    #[error("cannot publish to {topic}: {source}")]
    Unsendable {
        /// The message's topic.
        topic: String,
        /// The reason.
        source: PublishError,
    },
    /// The hosted service does not accept this message, which was not sent.
    #[error("cannot publish to {topic}: {violation}")]
    NotTaken {
        /// The message's topic.
        topic: String,
        /// The reason.
        violation: Violation,
    },
    /// The broker does not support this subscription, which was not requested.
    #[error("cannot subscribe: {0}")]
    Unsubscribable(#[from] SubscribeError),
    /// A packet cannot be encoded.
    #[error("cannot send: {0}")]
    Encode(#[from] EncodeError),
    /// The connection was lost.
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
    /// The broker closed the connection without a DISCONNECT.
    #[error("the broker closed the connection {0}")]
    Closed(&'static str),
    /// The broker sent a DISCONNECT.
    #[error("the broker ended the connection: {reason}{details}")]
    Disconnected {
        /// The reason code.
        reason: ReasonCode,
        /// Further details from the broker, with leading punctuation.
        details: String,
    },
    /// The broker sent a malformed packet.
    #[error("the broker sent a bad packet: {0}")]
    Decode(#[from] DecodeError),
    /// The connection was lost before CONNACK.
    #[error("the connection was lost before the broker accepted it: {0}")]
    NotAccepted(io::Error),
    /// The broker sent a packet that the protocol does not permit.
    #[error("the broker broke the protocol: {0}")]
    Session(#[from] SessionError),
    /// The broker did not answer a PINGREQ.
    #[error("the broker did not answer for {} s (keep alive)", .0.as_secs())]
    KeepAlive(Duration),
    /// A signal interrupted the command.
    #[error("interrupted")]
    Interrupted(ExitStatus),
    /// The timeout expired.
    #[error("Timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No message arrived within the idle timeout.
    #[error("no message for {} s", .0.as_secs_f64())]
    Idle(Duration),
}

/// The exit status of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(pub u8);

#[allow(missing_docs)] // documented in the table in the README
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
    /// The exit status for this error.
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

    /// Whether the reader of the output closed the pipe, which ends a command quietly.
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether no message is necessary: the user interrupted the command, or the reader closed the pipe.
    pub fn is_known_to_the_user(&self) -> bool {
        self.is_closed_output() || matches!(self, Error::Interrupted(_))
    }

    /// A remedy, if one is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Connect(ConnectError::Connect { source, .. })
                if source.kind() == io::ErrorKind::ConnectionRefused =>
            {
                Some(
                    "is the broker running there? -h HOST and -p PORT select another; `mq broker` starts one",
                )
            }
            Error::Connect(ConnectError::Lookup { .. }) => Some("-h takes a host name or an address"),
            Error::Connect(ConnectError::ProxyUnreachable { .. } | ConnectError::NotAProxy { .. }) => {
                Some("--proxy URL sets the proxy and its protocol: socks5h, socks5 or http")
            }
            Error::Connect(ConnectError::ProxyCredentials { .. }) => {
                Some("set them in the URL of --proxy, as in socks5h://USER:PASSWORD@HOST")
            }
            Error::Connect(ConnectError::NoService { .. }) => {
                Some("without -S, -h HOST and -p PORT set the broker")
            }
            Error::Connect(ConnectError::WebSocketRefused { code, .. }) => Some(match code {
                401 | 403 => "--ws-header 'Authorization: ...' sends credentials",
                404 | 405 => "--ws-path PATH selects another path; RabbitMQ uses /ws, most others /mqtt",
                _ => "is this the WebSocket port? -p PORT and --ws-path PATH select another",
            }),
            Error::Connect(ConnectError::WebSocket { .. }) => {
                Some("is this the WebSocket port? -p PORT and --ws-path PATH select another")
            }
            Error::Connect(ConnectError::Tls(failure)) => tls_hint(failure),
            Error::Refused { reason, .. } => match *reason {
                ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::NOT_AUTHORIZED => Some(
                    "-u USER and -P PASSWORD set the credentials; RabbitMQ takes a virtual host first, as in -u VHOST:USER; with ejabberd, the name is USER@DOMAIN",
                ),
                ReasonCode::BAD_AUTHENTICATION_METHOD => Some(
                    "--auth-method NAME selects another method; without it, mq sends user name and password",
                ),
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => Some("-V selects another version of MQTT"),
                ReasonCode::SERVER_UNAVAILABLE => {
                    Some("with ejabberd, the domain is unknown; -u USER@DOMAIN selects another")
                }
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => Some("-i ID sets a client identifier"),
                _ => None,
            },
            Error::Session(SessionError::WrongAcknowledgement {
                packet_type: PacketType::Puback, ..
            }) => Some("some brokers, RabbitMQ among them, treat QoS 2 as QoS 1; use -q 1"),
            Error::Authentication(failure) => authentication_hint(failure),
            Error::System { source, .. } | Error::Output(source) | Error::File { source, .. }
                if source.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) =>
            {
                Some("`ulimit -n` shows the limit of open files; `ulimit -n 1024` raises it")
            }
            Error::Credentials(failure) => file_hint(failure),
            Error::Unsendable { source: PublishError::QosNotSupported { .. }, .. } => {
                Some("-q selects a lower QoS")
            }
            Error::Unsendable { source: PublishError::RetainNotSupported, .. } => {
                Some("publish without -r; the broker then does not retain the message")
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
            "the methods of several steps that --auth-method supports are SCRAM-SHA-256, SCRAM-SHA-512 and SCRAM-SHA-1",
        ),
        AuthenticationError::Failed { failure: Failure::Told(_) | Failure::WrongProof, .. } => {
            Some("check -u USER and the password")
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
            Some("-c creates a new file")
        }
        FileError::Exists { .. } => {
            Some("without -c, the user is added to it; `mq passwd -c --force` replaces it")
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

/// The remedy for a certificate that fails a check: mostly another certificate, from the broker's operator.
fn certificate_hint(defect: &Defect) -> Option<&'static str> {
    match defect {
        Defect::NotForServers { .. } => Some(
            "the broker needs a chain without extended key usage, or with serverAuth in each certificate",
        ),
        Defect::NotAnAuthority
        | Defect::PathLength
        | Defect::NameConstraints
        | Defect::IndirectlyIssued { .. } => Some(
            "the broker needs a certificate from an authority that may issue it; --cafile FILE with the broker's own certificate trusts only that one",
        ),
        Defect::WeakKey { .. } | Defect::UnsupportedKey(_) | Defect::UnsupportedSignature(_) => Some(
            "supported: RSA with 2048 bits or more, P-256, P-384 and Ed25519, signed with SHA-256 or SHA-384 (RSA: also SHA-512)",
        ),
        Defect::BadSignature { .. } | Defect::UnknownIssuer | Defect::TooComplex => {
            Some("does the broker send its own certificate first, followed by each issuer's?")
        }
        Defect::Expired | Defect::NotYetValid => Some("check the clock of this machine"),
        Defect::OtherName | Defect::UnsupportedName => {
            Some("--tls-hostname NAME checks a name other than the host's")
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
            "the broker needs another certificate; --insecure without a trust source connects without verification",
        ),
    }
}

fn tls_hint(failure: &TlsError) -> Option<&'static str> {
    match failure {
        TlsError::UnknownIssuer { .. } | TlsError::NotByIssuer { .. } => {
            Some("--cafile FILE sets the authority to trust")
        }
        TlsError::SelfSigned { .. } => Some("--cafile FILE with this certificate trusts it"),
        TlsError::OtherName { .. } => Some("--tls-hostname NAME checks a name other than the host's"),
        TlsError::CertificateWanted { .. } => Some("--cert FILE and --key FILE set a client certificate"),
        TlsError::Expired { .. } | TlsError::NotYetValid { .. } => Some("check the clock of this machine"),
        TlsError::Version { .. } => Some("--tls-version selects others"),
        TlsError::Cipher { .. } => {
            Some("--ciphers selects other suites; supported server keys: RSA, P-256, P-384 and Ed25519")
        }
        TlsError::Protocol { .. } => Some("--tls-alpn selects others"),
        TlsError::NotTls { .. } | TlsError::Closed { .. } => Some(
            "is this a port for plain MQTT? TLS is usually on port 8883; --no-tls disables it; a listener for a load balancer expects a PROXY protocol header first (--proxy-protocol v2)",
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
