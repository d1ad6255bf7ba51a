//! `--preset`: connects to a hosted broker as it requires, and respects its limits.
//!
//! The settings that a service requires are filled in as if they were typed, unless others were, so the rest of the program
//! does not depend on services. Unsupported options are rejected before anything is sent.

use super::Names;
use super::authentication::expired;
use super::connection::TLS_PORT;
use super::network::Destination;
use super::secrets::is_open_to_others;
use super::session::ClientArgs;
use crate::cli::Error;
use crate::hosted::sas::{self, Credentials, Signer};
use crate::hosted::sigv4::{self, AccessKey};
use crate::hosted::{Device, Service};
use crate::protocol::Version;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// The port of HTTPS, which firewalls usually allow.
const HTTPS_PORT: u16 = 443;

/// ALPN protocols that select the authentication of AWS on port 443: certificates, or custom authorizers.
const AWS_CERTIFICATE_ALPN: &str = "x-amzn-mqtt-ca";
const AWS_AUTHORIZER_ALPN: &str = "mqtt";

/// The WebSocket path of an IoT hub, without and with a client certificate.
const HUB_WEB_SOCKET: &str = "/$iothub/websocket?iothub-no-client-cert=true";
const HUB_WEB_SOCKET_WITH_CERTIFICATE: &str = "/$iothub/websocket";

/// The authentication method of Event Grid for tokens of Microsoft Entra.
const ENTRA_METHOD: &str = "OAUTH2-JWT";

/// Default lifetime of a signature, as in Azure's own clients.
const SAS_LIFETIME: Duration = Duration::from_secs(3600);

/// The maximum size of a file with a key or a connection string.
const LONGEST_KEY_FILE: u64 = 64 * 1024;

impl ClientArgs {
    /// The options with the settings that the service requires, and warnings.
    ///
    /// # Errors
    /// A missing option, or one that the service does not support.
    pub(crate) fn with_preset(&self, names: Names) -> Result<(ClientArgs, Vec<String>), Error> {
        let mut client = self.clone();
        let Some(service) = self.preset.preset else { return Ok((client, Vec::new())) };
        self.preset.check_fits(service)?;
        let mut warnings = Vec::new();
        let credentials = self.read_key(&mut warnings)?;
        if let Some(host) = credentials.as_ref().and_then(|credentials| credentials.host.as_deref()) {
            client.network.set_host_unless_named(&mut client.connection, host);
        }
        client.check_place(service, names)?;
        match service {
            Service::AwsIotCore => client.apply_aws(names)?,
            Service::AzureIotHub => client.apply_iot_hub(names, credentials)?,
            Service::AzureEventGrid => client.apply_event_grid(names)?,
        }
        let destination = client.destination(names)?;
        client.check_server_name(service, &destination)?;
        Ok((client, warnings))
    }

    /// Rejects a hosted broker on this machine or without TLS.
    fn check_place(&self, service: Service, names: Names) -> Result<(), Error> {
        let word = service.word();
        if !self.network.names_place() {
            let example = service.host_example();
            return Err(Error::usage(format!("--preset {word} needs -h HOST, as in -h {example}")));
        }
        if self.tls.no_tls {
            return Err(Error::usage(format!("--no-tls: {service} requires TLS (--preset {word})")));
        }
        if self.network.has_plain_url(names)? {
            let text = format!("-L: {service} requires TLS; use mqtts:// or wss:// (--preset {word})");
            return Err(Error::usage(text));
        }
        Ok(())
    }

    /// Rejects an address as host, since the services identify their customers by the server name in TLS.
    fn check_server_name(&self, service: Service, destination: &Destination) -> Result<(), Error> {
        let is_address = destination.host.parse::<IpAddr>().is_ok() && self.tls.tls_hostname.is_none();
        if is_address && service.needs_server_name() {
            return Err(Error::usage(format!(
                "-h {}: {service} needs a name for TLS (SNI), not an address; --tls-hostname NAME sets one",
                destination.host
            )));
        }
        Ok(())
    }

