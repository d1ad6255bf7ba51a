//! The options of `mq doctor`.

use super::Names;
use super::connection::DiagnosticArgs;
use super::session::{ClientArgs, PersistenceArgs};
use super::values;
use crate::cli::Error;
use crate::client::Options;
use crate::protocol::property::Context;
use crate::protocol::{PropertyId, TopicName, Version};
use clap::{ArgAction, Args};
use std::time::Duration;

/// Default prefix of the topics for the checks.
const TOPIC: &str = "mq-doctor";

/// The versions to try, the most informative first.
const VERSIONS: [Version; 3] = [Version::V5, Version::V311, Version::V31];

/// The longest suffix of the random topic in the checks.
const LONGEST_TOPIC: &str = "retained/level";

/// Arguments of `mq doctor`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("version", |arg| arg.help("Only MQTT version to try: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: all three]")),
    mut_arg("disable_clean_session", |arg| arg.hide(true)),
    mut_arg("session_expiry_interval", |arg| arg.hide(true)),
    mut_arg("will_topic", |arg| arg.hide(true)),
    mut_arg("will_payload", |arg| arg.hide(true)),
    mut_arg("will_qos", |arg| arg.hide(true)),
    mut_arg("will_retain", |arg| arg.hide(true)),
    after_help = "\
Connects in each version of MQTT, and reports the route to the broker, the TLS parameters, the broker's
limits and its response times. Then tests the user's permissions in the newest version that the broker
accepts: publishing and receiving, retained messages, wildcards, shared subscriptions, subscription
identifiers, topic aliases. A rejected operation is a finding, not a failure.

All checks use topics below a random one, mq-doctor/RANDOM or PREFIX/RANDOM, and leave nothing behind.
With -i, a connected client with the same identifier loses its connection and its session.

Examples:
  mq doctor               check the broker on this machine
  mq doctor -t plant/7    use only topics below plant/7
  mq doctor --json        print a report for programs
  # Check the permissions of user ann
  mq doctor -h test.example -u ann --ask-password
  # Check the certificates and their dates
  mq doctor -L mqtts://test.example --cafile ca.pem

Exit status: 0 connected in at least one version, 1 no connection, 2 usage, 5 refused in every version,
7 connection lost, 27 timed out, 130 and 143 interrupted."
)]
pub(crate) struct DoctorArgs {
    /// Prefix of the topics for the checks
    #[arg(short = 't', long, value_name = "PREFIX", value_parser = values::topic_name, help_heading = "Checks", default_value = TOPIC)]
    pub topic: TopicName,
    /// Timeout of each check
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = values::positive_duration, help_heading = "Checks")]
    pub check_timeout: Duration,
    /// Print a JSON object
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Output")]
    pub json: bool,
    /// Exit after this time, such as 30s, with the findings so far
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Exit")]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(crate) diagnostics: DiagnosticArgs,
}

/// A version with its client options, or the error that excludes the version.
pub(crate) type Candidate = (Version, Result<Options, Error>);

impl DoctorArgs {
    /// The versions to try and the clients that speak them.
    ///
    /// # Errors
    /// If options conflict, or would leave a session or a will behind.
    pub(crate) fn candidates(&self, names: Names) -> Result<Vec<Candidate>, Error> {
        self.check_leaves_nothing()?;
        if let Some(version) = self.client.connection.version {
            return Ok(vec![(version, Ok(self.options(version, names)?))]);
        }
        let newest = self.options(Version::V5, names)?;
        let older = VERSIONS.into_iter().filter(|version| !version.is_v5());
        let older = older.map(|version| (version, self.options(version, names)));
        Ok(std::iter::once((Version::V5, Ok(newest))).chain(older).collect())
    }

    /// A random topic, which no other client uses.
    ///
    /// # Errors
    /// If the typed prefix is too long.
    pub(crate) fn random_topic(&self) -> Result<String, Error> {
        let prefix = self.topic.as_str();
        let random = (0..12).map(|_| fastrand::alphanumeric());
        let topic: String = prefix.trim_end_matches('/').chars().chain(['/']).chain(random).collect();
        match TopicName::parse(&format!("{topic}/{LONGEST_TOPIC}")) {
            Ok(_) => Ok(topic),
            Err(error) => Err(Error::usage(format!(
                "-t: {prefix:?} leaves no room for the topics of the checks: {error}"
            ))),
        }
    }

    fn options(&self, version: Version, names: Names) -> Result<Options, Error> {
        let mut client = self.client.clone();
        client.network.needs_no_topic();
        client.connection.version = Some(version);
        if self.client.connection.version.is_none() && !version.is_v5() {
            client.properties.properties.clear(); // They are for MQTT 5 only.
        }
        client.client_options(names, &PersistenceArgs { retries: None, max_inflight: u16::MAX }, Some(0))
    }

    fn check_leaves_nothing(&self) -> Result<(), Error> {
        let (session, properties) = (&self.client.session, &self.client.properties);
        if session.disable_clean_session || session.session_expiry_interval.is_some() {
            return Err(Error::usage(
                "-c and -x cannot be used with mq doctor, which leaves no session behind",
            ));
        }
        if self.client.will()?.is_some() {
            return Err(Error::usage("--will-topic cannot be used with mq doctor"));
        }
        for context in [Context::Publish, Context::Subscribe, Context::Unsubscribe, Context::Will] {
            if !properties.collect(context)?.as_properties().is_empty() {
                return Err(Error::usage("-D: mq doctor accepts properties of connect and disconnect only"));
            }
        }
        match properties.collect(Context::Connect)?.as_properties().number(PropertyId::SessionExpiryInterval)
        {
            None | Some(0) => Ok(()),
            Some(_) => Err(Error::usage(
                "-D connect session-expiry-interval cannot be used with mq doctor, which leaves no session behind",
            )),
        }
    }
}
