//! The two causes that end a connection early: the client itself, or its application.

use super::error::Error;
use crate::protocol::sn::client::GatewayError;

/// The cause. Only a failure of the client can be followed by a reconnect.
pub(super) enum Failure<E> {
    Client(Error),
    Application(E),
}

impl<E, C: Into<Error>> From<C> for Failure<E> {
    fn from(error: C) -> Failure<E> {
        Failure::Client(error.into())
    }
}

impl<E> Failure<E> {
    /// Whether it is about a message that the session has, but that cannot be sent to a gateway.
    pub(super) fn is_unsendable_message(&self) -> bool {
        matches!(
            self,
            Failure::Client(Error::Gateway(GatewayError::TooLarge { .. } | GatewayError::NoTopicId { .. }))
        )
    }
}
