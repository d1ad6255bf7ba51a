//! `--preset`: connects to a hosted broker as it requires, and respects its limits.
//!
//! Settings that a service requires are filled in as if they had been typed, unless others were, so that the rest of
//! the program does not depend on services. Unsupported options are rejected before anything is sent.

use super::connection::TLS_PORT;
use super::network::Way;
use super::secrets::is_open_to_others;
use super::session::ClientArgs;
use super::{Names, values};
use crate::cli::Error;
use crate::hosted::sas::{self, Credentials, Signer};
use crate::hosted::sigv4::{self, AccessKey};
use crate::hosted::{Device, Rules, Service, Violation, token_expiry};
use crate::protocol::Version;
use clap::{Args, ValueHint};
use jiff::Timestamp;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// The port of HTTPS, which firewalls let through.
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

/// A larger file is neither a key nor a connection string.
const LONGEST_KEY_FILE: u64 = 64 * 1024;

/// The options about hosted brokers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hosted brokers")]
pub struct PresetArgs {
    /// Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the
    /// service does not support; see docs/hosted-brokers.md
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    pub preset: Option<Service>,
    /// With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics
    #[arg(long, value_name = "DEVICE", value_parser = Device::parse, requires = "preset")]
    pub device: Option<Device>,
    /// With azure-iothub: file with the device's key or connection string. It signs a password for each connection
    #[arg(long, value_name = "FILE", requires = "preset", conflicts_with_all = ["password", "password_file", "ask_password"], value_hint = ValueHint::FilePath)]
    pub sas_key_file: Option<PathBuf>,
    /// With --sas-key-file: lifetime of a password, after which a hub disconnects [default: 3600]
    #[arg(long, value_name = "SECONDS", requires = "preset", value_parser = values::positive_seconds)]
    pub sas_lifetime: Option<Duration>,
    /// With aws: the custom authorizer that checks user name and password
    #[arg(long, value_name = "NAME", requires = "preset", value_parser = authorizer)]
    pub authorizer: Option<String>,
    /// Signs passwords, once the key is read.
    #[arg(skip)]
    pub(super) signer: Option<Signer>,
}

impl PresetArgs {
    /// An error about a violation of the service's rules, with its subject and the option that chose the service.
    pub fn refused(&self, subject: &str, violation: &Violation) -> Error {
        let word = self.preset.map(Service::word).unwrap_or_default();
        let remedy = if violation.is_missing_client_id() { "; -i ID sets one" } else { "" };
        Error::Usage(format!("{subject}: {violation}{remedy} (--preset {word})"))
    }

    /// Rejects options of other services, which would have no effect.
    fn check_fits(&self, service: Service) -> Result<(), Error> {
        let hub = Service::AzureIotHub;
        let options = [
            ("--device", self.device.is_some(), hub),
            ("--sas-key-file", self.sas_key_file.is_some(), hub),
            ("--sas-lifetime", self.sas_lifetime.is_some(), hub),
            ("--authorizer", self.authorizer.is_some(), Service::AwsIotCore),
        ];
        match options.into_iter().find(|(_, is_given, of)| *is_given && *of != service) {
            Some((option, _, of)) => Err(Error::Usage(format!(
                "{option} is for --preset {}, and --preset {} was chosen",
                of.word(),
                service.word()
            ))),
            None => Ok(()),
        }
    }
}

impl ClientArgs {
    /// Fills in the settings that the service requires. Returns warnings.
    ///
    /// # Errors
    /// A missing option, or one that the service does not support.
    pub fn follow_preset(&mut self, names: Names) -> Result<Vec<String>, Error> {
        let Some(service) = self.preset.preset else { return Ok(Vec::new()) };
        self.preset.check_fits(service)?;
        let mut warnings = Vec::new();
        let credentials = self.read_key(&mut warnings)?;
        if let Some(host) = credentials.as_ref().and_then(|credentials| credentials.host.as_deref()) {
            self.connection.host_unless_named(host, &mut self.network);
        }
        self.check_place(service, names)?;
        match service {
            Service::AwsIotCore => self.follow_aws(names)?,
            Service::AzureIotHub => self.follow_iot_hub(names, credentials)?,
            Service::AzureEventGrid => self.follow_event_grid(names)?,
        }
        let way = self.way(names)?;
        self.check_server_name(service, &way)?;
        Ok(warnings)
    }

