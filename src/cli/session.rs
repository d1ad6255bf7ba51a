//! The options about a client's state at the broker: session, will, messages in flight.

use super::authentication::AuthenticationArgs;
use super::compat::Names;
use super::connection::{ConnectionArgs, IdentityArgs};
use super::network::{Destination, NetworkArgs};
use super::preset::PresetArgs;
use super::properties::PropertyArgs;
use super::tls::TlsArgs;
use super::values;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::client::{Options, Retries, WillOptions};
use crate::hosted::{ConnectContent, Rules, Service};
use crate::protocol::property::Context;
use crate::protocol::sn::Version as SnVersion;
use crate::protocol::{
    PropertiesBuf, PropertyId, PropertyValue, Qos, ReasonCode, TopicFilter, TopicName, Version,
};
use crate::transport::{Endpoint, Preface};
use clap::{ArgAction, Args};
use std::ffi::OsString;

/// The options about the session.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Session")]
pub(crate) struct SessionArgs {
    /// Keep the session: messages that arrive while disconnected are delivered later. Needs -i
    #[arg(short = 'c', long, action = ArgAction::SetTrue)]
    pub disable_clean_session: bool,
    /// Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5
    #[arg(short = 'x', long, value_name = "DURATION", value_parser = values::session_expiry)]
    pub session_expiry_interval: Option<u32>,
}

/// Options for lost connections; commands with many clients have their own.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Session")]
pub(crate) struct PersistenceArgs {
    /// Retries after a failed or lost connection [default: after a lost connection sub unlimited, pub -l 15,
    /// otherwise 0]
    #[arg(long, value_name = "COUNT", help_heading = "Connection")]
    pub retries: Option<u32>,
    /// Maximum number of unacknowledged QoS 1 and 2 messages
    #[arg(short = 'M', long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub max_inflight: u16,
}

/// The options about the will.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Will")]
pub(crate) struct WillArgs {
    /// Topic of the will, a message that the broker publishes when the client is gone
    #[arg(long, value_name = "TOPIC", value_parser = values::topic_name)]
    pub will_topic: Option<TopicName>,
    /// Payload of the will
    #[arg(long, value_name = "PAYLOAD")]
    pub will_payload: Option<OsString>,
    /// QoS of the will
    #[arg(long, value_name = "QOS", default_value = "0", value_parser = values::qos)]
    pub will_qos: Qos,
    /// Retain the will at the broker for later subscribers
    #[arg(long, action = ArgAction::SetTrue)]
    pub will_retain: bool,
}

/// All option groups for a client's CONNECT.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) authentication: AuthenticationArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) preset: PresetArgs,
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    #[command(flatten)]
    pub(crate) will: WillArgs,
    #[command(flatten)]
    pub(crate) properties: PropertyArgs,
}

impl PersistenceArgs {
    /// The number of reconnects: as typed, or else up to `default` times after a lost connection (`None` for unlimited).
    fn retries(&self, default: Option<u32>) -> Retries {
        match self.retries {
            Some(count) => Retries { limit: Some(count), include_first: true },
            None => Retries { limit: default, include_first: false },
        }
    }
}

impl ClientArgs {
    /// The version to use: `-x`, `-D` and `--auth-method` choose MQTT 5.
    ///
    /// # Errors
    /// If `-V` chose another version.
    pub(crate) fn version(&self) -> Result<Version, Error> {
        let needs_v5 = self.needs_v5() || self.authentication.is_wanted() || self.is_sn_v2();
        let version = self.connection.version(needs_v5);
        self.properties.check_version(version)?;
        if self.session.session_expiry_interval.is_some() && !version.is_v5() {
            return Err(Error::usage(UsageError::NeedsV5 { option: "-x".into(), version }));
        }
        Ok(version)
    }

    /// Checks whether the authentication data is an expired token. Returns a warning if the broker may still accept it.
    ///
    /// # Errors
    /// If it has expired, and the service would reject it.
    pub(crate) fn check_token(&self) -> Result<Option<String>, Error> {
        let Some((path, since)) = self.authentication.expired() else { return Ok(None) };
        let problem = format!("the token {since}");
        match self.preset.preset {
            Some(_) => Err(Error::Unusable { option: "--auth-data-file", path: path.to_owned(), problem }),
            None => Ok(Some(format!("--auth-data-file {}: {problem}", path.display()))),
        }
    }

