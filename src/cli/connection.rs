//! The options about the broker's address, the client's identity and the version of MQTT.

use super::values;
use crate::cli::Error;
use crate::protocol::Version;
use crate::protocol::topic::is_discouraged;
use clap::{ArgAction, Args, ValueHint};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The options of every command with a connection.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Broker's host name or address [default: localhost]
    #[arg(short = 'h', long, value_hint = ValueHint::Hostname)]
    pub host: Option<String>,
    /// Broker's port [default: 1883, or 8883 with TLS]
    #[arg(short = 'p', long, value_parser = clap::value_parser!(u16))]
    pub port: Option<u16>,
    /// Local address to connect from
    #[arg(short = 'A', long = "bind", value_name = "ADDRESS", value_parser = values::local_addresses)]
    pub bind: Option<values::LocalAddresses>,
    /// Timeout for connecting, up to the broker's CONNACK, such as 500ms or 1m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::positive_duration)]
    pub connect_timeout: Duration,
    /// User name [default: the variable MQ_USERNAME]
    #[arg(short = 'u', long, value_name = "NAME", value_hint = ValueHint::Username)]
    pub username: Option<String>,
    /// Password, visible in the process list [default: the variable MQ_PASSWORD]
    #[arg(short = 'P', long = "pw", value_name = "PASSWORD", conflicts_with_all = ["password_file", "ask_password"])]
    pub password: Option<OsString>,
    /// Read the password from the first line of a file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "ask_password", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    /// Ask for the password on the terminal
    #[arg(long, action = ArgAction::SetTrue)]
    pub ask_password: bool,
    /// Allow control characters and non-characters in identifiers, user names and properties
    #[arg(long, action = ArgAction::SetTrue)]
    pub allow_control_characters: bool,
    /// Whether the user name is a fallback from the environment, not a typed one.
    #[arg(skip)]
    pub(super) is_username_offered: bool,
    /// Whether the password is a fallback from the environment, not a requested one.
    #[arg(skip)]
    pub(super) is_password_offered: bool,
    /// Whether credentials in the environment are ignored, since an earlier run is repeated.
    #[arg(skip)]
    pub(super) ignores_variables: bool,
    /// Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m
    #[arg(short = 'k', long = "keepalive", value_name = "DURATION", default_value = "60", value_parser = values::keep_alive)]
    pub keep_alive: u16,
    /// MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]
    #[arg(short = 'V', long = "protocol-version", value_name = "VERSION", value_parser = values::version)]
    pub version: Option<Version>,
}

/// The client's identity; commands with many clients choose their own identifiers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct IdentityArgs {
    /// Client identifier [default: chosen by the broker]
    #[arg(short = 'i', long, conflicts_with = "id_prefix")]
    pub id: Option<String>,
    /// Client identifier made of this prefix and the process ID
    #[arg(short = 'I', long, value_name = "PREFIX")]
    pub id_prefix: Option<String>,
}

/// Diagnostics on standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Diagnostics")]
pub(crate) struct DiagnosticArgs {
    /// Log every packet on standard error
    #[arg(short = 'd', long, action = ArgAction::SetTrue)]
    pub debug: bool,
    /// Suppress messages about failures at run time; the exit status still reports them
    #[arg(long, action = ArgAction::SetTrue)]
    pub quiet: bool,
}

/// The registered port of MQTT.
pub(crate) const PORT: u16 = 1883;
/// The registered port of MQTT over TLS.
pub(crate) const TLS_PORT: u16 = 8883;

impl ConnectionArgs {
    /// The local address to connect from, for a command with a single connection.
    ///
    /// # Errors
    /// If there are several.
    pub(crate) fn local_address(&self) -> Result<Option<IpAddr>, Error> {
        match self.bind.as_ref().map(|bind| bind.0.as_slice()) {
            None | Some([]) => Ok(None),
            Some([address]) => Ok(Some(*address)),
            Some([_, second, ..]) => Err(Error::usage(format!(
                "-A: a single connection has one local address; leave out {second}"
            ))),
        }
    }

    /// Rejects characters that MQTT advises against, unless they are allowed: strict brokers, such as EMQX and
    /// mosquitto 2.1, close the connection without a reason.
    ///
    /// # Errors
    /// The option and the character.
    pub(super) fn check_characters(&self, option: &str, text: &str) -> Result<(), Error> {
        let is_refused = |character: &char| match character {
            '\0' => true,
            character => !self.allow_control_characters && is_discouraged(*character),
        };
        let Some(character) = text.chars().find(is_refused) else { return Ok(()) };
        let (code, shown) = (u32::from(character), text.escape_debug());
        let problem = match code {
            0 => "it contains a null character, which MQTT does not allow".to_owned(),
            _ => format!(
                "it contains the control or non-character U+{code:04X}, which strict brokers reject ('{shown}'); \
                 --allow-control-characters sends it"
            ),
        };
        Err(Error::usage(format!("{option}: {problem}")))
    }

    /// The version to use: that of `-V`, or else MQTT 5 if other options need it.
    pub(crate) fn version(&self, needs_v5: bool) -> Version {
        self.version.unwrap_or(if needs_v5 { Version::V5 } else { Version::V311 })
    }

    /// Whether the password is a fallback from the environment.
    pub(super) fn is_password_offered(&self) -> bool {
        self.is_password_offered
    }

    /// The password's bytes, which need not be UTF-8. Empty if the user will be asked later.
    pub(crate) fn password(&self) -> Option<Vec<u8>> {
        let asked = self.ask_password.then(Vec::new);
        asked.or_else(|| self.password.as_deref().map(values::bytes))
    }

    /// The password to send. Without a user name, a version that does not allow that rejects it, or drops it if it is only a
    /// fallback.
    ///
    /// # Errors
    /// The option to add.
    pub(super) fn password_for(
        &self,
        version: Version,
        username: Option<&str>,
        password: Option<Vec<u8>>,
        is_offered: bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        if password.is_none() || username.is_some() || version.is_v5() {
            return Ok(password);
        }
        if is_offered {
            return Ok(None);
        }
        let option = match (&self.password_file, self.ask_password) {
            (Some(_), _) => "--password-file",
            (None, true) => "--ask-password",
            (None, false) if self.password.is_some() => "-P",
            (None, false) => "the URL's password",
        };
        Err(Error::usage(format!("{option} without -u, which {version} does not allow; add -u NAME")))
    }
}

impl IdentityArgs {
    /// The client identifier; empty for one that the server chooses.
    ///
    /// # Errors
    /// If it was typed as an empty word.
    pub(crate) fn client_id(&self, version: Version) -> Result<String, Error> {
        match (&self.id, &self.id_prefix) {
            (Some(id), _) if id.is_empty() => {
                Err(Error::usage("-i needs an identifier; without -i the broker chooses one"))
            }
            (Some(id), _) => Ok(id.clone()),
            (None, Some(prefix)) => Ok(format!("{prefix}{}", std::process::id())),
            // MQTT 3.1 does not allow an empty identifier, or more than 23 characters.
            (None, None) if version == Version::V31 => {
                Ok("mq-".chars().chain((0..18).map(|_| fastrand::alphanumeric())).collect())
            }
            (None, None) => Ok(String::new()),
        }
    }
}
