//! The exit statuses of mosquitto's tools, which scripts know: the numbers of libmosquitto's errors, and those of CONNACK.
//!
//! They are less specific than ours. A rejection by the broker is success, and a refusal can look like an error of the library.

use super::{Error, ExitStatus};
use crate::bench;
use crate::cli;
use crate::client;
use crate::commands::shutdown::Stop;
use crate::protocol::EncodeError;
use crate::protocol::session::{PublishError, SubscribeError};
use crate::transport::ConnectError;

const FAILED: u8 = 1;
const PROTOCOL: u8 = 2;
const INVALID: u8 = 3;
const NO_CONNECTION: u8 = 4;
const CONNECTION_LOST: u8 = 7;
const PAYLOAD_SIZE: u8 = 9;
const PROXY_AUTHENTICATION: u8 = 11;
const PROXY: u8 = 16;
const KEEP_ALIVE: u8 = 19;
const MALFORMED_PACKET: u8 = 21;
const QOS_NOT_SUPPORTED: u8 = 24;
const OVERSIZE_PACKET: u8 = 25;
/// mosquitto_sub's `exit(-1)`.
const NOT_CONNECTED: u8 = 255;

pub(in crate::commands) fn exit_status(result: &Result<ExitStatus, Error>) -> ExitStatus {
    match result {
        Ok(ExitStatus::REJECTED) => ExitStatus::DONE,
        Ok(status) => *status,
        Err(error) => of_error(error),
    }
}

/// The status of mosquitto_sub when a signal or a time limit stopped it, if it differs from that of the error.
pub(in crate::commands) fn of_stop(stop: Stop, was_connected: bool) -> Option<ExitStatus> {
    match stop {
        Stop::Signal(_) | Stop::TimeIsUp(_) | Stop::Idle(_) if !was_connected => {
            Some(ExitStatus(NOT_CONNECTED))
        }
        Stop::Signal(_) => Some(ExitStatus::DONE),
        Stop::TimeIsUp(_) | Stop::Idle(_) => None,
    }
}

fn of_error(error: &Error) -> ExitStatus {
    let status = match error {
        Error::Output(_) if error.is_closed_output() => return ExitStatus::DONE,
        Error::Interrupted(status) => return *status,
        Error::Options(cli::Error::Interrupted(status)) => return ExitStatus(*status),
        Error::Timeout(_) | Error::Idle(_) => return ExitStatus::TIMED_OUT,
        Error::Rejected(_) => return ExitStatus::DONE,
        Error::Client(error) => of_client(error),
        Error::Bench(bench::Error::Connect(error)) => of_connecting(error),
        Error::Options(_)
        | Error::Recording(_)
        | Error::Credentials(_)
        | Error::Profiles(_)
        | Error::Hash(_)
        | Error::NoSuchUser { .. }
        | Error::InputLine { .. }
        | Error::Capture { .. }
        | Error::Output(_)
        | Error::Bridge { .. }
        | Error::Bench(_)
        | Error::BrokerFiles(_) => FAILED,
        Error::Unsendable { source, .. } => of_unsendable(source),
        Error::NotTaken { .. } => INVALID,
        Error::Unsubscribable(SubscribeError::PacketTooLarge { .. }) => OVERSIZE_PACKET,
        Error::Unsubscribable(SubscribeError::Encode(error)) => of_encoding(error),
        // libmosquitto requests them, and the broker rejects them.
        Error::Unsubscribable(
            SubscribeError::WildcardsNotSupported(_)
            | SubscribeError::SharedNotSupported(_)
            | SubscribeError::IdentifiersNotSupported
            | SubscribeError::NoPacketId,
        ) => return ExitStatus::DONE,
    };
    ExitStatus(status)
}

fn of_client(error: &client::Error) -> u8 {
    use client::Error;
    match error {
        Error::Connect(error) => of_connecting(error),
        Error::Timeout(_) => ExitStatus::TIMED_OUT.0,
        Error::Token(_) | Error::Computation(_) | Error::Property(_) => FAILED,
        Error::Refused { reason, asked, answered, .. } => match (asked.is_v5(), answered.is_v5()) {
            (true, true) => reason.0,
            // libmosquitto misses the properties.
            (true, false) => MALFORMED_PACKET,
            (false, _) => reason.to_v3_connack(),
        },
        Error::Authentication(failure) => failure.reason_code().0,
        Error::Encode(error) => of_encoding(error),
        Error::Lost(_) | Error::Gateway(_) | Error::NotAccepted(_) | Error::ClosedEarly | Error::Closed => {
            CONNECTION_LOST
        }
        Error::Disconnected { .. } => NO_CONNECTION,
        Error::KeepAlive(_) => KEEP_ALIVE,
        Error::Decode(_) => MALFORMED_PACKET,
        Error::NotMqtt(_) | Error::Session(_) => PROTOCOL,
    }
}

fn of_connecting(error: &ConnectError) -> u8 {
    match error {
        ConnectError::ProxyCredentials { .. } => PROXY_AUTHENTICATION,
        ConnectError::ProxyRefused { .. } | ConnectError::NotAProxy { .. } => PROXY,
        _ => FAILED,
    }
}

fn of_unsendable(error: &PublishError) -> u8 {
    match error {
        PublishError::QosNotSupported { .. } => QOS_NOT_SUPPORTED,
        PublishError::PacketTooLarge { .. } => OVERSIZE_PACKET,
        PublishError::RetainNotSupported
        | PublishError::TopicAliasNotSupported { .. }
        | PublishError::QuotaUsedUp => INVALID,
        PublishError::Encode(error) => of_encoding(error),
    }
}

fn of_encoding(error: &EncodeError) -> u8 {
    match error {
        EncodeError::FieldTooLong { .. } => INVALID,
        EncodeError::PacketTooLarge { .. } => PAYLOAD_SIZE,
    }
}
