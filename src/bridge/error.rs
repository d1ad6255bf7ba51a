//! The errors that end a bridge connection.

use super::settings::Side;
use crate::client;
use crate::escape::shortened;

/// The reason why a bridge connection does not try again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("another client with the identifier {:?} took over the session at the {side} broker", shortened(.client_id))]
    TakenOver { side: Side, client_id: String },
    #[error("the {side} broker rejects the protocol level of bridges, so the rules would form a loop")]
    NoLocal { side: Side },
    #[error("{side} broker: {source}")]
    Client { side: Side, source: Box<client::Error>, has_will: bool },
}
