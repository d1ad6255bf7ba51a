//! The Unix socket that a broker listens on: a file that outlives a killed broker, and belongs to the current one.

use crate::transport::unix::check_path;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// A listening Unix socket. Dropping it removes its file.
#[derive(Debug)]
pub(super) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    identity: Identity,
}

/// Identifies our file if another one later has the same path: device and inode.
type Identity = (u64, u64);

impl UnixSocket {
    /// Listens at `path`. An abandoned socket is removed first, any other file is left alone.
    pub(super) fn listen(path: &Path) -> io::Result<UnixSocket> {
        check_path(path)?;
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => replace_abandoned(path)?,
            other => other?,
        };
        let identity = identity(path)?;
        Ok(UnixSocket { listener, path: path.to_owned(), identity })
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // Another broker may listen at this path if our file was removed.
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Replaces an abandoned socket. Two brokers that start at the same time must not remove each other's new socket; a lock on the
/// directory serialises them and leaves no file behind.
fn replace_abandoned(path: &Path) -> io::Result<UnixListener> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = File::open(directory.unwrap_or(Path::new(".")))?;
    flock(&directory, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        io::Error::new(io::ErrorKind::ResourceBusy, "another broker is starting there; try again")
    })?;
    check_abandoned(path)?;
    fs::remove_file(path)?;
    UnixListener::bind(path)
}

fn check_abandoned(path: &Path) -> io::Result<()> {
    let refused = |kind, text: &str| Err(io::Error::new(kind, text));
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return refused(io::ErrorKind::AlreadyExists, "the file there is not a socket");
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Ok(_) => refused(io::ErrorKind::AddrInUse, "another program listens there"),
        Err(error) => Err(error),
    }
}
