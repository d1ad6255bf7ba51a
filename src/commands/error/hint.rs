//! The remedies for errors. `broker_hint` has those that depend on the broker and on the connection's settings.

use super::Error;
use crate::authentication::{Failure, TokenFileError};
use crate::bench::limits::{BrokerShortage, WIDER_PORT_RANGE};
use crate::cli::UsageError;
use crate::cli::bridge::Words;
use crate::cli::passwd::meant_command;
use crate::client::{AuthenticationError, Foreign};
use crate::passwd::FileError;
use crate::protocol::session::{PublishError, SessionError};
use crate::protocol::sn::ReturnCode;
use crate::protocol::sn::client::GatewayError;
use crate::protocol::sn::v2::Reason;
use crate::protocol::{PacketType, ReasonCode};
use crate::recording::RecordingError;
use crate::transport::ConnectError;
use crate::transport::tls::{Defect, TlsError};
use crate::{bench, bridge, cli, client};
use std::borrow::Cow;
use std::io;

pub(super) const OTHER_PORT: &str = "is the port right? -p PORT selects another";

pub(super) const WEB_SOCKET_PORT: &str =
    "is this the WebSocket port? -p PORT and --ws-path PATH select another";

impl Error {
    /// A remedy, if one is known.
    pub(super) fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Error::Client(error) => client_hint(error)?,
            Error::Bridge { source, words, identifier_keys, .. } => {
                return bridge_hint(source, *words, *identifier_keys);
            }
            Error::Bench(error) => return bench_hint(error),
            Error::BrokerFiles(BrokerShortage { enough, most_clients, .. }) => {
                let fewer = match most_clients {
                    0 => String::new(),
                    most => format!(", or use at most {most} clients"),
                };
                return Some(format!("run `ulimit -n {enough}` as root before this command{fewer}").into());
            }
            Error::Options(cli::Error::Usage(UsageError::Remediable { remedy, .. })) => {
                return Some(remedy.clone().into());
            }
            Error::Options(cli::Error::System { action, source }) if action.starts_with("listen on ") => {
                listen_hint(source).or_else(|| files_hint(source))?
            }
            Error::Options(cli::Error::System { source, .. } | cli::Error::File { source, .. })
            | Error::Output(source) => files_hint(source)?,
            Error::Credentials(failure) => return file_hint(failure),
            Error::Recording(RecordingError::NoDatabases { .. }) => {
                "`cargo install mqkit --features sqlite` builds mq with SQLite"
            }
            Error::Recording(RecordingError::NoRotation { .. }) => "--rotate is for files of lines",
            Error::Unsendable { source: PublishError::QosNotSupported { .. }, .. } => {
                "-q selects a lower QoS"
            }
            Error::Unsendable { source: PublishError::RetainNotSupported, .. } => {
                "publish without -r; the broker then does not retain the message"
            }
            _ => return None,
        };
        Some(hint.into())
    }
}

/// Two hints as one.
pub(super) fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    let hints: Vec<String> = first.into_iter().chain(second).collect();
    (!hints.is_empty()).then(|| hints.join("; "))
}

/// The will of a bridge as the probable cause of a refusal.
const OF_BRIDGE_WILL: &str = "does the broker allow the will, which is the state of the bridge? another notification topic may be allowed, or none";

/// The remedy for a bridge that ended.
fn bridge_hint(
    error: &bridge::Error,
    [of_local, of_remote]: [Words; 2],
    [local_key, remote_key]: [&str; 2],
) -> Option<Cow<'static, str>> {
    let hint = match error {
        bridge::Error::TakenOver { side, .. } => {
            let key = match side {
                bridge::Side::Local => local_key,
                bridge::Side::Remote => remote_key,
            };
            return Some(format!("does the same bridge run twice? {key} sets another identifier").into());
        }
        bridge::Error::NoLocal { .. } => {
            "use MQTT 5 if the broker supports it, or prefixes or topics that do not overlap"
        }
        bridge::Error::Client { side, source, has_will } => {
            let words = match side {
                bridge::Side::Local => of_local,
                bridge::Side::Remote => of_remote,
            };
            let of_client = client_hint(source).map(|hint| words.translate(*side, hint));
            let of_will = source.refused_part_of_will().map(|_| OF_BRIDGE_WILL).filter(|_| *has_will);
            return joined(of_client, of_will.map(str::to_owned)).map(Cow::Owned);
        }
    };
    Some(hint.into())
}

