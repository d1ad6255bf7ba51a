//! The end of a connection: DISCONNECT in both directions.

use super::authentication_error::AuthenticationError;
use super::details::Details;
use super::error::Error;
use super::failure::Failure;
use crate::protocol::{Disconnect, Properties, ReasonCode, Version};
use crate::transport::Connection;
use std::time::Duration;
use tokio::time::timeout;

/// The timeout for the peer to read the last packet, and then to close, before the connection is dropped.
pub(crate) const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How a client closes its connection.
pub(super) enum Closing {
    /// Sends everything and DISCONNECT, and waits for the server to close.
    Orderly(ReasonCode),
    /// Sends DISCONNECT with the server's fault, and does not wait for a peer that broke the protocol.
    WithReason(ReasonCode),
    /// The server no longer reads.
    Silent,
}

impl Closing {
    pub(super) fn after<E>(failure: &Failure<E>) -> Closing {
        match failure {
            Failure::Client(error) => Closing::after_error(error),
            Failure::Application(_) => Closing::Orderly(ReasonCode::SUCCESS),
        }
    }

    fn after_error(error: &Error) -> Closing {
        match error {
            Error::Decode(error) => Closing::WithReason(error.reason_code()),
            Error::Session(error) => Closing::WithReason(error.reason_code()),
            Error::Authentication(AuthenticationError::Refused { .. }) => Closing::Silent,
            Error::Authentication(error) => Closing::WithReason(error.reason_code()),
            Error::Lost(_)
            | Error::Gateway(_)
            | Error::Closed
            | Error::Disconnected { .. }
            | Error::KeepAlive(_) => Closing::Silent,
            _ => Closing::Orderly(ReasonCode::SUCCESS),
        }
    }

    /// Closes the connection. Errors no longer matter. Returns false if the server should have closed it, and has not.
    pub(super) async fn close(
        self,
        connection: &mut Connection,
        version: Version,
        properties: Properties<'_>,
    ) -> bool {
        match self {
            Closing::Orderly(reason_code) => {
                disconnect(connection, version, &Disconnect { reason_code, properties }, DISCONNECT_TIMEOUT)
                    .await
            }
            Closing::WithReason(reason_code) if version.is_v5() => {
                send_reason(connection, reason_code, properties).await;
                true
            }
            Closing::WithReason(_) | Closing::Silent => true,
        }
    }
}

/// Sends pending output and DISCONNECT, then waits for the server to close, up to `time_limit` for each. Errors no longer
/// matter. Returns whether it has ended in time.
pub(crate) async fn disconnect(
    connection: &mut Connection,
    version: Version,
    disconnect: &Disconnect<'_>,
    time_limit: Duration,
) -> bool {
    // A DISCONNECT that cannot be encoded is left out.
    let _ = disconnect.encode(version, connection.output());
    connection.finish(time_limit).await
}

/// Sends DISCONNECT of MQTT 5 without waiting for the server to close. Errors no longer matter.
pub(super) async fn send_reason(
    connection: &mut Connection,
    reason_code: ReasonCode,
    properties: Properties<'_>,
) {
    let _ = Disconnect { reason_code, properties }.encode(Version::V5, connection.output());
    let _ = timeout(DISCONNECT_TIMEOUT, connection.flush()).await;
}

/// The server's DISCONNECT as the end of a connection.
pub(crate) fn disconnected(disconnect: &Disconnect<'_>) -> Error {
    Error::Disconnected { reason: disconnect.reason_code, details: Details::of(disconnect.properties) }
}