    fn apply_aws(&mut self, names: Names) -> Result<(), Error> {
        let has_certificate = self.tls.cert.is_some();
        let is_web_socket = self.network.is_web_socket(names)?;
        if let Some(name) = &self.preset.authorizer {
            let (of_url, _) = self.network.url_credentials(names)?;
            let user = self.connection.username.take().or(of_url).unwrap_or_default();
            let mark = if user.contains('?') { '&' } else { '?' };
            self.connection.username = Some(format!("{user}{mark}x-amz-customauthorizer-name={name}"));
            self.connection.is_username_offered = false;
        }
        let has_user = self.has_user(names)? || !self.network.ws_header.is_empty();
        if is_web_socket && !has_certificate && !has_user {
            self.network.access_key = Some(self.access_key(names)?);
        }
        let has_user = has_user || self.network.access_key.is_some();
        let problem = match (has_certificate, is_web_socket, has_user) {
            (true, true, _) => "does not accept certificates over WebSocket; leave out --ws or --cert",
            (false, _, false) => {
                "needs --cert FILE and --key FILE, -u NAME and a password for a custom authorizer, or --ws and an access key"
            }
            _ => "",
        };
        if !problem.is_empty() {
            return Err(Error::usage(format!("--preset aws: AWS IoT Core {problem}")));
        }
        self.tls.required_port = Some(if has_certificate { TLS_PORT } else { HTTPS_PORT });
        if self.destination(names)?.port == HTTPS_PORT && !is_web_socket {
            let alpn = if has_certificate { AWS_CERTIFICATE_ALPN } else { AWS_AUTHORIZER_ALPN };
            self.tls.tls_alpn.get_or_insert_with(|| alpn.to_owned());
        }
        Ok(())
    }

    /// The access key in the standard variables of AWS.
    fn access_key(&self, names: Names) -> Result<AccessKey, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (Some(id), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
        else {
            let text = "--preset aws with --ws needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or -u NAME and a password for a custom authorizer";
            return Err(Error::usage(text.to_owned()));
        };
        if self.network.ws_path.as_ref().is_some_and(|path| path.contains('?')) {
            return Err(Error::usage("--ws-path: a signed request cannot have another query"));
        }
        let host = self.destination(names)?.host;
        let region = sigv4::region_of(&host).map(str::to_owned);
        let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let Some(region) = region else {
            let text = format!("-h {host}: the name contains no AWS region; set the variable AWS_REGION");
            return Err(Error::usage(text));
        };
        let session_token = variable("AWS_SESSION_TOKEN").map(Zeroizing::new);
        Ok(AccessKey { id, secret: Zeroizing::new(secret), session_token, region })
    }

    fn apply_iot_hub(&mut self, names: Names, credentials: Option<Credentials>) -> Result<(), Error> {
        let is_web_socket = self.network.is_web_socket(names)?;
        let has_certificate = self.tls.cert.is_some();
        self.tls.required_port = Some(if is_web_socket { HTTPS_PORT } else { TLS_PORT });
        if is_web_socket {
            let path = if has_certificate { HUB_WEB_SOCKET_WITH_CERTIFICATE } else { HUB_WEB_SOCKET };
            self.network.web_socket_path_unless_named(names, path)?;
        }
        let of_file = credentials.as_ref().and_then(|credentials| credentials.device.clone());
        let device = self.device(of_file)?;
        let hub = credentials.as_ref().and_then(|credentials| credentials.host.clone());
        let hub = hub.map_or_else(|| self.destination(names).map(|destination| destination.host), Ok)?;
        self.connection.version.get_or_insert(Version::V311);
        if self.connection.username.is_none() || self.connection.is_username_offered {
            self.connection.username = Some(device.username(&hub));
            self.connection.is_username_offered = false;
        }
        if let Some(Credentials { key, policy, .. }) = credentials {
            let resource = device.resource(&hub);
            let lifetime = self.preset.sas_lifetime.unwrap_or(SAS_LIFETIME);
            self.preset.signer = Some(Signer::new(key, policy, &resource, lifetime));
            self.connection.password = None;
        } else if !has_certificate {
            self.check_signature(names)?;
        }
        self.preset.device = Some(device);
        Ok(())
    }

