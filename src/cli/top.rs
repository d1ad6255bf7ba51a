//! The options of `mq top`.

use super::Names;
use super::output::choice;
use super::schema::SchemaArgs;
use super::session::{ClientArgs, PersistenceArgs};
use super::sn::{SnArgs, SnChoice};
use super::values;
use crate::cli::Error;
use crate::client::Options;
use crate::payload::PayloadDecoding;
use crate::protocol::{Qos, TopicFilter};
use crate::quantity;
use crate::suggestion::did_you_mean;
use crate::top::{Limits, SortKey};
use clap::{ArgAction, Args, Command, Id, ValueHint};
use std::path::PathBuf;

/// The subscription without any topic.
const ALL_TOPICS: &str = "#";

/// The default limits.
const MAX_TOPICS: &str = "1000000";
const MAX_BYTES: &str = "512MiB";

/// The orders by their names.
const ORDERS: [(&str, SortKey); 5] = [
    ("name", SortKey::Name),
    ("count", SortKey::Messages),
    ("rate", SortKey::Rate),
    ("age", SortKey::Age),
    ("size", SortKey::Size),
];

/// Arguments of `mq top`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("replay", |arg| arg.conflicts_with_all(of_connection())),
    mut_arg("version", |arg| arg.help("MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 5]")),
    override_usage = "mq top [OPTIONS] [TOPIC]...",
    after_help = "\
Shows the topics of a broker on the terminal, with their last values, message counts and rates. The key ?
shows all keys, q quits. docs/top.md describes the screen.

Examples:
  mq top                           all topics of the broker on this machine
  mq top 'home/#' '$SYS/#'         topics below home/, and those of the broker
  mq top -h test.example --list    each topic on a row of its own
  mq top --sort rate               the topics with most messages first
  mq top --also mqtt://other       another broker in a second tab
  mq top --profile a --also b      the brokers of two profiles
  mq top --read-only               show messages, but send none
  mq top --record day.ndjson       record the messages meanwhile
  mq top --replay day.ndjson       play a recording
  # Decode protocol buffers
  mq top 'gw/#' --schema gateway.proto --type gw.Uplink

Exit status: 0 success, 1 no connection, or a recording failed, 2 usage or no terminal, 5 the broker refused
the first connection, 7 the broker closed it, 128 + N ended by signal N."
)]
pub(crate) struct TopArgs {
    /// Topic filter to subscribe to; + matches one level, # all remaining levels. Can be repeated (default: #)
    #[arg(value_name = "TOPIC", value_parser = values::topic_filter)]
    pub filters: Vec<TopicFilter>,
    /// The same as TOPIC. Can be repeated
    #[arg(short = 't', long, value_name = "FILTER", value_parser = values::topic_filter, help_heading = "Subscription")]
    pub topic: Vec<TopicFilter>,
    /// Maximum QoS to receive at
    #[arg(short = 'q', long, default_value = "0", value_parser = values::qos, help_heading = "Subscription")]
    pub qos: Qos,
    /// Show a list of topics instead of a tree
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Screen")]
    pub list: bool,
    /// Sort by name, count, rate, age or size
    #[arg(long, value_name = "KEY", default_value = "name", value_parser = order, help_heading = "Screen")]
    pub sort: SortKey,
    /// Maximum number of topics to keep. Messages to further topics are counted, but not shown
    #[arg(long, value_name = "COUNT", default_value = MAX_TOPICS, value_parser = values::count, help_heading = "Screen")]
    pub max_topics: u64,
    /// Maximum memory for topics and payloads, such as 100MiB. Further payloads are not kept
    #[arg(long, value_name = "SIZE", default_value = MAX_BYTES, value_parser = size, help_heading = "Screen")]
    pub max_bytes: u64,
    /// Show another broker in a tab of its own: that of a profile, or by its URL as in -L. The other options of the
    /// connection apply to a URL as well, not to a profile. Can be repeated
    #[arg(long, value_name = "PROFILE|URL", conflicts_with = "replay", help_heading = "Screen")]
    pub also: Vec<String>,
    /// Turn off the keys that publish, delete retained messages, subscribe and unsubscribe
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Screen")]
    pub read_only: bool,
    /// Record messages to this file, for `mq pub --replay`. Appends JSON objects, one per line, or to a database if
    /// the name ends in .sqlite
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Recording")]
    pub record: Option<PathBuf>,
    /// Show a recording of `mq sub --record` or `mq top --record` instead of a broker
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["filters", "topic", "record"], help_heading = "Recording")]
    pub replay: Option<PathBuf>,
    /// Decode payloads as this format, instead of by content type, topic and shape; see `mq sub --help`
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = choice, help_heading = "Screen")]
    pub decode: PayloadDecoding,
    #[command(flatten)]
    pub(crate) schema: SchemaArgs,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(crate) sn: SnArgs,
    #[command(flatten)]
    pub(crate) persistence: PersistenceArgs,
}

