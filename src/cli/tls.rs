//! The options about TLS.

use clap::Args;

/// How the connection is encrypted, and whom to trust.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {}
