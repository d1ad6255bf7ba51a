//! The options of `mq rr`.

use super::Names;
use super::connection::DiagnosticArgs;
use super::output::OutputArgs;
use super::payload::PayloadArgs;
use super::session::{ClientArgs, PersistenceArgs};
use super::values;
use crate::error::Error;
use crate::protocol::property::Context;
use crate::protocol::{PropertyId, Qos, RetainHandling, TopicName, Version};
use clap::{ArgAction, ArgGroup, Args};
use std::time::Duration;

/// What `mq rr` takes.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("version", |arg| arg.help("The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 5]")),
    group = ArgGroup::new("payload").required(true),
    override_usage = "mq rr [OPTIONS] {-t TOPIC | -L URL} {-m MESSAGE | -f FILE | -s | -n}",
    after_help = "\
A request of MQTT 5: it carries the topic to answer to, and correlation data that the answer must bring back.
With -V 311 there is neither, and the first message on the topic of -e is the answer.

Examples:
  mq rr -t lamp/status -n                         ask, print the answer
  mq rr -t lamp/set -m on -e lamp/answers -W 5    status 27 after 5 seconds
  mq rr -t who/is/there -n --count 3              wait for three answers
  mq rr -V 311 -t cmd -e cmd/reply -m status      a responder of MQTT 3.1.1
  mq rr -t api -f request.json --latency          tell how long the answer took

Exit status: 0 answered, 1 no connection, 2 usage, 3 the broker denied the subscription or the request,
5 it refused the connection, 7 the connection was lost, 27 timed out, 130 and 143 interrupted."
)]
pub struct RequestArgs {
    /// The topic to send the request to
    #[arg(short = 't', long, required_unless_present = "url", value_parser = values::topic_name, help_heading = "Message")]
    pub topic: Option<TopicName>,
    /// The topic that answers come to [default: one that nobody else has]
    #[arg(short = 'e', long, value_name = "TOPIC", value_parser = values::topic_name, help_heading = "Message")]
    pub response_topic: Option<TopicName>,
    #[command(flatten)]
    pub(crate) payload: PayloadArgs,
    /// The QoS of the request and of the answers: 0, 1 or 2
    #[arg(short = 'q', long, default_value = "0", value_parser = values::qos, help_heading = "Message")]
    pub qos: Qos,
    /// Leave out an answer that the broker had kept
    #[arg(short = 'R', long = "no-retained", action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub no_retained: bool,
    /// Let RETAIN stay as it was published (MQTT 5)
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub retain_as_published: bool,
    /// Whether kept messages are sent on subscribing: always, new or never (MQTT 5)
    #[arg(long, value_name = "WHEN", default_value = "always", value_parser = values::retain_handling, help_heading = "Subscription")]
    pub retain_handling: RetainHandling,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Print how long each answer took
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Output")]
    pub latency: bool,
    /// Exit after this many answers
    #[arg(long, value_name = "ANSWERS", default_value_t = 1, value_parser = values::count, help_heading = "Exit")]
    pub count: u64,
    /// Exit after this many seconds, connecting included
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = values::whole_seconds, help_heading = "Exit")]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(crate) persistence: PersistenceArgs,
    #[command(flatten)]
    pub(crate) diagnostics: DiagnosticArgs,
}

impl RequestArgs {
    /// Checks what depends on the version of MQTT.
    ///
    /// # Errors
    /// Which option does not go with which.
    pub fn check(&self, names: Names, version: Version) -> Result<(), Error> {
        let properties = self.client.properties.collect(Context::Publish)?;
        if properties.as_properties().find(PropertyId::ResponseTopic).is_some() {
            return Err(Error::Usage(
                "-D publish response-topic cannot be used here; -e TOPIC says where the answer comes"
                    .to_owned(),
            ));
        }
        if version.is_v5() {
            return Ok(());
        }
        names
            .check_subscription_options(version, self.retain_as_published, self.retain_handling)
            .map_err(|option| Error::Usage(format!("{option} needs MQTT 5, and -V chose {version}")))?;
        if self.response_topic.is_none() {
            return Err(Error::Usage(format!(
                "missing -e TOPIC: {version} cannot tell the responder where to answer"
            )));
        }
        Ok(())
    }
}
