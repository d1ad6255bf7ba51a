//! The options of `mq sub`.

use super::Names;
use super::connection::DiagnosticArgs;
use super::output::OutputArgs;
use super::record_args::RecordArgs;
use super::schema::SchemaArgs;
use super::session::{ClientArgs, PersistenceArgs};
use super::sn::{SnArgs, SnChoice};
use super::values;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::protocol::{Qos, RetainHandling, TopicFilter, Version};
use clap::{ArgAction, Args};
use std::time::Duration;

/// Arguments of `mq sub`.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "mq sub [OPTIONS] {-t FILTER... | -U FILTER... | -L URL}",
    after_help = "\
Examples:
  mq sub -t 'home/#' -v                   print messages and topics below home/
  mq sub -t home/door -C 1 -W 10          one message, or status 27 after 10 s
  mq sub -t 'home/#' --retained-only -v   print retained messages, then exit
  mq sub -t jobs -i worker -c -q 1        miss no message while disconnected
  mq sub -t jobs --share workers          share messages within a group
  mq sub -t 'home/#' -F '@H:@M %t %p'     print time, topic and payload
  mq sub -t 'dev/#' -v --select temp      print a field of JSON or CBOR
  mq sub -t 'home/#' --json | jq .        see docs/json.md for the keys
  # Decode protocol buffers
  mq sub -t 'gw/#' -v --schema gateway.proto --type gw.Uplink
  # Delete retained messages; add --dry-run to list them
  mq sub -t 'old/#' --remove-retained --retained-only -v
  # Record messages for mq pub --replay
  mq sub -t 'home/#' --record day.ndjson --rotate 1d
  # Run a command for each message
  mq sub -t 'cam/+' --exec './show.sh' --exec-jobs 4
  # Authenticate without sending the password
  mq sub -t a --auth-method SCRAM-SHA-256 -u ann --ask-password
  # Receive messages from Azure IoT Hub as a device
  mq sub --preset azure-iothub --sas-key-file device.txt -v

Exit status: 0 success, 1 no connection, 2 usage, 3 the broker rejected a subscription, 5 it refused the
connection, 7 connection lost, 27 timed out, 130 and 143 interrupted."
)]
pub(crate) struct SubscribeArgs {
    /// Topic filter to subscribe to; + matches one level, # all remaining levels. Can be repeated
    #[arg(short = 't', long = "topic", value_name = "FILTER", required_unless_present_any = ["unsubscribe", "topic_qos", "url", "preset", "topic_id"], value_parser = values::topic_filter, help_heading = "Subscription")]
    pub topic: Vec<TopicFilter>,
    /// Topic filter with its own QoS, as in 2:alarms/#. Can be repeated
    #[arg(long, value_name = "QOS:FILTER", value_parser = values::qos_and_filter, help_heading = "Subscription")]
    pub topic_qos: Vec<(Qos, TopicFilter)>,
    /// Share messages among the subscribers of this group. Adds $share/GROUP/ to each filter
    #[arg(long, value_name = "GROUP", value_parser = group, help_heading = "Subscription")]
    pub share: Option<String>,
    /// Maximum QoS to receive at
    #[arg(short = 'q', long, default_value = "0", value_parser = values::qos, help_heading = "Subscription")]
    pub qos: Qos,
    /// Ignore messages whose topic matches this filter. Can be repeated
    #[arg(short = 'T', long, value_name = "FILTER", value_parser = values::topic_filter, help_heading = "Subscription")]
    pub filter_out: Vec<TopicFilter>,
    /// Topic filter to unsubscribe from, in a kept session. Can be repeated
    #[arg(short = 'U', long, value_name = "FILTER", value_parser = values::topic_filter, help_heading = "Subscription")]
    pub unsubscribe: Vec<TopicFilter>,
    /// Ignore retained messages
    #[arg(short = 'R', long = "no-retained", action = ArgAction::SetTrue, conflicts_with = "retained_only", help_heading = "Subscription")]
    pub no_retained: bool,
    /// Print only retained messages, then exit. Exits at the first other message, or after a second without a message
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub retained_only: bool,
    /// Ignore messages that this client publishes itself (MQTT 5)
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub no_local: bool,
    /// Delete every retained message that arrives, except for topics that match -T
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "no_retained", help_heading = "Subscription")]
    pub remove_retained: bool,
    /// With --remove-retained: only print the messages that would be deleted
    #[arg(long, action = ArgAction::SetTrue, requires = "remove_retained", help_heading = "Subscription")]
    pub dry_run: bool,
    /// Print only this percentage of messages, chosen at random: 0.1 to 100
    #[arg(long, value_name = "PERCENT", value_parser = values::percentage, help_heading = "Output")]
    pub random_filter: Option<f64>,
    /// Print the number of messages in each second, instead of the messages
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Output")]
    pub message_rate: bool,
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
    #[command(flatten)]
    pub(crate) keep: RecordArgs,
    /// Exit after this many messages
    #[arg(short = 'C', long, value_name = "MESSAGES", value_parser = values::count, help_heading = "Exit")]
    pub count: Option<u64>,
    /// Exit after this time, including the time to connect, such as 5s or 2m
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Exit")]
    pub timeout: Option<Duration>,
    /// Exit after this time without a message, such as 500ms
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Exit")]
    pub idle_timeout: Option<Duration>,
    /// Exit once subscribed, to set up a kept session
    #[arg(short = 'E', long = "exit-after-subscribe", action = ArgAction::SetTrue, help_heading = "Exit")]
    pub exit_after_subscribe: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(crate) sn: SnArgs,
    /// Sleep for this time once subscribed, wake up for the messages that the gateway has kept, and so on
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..), help_heading = "MQTT-SN")]
    pub sleep: Option<u16>,
    #[command(flatten)]
    pub(crate) persistence: PersistenceArgs,
    #[command(flatten)]
    pub(crate) diagnostics: DiagnosticArgs,
}

