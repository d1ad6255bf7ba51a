//! Unix sockets: a broker on the same machine, found by a path.

use super::{ConnectError, Stream};
use std::path::Path;
use tokio::net::UnixStream;

/// Connects to the socket at this path.
///
/// # Errors
/// When there is none, or nobody listens at it.
pub(super) async fn connect(path: &Path) -> Result<Stream, ConnectError> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Stream::Unix(stream)),
        Err(source) => Err(ConnectError::Unix { path: path.to_owned(), source }),
    }
}