/// The remedy for a connection that does not exist, or ended.
pub(super) fn client_hint(error: &client::Error) -> Option<&'static str> {
    use client::Error;
    match error {
        Error::Connect(error) => connect_hint(error),
        Error::NotMqtt(Foreign::Http | Foreign::Ssh | Foreign::Other(_)) => Some(OTHER_PORT),
        Error::NotMqtt(Foreign::Tls) => Some(
            "plain MQTT is usually on port 1883, which -p selects; --tls-use-os-certs or --cafile FILE use TLS",
        ),
        Error::Refused { reason, .. } => refusal_hint(*reason),
        Error::Session(SessionError::WrongAcknowledgement { packet_type: PacketType::Puback, .. }) => {
            Some("some brokers, RabbitMQ among them, treat QoS 2 as QoS 1; use -q 1")
        }
        Error::Authentication(failure) => authentication_hint(failure),
        Error::Token(TokenFileError { source, .. }) | Error::Computation(source) => files_hint(source),
        Error::Gateway(error) => gateway_hint(error),
        Error::Timeout(_)
        | Error::NotAccepted(_)
        | Error::ClosedEarly
        | Error::Property(_)
        | Error::Encode(_)
        | Error::Lost(_)
        | Error::Closed
        | Error::Disconnected { .. }
        | Error::Decode(_)
        | Error::Session(_)
        | Error::KeepAlive(_) => None,
    }
}

fn gateway_hint(error: &GatewayError) -> Option<&'static str> {
    match error {
        GatewayError::Refused(ReturnCode::CONGESTION) | GatewayError::RefusedFor(Reason::CONGESTION) => {
            Some("the gateway has no connection to its broker, or no room for another client")
        }
        GatewayError::NoAnswer { message: "CONNECT", .. } | GatewayError::NotListening => Some(
            "does an MQTT-SN gateway listen there? -h HOST and -p PORT select another; `mq gateway` starts one",
        ),
        GatewayError::NoTopicId { .. } => Some(
            "--topic-id ID selects a predefined topic id; the topic may also be a short one of two bytes",
        ),
        GatewayError::Refused(_)
        | GatewayError::RefusedFor(_)
        | GatewayError::EndedFor { .. }
        | GatewayError::SleepRejected(_)
        | GatewayError::RejectedFor { .. }
        | GatewayError::NoAnswer { .. }
        | GatewayError::Ended
        | GatewayError::Rejected { .. }
        | GatewayError::TooLarge { .. }
        | GatewayError::NoMessage(_)
        | GatewayError::Packet(_) => None,
    }
}

fn bench_hint(error: &bench::Error) -> Option<Cow<'static, str>> {
    use bench::Error;
    match error {
        Error::OpenFiles { enough, .. } | Error::OpenFilesOfLeader { enough, .. } => {
            Some(format!("run `ulimit -n {enough}` as root before this command").into())
        }
        Error::LocalPorts { .. } => Some(
            format!(
                "run `{WIDER_PORT_RANGE}` as root for 64512 ports per local address, or use more addresses of this machine, as in -A 10.0.0.7,10.0.0.8"
            )
            .into(),
        ),
        Error::Connect(error) => connect_hint(error).map(Cow::from),
        Error::Thread(source) | Error::Process(source) | Error::Input(source) | Error::Lost(source) => {
            files_hint(source).map(Cow::from)
        }
        Error::Timeout(_) | Error::FailedThread | Error::NoLeader => None,
    }
}

/// The remedy for a limit of open files that is too low.
fn files_hint(source: &io::Error) -> Option<&'static str> {
    let is_limit = source.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error());
    is_limit.then_some("`ulimit -n` shows the limit of open files; `ulimit -n 1024` raises it")
}

/// The remedy for an address that cannot be listened on. Only the system's own errors are about ports.
fn listen_hint(source: &io::Error) -> Option<&'static str> {
    source.raw_os_error()?;
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            Some("another program listens there; choose another port, or 0 for a free one")
        }
        io::ErrorKind::AddrNotAvailable => {
            Some("no interface of this machine has the address; 0.0.0.0 or :: is all of them")
        }
        io::ErrorKind::PermissionDenied => {
            Some("ports below 1024 are for root; choose a higher one, or grant CAP_NET_BIND_SERVICE")
        }
        _ => None,
    }
}

