//! The front processes of a broker: this program again, with the listening socket and a socket to the broker in place of its standard
//! streams.

use super::block_on;
use super::error::{self, Error};
use crate::broker::{Broker, Front, FrontStarter, front};
use crate::transport::descriptors::{self, OPEN_FILES_OF_PROCESS};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The timeout for the end of a front process, which has the last bytes of its clients to send.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The time between the end of a socket and that of its process. The broker waits for it.
const EXIT_TIMEOUT: Duration = Duration::from_millis(50);

/// The parts of the log line about the end of a front process, for a program that reads the log.
const SUBJECT: &str = "front process ";
const AND_THEN: &str = " lost; ";

/// Front processes. They end when the broker's sockets are closed; the drop waits for that.
#[derive(Debug)]
pub(super) struct FrontProcesses(Children);

impl FrontProcesses {
    /// Starts front processes for a broker, which replaces those that end.
    ///
    /// # Errors
    /// If one cannot be started, or the broker has no port.
    pub(super) fn start(broker: &mut Broker, count: u16) -> Result<FrontProcesses, Error> {
        let processes = FrontProcesses(Children::default());
        let started = broker.start_fronts(Box::new(processes.0.clone()), count);
        match started.map_err(|source| Error::system("start a front process", source))? {
            true => Ok(processes),
            false => Err(Error::usage("--front-processes needs a port")),
        }
    }
}

impl Drop for FrontProcesses {
    fn drop(&mut self) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        for child in self.0.lock().iter_mut() {
            wait_for_end(child, deadline.saturating_duration_since(Instant::now()));
        }
    }
}

/// The running front processes.
#[derive(Debug, Clone, Default)]
struct Children(Arc<Mutex<Vec<Child>>>);

impl Children {
    fn lock(&self) -> MutexGuard<'_, Vec<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrontStarter for Children {
    fn start(&mut self, listener: OwnedFd) -> io::Result<Front> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = Command::new(std::env::current_exe()?)
            .args(["broker", "--front"])
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::from(listener))
            // Ctrl-C must reach only the broker, which disconnects the clients through these processes.
            .process_group(0)
            .spawn()?;
        let process = child.id();
        self.lock().push(child);
        Ok(Front { process, socket })
    }

    fn end(&mut self, process: u32) -> String {
        let mut children = self.lock();
        let Some(place) = children.iter().position(|child| child.id() == process) else {
            return "ended".to_owned();
        };
        let mut child = children.swap_remove(place);
        match wait_for_end(&mut child, EXIT_TIMEOUT).map(|status| (status.code(), status.signal())) {
            Some((Some(code), _)) => format!("ended with status {code}"),
            Some((None, Some(signal))) => format!("was killed by signal {signal}"),
            Some((None, None)) | None => "closed its socket".to_owned(),
        }
    }
}

/// Waits for a process to exit, and kills it after the timeout; `None` then. Errors cannot be reported here.
fn wait_for_end(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + timeout;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(1)),
            Ok(None) | Err(_) => {
                let _ = child.kill().and_then(|()| child.wait());
                return None;
            }
        }
    }
}

/// The end of a front process as a line of the log.
pub(super) fn describe_end(process: u32, end: &str, clients: usize, pause: Duration) -> String {
    let plural = if clients == 1 { "" } else { "s" };
    let pause = pause.as_millis();
    format!("{SUBJECT}{process} {end}: {clients} client{plural}{AND_THEN}another one starts in {pause} ms")
}

/// The end of a front process, and the number of its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrontEnd {
    pub(super) text: String,
    pub(super) clients: u64,
}

impl FrontEnd {
    /// The end that a line of the log reports.
    pub(super) fn in_log(line: &str) -> Option<FrontEnd> {
        let (end, _) = line.strip_prefix(SUBJECT).and(line.split_once(AND_THEN))?;
        let (_, clients) = end.rsplit_once(": ")?;
        let clients = clients.split(' ').next()?.parse().ok()?;
        Some(FrontEnd { text: format!("{end} lost"), clients })
    }
}

/// Runs as a front process until the broker ends.
pub(super) fn run() -> Result<error::ExitStatus, Error> {
    let limit = descriptors::raise_limit().unwrap_or(u64::MAX);
    let capacity = limit.saturating_sub(OPEN_FILES_OF_PROCESS).clamp(1, u64::from(u32::MAX));
    block_on(async {
        let failed = |source| Error::system("accept clients for a broker", source);
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?);
        let listener = TcpListener::from(io::stdout().as_fd().try_clone_to_owned().map_err(failed)?);
        front::run(listener, socket, usize::try_from(capacity).unwrap_or(usize::MAX)).await.map_err(failed)
    })?;
    Ok(error::ExitStatus::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_front_process_is_found_in_the_log() {
        let line = describe_end(4711, "was killed by signal 9", 1, Duration::from_millis(100));
        assert_eq!(
            line,
            "front process 4711 was killed by signal 9: 1 client lost; another one starts in 100 ms"
        );
        let text = "front process 4711 was killed by signal 9: 1 client lost".to_owned();
        assert_eq!(FrontEnd::in_log(&line), Some(FrontEnd { text, clients: 1 }));
        for line in ["front process 4711 accepts clients", "\"a\" was lost; b", "front process lost; "] {
            assert_eq!(FrontEnd::in_log(line), None);
        }
    }
}