    /// Checks whether the authentication data is an expired token. Returns a warning if the broker may accept it
    /// nevertheless.
    ///
    /// # Errors
    /// If it has expired, and the service would reject it.
    pub fn check_token(&self) -> Result<Option<String>, Error> {
        let Some((path, since)) = self.authentication.expired() else { return Ok(None) };
        let problem = format!("the token {since}");
        match self.preset.preset {
            Some(_) => Err(Error::Unusable { option: "--auth-data-file", path: path.to_owned(), problem }),
            None => Ok(Some(format!("--auth-data-file {}: {problem}", path.display()))),
        }
    }

    /// The limits of the service, if one was chosen.
    pub fn rules(&self, version: Version) -> Option<Rules> {
        Some(Rules::new(self.preset.preset?, version, self.preset.device.clone()))
    }

    /// The broker's service: the chosen one, or the host's.
    pub fn service(&self, names: Names) -> Option<Service> {
        self.preset.preset.or_else(|| Service::of_host(&self.way(names).ok()?.host))
    }

    fn way(&self, names: Names) -> Result<Way, Error> {
        self.network.way(names, &self.connection, self.tls.default_port(names))
    }

    /// Rejects a hosted broker on this machine or without TLS.
    fn check_place(&self, service: Service, names: Names) -> Result<(), Error> {
        let word = service.word();
        if !self.network.names_place() {
            let example = match service {
                Service::AwsIotCore => "NAME-ats.iot.REGION.amazonaws.com",
                Service::AzureIotHub => "NAME.azure-devices.net",
                Service::AzureEventGrid => "NAME.REGION-1.ts.eventgrid.azure.net",
            };
            return Err(Error::Usage(format!("--preset {word} needs -h HOST, as in -h {example}")));
        }
        if self.tls.no_tls {
            return Err(Error::Usage(format!("--no-tls: {service} speaks TLS alone (--preset {word})")));
        }
        if self.network.has_plain_url(names)? {
            let text = format!("-L: {service} speaks TLS alone; mqtts:// or wss:// does (--preset {word})");
            return Err(Error::Usage(text));
        }
        Ok(())
    }

    /// The services identify their customers by the server name in TLS.
    fn check_server_name(&self, service: Service, way: &Way) -> Result<(), Error> {
        let is_address = way.host.parse::<IpAddr>().is_ok() && self.tls.tls_hostname.is_none();
        if is_address && service != Service::AzureIotHub {
            return Err(Error::Usage(format!(
                "-h {}: {service} needs a name for TLS (SNI), not an address; --tls-hostname NAME gives one",
                way.host
            )));
        }
        Ok(())
    }

