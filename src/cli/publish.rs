//! The options of `mq pub`.

use super::connection::DiagnosticArgs;
use super::delay::DelayArgs;
use super::output::InputForm;
use super::payload::PayloadArgs;
use super::replay::ReplayArgs;
use super::schema::SchemaArgs;
use super::session::{ClientArgs, PersistenceArgs};
use super::sn::{SnArgs, SnChoice};
use super::values;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::protocol::sn::PublishQos;
use crate::protocol::{Qos, TopicName};
use clap::{ArgAction, ArgGroup, Args};
use std::time::Duration;

/// Arguments of `mq pub`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("version", |arg| arg.help("MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311, or 5 with --ndjson and --replay]")),
    group = ArgGroup::new("payload").required(true),
    override_usage = "mq pub [OPTIONS] {-t TOPIC | -L URL} {-m MESSAGE | -f FILE | -s | -l | -n | --ndjson | --replay FILE}",
    after_help = "\
Examples:
  mq pub -t home/door -m open                   publish a message
  mq pub -t home/door -m open -q 1 -r           wait for PUBACK, and retain
  mq pub -t home/door -n -r                     delete the retained message
  mq pub -L mqtt://ann@host/home/door -m open   broker and topic as a URL
  mq pub -t raw -m 'de ad be ef' --input hex    publish four bytes
  mq pub --replay day.ndjson --speed 10         replay at tenfold speed
  journalctl -f | mq pub -t logs/host -l -q 1   publish each line
  # Copy messages from one broker to another; `mq bridge` loses none
  mq sub -h one -V 5 -t '#' --json | mq pub -h two --ndjson
  # Publish a file with its content type
  mq pub -t pic -f cat.jpg -D publish content-type image/jpeg
  # Publish 100 messages to random topics
  mq pub -t 'dev/{rand:0..9}' -m '{i}: {ts}' --template --repeat 100
  # Encode JSON as protocol buffers
  mq pub -t gw/1/down --schema gateway.proto --type gw.Downlink -m '{\"port\":2}'
  # Authenticate with a token
  mq pub -t a -m x --auth-method OAUTH2-JWT --auth-data-file token
  # Publish as a device of Azure IoT Hub
  mq pub --preset azure-iothub --sas-key-file device.txt -m 21.5

Exit status: 0 the broker accepted every message, 1 no connection, 2 usage, 3 the broker rejected a message,
5 it refused the connection, 7 connection lost, 130 and 143 interrupted."
)]
pub(crate) struct PublishArgs {
    /// Topic to publish to; with --ndjson or --replay, for messages without a topic
    #[arg(short = 't', long, required_unless_present_any = ["url", "ndjson", "replay", "preset", "topic_id"], value_parser = values::topic_name, help_heading = "Message")]
    pub topic: Option<TopicName>,
    #[command(flatten)]
    pub(crate) payload: PayloadArgs,
    /// Publish each line of standard input as a message
    #[arg(short = 'l', long, group = "payload", action = ArgAction::SetTrue, help_heading = "Message")]
    pub stdin_line: bool,
    /// Publish each line of standard input: a JSON object as printed by `mq sub --json`. Chooses MQTT 5
    #[arg(long, group = "payload", action = ArgAction::SetTrue, help_heading = "Message")]
    pub ndjson: bool,
    #[command(flatten)]
    pub(crate) delay: DelayArgs,
    #[command(flatten)]
    pub(crate) replay: ReplayArgs,
    #[command(flatten)]
    pub(crate) schema: SchemaArgs,
    /// QoS level: 0 at most once, 1 at least once, 2 exactly once; to an MQTT-SN gateway also -1, without a connection
    #[arg(short = 'q', long, default_value = "0", value_parser = values::publish_qos, help_heading = "Message")]
    pub qos: PublishQos,
    /// Retain the message at the broker for later subscribers
    #[arg(short = 'r', long, action = ArgAction::SetTrue, help_heading = "Message")]
    pub retain: bool,
    /// Publish the message this many times
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = values::count, help_heading = "Message")]
    pub repeat: u64,
    /// Pause between repetitions, starting at the acknowledgement, such as 500ms
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = values::duration, help_heading = "Message")]
    pub repeat_delay: Duration,
    /// Give up after this time, including the time to connect, such as 5s or 2m
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Exit")]
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

impl PublishArgs {
    /// The QoS towards the client loop, for which QoS -1 is 0.
    pub(crate) fn qos(&self) -> Qos {
        match self.qos {
            PublishQos::MinusOne => Qos::AtMostOnce,
            PublishQos::Connected(qos) => qos,
        }
    }

    pub(super) fn choose_gateway(&mut self) {
        let is_unconnected = self.qos == PublishQos::MinusOne;
        self.client.network.sn = Some(SnChoice { args: self.sn.clone(), sleep: None, is_unconnected });
    }

    /// Rejects options without effect.
    ///
    /// # Errors
    /// The conflicting options.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let of_replay = [
            ("--speed", self.replay.speed.is_some()),
            ("--rate", self.replay.rate.is_some()),
            ("--rewrite", !self.replay.rewrite.is_empty()),
        ];
        if let (Some((option, _)), []) = (of_replay.iter().find(|given| given.1), &*self.replay.replay) {
            return Err(Error::usage(UsageError::Needs {
                option: (*option).into(),
                needed: "--replay FILE",
            }));
        }
        let lines = if self.ndjson { "--ndjson" } else { "-l" };
        if self.payload.template && (self.stdin_line || self.ndjson) {
            return Err(Error::usage(format!(
                "--template cannot be used with {lines}, whose lines are sent as they are"
            )));
        }
        if self.ndjson && matches!(self.payload.input, Some(InputForm::Bytes(_))) {
            let text =
                "--input cannot be used with --ndjson, whose lines contain the encoding of their payloads";
            return Err(Error::usage(text.to_owned()));
        }
        self.check_schema()
    }

    /// Rejects message types for payloads that are not JSON.
    fn check_schema(&self) -> Result<(), Error> {
        let input = match self.payload.input {
            Some(InputForm::Bytes(_)) => "--input, unless it is json",
            Some(InputForm::Json) | None => "",
        };
        for (option, is_given) in [
            (input, !input.is_empty()),
            ("--random", self.payload.random.is_some()),
            ("-n", self.payload.null_message),
            ("--replay", !self.replay.replay.is_empty()),
        ] {
            self.schema.check_used(option, is_given)?;
        }
        Ok(())
    }

    /// The option that needs standard input for payloads.
    pub(crate) fn stdin_option(&self) -> Option<&'static str> {
        let readers = [("-s", self.payload.stdin_file), ("-l", self.stdin_line), ("--ndjson", self.ndjson)];
        readers.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }
}