    /// The limits of the service, if one was chosen.
    pub(crate) fn rules(&self, version: Version) -> Option<Rules> {
        Some(Rules::new(self.preset.preset?, version, self.preset.device.clone()))
    }

    /// The hosted broker: that of `--preset`, or else the one inferred from the host.
    pub(crate) fn service(&self, names: Names) -> Option<Service> {
        self.preset.preset.or_else(|| Service::of_host(&self.destination(names).ok()?.host))
    }

    pub(super) fn destination(&self, names: Names) -> Result<Destination, Error> {
        self.network.destination(names, &self.connection, self.tls.default_port(names))
    }

    /// `-x` and `-D` choose MQTT 5 even if `-V` is given, as in mosquitto's tools.
    pub(super) fn choose_version(&mut self, names: Names) {
        if names == Names::Mosquitto && self.needs_v5() {
            self.connection.version = Some(Version::V5);
        }
    }

    /// The broker's host and port.
    ///
    /// # Errors
    /// If options conflict.
    pub(super) fn place(&self, names: Names) -> Result<String, Error> {
        let destination = self.destination(names)?;
        Ok(format!("{}:{}", destination.host, destination.port))
    }

    /// Whether the connection uses TLS; `None` if options conflict. Reads no files.
    pub(crate) fn is_encrypted(&self, names: Names) -> Option<bool> {
        let destination = self.destination(names).ok()?;
        Some(self.tls.is_spoken(names, destination.is_secure, destination.port))
    }

    /// Whether options that need MQTT 5 are typed: `-x` and `-D`.
    pub(super) fn needs_v5(&self) -> bool {
        self.session.session_expiry_interval.is_some() || !self.properties.is_empty()
    }

    /// The broker's endpoint, with at most one local address.
    ///
    /// # Errors
    /// If options conflict, or a file cannot be read.
    pub(crate) fn endpoint(&self, names: Names) -> Result<Endpoint, Error> {
        let destination = self.destination(names)?;
        let host = if destination.is_unix() { "localhost" } else { &destination.host };
        let tls = self.tls.tls(names, host, destination.is_secure, destination.port)?;
        let mut endpoint = Endpoint {
            address: self.network.address(&destination, tls.is_some()),
            web_socket: self.network.upgrade(names, &destination, tls.is_some())?,
            proxy: destination.proxy,
            preface: self.network.proxy_protocol.map(Preface::OfSocket),
            tls,
            bind: self.connection.local_address()?,
            timeout: self.connection.connect_timeout,
        };
        endpoint.offer_v31(self.connection.version(false) == Version::V31);
        Ok(endpoint)
    }

    /// Checks the options for conflicts, without reading the files that they name.
    ///
    /// # Errors
    /// The conflicting options.
    pub(super) fn check_combinations(&self, names: Names) -> Result<(), Error> {
        // What is missing beside a value can still be added, unlike a correction of the value.
        self.tls.check_values(names)?;
        self.tls.check_combinations()?;
        let destination = self.destination(names)?;
        self.network.upgrade(names, &destination, false)?;
        let version = self.version()?;
        self.will()?;
        self.check_characters(names)?;
        self.connect_properties(version)?;
        self.identity.client_id(version).map(drop)
    }

    /// Checks the texts of CONNECT and of the properties; topics were checked when they were parsed.
    ///
    /// # Errors
    /// The option with a character that strict brokers reject.
    pub(super) fn check_characters(&self, names: Names) -> Result<(), Error> {
        let check = |option: &str, text: &str| self.connection.check_characters(option, text);
        let (of_url, _) = self.network.url_credentials(names)?;
        for (option, text) in [
            ("-i", &self.identity.id),
            ("-I", &self.identity.id_prefix),
            ("-u", &self.connection.username),
            ("the user name of -L", &of_url),
        ] {
            text.as_deref().map_or(Ok(()), |text| check(option, text))?;
        }
        self.properties.texts().try_for_each(|(option, text)| check(&option, text))
    }

