//! The end of a connection: its reason, and the last packet.

use super::encode::{check_size, put};
use crate::broker::Excess;
use crate::protocol::property::Context;
use crate::protocol::{DecodeError, Disconnect, Packet, PacketType, Properties, ReasonCode, Version};
use crate::transport::Connection;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// The timeout for the last packet to a client that may still be sending.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The timeout for the last packet to a client that broke no rule, and most likely sends nothing.
const ORDERED_CLOSE_TIMEOUT: Duration = Duration::from_millis(200);

/// The reason for the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client closed it, or the network broke.
    Lost,
    /// DISCONNECT from the client; `has_will` if the will is still to be published.
    Disconnected { has_will: bool },
    /// The broker closes it.
    Ordered(ReasonCode),
    /// The client sent a forbidden packet, or exceeded a limit.
    Violation { reason_code: ReasonCode, text: String, excess: Option<Excess> },
}

impl Ending {
    pub(super) fn violation(reason_code: ReasonCode, text: impl Into<String>) -> Ending {
        Ending::Violation { reason_code, text: text.into(), excess: None }
    }

    /// For a client that exceeded a limit.
    pub(super) fn quota_exceeded(excess: Excess, text: String) -> Ending {
        Ending::Violation { reason_code: ReasonCode::QUOTA_EXCEEDED, text, excess: Some(excess) }
    }
}

impl From<DecodeError> for Ending {
    fn from(error: DecodeError) -> Ending {
        Ending::violation(error.reason_code(), error.to_string())
    }
}

/// Sends the reason for the end, if the version has one, and closes the connection.
pub(super) async fn close(mut connection: Connection, version: Version, maximum_size: u32, ending: Ending) {
    let (Ending::Ordered(reason_code) | Ending::Violation { reason_code, .. }) = ending else {
        return;
    };
    if !version.is_v5() {
        return;
    }
    let is_allowed = reason_code.belongs_in(Context::Disconnect);
    let reason_code = if is_allowed { reason_code } else { ReasonCode::PROTOCOL_ERROR };
    let disconnect = Disconnect { reason_code, properties: Properties::EMPTY };
    let output = connection.output();
    let before = output.len();
    put(&Packet::Disconnect(disconnect), version, output);
    let _ = check_size(PacketType::Disconnect, before, maximum_size, output);
    let is_ordered = matches!(ending, Ending::Ordered(_));
    finish(&mut connection, if is_ordered { ORDERED_CLOSE_TIMEOUT } else { CLOSE_TIMEOUT }).await;
}

/// Closes the connection of a client that is not accepted, after the pending output.
pub(super) async fn close_refused(connection: &mut Connection) {
    finish(connection, CLOSE_TIMEOUT).await;
}

/// Discards the input and sends the remaining output, up to the time limit. Errors no longer matter.
async fn finish(connection: &mut Connection, time_limit: Duration) {
    drop(connection.take(usize::MAX));
    let _ = timeout(time_limit, send_all(connection)).await;
}

/// Sends the remaining output and waits for the client to close as well: closing with unread input would reset the connection,
/// and the client might never see the last packet.
async fn send_all(connection: &mut Connection) -> io::Result<()> {
    connection.flush().await?;
    connection.shutdown().await?;
    while !connection.progress(true).await?.is_closed {
        connection.consume(usize::MAX);
    }
    Ok(())
}
