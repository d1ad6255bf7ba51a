//! The options of `mq broker`.

use clap::{ArgAction, ArgGroup, Args, ValueHint};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// MQTT's own port.
const PORT: u16 = 1883;

/// What `mq broker` takes.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("users").multiple(true), after_help = "\
The first line on standard output is the address that the broker listens on; those for WebSockets and the
unix socket follow, each where it is asked for. The broker keeps everything in memory, and is made for development and tests: it has no access rules and no TLS, and asks who
somebody is only with --password-file and --scram-file. SIGHUP has these files read again; who is connected stays. A file with a bad line is refused, at the start as well
as later, when the users stay as they were.

A client that exceeds --client-memory, or its share when much of --memory is in use, gets reason code 0x97 (quota exceeded) for the
subscription or the connection; 0x80 or a closed connection before MQTT 5. Messages for a client that does not take them are dropped. Both
are counted on $SYS/broker/quota/exceeded and $SYS/broker/publish/messages/dropped. Fixed limits: 100,000 subscriptions a client, 1 MiB for
any packet but PUBLISH, 1,024 messages sent without acknowledgement, 100,000 messages in a queue, 1,000,000 sessions and retained messages,
256 MiB of retained messages.

Examples:
  mq broker                      127.0.0.1, port 1883
  mq broker -p 0                 a free port
  mq broker --ws-port 8080       MQTT over WebSocket as well
  mq broker --unix ./mq.sock     a unix socket and no port; with -p PORT both
  mq broker --password-file pw   only for users in this file of `mq passwd`
  mq broker --scram-file keys    only for users in this file of `mq passwd scram`
  mq broker --bind 0.0.0.0       all addresses, open to whoever reaches them")]
pub struct BrokerArgs {
    /// The port to listen on; 0 picks a free one [default: 1883, or none with --unix]
    #[arg(short = 'p', long)]
    pub port: Option<u16>,
    /// A port to listen on for MQTT over WebSocket, at any path; 0 picks a free one
    #[arg(long, value_name = "PORT")]
    pub ws_port: Option<u16>,
    /// A unix socket to listen on; who may write to it may connect. One that a killed broker left is replaced
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub unix: Option<PathBuf>,
    /// Let in only the users in this file, which is mosquitto's password file; SIGHUP has it read again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "users")]
    pub password_file: Option<PathBuf>,
    /// Let in users of this file of `mq passwd scram` with SCRAM-SHA-256 and SCRAM-SHA-512; who comes without such a method is let in
    /// by the rules of --password-file. SIGHUP has it read again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "users")]
    pub scram_file: Option<PathBuf>,
    /// Let in clients without a user name as well; needs --password-file or --scram-file
    #[arg(long, requires = "users")]
    pub allow_anonymous: bool,
    /// Accept empty passwords of users whose stored hash is that of an empty password
    #[arg(long, requires = "password_file")]
    pub allow_empty_passwords: bool,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Memory that one client may make the broker hold: subscriptions, will, buffers, messages not yet taken; as in 16M
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = memory, help_heading = "Limits")]
    pub client_memory: usize,
    /// Memory that all clients together may make the broker hold, retained messages included; as in 512M or 2G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = memory, help_heading = "Limits")]
    pub memory: usize,
    /// Stop when standard input ends, as it does when the program that started the broker is gone
    #[arg(long, action = ArgAction::SetTrue)]
    pub stop_with_stdin: bool,
    /// Tell of every client that comes and goes, on standard error
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub verbose: bool,
}

/// The least memory that leaves room for a client.
const LEAST_MEMORY: usize = 64 << 10;

/// A size in bytes, or in K, M or G (of 1024).
fn memory(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" => Some(1),
        "K" => Some(1 << 10),
        "M" => Some(1 << 20),
        "G" => Some(1 << 30),
        _ => None,
    };
    let size =
        digits.parse().ok().zip(unit).and_then(|(number, unit): (usize, usize)| number.checked_mul(unit));
    size.filter(|size| *size >= LEAST_MEMORY)
        .ok_or_else(|| "expected at least 64K, as in 16M or 2G".to_owned())
}

impl BrokerArgs {
    /// Where to listen over TCP: at MQTT's port, unless there is another way in.
    pub fn listen(&self) -> Option<SocketAddr> {
        let port = self.port.or(self.unix.is_none().then_some(PORT));
        port.map(|port| SocketAddr::new(self.bind, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_a_size() {
        assert_eq!(memory("64K"), Ok(64 << 10));
        assert_eq!(memory("100000"), Ok(100_000));
        assert_eq!(memory("2G"), Ok(2 << 30));
        for text in ["", "M", "0", "63K", "1T", "-1M", "1m", "99999999999999999999", "99999999999999G", "é"]
        {
            assert!(memory(text).is_err(), "{text}");
        }
    }
}