impl TopArgs {
    pub(super) fn choose_gateway(&mut self) {
        let args = self.sn.clone();
        self.client.network.sn = Some(SnChoice { args, sleep: None, is_unconnected: false });
    }

    /// A client, which uses MQTT 5 unless another version is typed: older ones have no properties, and lose the RETAIN flag.
    ///
    /// # Errors
    /// The conflicting options.
    pub(crate) fn client_options(&self, client: &ClientArgs, names: Names) -> Result<Options, Error> {
        let mut client = client.clone();
        client.prefer_version_5(names)?;
        client.client_options(names, &self.persistence, None)
    }

    /// Filters to subscribe to, with their QoS; all topics, unless a topic is typed, in the URL, or of a device.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub(crate) fn subscriptions(
        &self,
        client: &ClientArgs,
        names: Names,
    ) -> Result<Vec<(TopicFilter, Qos)>, Error> {
        let typed = self.filters.iter().chain(&self.topic).cloned();
        let mut filters: Vec<TopicFilter> = typed.chain(client.other_filters(names)?).collect();
        if filters.is_empty() {
            filters.extend(client.device_filter().or_else(|| TopicFilter::parse(ALL_TOPICS).ok()));
        }
        Ok(filters.into_iter().map(|filter| (filter, self.qos)).collect())
    }

    pub(crate) fn limits(&self) -> Limits {
        limits(self.max_topics, self.max_bytes)
    }

    /// The limits of a screen without these options.
    pub(crate) fn default_limits() -> Limits {
        limits(MAX_TOPICS.parse().unwrap_or(u64::MAX), quantity::size(MAX_BYTES).unwrap_or(u64::MAX))
    }
}

/// The options of the connection and of the subscriptions, which a recording has not.
fn of_connection() -> Vec<Id> {
    let groups = [ClientArgs::augment_args, SnArgs::augment_args, PersistenceArgs::augment_args];
    let options = groups.into_iter().fold(Command::new("top"), |command, augment| augment(command));
    let ids = options.get_arguments().map(|option| option.get_id().clone());
    ids.chain([Id::from("qos"), Id::from("read_only")]).collect()
}

fn limits(topics: u64, bytes: u64) -> Limits {
    let number = |value| usize::try_from(value).unwrap_or(usize::MAX);
    Limits { topics: number(topics), bytes: number(bytes) }
}

fn order(text: &str) -> Result<SortKey, String> {
    let names = ORDERS.map(|(name, _)| name);
    ORDERS
        .into_iter()
        .find(|(name, _)| *name == text)
        .map(|(_, key)| key)
        .ok_or_else(|| format!("{}{}", values::expected(values::one_of(&names)), did_you_mean(text, names)))
}

fn size(text: &str) -> Result<u64, String> {
    let size = quantity::size(text).filter(|bytes| *bytes > 0);
    size.ok_or_else(|| values::expected("a size such as 64MiB or 1GiB"))
}