    /// The selected device. Its identifier is also the client identifier.
    fn device(&mut self, of_file: Option<Device>) -> Result<Device, Error> {
        let device = match (self.preset.device.clone(), of_file) {
            (Some(typed), Some(of_file)) if typed != of_file => {
                return Err(Error::usage(format!(
                    "--device {typed}: the connection string in --sas-key-file is for {of_file}"
                )));
            }
            (Some(device), _) | (None, Some(device)) => device,
            (None, None) => {
                let text =
                    "--preset azure-iothub needs --device ID, or a connection string in --sas-key-file";
                return Err(Error::usage(text.to_owned()));
            }
        };
        let client_id = device.client_id();
        let other = self.identity.id.as_ref().filter(|typed| **typed != client_id).map(|typed| ("-i", typed));
        let other = other.or(self.identity.id_prefix.as_ref().map(|prefix| ("-I", prefix)));
        if let Some((option, typed)) = other {
            return Err(Error::usage(format!(
                "{option} {typed}: the client identifier of a device must be {client_id}; leave {option} out"
            )));
        }
        self.identity.id = Some(client_id);
        Ok(device)
    }

    /// Checks that the password is a SAS token, since there is no key to sign one.
    fn check_signature(&self, names: Names) -> Result<(), Error> {
        let (_, of_url) = self.network.url_credentials(names)?;
        if self.connection.ask_password {
            return Ok(());
        }
        let Some(password) = self.connection.password().or(of_url) else {
            let text = "--preset azure-iothub needs --sas-key-file FILE, --cert FILE and --key FILE, or a SAS token as password";
            return Err(Error::usage(text.to_owned()));
        };
        if !password.starts_with(sas::SCHEME.as_bytes()) {
            return Err(Error::usage(format!(
                "the password is not an IoT Hub SAS token, which begins with '{}'; --sas-key-file FILE signs one with the device's key",
                sas::SCHEME.trim_end()
            )));
        }
        match expired(&password) {
            Some(since) => Err(Error::usage(format!(
                "the password is a SAS token that {since}; --sas-key-file FILE signs a new one for each connection"
            ))),
            None => Ok(()),
        }
    }

    fn apply_event_grid(&mut self, names: Names) -> Result<(), Error> {
        let is_web_socket = self.network.is_web_socket(names)?;
        self.tls.required_port = Some(if is_web_socket { HTTPS_PORT } else { TLS_PORT });
        self.connection.version.get_or_insert(Version::V5);
        if self.authentication.auth_data_file.is_some() {
            self.authentication.auth_method.get_or_insert_with(|| ENTRA_METHOD.to_owned());
        }
        let has_other_means = self.authentication.auth_method.is_some() || self.has_user(names)?;
        if self.tls.cert.is_none() && !has_other_means {
            let text = "--preset azure-eventgrid needs --cert FILE and --key FILE, or --auth-data-file FILE with a token";
            return Err(Error::usage(text.to_owned()));
        }
        Ok(())
    }

    fn has_user(&self, names: Names) -> Result<bool, Error> {
        let (of_url, _) = self.network.url_credentials(names)?;
        Ok(self.connection.username.is_some() || of_url.is_some())
    }

    fn read_key(&self, warnings: &mut Vec<String>) -> Result<Option<Credentials>, Error> {
        let Some(path) = &self.preset.sas_key_file else { return Ok(None) };
        let text = read_text(path)?;
        let unusable = |error: sas::KeyError| Error::Unusable {
            option: "--sas-key-file",
            path: path.clone(),
            problem: match error {
                sas::KeyError::Token => format!("{error}; --password-file FILE sends a token"),
                _ => error.to_string(),
            },
        };
        let credentials = Credentials::parse(&text).map_err(unusable)?;
        if is_open_to_others(path) {
            let shown = path.display();
            warnings
                .push(format!("other users can read the key in {shown}; `chmod 600 {shown}` prevents it"));
        }
        Ok(Some(credentials))
    }
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, Error> {
    let read = crate::input_file::read_utf8(path, LONGEST_KEY_FILE);
    read.map_err(|source| Error::File { path: path.to_owned(), source })
}