    /// Checks the options for conflicts, and builds a client from them.
    ///
    /// # Errors
    /// The conflicting options.
    pub(crate) fn client_options(
        &self,
        names: Names,
        persistence: &PersistenceArgs,
        retries: Option<u32>,
    ) -> Result<Options, Error> {
        self.check_characters(names)?;
        self.check_sn(names)?;
        let will = self.will()?;
        self.tls.check_combinations()?;
        let version = self.version()?;
        let properties = self.connect_properties(version)?;
        // MQTT-SN does not allow an empty identifier, as MQTT 3.1.
        let is_sn_v12 = self.network.sn_version(names)? == Some(SnVersion::V12);
        let id_version = if is_sn_v12 { Version::V31 } else { version };
        let client_id = self.identity.client_id(id_version)?;
        let (username, password) = self.credentials(names, version)?;
        let authentication = self.authentication.authentication(
            version,
            &properties,
            &self.connection,
            (username.as_deref(), password.as_deref()),
        )?;
        if self.identity.id.is_none() {
            self.check_kept_session(version, &properties)?;
        }
        let mut options = Options {
            endpoint: self.endpoint(names)?,
            version,
            is_bridge: false,
            client_id,
            clean_start: !self.session.disable_clean_session,
            resumes_session: false,
            keep_alive: self.connection.keep_alive,
            username,
            password,
            signer: self.preset.signer.clone(),
            authentication,
            will,
            properties,
            disconnect_properties: self.properties.collect(Context::Disconnect)?,
            maximum_in_flight: persistence.max_inflight,
            retries: persistence.retries(retries),
            stop_reason: match names {
                Names::Mq => ReasonCode::SUCCESS,
                // mosquitto_sub makes the broker publish the will in this case; MQTT 3 has no such request.
                Names::Mosquitto => ReasonCode::DISCONNECT_WITH_WILL,
            },
        };
        if let Some(rules) = self.rules(version) {
            options.maximum_in_flight = options.maximum_in_flight.min(rules.in_flight());
            self.check_connect(&rules, &options)?;
        }
        Ok(options)
    }

    /// Rejects options that an MQTT-SN gateway cannot be used with, or that need one.
    ///
    /// # Errors
    /// The option.
    pub(super) fn check_sn(&self, names: Names) -> Result<(), Error> {
        match (&self.network.sn, self.network.is_sn(names)?) {
            (_, true) if self.is_sn_v2() => self.check_sn_v2_has_all(),
            (_, true) => self.check_sn_has_all(names),
            (Some(sn), false) => sn.check_unused(),
            (None, false) => Ok(()),
        }
    }

    /// Rejects options that MQTT-SN 1.2 cannot express.
    fn check_sn_has_all(&self, names: Names) -> Result<(), Error> {
        let connection = &self.connection;
        let (username, password) = self.network.url_credentials(names)?;
        let has_typed_user = connection.username.is_some() && !connection.is_username_offered;
        let has_password = connection.password.is_some() && !connection.is_password_offered();
        let options = [
            ("-u", has_typed_user),
            ("-P", has_password),
            ("USER:PASSWORD@ in the URL", username.is_some() || password.is_some()),
            ("--password-file", connection.password_file.is_some()),
            ("--ask-password", connection.ask_password),
            ("-V", connection.version.is_some_and(|version| version != Version::V311)),
            ("-x", self.session.session_expiry_interval.is_some()),
        ];
        check_sn_options(options.into_iter().chain(self.options_unknown_to_sn()), SnVersion::V12)
    }

    /// Rejects options that MQTT-SN 2.0 cannot express.
    fn check_sn_v2_has_all(&self) -> Result<(), Error> {
        let is_v31 = self.connection.version == Some(Version::V31);
        let options = std::iter::once(("-V", is_v31)).chain(self.options_unknown_to_sn());
        check_sn_options(options, SnVersion::V20)
    }

    /// The options that no version of MQTT-SN can express, and whether they are given.
    fn options_unknown_to_sn(&self) -> [(&'static str, bool); 9] {
        let network = &self.network;
        [
            ("-D", !self.properties.is_empty()),
            ("--auth-method", self.authentication.is_wanted()),
            ("--preset", self.preset.preset.is_some()),
            ("--unix", network.unix.is_some()),
            ("-S", network.srv),
            ("--proxy", network.proxy.is_some()),
            ("--proxy-protocol", network.proxy_protocol.is_some()),
            ("--ws", network.ws),
            ("TLS", self.tls.is_given()),
        ]
    }

    /// Whether the command is a client of a gateway with MQTT-SN 2.0. Only commands of `mq` are.
    fn is_sn_v2(&self) -> bool {
        matches!(self.network.sn_version(Names::Mq), Ok(Some(SnVersion::V20)))
    }

    /// Chooses MQTT 5 unless a version was typed. Clients of an MQTT-SN gateway have no features of MQTT 5.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub(crate) fn prefer_version_5(&mut self, names: Names) -> Result<(), Error> {
        let version = if self.network.is_sn(names)? { Version::V311 } else { Version::V5 };
        self.connection.version.get_or_insert(version);
        Ok(())
    }

