//! The two causes that end a connection early: the client itself, or its application.

use super::error::Error;

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
