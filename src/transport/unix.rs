//! Unix sockets: a broker on the same machine, found by a path.

use super::{ConnectError, Stream};
use std::path::Path;
use tokio::net::UnixStream;

/// Connects to the socket at this path.
///
/// # Errors
/// If the socket does not exist, or has no listener.
pub(super) async fn connect(path: &Path) -> Result<Stream, ConnectError> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Stream::Unix(stream)),
        Err(source) => Err(ConnectError::Unix { path: path.to_owned(), source }),
    }
}