fn connect_hint(error: &ConnectError) -> Option<&'static str> {
    match error {
        ConnectError::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
            Some("is the broker running there? -h HOST and -p PORT select another; `mq broker` starts one")
        }
        ConnectError::Lookup { .. } => Some("-h takes a host name or an address"),
        ConnectError::ProxyUnreachable { .. } | ConnectError::NotAProxy { .. } => {
            Some("--proxy URL sets the proxy and its protocol: socks5h, socks5 or http")
        }
        ConnectError::ProxyCredentials { .. } => {
            Some("set them in the URL of --proxy, as in socks5h://USER:PASSWORD@HOST")
        }
        ConnectError::NoService { .. } => Some("without -S, -h HOST and -p PORT set the broker"),
        ConnectError::WebSocketRefused { code, .. } => Some(match code {
            401 | 403 => "--ws-header 'Authorization: ...' sends credentials",
            404 | 405 => "--ws-path PATH selects another path; RabbitMQ uses /ws, most others /mqtt",
            _ => WEB_SOCKET_PORT,
        }),
        ConnectError::WebSocket { .. } => Some(WEB_SOCKET_PORT),
        ConnectError::Tls(failure) => tls_hint(failure),
        ConnectError::NoAddress { .. }
        | ConnectError::Bind { .. }
        | ConnectError::Connect { .. }
        | ConnectError::Unix { .. }
        | ConnectError::ProxyRefused { .. }
        | ConnectError::Preface { .. }
        | ConnectError::ServiceLookup { .. }
        | ConnectError::Timeout { .. } => None,
    }
}

fn refusal_hint(reason: ReasonCode) -> Option<&'static str> {
    match reason {
        ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::NOT_AUTHORIZED => Some(
            "-u USER and -P PASSWORD set the credentials; RabbitMQ takes a virtual host first, as in -u VHOST:USER; with ejabberd, the name is USER@DOMAIN",
        ),
        ReasonCode::BAD_AUTHENTICATION_METHOD => {
            Some("--auth-method NAME selects another method; without it, mq sends user name and password")
        }
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => Some("-V selects another version of MQTT"),
        ReasonCode::SERVER_UNAVAILABLE => {
            Some("with ejabberd, the domain is unknown; -u USER@DOMAIN selects another")
        }
        ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => Some("-i ID sets a client identifier"),
        _ => None,
    }
}

fn authentication_hint(failure: &AuthenticationError) -> Option<&'static str> {
    match failure {
        AuthenticationError::Failed { failure: Failure::NothingMoreToSay, .. } => Some(
            "the methods of several steps that --auth-method supports are SCRAM-SHA-256, SCRAM-SHA-512 and SCRAM-SHA-1",
        ),
        AuthenticationError::Failed { failure: Failure::Reported(_) | Failure::WrongProof, .. } => {
            Some("check -u USER and the password")
        }
        AuthenticationError::Failed { .. }
        | AuthenticationError::Refused { .. }
        | AuthenticationError::NoAnswer(_)
        | AuthenticationError::Violation(_)
        | AuthenticationError::TooLarge { .. } => None,
    }
}

fn file_hint(failure: &FileError) -> Option<Cow<'static, str>> {
    match failure {
        FileError::System { path, source, action: "find" } if source.kind() == io::ErrorKind::NotFound => {
            Some(match meant_command(path.as_os_str()) {
                Some(command) => format!("did you mean `mq passwd {command}`? -c creates a new file").into(),
                None => "-c creates a new file".into(),
            })
        }
        FileError::Exists { .. } => {
            Some("without -c, the user is added to it; `mq passwd -c --force` replaces it".into())
        }
        FileError::System { .. }
        | FileError::NotAFile { .. }
        | FileError::Content { .. }
        | FileError::TooLarge { .. }
        | FileError::Locked { .. }
        | FileError::Owner { .. }
        | FileError::Damaged { .. }
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
        TlsError::Cipher { .. } => Some(
            "--ciphers, --tls-groups and --tls-signatures select others; supported server keys: RSA, P-256, P-384 and Ed25519",
        ),
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
