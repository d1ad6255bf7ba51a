//! The embedded broker in a separate process, with its own CPU time and its own limit of open files.
//!
//! It ends at the end of its standard input, which also happens if this process is killed.

use crate::commands::Messages;
use crate::commands::broker_fronts::{FrontFault, describe_exit};
use crate::commands::error::Error;
use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// The timeout for the broker to print its address.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The timeout for its end. It waits for the ends of its front processes, for a shorter time.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The prefix of the broker's first line, before its address.
const GREETING: &str = "listening on ";

/// The prefix of each line of its log.
const LOG_PREFIX: &str = "mq broker: ";

/// The maximum length of a line of its log, in bytes.
const LONGEST_LINE: u64 = 16 * 1024;

/// The timeout for the log to explain lost connections, and the interval between two looks at it.
const LOG_TIMEOUT: Duration = Duration::from_millis(500);
const LOG_INTERVAL: Duration = Duration::from_millis(5);

/// The maximum number of faults of front processes that are kept.
const MAX_FRONT_FAULTS: usize = 100;

/// The port of the broker that clients connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listener {
    Tcp,
    WebSocket,
    /// The UDP port of its gateway, for this number of MQTT-SN clients.
    Gateway {
        clients: u32,
    },
}

impl Listener {
    /// The options of `mq broker`.
    fn words(self) -> Vec<String> {
        match self {
            Listener::Tcp => Vec::new(),
            Listener::WebSocket => vec!["--ws-port=0".to_owned()],
            Listener::Gateway { clients } => {
                vec!["--sn-port=0".to_owned(), format!("--sn-max-clients={clients}")]
            }
        }
    }
}

/// A running broker. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct EmbeddedBroker {
    child: RefCell<Child>,
    address: SocketAddr,
    front_processes: u16,
    front_faults: FrontFaults,
    log_end: mpsc::Receiver<()>,
}

/// The front processes that ended or did not respond.
type FrontFaults = Arc<Mutex<Vec<FrontFault>>>;

impl EmbeddedBroker {
    /// Starts this same program as a broker on a free port of 127.0.0.1; 0 front processes for none.
    ///
    /// # Errors
    /// If it cannot be started, or does not print its address.
    pub(super) fn start(
        listener: Listener,
        front_processes: u16,
        messages: Messages,
    ) -> Result<EmbeddedBroker, Error> {
        let program = std::env::current_exe().map_err(failed)?;
        let fronts = format!("--front-processes={front_processes}");
        let mut child = Command::new(program)
            .args(["broker", "-p", "0", "--stop-with-stdin"])
            .args((front_processes > 0).then_some(fronts))
            .args(listener.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C must reach only this process; the broker is needed until the last message has arrived.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let output = child.stdout.take();
        // From here on, the child process is always ended.
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let front_faults = FrontFaults::default();
        let log_end = forward_log(child.stderr.take(), front_faults.clone(), messages);
        let mut broker =
            EmbeddedBroker { child: RefCell::new(child), address, front_processes, front_faults, log_end };
        let output = output.ok_or_else(|| failed(io::Error::other("it has no standard output")))?;
        broker.address = read_address(output, listener != Listener::Tcp)?;
        Ok(broker)
    }

    /// The listening address.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of processes that accept clients for it; 0 if it accepts them itself.
    pub(super) fn front_processes(&self) -> u16 {
        self.front_processes
    }

    /// The front processes that ended or did not respond since the last call, in words. A run knows its lost connections a moment earlier than the log, so
    /// this waits until their number is explained, for a limited time.
    pub(super) async fn take_front_faults(&self, lost_connections: u64) -> Vec<String> {
        let deadline = Instant::now() + LOG_TIMEOUT;
        let known = || self.front_faults.lock().unwrap_or_else(PoisonError::into_inner);
        let is_explained = || known().iter().map(|fault| fault.lost).sum::<u64>() >= lost_connections;
        while self.front_processes > 0 && !is_explained() && Instant::now() < deadline {
            tokio::time::sleep(LOG_INTERVAL).await;
        }
        std::mem::take(&mut *known()).into_iter().map(|fault| fault.text).collect()
    }

    /// The end of the broker's process in words, if it ended by itself.
    pub(super) fn end(&self) -> Option<String> {
        let mut child = self.child.borrow_mut();
        let status = child.try_wait().ok().flatten()?;
        Some(format!("process {} {}", child.id(), describe_exit(status)))
    }

    fn stop(&mut self) -> io::Result<()> {
        let child = self.child.get_mut();
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        drop(child.stdin.take());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill()?;
        child.wait().map(drop)
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        // It may have ended by itself; errors cannot be reported here.
        let _ = self.stop();
        // The thread ends with the log.
        let _ = self.log_end.recv_timeout(STOP_TIMEOUT);
    }
}

/// Prints the lines of the broker's log as messages, in a thread, and keeps those about faults of front processes.
fn forward_log(
    log: Option<ChildStderr>,
    front_faults: FrontFaults,
    messages: Messages,
) -> mpsc::Receiver<()> {
    let (running, end) = mpsc::channel();
    std::thread::spawn(move || {
        let mut log = log.map(BufReader::new);
        while let Some(line) = log.as_mut().and_then(read_line) {
            let line = line.strip_prefix(LOG_PREFIX).unwrap_or(&line);
            if let Some(fault) = FrontFault::in_log(line) {
                let mut known = front_faults.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() < MAX_FRONT_FAULTS {
                    known.push(fault);
                }
            }
            messages.say(&format!("embedded broker: {line}"));
        }
        drop::<mpsc::Sender<()>>(running);
    });
    end
}

/// The next line of a log, without its end; `None` at the end of the log.
fn read_line(log: &mut BufReader<ChildStderr>) -> Option<String> {
    let mut line = Vec::new();
    log.take(LONGEST_LINE).read_until(b'\n', &mut line).ok().filter(|count| *count > 0)?;
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Reads the first line, or the second one for another port than that of TCP, and keeps reading so that the broker never blocks on writing.
fn read_address(output: ChildStdout, is_second: bool) -> Result<SocketAddr, Error> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        let mut read = output.read_line(&mut line);
        if is_second && read.is_ok() {
            line.clear();
            read = output.read_line(&mut line);
        }
        let read = read.map(|_| line);
        let _ = sender.send(read);
        let _ = io::copy(&mut output, &mut io::sink());
    });
    let line = receiver
        .recv_timeout(START_TIMEOUT)
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(failed)?;
    parse_address(&line)
        .ok_or_else(|| failed(io::Error::other(format!("expected its address, but found {:?}", line.trim()))))
}

fn parse_address(line: &str) -> Option<SocketAddr> {
    line.strip_prefix(GREETING)?.split_whitespace().next()?.parse().ok()
}

fn failed(source: io::Error) -> Error {
    Error::system("start the embedded broker", source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_first_line() {
        assert_eq!(parse_address("listening on 127.0.0.1:4711\n"), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(parse_address("listening on [::1]:80 (WebSocket)\n").unwrap().port(), 80);
        assert_eq!(parse_address("something else"), None);
        assert_eq!(parse_address(""), None);
    }
}
