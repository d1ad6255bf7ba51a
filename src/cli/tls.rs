//! The options about TLS.

use super::Names;
use super::connection::{PORT, TLS_PORT};
use crate::error::Error;
use crate::transport::Tls;
use clap::Args;
use std::path::PathBuf;

/// How the connection is encrypted, and whom to trust.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Speak TLS, and trust the certificates in this file
    #[arg(long, value_name = "FILE")]
    pub cafile: Option<PathBuf>,
    /// Speak TLS, and trust the certificates in the files of this directory
    #[arg(long, value_name = "DIR")]
    pub capath: Option<PathBuf>,
    /// The key that we and the broker share, in hexadecimal, instead of certificates
    #[arg(long, value_name = "HEX")]
    pub psk: Option<String>,
}

impl TlsArgs {
    /// The port to connect to when nothing says which.
    pub fn default_port(&self) -> u16 {
        let is_tls = self.cafile.is_some() || self.capath.is_some() || self.psk.is_some();
        if is_tls { TLS_PORT } else { PORT }
    }

    /// Checks the options against each other, before any file is read.
    ///
    /// # Errors
    /// Which options do not go together.
    pub fn check_combinations(&self, _names: Names) -> Result<(), Error> {
        Ok(())
    }

    /// The encryption for a connection to this host and port; `None` for none. `is_secure_url` is for a URL like `mqtts://`,
    /// which asks for TLS whatever the port. A unix socket has port 0.
    ///
    /// # Errors
    /// Which options do not go together, or which file cannot be used.
    pub fn tls(
        &self,
        _names: Names,
        _host: &str,
        _is_secure_url: bool,
        _port: u16,
    ) -> Result<Option<Tls>, Error> {
        Ok(None)
    }
}
