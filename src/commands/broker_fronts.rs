//! The front processes of a broker: this program again, with the listening socket and a socket to the broker in place of its standard
//! streams.

use super::block_on;
use super::error::{self, Error};
use crate::broker::{Broker, Front, FrontStarter, Silence, front};
use crate::transport::descriptors::{self, OPEN_FILES_OF_PROCESS};
use crate::words::counted;
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
const IS_SILENT: &str = " has not responded for ";
const AND_WAIT: &str = " waiting";

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
            if is_stopped(child.id()) {
                // It would not notice the end of its socket. An error means that it ended.
                let _ = child.kill();
            }
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
        let status = wait_for_end(&mut child, EXIT_TIMEOUT);
        status.map_or_else(|| "closed its socket".to_owned(), describe_exit)
    }
}

/// The end of a process in words.
pub(super) fn describe_exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
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
    let (clients, pause) = (counted(clients, "client"), pause.as_millis());
    format!("{SUBJECT}{process} {end}: {clients}{AND_THEN}another one starts in {pause} ms")
}

/// A front process that does not respond, as a line of the log.
pub(super) fn describe_silence(silence: &Silence) -> String {
    let Silence { process, clients, time } = silence;
    let remedy = match is_stopped(*process) {
        true => format!("; it is stopped, and `kill -CONT {process}` continues it"),
        false => String::new(),
    };
    let (clients, seconds) = (counted(*clients, "client"), time.as_secs());
    format!("{SUBJECT}{process}{IS_SILENT}{seconds} s: {clients}{AND_WAIT}{remedy}")
}

/// Its next sign of life.
pub(super) fn describe_response(silence: &Silence) -> String {
    format!("{SUBJECT}{} responds again, after {} s", silence.process, silence.time.as_secs())
}

/// Whether a signal stopped the process, and it was not continued; false if that is unknown.
fn is_stopped(process: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The state follows the name in parentheses, which may contain any character.
    text.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
}

/// The end of a front process, or that it did not respond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrontFault {
    pub(super) text: String,
    /// The number of clients that lost their connections.
    pub(super) lost: u64,
}

impl FrontFault {
    /// The fault that a line of the log reports.
    pub(super) fn in_log(line: &str) -> Option<FrontFault> {
        line.strip_prefix(SUBJECT)?;
        if line.contains(IS_SILENT) {
            let (process, rest) = line.split_once(IS_SILENT)?;
            let (time, clients) = rest.split_once(AND_WAIT)?.0.split_once(": ")?;
            let text = format!("{process} did not respond for {time} or longer: {clients} waited");
            return Some(FrontFault { text, lost: 0 });
        }
        let (end, _) = line.split_once(AND_THEN)?;
        let (_, clients) = end.rsplit_once(": ")?;
        let lost = clients.split(' ').next()?.parse().ok()?;
        Some(FrontFault { text: format!("{end} lost"), lost })
    }
}

/// Lets the kernel end this process when the broker's process ends, even if this one is stopped then.
fn end_with_broker() {
    // Without it, the end of the socket ends the process, unless it is stopped.
    #[cfg(all(target_os = "linux", not(feature = "portable")))]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// Runs as a front process until the broker ends.
pub(super) fn run() -> Result<error::ExitStatus, Error> {
    let limit = descriptors::raise_limit().unwrap_or(u64::MAX);
    end_with_broker();
    let capacity = limit.saturating_sub(OPEN_FILES_OF_PROCESS).clamp(1, u64::from(u32::MAX));
    block_on(async {
        let action = format!("accept clients for the broker in front process {}", std::process::id());
        let failed = |source| Error::system(action.clone(), source);
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
    fn the_faults_of_front_processes_are_found_in_the_log() {
        let line = describe_end(4711, "was killed by signal 9", 1, Duration::from_millis(100));
        assert_eq!(
            line,
            "front process 4711 was killed by signal 9: 1 client lost; another one starts in 100 ms"
        );
        let text = "front process 4711 was killed by signal 9: 1 client lost".to_owned();
        assert_eq!(FrontFault::in_log(&line), Some(FrontFault { text, lost: 1 }));
        let silence = Silence { process: u32::MAX, clients: 41, time: Duration::from_secs(3) };
        let line = describe_silence(&silence);
        let text = format!("front process {} did not respond for 3 s or longer: 41 clients waited", u32::MAX);
        assert_eq!(FrontFault::in_log(&line), Some(FrontFault { text, lost: 0 }));
        for line in ["front process 4711 accepts clients", "\"a\" was lost; b", "front process lost; "] {
            assert_eq!(FrontFault::in_log(line), None);
        }
    }
}
