//! The exit statuses of mq, by error. `mosquitto` has those of mosquitto's tools.

use super::Error;
use crate::cli::{self, Failure, FailureKind, Names};
use crate::protocol::sn::client::GatewayError;
use crate::{bench, bridge, client};
use std::io;

/// The exit status of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(pub u8);

#[allow(missing_docs)] // documented in the table in the README
impl ExitStatus {
    pub const DONE: ExitStatus = ExitStatus(0);
    pub const FAILED: ExitStatus = ExitStatus(1);
    pub const USAGE: ExitStatus = ExitStatus(2);
    pub const REJECTED: ExitStatus = ExitStatus(3);
    pub const MISSED: ExitStatus = ExitStatus(4);
    pub const REFUSED: ExitStatus = ExitStatus(5);
    pub const LOST: ExitStatus = ExitStatus(7);
    pub const TIMED_OUT: ExitStatus = ExitStatus(27);
    /// The terminal was closed, as a shell reports SIGHUP.
    pub const HUNG_UP: ExitStatus = ExitStatus(129);
    pub const INTERRUPTED: ExitStatus = ExitStatus(130);
    pub const TERMINATED: ExitStatus = ExitStatus(143);
}

impl ExitStatus {
    /// The exit status for a command line that runs no command.
    pub(in crate::commands) fn of_command_line(failure: &Failure) -> ExitStatus {
        match (failure.kind, failure.names) {
            (FailureKind::Requested, Names::Mq) => ExitStatus::DONE,
            (FailureKind::Usage, Names::Mq) => ExitStatus::USAGE,
            (FailureKind::File | FailureKind::UnknownTool, _) | (_, Names::Mosquitto) => ExitStatus::FAILED,
        }
    }
}

impl Error {
    pub(in crate::commands) fn exit_status(&self) -> ExitStatus {
        match self {
            Error::Options(cli::Error::Usage(_)) => ExitStatus::USAGE,
            Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::DONE,
            Error::Options(
                cli::Error::File { .. }
                | cli::Error::Unusable { .. }
                | cli::Error::ConfiguredSchema { .. }
                | cli::Error::Input(_)
                | cli::Error::System { .. },
            )
            | Error::Recording(_)
            | Error::Credentials(_)
            | Error::Profiles(_)
            | Error::Hash(_)
            | Error::NoSuchUser { .. }
            | Error::InputLine { .. }
            | Error::Capture { .. }
            | Error::Output(_) => ExitStatus::FAILED,
            Error::Client(error) => status_of_client(error),
            Error::Bridge { source: bridge::Error::Client { source, .. }, .. } => status_of_client(source),
            Error::Bridge { source: bridge::Error::TakenOver { .. }, .. } => ExitStatus::REFUSED,
            Error::Bridge { source: bridge::Error::NoLocal { .. }, .. } => ExitStatus::USAGE,
            Error::Bench(error) => status_of_bench(error),
            Error::BrokerFiles(_) => ExitStatus::USAGE,
            Error::Rejected(_)
            | Error::Unsendable { .. }
            | Error::NotTaken { .. }
            | Error::Unsubscribable(_) => ExitStatus::REJECTED,
            Error::Interrupted(status) => *status,
            Error::Options(cli::Error::Interrupted(status)) => ExitStatus(*status),
            Error::Timeout(_) | Error::Idle(_) => ExitStatus::TIMED_OUT,
        }
    }
}

/// The exit status for the end of a connection, or of the attempt to make one.
fn status_of_client(error: &client::Error) -> ExitStatus {
    use client::Error;
    match error {
        Error::Property(_) => ExitStatus::USAGE,
        Error::Connect(_)
        | Error::NotMqtt(_)
        | Error::Token(_)
        | Error::Computation(_)
        | Error::Encode(_) => ExitStatus::FAILED,
        Error::Timeout(_) => ExitStatus::TIMED_OUT,
        Error::Gateway(error) => status_of_gateway(error),
        Error::Authentication(failure) if failure.is_lost_connection() => ExitStatus::LOST,
        Error::Refused { .. } | Error::Authentication(_) => ExitStatus::REFUSED,
        Error::Lost(_)
        | Error::NotAccepted(_)
        | Error::ClosedEarly
        | Error::Closed
        | Error::Disconnected { .. }
        | Error::Decode(_)
        | Error::Session(_)
        | Error::KeepAlive(_) => ExitStatus::LOST,
    }
}

/// The exit status for the end of a connection to an MQTT-SN gateway.
fn status_of_gateway(error: &GatewayError) -> ExitStatus {
    match error {
        GatewayError::Refused(_) | GatewayError::RefusedFor(_) => ExitStatus::REFUSED,
        GatewayError::NotListening => ExitStatus::FAILED,
        GatewayError::Rejected { .. }
        | GatewayError::RejectedFor { .. }
        | GatewayError::SleepRejected(_)
        | GatewayError::TooLarge { .. }
        | GatewayError::NoTopicId { .. }
        | GatewayError::NoMessage(_) => ExitStatus::REJECTED,
        GatewayError::NoAnswer { .. }
        | GatewayError::Ended
        | GatewayError::EndedFor { .. }
        | GatewayError::Packet(_) => ExitStatus::LOST,
    }
}

fn status_of_bench(error: &bench::Error) -> ExitStatus {
    use bench::Error;
    match error {
        Error::OpenFiles { .. }
        | Error::OpenFilesOfLeader { .. }
        | Error::LocalPorts { .. }
        | Error::NoLeader => ExitStatus::USAGE,
        Error::Timeout(_) => ExitStatus::TIMED_OUT,
        Error::Lost(_) => ExitStatus::LOST,
        Error::Connect(_) | Error::Thread(_) | Error::FailedThread | Error::Process(_) | Error::Input(_) => {
            ExitStatus::FAILED
        }
    }
}
