//! The options about the way to the broker: URL, unix socket, proxy, WebSocket.

use clap::Args;

/// The way to the broker.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub struct NetworkArgs {}