    /// Whether the command is a client of an MQTT-SN gateway.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub(crate) fn is_sn(&self, names: Names) -> Result<bool, Error> {
        self.network.is_sn(names)
    }

    /// The predefined topic ids as topics.
    fn topics_of_ids(&self) -> impl Iterator<Item = String> {
        self.network.sn.iter().flat_map(|sn| &sn.args.topic_id).map(u16::to_string)
    }

    /// The topic of the URL or of a predefined id.
    ///
    /// # Errors
    /// If there is more than one.
    fn one_topic(&self, names: Names) -> Result<Option<String>, Error> {
        let of_url = self.network.url_topic(names)?;
        let mut of_ids = self.topics_of_ids();
        match (of_url, of_ids.next(), of_ids.next()) {
            (_, _, Some(_)) => {
                Err(Error::usage("--topic-id can be repeated only for sub; a message has one topic"))
            }
            (Some(_), Some(_), None) => {
                Err(Error::usage("--topic-id and the URL of -L both set a topic; leave one out"))
            }
            (of_url, of_id, None) => Ok(of_url.or(of_id)),
        }
    }

    /// Checks CONNECT and the will against the service's limits.
    fn check_connect(&self, rules: &Rules, options: &Options) -> Result<(), Error> {
        let connect_content = ConnectContent {
            client_id: &options.client_id,
            keep_alive: options.keep_alive,
            connect: options.properties.as_properties(),
            disconnect: options.disconnect_properties.as_properties(),
            has_method: options.authentication.is_some(),
        };
        let refused = |what: &'static str| move |violation| self.preset.refused(what, &violation);
        rules.check_connect(&connect_content).map_err(refused("cannot connect"))?;
        let length = self.authentication.data_length();
        rules.check_authentication_data(length).map_err(refused("--auth-data-file"))?;
        let will = options.will.as_ref().map(WillOptions::as_publish);
        will.map_or(Ok(()), |will| rules.check_publish(&will).map_err(refused("the will")))
    }

    /// Checks subscriptions against the limits of a hosted broker.
    ///
    /// # Errors
    /// The unsupported subscription.
    pub(crate) fn check_subscriptions(
        &self,
        rules: &Rules,
        subscriptions: &[(TopicFilter, Qos)],
    ) -> Result<(), Error> {
        for (filter, qos) in subscriptions {
            let what = format!("cannot subscribe to {filter}");
            let checked = rules.check_filter(filter.as_str(), *qos);
            checked.map_err(|violation| self.preset.refused(&what, &violation))?;
        }
        let properties = self.properties.collect(Context::Subscribe)?;
        let checked = rules.check_subscribe(subscriptions.len(), properties.as_properties());
        checked.map_err(|violation| self.preset.refused("cannot subscribe", &violation))
    }

    /// The topic to publish to: the typed one, the URL's, or the device's default.
    ///
    /// # Errors
    /// If there is no topic or more than one, or the URL's is invalid.
    pub(crate) fn topic_name(&self, names: Names, typed: Option<&TopicName>) -> Result<TopicName, Error> {
        let parse = |text: String| match TopicName::parse(&text) {
            Ok(topic) => Ok(topic),
            Err(error) => Err(Error::usage(UsageError::invalid(format!("-L: the topic {text:?}"), error))),
        };
        match (typed, self.one_topic(names)?) {
            (Some(_), Some(_)) if names == Names::Mq => {
                Err(Error::usage("-t and the URL of -L both set a topic; leave one out"))
            }
            (Some(_), Some(text)) if self.network.url_comes_last() => parse(text),
            (Some(topic), _) => Ok(topic.clone()),
            (None, Some(text)) => parse(text),
            (None, None) => match &self.preset.device {
                Some(device) => parse(device.telemetry_topic()),
                None => Err(Error::usage(UsageError::Missing(format!(
                    "-t TOPIC{}",
                    self.network.without_topic()
                )))),
            },
        }
    }

    /// The topic filter in the URL, and those of predefined topic ids.
    ///
    /// # Errors
    /// If one is invalid.
    pub(crate) fn other_filters(&self, names: Names) -> Result<Vec<TopicFilter>, Error> {
        let all = self.network.url_topic(names)?.into_iter().chain(self.topics_of_ids());
        let parse = |text: String| {
            TopicFilter::parse(&text).map_err(|error| {
                Error::usage(UsageError::invalid(format!("-L: the topic filter {text:?}"), error))
            })
        };
        all.map(parse).collect()
    }

    /// A device's default subscription.
    pub(crate) fn device_filter(&self) -> Option<TopicFilter> {
        TopicFilter::parse(&self.preset.device.as_ref()?.command_filter()).ok()
    }

    /// User name and password, which the URL may contain.
    pub(super) fn credentials(
        &self,
        names: Names,
        version: Version,
    ) -> Result<(Option<String>, Option<Vec<u8>>), Error> {
        let (of_url, password_of_url) = self.network.url_credentials(names)?;
        let (typed, password) = (self.connection.username.clone(), self.connection.password());
        let username = match self.connection.is_username_offered {
            true => of_url.or(typed),
            false => self.network.later(names, "username", typed, of_url),
        };
        let is_offered = self.connection.is_password_offered && password_of_url.is_none();
        let password = match self.connection.is_password_offered {
            true => password_of_url.or(password),
            false => self.network.later(names, "password", password, password_of_url),
        };
        let password = self.connection.password_for(version, username.as_deref(), password, is_offered)?;
        Ok((username, password))
    }

    pub(super) fn will(&self) -> Result<Option<WillOptions>, Error> {
        let Some(topic) = &self.will.will_topic else {
            let orphan = [
                ("--will-payload", self.will.will_payload.is_some()),
                ("--will-retain", self.will.will_retain),
                ("--will-qos", self.will.will_qos != Qos::AtMostOnce),
            ];
            return match orphan.into_iter().find(|(_, is_given)| *is_given) {
                Some((option, _)) => {
                    let option = option.to_owned();
                    Err(Error::usage(UsageError::Needs { option, needed: "--will-topic" }))
                }
                None => Ok(None),
            };
        };
        Ok(Some(WillOptions {
            topic: topic.as_str().to_owned(),
            payload: self.will.will_payload.as_deref().map(values::bytes).unwrap_or_default(),
            qos: self.will.will_qos,
            retain: self.will.will_retain,
            properties: self.properties.collect(Context::Will)?,
        }))
    }

    /// CONNECT's properties. As in mosquitto's tools, `-c` alone keeps the session forever.
    pub(crate) fn connect_properties(&self, version: Version) -> Result<PropertiesBuf, Error> {
        let mut properties = self.properties.collect(Context::Connect)?;
        let typed = properties.as_properties().number(PropertyId::SessionExpiryInterval);
        if self.session.session_expiry_interval.is_some() && typed.is_some() {
            return Err(Error::usage("-x and -D connect session-expiry-interval set the same property"));
        }
        let is_kept = version.is_v5() && self.session.disable_clean_session && typed.is_none();
        let expiry = self.session.session_expiry_interval.or(is_kept.then_some(u32::MAX));
        if let Some(seconds) = expiry {
            properties
                .push(PropertyId::SessionExpiryInterval, PropertyValue::Number(seconds))
                .map_err(|error| Error::usage(UsageError::invalid("-x", error)))?;
        }
        Ok(properties)
    }

    /// Rejects a kept session that cannot be resumed: without a client identifier, or with one that contains the process ID.
    fn check_kept_session(&self, version: Version, properties: &PropertiesBuf) -> Result<(), Error> {
        let expiry = properties.as_properties().number(PropertyId::SessionExpiryInterval);
        if version.is_v5() && expiry == Some(u32::MAX) {
            let option = if self.session.disable_clean_session { "-c" } else { "-x" };
            return Err(Error::usage(format!("{option} keeps the session forever, which needs -i ID")));
        }
        if !version.is_v5() && self.session.disable_clean_session {
            return Err(Error::usage("-c keeps the session, which needs -i ID"));
        }
        Ok(())
    }
}

/// Rejects the options that are given.
fn check_sn_options(
    options: impl IntoIterator<Item = (&'static str, bool)>,
    version: SnVersion,
) -> Result<(), Error> {
    match options.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Error::usage(format!(
            "{option} cannot be used with an MQTT-SN gateway; {version} has no message or layer for it"
        ))),
        None => Ok(()),
    }
}
