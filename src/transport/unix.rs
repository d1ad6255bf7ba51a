//! Unix sockets: a broker on the same machine, found by a path.

use super::{ConnectError, Stream};
use std::io;
use std::path::Path;
use tokio::net::UnixStream;

/// The longest path of a socket in bytes: what the address has room for, without the NUL at its end.
const MAX_PATH: usize = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// Checks the length of a socket's path, for which the standard library names a macro of C.
///
/// # Errors
/// If it is too long, with both numbers.
pub(crate) fn check_path(path: &Path) -> io::Result<()> {
    match path.as_os_str().len() {
        length if length > MAX_PATH => {
            let problem =
                format!("the path has {length} bytes, but that of a unix socket may have at most {MAX_PATH}");
            Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
        }
        _ => Ok(()),
    }
}

/// Connects to the socket at this path.
///
/// # Errors
/// If the socket does not exist, or has no listener.
pub(super) async fn connect(path: &Path) -> Result<Stream, ConnectError> {
    let connect = async {
        check_path(path)?;
        UnixStream::connect(path).await
    };
    let failed = |source| ConnectError::Unix { path: path.to_owned(), source };
    connect.await.map(Stream::Unix).map_err(failed)
}
