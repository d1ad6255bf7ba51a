//! The options of `mq broker`.

use clap::{ArgAction, Args};
use std::net::IpAddr;

/// What `mq broker` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
The first line on standard output is the address that the broker listens on; that for WebSockets
follows. The broker keeps everything in memory, and is made for development and tests: it has no users, no access rules and no TLS.

Examples:
  mq broker                      127.0.0.1, port 1883
  mq broker -p 0                 a free port
  mq broker --ws-port 8080       MQTT over WebSocket as well
  mq broker --bind 0.0.0.0       all addresses of this machine, open to everyone who can reach it")]
pub struct BrokerArgs {
    /// The port to listen on; 0 picks a free one
    #[arg(short = 'p', long, default_value_t = 1883)]
    pub port: u16,
    /// A port to listen on for MQTT over WebSocket, at any path; 0 picks a free one
    #[arg(long, value_name = "PORT")]
    pub ws_port: Option<u16>,
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