impl SubscribeArgs {
    pub(super) fn choose_gateway(&mut self) {
        let (args, sleep) = (self.sn.clone(), self.sleep);
        self.client.network.sn = Some(SnChoice { args, sleep, is_unconnected: false });
    }

    /// Whether messages are printed. If they are recorded or passed to a command, only if an option about output is set.
    pub(crate) fn prints(&self) -> bool {
        !self.keep.is_given() || self.output.is_given() || self.schema.is_typed() || self.message_rate
    }

    /// Whether `-w` is typed without an option that its screen does not have.
    pub(crate) fn asks_for_screen(&self) -> bool {
        let ends = self.count.is_some()
            || self.timeout.is_some()
            || self.idle_timeout.is_some()
            || self.exit_after_subscribe
            || self.retained_only;
        let selects = self.no_retained
            || self.no_local
            || self.retain_as_published
            || self.retain_handling != RetainHandling::Always
            || self.random_filter.is_some()
            || !self.filter_out.is_empty()
            || !self.unsubscribe.is_empty();
        let acts = self.remove_retained
            || self.message_rate
            || self.keep.exec.is_some()
            || self.keep.rotate.is_some()
            || self.sleep.is_some()
            || self.diagnostics.debug;
        self.output.is_plain_watch() && !ends && !selects && !acts
    }

    /// Filters to subscribe to, with their QoS. The URL's filter is the last one; a device's filter is the default.
    ///
    /// # Errors
    /// If a filter cannot be shared.
    pub(crate) fn subscriptions(
        &self,
        mut others: Vec<TopicFilter>,
    ) -> Result<Vec<(TopicFilter, Qos)>, Error> {
        let is_nothing_typed =
            self.topic.is_empty() && self.topic_qos.is_empty() && self.unsubscribe.is_empty();
        if others.is_empty() && is_nothing_typed {
            others.extend(self.client.device_filter());
        }
        let own = self.topic_qos.iter().map(|(qos, filter)| (filter.clone(), *qos));
        let all = self.topic.iter().cloned().map(|filter| (filter, self.qos)).chain(own);
        all.chain(others.into_iter().map(|filter| (filter, self.qos)))
            .map(|(filter, qos)| Ok((self.shared(filter)?, qos)))
            .collect()
    }

    /// The filter, in the group of --share.
    fn shared(&self, filter: TopicFilter) -> Result<TopicFilter, Error> {
        match &self.share {
            None => Ok(filter),
            Some(_) if filter.as_str().starts_with("$share/") => {
                Err(Error::usage(format!("--share cannot be used with {filter}, which is shared already")))
            }
            Some(group) => TopicFilter::parse(&format!("$share/{group}/{filter}"))
                .map_err(|error| Error::usage(UsageError::invalid(format!("--share {group}"), error))),
        }
    }

    /// Checks options that depend on the version of MQTT: unsupported ones are rejected, not silently ignored.
    ///
    /// # Errors
    /// The conflicting options.
    pub(crate) fn check(&self, names: Names, version: Version) -> Result<(), Error> {
        let needs_v5 = |option| Error::usage(format!("{option} needs MQTT 5; add -V 5"));
        if self.no_local && !version.is_v5() {
            return Err(needs_v5("--no-local"));
        }
        names
            .check_subscription_options(version, self.retain_as_published, self.retain_handling)
            .map_err(needs_v5)?;
        let subscriptions = self.subscriptions(Vec::new())?;
        match subscriptions.iter().find(|(filter, _)| filter.as_str().starts_with("$share/")) {
            // [MQTT-3.8.3-4]
            Some((filter, _)) if self.no_local => Err(Error::usage(format!(
                "--no-local cannot be used with the shared subscription {filter}: brokers close the connection"
            ))),
            _ => Ok(()),
        }
    }
}

/// Parses the name of a group, which must be one topic level [MQTT-4.8.2-2].
fn group(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['/', '+', '#']) {
        return Err(values::expected("a name without /, + and #"));
    }
    Ok(text.to_owned())
}
