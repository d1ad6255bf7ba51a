//! The reception over time. After the first connection, a refusal of the broker does not end it: the data stays on the screen, and the
//! next attempt follows.

use super::feed::{Feed, FeedError};
use crate::client::{self, Application, Options, pause_after};
use crate::protocol::ReasonCode;
use std::pin::pin;
use std::time::Duration;
use tokio::time::sleep;

/// After a connection of this length, the pauses are short again.
const PROVED: Duration = Duration::from_secs(30);

/// Receives until `stop` resolves.
///
/// # Errors
/// If there was no connection yet, or connecting again cannot help.
pub(crate) async fn receive(
    mut options: Options,
    feed: &mut Feed,
    stop: impl Future<Output = ()>,
) -> Result<(), FeedError> {
    let mut stop = pin!(stop);
    let mut failed = 0;
    loop {
        let Err(error) = client::run(&options, feed, stop.as_mut()).await else { return Ok(()) };
        let FeedError::Client(cause) = &error else { return Err(error) };
        let Some(length) = feed.connected_for() else { return Err(error) };
        if length >= PROVED {
            failed = 0;
        }
        let is_used_up = options.retries.limit.is_some_and(|limit| failed >= limit);
        // The client has already retried the errors that it considers temporary.
        if is_used_up || cause.is_worth_retrying() || !may_pass(cause) {
            return Err(error);
        }
        let pause = pause_after(failed);
        failed = failed.saturating_add(1);
        feed.lost(cause, pause);
        options.retries.include_first = true;
        tokio::select! {
            () = stop.as_mut() => return Ok(()),
            () = sleep(pause) => {}
        }
    }
}

/// Whether a failure may be over at the next attempt, as the broker accepted the same client before.
fn may_pass(error: &client::Error) -> bool {
    use client::Error;
    match error {
        // Another client has the identifier, and would be disconnected in turn.
        Error::Disconnected { reason, .. } | Error::Refused { reason, .. } => !matches!(
            *reason,
            ReasonCode::SESSION_TAKEN_OVER | ReasonCode::USE_ANOTHER_SERVER | ReasonCode::SERVER_MOVED
        ),
        Error::Property(_) | Error::Encode(_) | Error::Token(_) | Error::Computation(_) => false,
        Error::Lost(_)
        | Error::NotAccepted(_)
        | Error::ClosedEarly
        | Error::Closed
        | Error::KeepAlive(_)
        | Error::Timeout(_)
        | Error::Connect(_)
        | Error::Authentication(_)
        | Error::Gateway(_)
        | Error::NotMqtt(_)
        | Error::Decode(_)
        | Error::Session(_) => true,
    }
}
