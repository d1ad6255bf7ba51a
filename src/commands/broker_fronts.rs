//! The front processes of a broker: this program again, with the listening socket and a socket to the broker in place of its standard
//! streams.

use super::block_on;
use super::error::{Error, ExitStatus};
use crate::broker::{Broker, front};
use crate::transport::descriptors::{self, OPEN_FILES_OF_PROCESS};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The timeout for the end of a front process, which has the last bytes of its clients to send.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Front processes. They end when the broker's sockets are closed; the drop waits for that.
#[derive(Debug)]
pub(super) struct FrontProcesses(Vec<Child>);

impl FrontProcesses {
    /// Starts front processes for a broker.
    ///
    /// # Errors
    /// If one cannot be started, or the broker has no port.
    pub(super) fn start(broker: &mut Broker, count: u16) -> Result<FrontProcesses, Error> {
        let failed = |source| Error::system("start a front process", source);
        let mut processes = FrontProcesses(Vec::new());
        for _ in 0..count {
            let (ours, theirs) = UnixStream::pair().map_err(failed)?;
            let listener = broker.add_front(ours).map_err(failed)?;
            let listener = listener.ok_or_else(|| Error::usage("--front-processes needs a port"))?;
            let child = Command::new(std::env::current_exe().map_err(failed)?)
                .args(["broker", "--front"])
                .stdin(OwnedFd::from(theirs))
                .stdout(Stdio::from(listener))
                // Ctrl-C must reach only the broker, which disconnects the clients through these processes.
                .process_group(0)
                .spawn()
                .map_err(failed)?;
            processes.0.push(child);
        }
        Ok(processes)
    }
}

impl Drop for FrontProcesses {
    fn drop(&mut self) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        for child in &mut self.0 {
            while let Ok(None) = child.try_wait()
                && Instant::now() < deadline
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            // It may have ended by itself; errors cannot be reported here.
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// Runs as a front process until the broker ends.
pub(super) fn run() -> Result<ExitStatus, Error> {
    let limit = descriptors::raise_limit().unwrap_or(u64::MAX);
    let capacity = limit.saturating_sub(OPEN_FILES_OF_PROCESS).clamp(1, u64::from(u32::MAX));
    block_on(async {
        let failed = |source| Error::system("accept clients for a broker", source);
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?);
        let listener = TcpListener::from(io::stdout().as_fd().try_clone_to_owned().map_err(failed)?);
        front::run(listener, socket, usize::try_from(capacity).unwrap_or(usize::MAX)).await.map_err(failed)
    })?;
    Ok(ExitStatus::DONE)
}
