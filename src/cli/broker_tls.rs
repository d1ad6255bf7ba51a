//! The options of `mq broker` about TLS.

use super::Names;
use super::connection::TLS_PORT;
use super::identity::{IdentityFiles, TypedPasswords, unusable};
use crate::cli::Error;
use crate::transport::tls::{Acceptor, Roots};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The certificate of the broker, and the ports for TLS.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct BrokerTlsArgs {
    /// Certificate of the broker, followed in the file by its issuers. Needs --key. SIGHUP reloads all files of TLS
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    pub cert: Option<PathBuf>,
    /// Private key of --cert
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    pub key: Option<PathBuf>,
    /// File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    pub key_password_file: Option<PathBuf>,
    /// Accept only TLS clients with a certificate of the authorities in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    pub cafile: Option<PathBuf>,
    /// Port to listen on for TLS; 0 picks a free one [default: 8883 with --cert, or none with --wss-port]
    #[arg(long, value_name = "PORT", requires = "cert")]
    pub tls_port: Option<u16>,
    /// Port to listen on for MQTT over WebSocket over TLS, at any path; 0 picks a free one
    #[arg(long, value_name = "PORT", requires = "cert")]
    pub wss_port: Option<u16>,
}

impl BrokerTlsArgs {
    /// Whether the broker listens for TLS.
    pub(crate) fn is_given(&self) -> bool {
        self.cert.is_some()
    }

    /// The port for TLS without WebSocket, if any.
    pub(crate) fn port(&self) -> Option<u16> {
        self.tls_port.or((self.is_given() && self.wss_port.is_none()).then_some(TLS_PORT))
    }

    /// Reads the files. If the password of the key is missing, the user is asked for it if `may_ask` is set.
    ///
    /// # Errors
    /// The file that cannot be used.
    pub(crate) fn acceptor(&self, may_ask: bool) -> Result<Acceptor, Error> {
        let (Some(certificate), Some(key)) = (&self.cert, &self.key) else {
            return Err(Error::usage("--cert needs --key; both can name the same file"));
        };
        let files = IdentityFiles {
            names: Names::Mq,
            certificate: ("--cert", certificate),
            key: ("--key", key),
            password_file: self.key_password_file.as_deref(),
            may_ask,
            typed: &TypedPasswords::default(),
        };
        let identity = files.read()?;
        let Some(path) = &self.cafile else { return Ok(Acceptor::new(&identity)) };
        let mut authorities = Roots::nobody();
        let added = authorities.add_file(path);
        let acceptor = added.and_then(|()| Acceptor::demanding(&identity, authorities));
        acceptor.map_err(|error| unusable("--cafile", path, &error))
    }
}
