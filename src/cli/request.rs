//! The options of `mq rr`.

use super::Names;
use super::connection::DiagnosticArgs;
use super::output::OutputArgs;
use super::payload::PayloadArgs;
use super::schema::SchemaArgs;
use super::session::{ClientArgs, PersistenceArgs};
use super::sn::{SnArgs, SnChoice};
use super::values;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::protocol::property::Context;
use crate::protocol::{PropertyId, Qos, RetainHandling, TopicName, Version};
use clap::{ArgAction, ArgGroup, Args};
use std::time::Duration;

/// Arguments of `mq rr`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("version", |arg| arg.help("MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 5]")),
    group = ArgGroup::new("payload").required(true),
    override_usage = "mq rr [OPTIONS] {-t TOPIC | -L URL} {-m MESSAGE | -f FILE | -s | -n}",
    after_help = "\
An MQTT 5 request carries a response topic, and correlation data that the response must return. With -V 311
there is neither: the first message on the topic of -e is the response.

Examples:
  mq rr -t lamp/status -n                         print the response
  mq rr -t lamp/set -m on -e lamp/answers -W 5    exit with status 27 after 5 s
  mq rr -t who/is/there -n --count 3              wait for three responses
  mq rr -V 311 -t cmd -e cmd/reply -m status      ask an MQTT 3.1.1 responder
  mq rr -t api -f request.json --latency          print the response time

Exit status: 0 received a response, 1 no connection, 2 usage, 3 the broker rejected the subscription or the
request, 5 it refused the connection, 7 connection lost, 27 timed out, 130 and 143 interrupted."
)]
pub(crate) struct RequestArgs {
    /// Topic of the request
    #[arg(short = 't', long, required_unless_present_any = ["url", "topic_id"], value_parser = values::topic_name, help_heading = "Message")]
    pub topic: Option<TopicName>,
    /// Topic of the response [default: a random one]
    #[arg(short = 'e', long, value_name = "TOPIC", value_parser = values::topic_name, help_heading = "Message")]
    pub response_topic: Option<TopicName>,
    #[command(flatten)]
    pub(crate) payload: PayloadArgs,
    /// QoS of the request and the response: 0, 1 or 2
    #[arg(short = 'q', long, default_value = "0", value_parser = values::qos, help_heading = "Message")]
    pub qos: Qos,
    /// Ignore retained responses
    #[arg(short = 'R', long = "no-retained", action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub no_retained: bool,
    /// Keep the RETAIN flag as published (MQTT 5)
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub retain_as_published: bool,
    /// When to receive retained messages on subscribing: always, new or never (MQTT 5)
    #[arg(long, value_name = "WHEN", default_value = "always", value_parser = values::retain_handling, help_heading = "Subscription")]
    pub retain_handling: RetainHandling,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) schema: SchemaArgs,
    /// Print the latency of each response
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Output")]
    pub latency: bool,
    /// Exit after this many responses
    #[arg(long, value_name = "RESPONSES", default_value_t = 1, value_parser = values::count, help_heading = "Exit")]
    pub count: u64,
    /// Exit after this time, including the time to connect, such as 5s or 2m
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Exit")]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(crate) sn: SnArgs,
    #[command(flatten)]
    pub(crate) persistence: PersistenceArgs,
    #[command(flatten)]
    pub(crate) diagnostics: DiagnosticArgs,
}

impl RequestArgs {
    pub(super) fn choose_gateway(&mut self) {
        self.client.network.sn = Some(SnChoice { args: self.sn.clone(), sleep: None, is_unconnected: false });
    }

    /// Checks the options that depend on the version of MQTT.
    ///
    /// # Errors
    /// The conflicting options.
    pub(crate) fn check(&self, names: Names, version: Version) -> Result<(), Error> {
        let properties = self.client.properties.collect(Context::Publish)?;
        if properties.as_properties().find(PropertyId::ResponseTopic).is_some() {
            return Err(Error::usage("-D publish response-topic cannot be used here; set -e TOPIC"));
        }
        if version.is_v5() {
            return Ok(());
        }
        names
            .check_subscription_options(version, self.retain_as_published, self.retain_handling)
            .map_err(|option| Error::usage(UsageError::NeedsV5 { option: option.into(), version }))?;
        if self.response_topic.is_none() {
            return Err(Error::usage(format!("missing -e TOPIC: {version} requests have no response topic")));
        }
        Ok(())
    }
}
