//! The embedded broker in a separate process, with its own CPU time and its own limit of open files.
//!
//! It ends at the end of its standard input, which also happens if this process is killed.

use crate::commands::error::Error;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The timeout for the broker to print its address.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The timeout for its end.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The prefix of the broker's first line, before its address.
const GREETING: &str = "listening on ";

/// A running broker. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct EmbeddedBroker {
    child: Child,
    address: SocketAddr,
    front_processes: u16,
}

impl EmbeddedBroker {
    /// Starts this same program as a broker on a free port of 127.0.0.1, for plain TCP or for WebSocket; 0 front processes for none.
    ///
    /// # Errors
    /// When it cannot be started, or does not print its address.
    pub(super) fn start(is_web_socket: bool, front_processes: u16) -> Result<EmbeddedBroker, Error> {
        let program = std::env::current_exe().map_err(failed)?;
        let fronts = format!("--front-processes={front_processes}");
        let mut child = Command::new(program)
            .args(["broker", "-p", "0", "--stop-with-stdin"])
            .args((front_processes > 0).then_some(fronts))
            .args(if is_web_socket { &["--ws-port", "0"][..] } else { &[] })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C must reach only this process; the broker is needed until the last message has arrived.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let output = child.stdout.take();
        // From here on, the child process is always ended.
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut broker = EmbeddedBroker { child, address, front_processes };
        let output = output.ok_or_else(|| failed(io::Error::other("it has no standard output")))?;
        broker.address = read_address(output, is_web_socket)?;
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

    fn stop(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        drop(self.child.stdin.take());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        // It may have ended by itself; errors cannot be reported here.
        let _ = self.stop();
    }
}

/// Reads the first line, or the second one for WebSocket, and keeps reading so that the broker never blocks on writing.
fn read_address(output: ChildStdout, is_web_socket: bool) -> Result<SocketAddr, Error> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        let mut read = output.read_line(&mut line);
        if is_web_socket && read.is_ok() {
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