    fn follow_aws(&mut self, names: Names) -> Result<(), Error> {
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
            (true, true, _) => "takes certificates over MQTT alone; leave --ws out, or --cert",
            (false, _, false) => {
                "needs --cert FILE and --key FILE, -u NAME and a password for a custom authorizer, or --ws and an access key"
            }
            _ => "",
        };
        if !problem.is_empty() {
            return Err(Error::Usage(format!("--preset aws: AWS IoT Core {problem}")));
        }
        self.tls.required_port = Some(if has_certificate { TLS_PORT } else { HTTPS_PORT });
        if self.way(names)?.port == HTTPS_PORT && !is_web_socket {
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
            return Err(Error::Usage(text.to_owned()));
        };
        if self.network.ws_path.as_ref().is_some_and(|path| path.contains('?')) {
            return Err(Error::Usage("--ws-path: a request that is signed has no other query".to_owned()));
        }
        let host = self.way(names)?.host;
        let region = sigv4::region_of(&host).map(str::to_owned);
        let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let Some(region) = region else {
            let text = format!("-h {host}: the name contains no AWS region; set the variable AWS_REGION");
            return Err(Error::Usage(text));
        };
        let session_token = variable("AWS_SESSION_TOKEN").map(Zeroizing::new);
        Ok(AccessKey { id, secret: Zeroizing::new(secret), session_token, region })
    }

    fn follow_iot_hub(&mut self, names: Names, credentials: Option<Credentials>) -> Result<(), Error> {
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
        let hub = hub.map_or_else(|| self.way(names).map(|way| way.host), Ok)?;
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

    /// The selected device, whose identifier is also the client's.
    fn device(&mut self, of_file: Option<Device>) -> Result<Device, Error> {
        let device = match (self.preset.device.clone(), of_file) {
            (Some(typed), Some(of_file)) if typed != of_file => {
                return Err(Error::Usage(format!(
                    "--device {typed}: the connection string in --sas-key-file is of {of_file}"
                )));
            }
            (Some(device), _) | (None, Some(device)) => device,
            (None, None) => {
                let text =
                    "--preset azure-iothub needs --device ID, or a connection string in --sas-key-file";
                return Err(Error::Usage(text.to_owned()));
            }
        };
        let client_id = device.client_id();
        let other = self.identity.id.as_ref().filter(|typed| **typed != client_id).map(|typed| ("-i", typed));
        let other = other.or(self.identity.id_prefix.as_ref().map(|prefix| ("-I", prefix)));
        if let Some((option, typed)) = other {
            return Err(Error::Usage(format!(
                "{option} {typed}: the client identifier of a device is its own, {client_id}; leave {option} out"
            )));
        }
        self.identity.id = Some(client_id);
        Ok(device)
    }

    /// Without a signing key, the password must already be a signature.
    fn check_signature(&self, names: Names) -> Result<(), Error> {
        let (_, of_url) = self.network.url_credentials(names)?;
        if self.connection.ask_password {
            return Ok(());
        }
        let Some(password) = self.connection.password().or(of_url) else {
            let text = "--preset azure-iothub needs --sas-key-file FILE, --cert FILE and --key FILE, or a signature as password";
            return Err(Error::Usage(text.to_owned()));
        };
        if !password.starts_with(sas::SCHEME.as_bytes()) {
            return Err(Error::Usage(format!(
                "the password is not an IoT Hub SAS token, which begins with '{}'; --sas-key-file FILE signs one with the device's key",
                sas::SCHEME.trim_end()
            )));
        }
        match expired(&password) {
            Some(since) => Err(Error::Usage(format!(
                "the password is a signature that {since}; --sas-key-file FILE signs a new one for each connection"
            ))),
            None => Ok(()),
        }
    }

    fn follow_event_grid(&mut self, names: Names) -> Result<(), Error> {
        let is_web_socket = self.network.is_web_socket(names)?;
        self.tls.required_port = Some(if is_web_socket { HTTPS_PORT } else { TLS_PORT });
        self.connection.version.get_or_insert(Version::V5);
        if self.authentication.auth_data_file.is_some() {
            self.authentication.auth_method.get_or_insert_with(|| ENTRA_METHOD.to_owned());
        }
        let has_other_means = self.authentication.auth_method.is_some() || self.has_user(names)?;
        if self.tls.cert.is_none() && !has_other_means {
            let text = "--preset azure-eventgrid needs --cert FILE and --key FILE, or --auth-data-file FILE with a token";
            return Err(Error::Usage(text.to_owned()));
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

/// When a token expired, as words that follow "the token"; `None` if it is valid or has no expiry.
pub(super) fn expired(token: &[u8]) -> Option<String> {
    let expiry = token_expiry(token)?;
    let since = SystemTime::now().duration_since(expiry).ok()?;
    let at = Timestamp::try_from(expiry).ok()?.round(jiff::Unit::Second).ok()?;
    Some(format!("expired at {at}, {} ago", rough(since)))
}

/// A duration in its largest unit.
fn rough(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, Error> {
    let read = crate::input_file::read_utf8(path, LONGEST_KEY_FILE);
    read.map_err(|source| Error::File { path: path.to_owned(), source })
}

fn service(text: &str) -> Result<Service, String> {
    Service::ALL.into_iter().find(|service| service.word() == text).ok_or_else(|| {
        let words: Vec<&str> = Service::ALL.into_iter().map(Service::word).collect();
        format!("the services are {}", words.join(", "))
    })
}

/// The name becomes part of a query.
fn authorizer(text: &str) -> Result<String, String> {
    let is_fit = |character: char| character.is_ascii_alphanumeric() || "_=,@-".contains(character);
    match text.is_empty() || !text.chars().all(is_fit) {
        true => Err("the name of an authorizer has letters, digits and _=,@-".to_owned()),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_roughly() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")]
        {
            assert_eq!(rough(Duration::from_secs(seconds)), text);
        }
    }
}
