//! The errors of a client: no connection, a refusal, or the end of a connection.
//!
//! They carry data. The texts name the broker's part and the values; advice and exit statuses belong to the commands.

use super::authentication_error::AuthenticationError;
use super::details::Details;
use crate::authentication::TokenFileError;
use crate::protocol::property::PropertyError;
use crate::protocol::session::SessionError;
use crate::protocol::sn::ReturnCode;
use crate::protocol::sn::client::GatewayError;
use crate::protocol::sn::v2::Reason;
use crate::protocol::{DecodeError, EncodeError, ReasonCode, RefusalCode, Version, WillPart};
use crate::transport::ConnectError;
use crate::transport::mqtt_sn::gateway_error;
use std::fmt;
use std::io;
use std::time::Duration;

/// The reason why a connection does not exist, or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Connecting failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// CONNACK did not arrive in time.
    #[error("timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// Before CONNACK, the peer sent something other than MQTT.
    #[error("{0}")]
    NotMqtt(Foreign),
    /// The connection was lost before CONNACK.
    #[error("the connection was lost before the broker accepted it: {0}")]
    NotAccepted(io::Error),
    /// The broker closed the connection before CONNACK.
    #[error("the broker closed the connection before accepting it")]
    ClosedEarly,
    /// The broker refused the connection.
    #[error("the broker refused the connection: {code}{details}")]
    Refused {
        /// The reason. Return codes of MQTT 3 are mapped to the equivalent reason codes.
        reason: ReasonCode,
        /// The code in CONNACK.
        code: RefusalCode,
        /// The broker's explanation.
        details: Details,
        /// The requested version.
        asked: Version,
        /// The version of the answer, which can be MQTT 3.1.1 for a request in MQTT 5.
        answered: Version,
    },
    /// Authentication of the client or of the broker failed.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// The file with the authentication data cannot be read.
    #[error(transparent)]
    Token(#[from] TokenFileError),
    /// The answer to the broker's challenge cannot be computed.
    #[error("cannot compute the answer: {0}")]
    Computation(io::Error),
    /// The properties of the authentication contradict those of CONNECT.
    #[error(transparent)]
    Property(PropertyError),
    /// A packet cannot be encoded.
    #[error("cannot send: {0}")]
    Encode(#[from] EncodeError),
    /// The connection was lost.
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
    /// The connection to an MQTT-SN gateway was refused, or ended.
    #[error(transparent)]
    Gateway(GatewayError),
    /// The broker closed the connection without a DISCONNECT.
    #[error("the broker closed the connection without giving a reason")]
    Closed,
    /// The broker sent a DISCONNECT.
    #[error("the broker ended the connection: {reason}{details}")]
    Disconnected {
        reason: ReasonCode,
        /// The broker's explanation.
        details: Details,
    },
    /// The broker sent a malformed packet.
    #[error("the broker sent a bad packet: {0}")]
    Decode(#[from] DecodeError),
    /// The broker sent a packet that the protocol does not permit.
    #[error("the broker broke the protocol: {0}")]
    Session(#[from] SessionError),
    /// The broker did not answer a PINGREQ.
    #[error("the broker did not answer for {} s (keep alive)", .0.as_secs())]
    KeepAlive(Duration),
}

/// The protocol of a server that is not an MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Foreign {
    Http,
    /// TLS, which answers a plain connection.
    Tls,
    Ssh,
    /// Another protocol, with the first bytes of its answer.
    Other(Vec<u8>),
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Foreign::Http => f.write_str("an HTTP server answered, not an MQTT broker"),
            Foreign::Tls => f.write_str("a TLS server answered a connection without TLS"),
            Foreign::Ssh => f.write_str("an SSH server answered, not an MQTT broker"),
            Foreign::Other(start) => write!(
                f,
                "the server did not answer as an MQTT broker; its answer begins with \"{}\"",
                start.escape_ascii()
            ),
        }
    }
}

impl Error {
    /// A connection that broke after it was accepted.
    pub(crate) fn lost(error: io::Error) -> Error {
        gateway_error(error).map_or_else(Error::Lost, Error::Gateway)
    }

    /// A connection that broke before it was accepted.
    pub(super) fn not_accepted(error: io::Error) -> Error {
        gateway_error(error).map_or_else(Error::NotAccepted, Error::Gateway)
    }

    /// Whether connecting again may help.
    pub(crate) fn is_worth_retrying(&self) -> bool {
        match self {
            Error::Lost(_)
            | Error::NotAccepted(_)
            | Error::ClosedEarly
            | Error::Closed
            | Error::KeepAlive(_)
            | Error::Timeout(_)
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
            Error::Gateway(error) => matches!(
                error,
                GatewayError::Refused(ReturnCode::CONGESTION)
                    | GatewayError::RefusedFor(Reason::CONGESTION | Reason(0x88 | 0x89))
                    | GatewayError::EndedFor { .. }
                    | GatewayError::NoAnswer { .. }
                    | GatewayError::NotListening
                    | GatewayError::Ended
            ),
            Error::NotMqtt(_)
            | Error::Token(_)
            | Error::Computation(_)
            | Error::Property(_)
            | Error::Encode(_)
            | Error::Decode(_)
            | Error::Session(_) => false,
        }
    }

    /// Whether the broker refused the client, or the client the broker, because of the version, the identity or its proof.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Error::Refused { .. }
            | Error::Gateway(GatewayError::Refused(_) | GatewayError::RefusedFor(_)) => true,
            Error::Authentication(failure) => !failure.is_lost_connection(),
            _ => false,
        }
    }

    /// The part of the will because of which the broker may have refused CONNECT.
    pub(crate) fn refused_part_of_will(&self) -> Option<WillPart> {
        match self {
            Error::Refused { reason, .. } => reason.refused_part_of_will(),
            _ => None,
        }
    }

    /// Whether the connection ended before CONNACK, without bytes that have no place in WebSocket or TLS.
    pub(crate) fn is_silent_refusal(&self) -> bool {
        match self {
            Error::NotAccepted(error) => error.kind() != io::ErrorKind::InvalidData,
            Error::ClosedEarly => true,
            _ => false,
        }
    }

    /// Whether the connection ended, or was not accepted, without a reason from the broker.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Error::Lost(_) | Error::NotAccepted(_) | Error::ClosedEarly | Error::Closed)
    }
}
