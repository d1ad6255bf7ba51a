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
    /// Stop when standard input ends, as it does when the program that started the broker is gone
    #[arg(long, action = ArgAction::SetTrue)]
    pub stop_with_stdin: bool,
    /// Tell of every client that comes and goes, on standard error
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub verbose: bool,
}

impl BrokerArgs {
    /// Where to listen over TCP: at MQTT's port, unless there is another way in.
    pub fn listen(&self) -> Option<SocketAddr> {
        let port = self.port.or(self.unix.is_none().then_some(PORT));
        port.map(|port| SocketAddr::new(self.bind, port))
    }
}
