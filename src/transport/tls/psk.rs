//! TLS 1.2 with a pre-shared key, by OpenSSL, since rustls has no such suites.

use super::{KeyLogFile, TlsError};
use crate::transport::Stream;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslVersion};
use std::net::IpAddr;
use std::pin::Pin;
use tokio_openssl::SslStream;

/// The maximum length that every version of OpenSSL accepts, in bytes.
const MAXIMUM_IDENTITY: usize = 127;
const MAXIMUM_KEY: usize = 256;

/// `SSL_OP_IGNORE_UNEXPECTED_EOF`, which older versions do not have, and do not need.
const IGNORE_UNEXPECTED_EOF: u64 = 1 << 7;

/// A prepared connection with a shared key.
#[derive(Debug, Clone)]
pub(crate) struct Psk {
    context: SslContext,
    host: String,
    identity: String,
}

/// The input of [`Psk`].
#[derive(Debug)]
pub(crate) struct PskSettings<'a> {
    /// The server's name or address; a name is also sent to the server.
    pub(crate) server_name: &'a str,
    /// The key's name at the server.
    pub(crate) identity: &'a str,
    pub(crate) key: super::KeyPassword,
    /// The suites, as OpenSSL has them.
    pub(crate) ciphers: Option<&'a str>,
    /// The protocols to offer with ALPN.
    pub(crate) alpn: Vec<Vec<u8>>,
    /// The file for the connection's secrets.
    pub(crate) key_log: Option<KeyLogFile>,
}

/// The reason why a key is unusable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PskError {
    #[error("the key has more than {MAXIMUM_KEY} bytes")]
    Key,
    #[error("the identity has more than {MAXIMUM_IDENTITY} bytes, or a null character")]
    Identity,
    #[error("OpenSSL supports none of the suites in '{0}'")]
    Ciphers(String),
    #[error("OpenSSL failed: {0}")]
    Library(#[from] ErrorStack),
}

impl Psk {
    /// Prepares connections.
    ///
    /// # Errors
    /// If OpenSSL does not accept the key, its name or the suites.
    pub(crate) fn new(settings: PskSettings<'_>) -> Result<Psk, PskError> {
        let identity = settings.identity.to_owned();
        if identity.len() > MAXIMUM_IDENTITY || identity.contains('\0') {
            return Err(PskError::Identity);
        }
        let key = settings.key.into_bytes();
        if key.len() > MAXIMUM_KEY {
            return Err(PskError::Key);
        }
        let mut context = SslContextBuilder::new(SslMethod::tls_client())?;
        context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
        // The rest of a write may have moved to another place in memory.
        context.set_mode(
            SslMode::ACCEPT_MOVING_WRITE_BUFFER | SslMode::ENABLE_PARTIAL_WRITE | SslMode::AUTO_RETRY,
        );
        context.set_options(SslOptions::from_bits_retain(IGNORE_UNEXPECTED_EOF as _));
        let ciphers = settings.ciphers.unwrap_or("aPSK:!eNULL");
        context.set_cipher_list(ciphers).map_err(|_| PskError::Ciphers(ciphers.to_owned()))?;
        if !settings.alpn.is_empty() {
            // At most 255 bytes each, as the standard has it.
            let prefixed =
                settings.alpn.iter().flat_map(|name| [&[name.len() as u8], name.as_slice()].concat());
            context.set_alpn_protos(&prefixed.collect::<Vec<u8>>())?;
        }
        if let Some(key_log) = settings.key_log {
            context.set_keylog_callback(move |_, line| key_log.add(line));
        }
        let name = identity.clone();
        context.set_psk_client_callback(move |_, _hint, identity_space, key_space| {
            Ok(fill(identity_space, &[name.as_bytes(), &[0]].concat())
                .and_then(|_| fill(key_space, &key))
                .unwrap_or(0))
        });
        Ok(Psk { context: context.build(), host: settings.server_name.to_owned(), identity })
    }

    /// Speaks TLS over a stream that is connected.
    pub(super) async fn connect(&self, stream: Stream) -> Result<Stream, TlsError> {
        let broken = |error: &dyn std::fmt::Display| TlsError::Other {
            host: self.host.clone(),
            reason: error.to_string(),
        };
        let mut ssl = Ssl::new(&self.context).map_err(|error| broken(&error))?;
        if self.host.parse::<IpAddr>().is_err() {
            ssl.set_hostname(&self.host).map_err(|error| broken(&error))?;
        }
        let mut stream = SslStream::new(ssl, stream).map_err(|error| broken(&error))?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(Stream::SharedKey(Box::new(stream))),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn explain(&self, error: &openssl::ssl::Error) -> TlsError {
        let host = self.host.clone();
        let reason = error.ssl_error().and_then(|stack| stack.errors().first()?.reason());
        match reason {
            None => TlsError::Closed { host },
            Some("wrong version number" | "packet length too long") => TlsError::NotTls { host },
            Some(reason) if reason.contains("unexpected eof") => TlsError::Closed { host },
            Some(reason) => TlsError::SharedKey {
                host,
                identity: self.identity.escape_debug().to_string(),
                reason: reason.to_owned(),
            },
        }
    }
}

/// Copies bytes to the start of a buffer; `None` if they do not fit.
fn fill(space: &mut [u8], bytes: &[u8]) -> Option<usize> {
    space.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(bytes.len())
}
