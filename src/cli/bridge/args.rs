//! The options of `mq bridge`.

use crate::cli::values::{self, expected};
use crate::protocol::topic::TopicName;
use crate::quantity;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Headings of the help.
const MESSAGES: &str = "Messages";
const STATUS: &str = "Status";

/// Arguments of `mq bridge`.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "mq bridge [OPTIONS] --from PROFILE|URL --to PROFILE|URL RULE...\n       mq bridge [OPTIONS] --config FILE",
    after_help = "\
Forwards messages between two brokers. A message is acknowledged at its source when its target has acknowledged it, so
nothing is lost if a connection or the bridge fails: QoS 1 arrives at least once, QoS 2 exactly once. See docs/bridge.md
for the guarantees, loops and the keys of mosquitto.conf.

A rule is PATTERN [out|in|both] [QOS] [LOCAL-PREFIX REMOTE-PREFIX], in one argument, as in the topic lines of
mosquitto.conf. `out` (the default) is from --from to --to, `in` the other way. The default QoS is 0. The prefix of the
source is replaced by that of the target; \"\" is an empty prefix.

A broker is a URL, HOST:PORT, or the name of a profile (see `mq config --help`). All connection options can be set in a
profile, or in variables for one side: MQ_FROM_PASSWORD, MQ_TO_CAFILE and so on. MQTT 5 is used unless set otherwise.

SIGTERM, SIGINT and SIGHUP stop the reading, wait for acknowledgements and disconnect; a second SIGTERM or SIGINT, half
a second later or more, ends at once.

Examples:
  # Send sensor values to another broker, with a prefix there
  mq bridge --from localhost --to mqtts://broker.example \\
    'sensors/# out 1 \"\" site1/'
  # Both directions between two profiles
  mq bridge --from plant --to cloud 'jobs/# both 2'
  # The bridges of mosquitto.conf, without the broker's own
  mq bridge --config /etc/mosquitto/mosquitto.conf
  # Show how topics are renamed, and whether the brokers allow it
  mq bridge --config bridge.conf --dry-run sensors/a
  mq bridge --config bridge.conf --check

Exit status: 0 stopped by a signal, or no problems found; 1 a file or an address cannot be used; 2 usage, or rules that
loop; 3 --check found a problem; 5 refused, or another client has the client identifier; 7 connection lost."
)]
pub(crate) struct BridgeArgs {
    /// Rules, each in one argument
    #[arg(value_name = "RULE", conflicts_with = "config")]
    pub rules: Vec<String>,
    /// Local broker: a profile, HOST:PORT, or a URL of mqtt, mqtts, ws, wss or unix. With --config [default: the listener
    /// in FILE, or 127.0.0.1:1883]
    #[arg(long, value_name = "PROFILE|URL", help_heading = "Connection")]
    pub from: Option<String>,
    /// Remote broker
    #[arg(long, value_name = "PROFILE|URL", conflicts_with = "config", help_heading = "Connection")]
    pub to: Option<String>,
    /// Read the bridges from the connection sections of a mosquitto.conf
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Connection")]
    pub config: Option<PathBuf>,
    /// Name of the bridge, and its client identifier at the remote broker; at the local one with `local.` in front
    /// [default: made of the host name and both addresses]
    #[arg(long, value_name = "NAME", conflicts_with = "config", help_heading = "Connection")]
    pub name: Option<String>,
    /// Timeout for an acknowledgement, after which the connection is made again
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = values::positive_duration, help_heading = "Connection")]
    pub ack_timeout: Duration,
    /// Timeout for acknowledgements after a signal
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = values::duration, help_heading = "Connection")]
    pub drain_timeout: Duration,
    /// Limit for waiting messages of QoS 0, in each direction. If it is reached, the oldest are dropped
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size, help_heading = MESSAGES)]
    pub queue: usize,
    /// The RETAIN flag of forwarded messages: keep, clear or set [default: keep]
    #[arg(long, value_name = "MODE", hide_possible_values = true, help_heading = MESSAGES)]
    pub retain: Option<RetainWord>,
    /// Maximum of messages per second, in each direction
    #[arg(long, value_name = "COUNT", value_parser = rate, help_heading = MESSAGES)]
    pub rate: Option<f64>,
    /// Drop messages that waited longer in the bridge
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = MESSAGES)]
    pub max_age: Option<Duration>,
    /// Mark messages with the name of the bridge, in a user property of MQTT 5, and stop those that have passed it
    #[arg(long, action = ArgAction::SetTrue, help_heading = MESSAGES)]
    pub hop_mark: bool,
    /// Brokers with a status topic, 1 if the bridge is connected and else 0, retained: both, local or none [default: both,
    /// except hosted services]
    #[arg(long, value_name = "WHERE", hide_possible_values = true, help_heading = STATUS)]
    pub notifications: Option<WhereWord>,
    /// Status topic [default: $SYS/broker/connection/CLIENT-ID/state]
    #[arg(long, value_name = "TOPIC", value_parser = values::topic_name, help_heading = STATUS)]
    pub notification_topic: Option<TopicName>,
    /// Show which rules apply to a topic and how they rename it, without connecting
    #[arg(long, value_name = "TOPIC", value_parser = values::topic_name, help_heading = STATUS)]
    pub dry_run: Option<TopicName>,
    /// Connect to the brokers, print their limits and the problems of the rules, then exit
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "dry_run", help_heading = STATUS)]
    pub check: bool,
    /// Interval of the line with counts on standard error; 0 for none. On a terminal, a panel shows them
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = values::duration, help_heading = STATUS)]
    pub interval: Duration,
    /// Serve metrics for Prometheus over HTTP at this address, path /metrics
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = values::socket_address, help_heading = STATUS)]
    pub metrics: Option<SocketAddr>,
    /// Print events, counts and results as JSON, one object a line, on standard output
    #[arg(long, action = ArgAction::SetTrue, help_heading = STATUS)]
    pub json: bool,
    /// Suppress the log and the counts on standard error
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub quiet: bool,
}

/// The words for the RETAIN flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RetainWord {
    Keep,
    Clear,
    Set,
}

/// The words for the brokers with a status topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhereWord {
    Both,
    Local,
    None,
}

fn size(text: &str) -> Result<usize, String> {
    let size = quantity::size(text).and_then(|bytes| usize::try_from(bytes).ok());
    size.ok_or_else(|| expected(quantity::SIZE))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| *rate > 0.0 && *rate <= 1e9);
    rate.ok_or_else(|| expected("a number of messages per second, such as 0.5 or 1000"))
}
