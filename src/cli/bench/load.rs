//! Groups of load options. Each mode flattens the groups that apply to it.

use super::value_parsers::{self, Ramping, Stages, Think, Topology};
use crate::bench::plan::Hold;
use crate::bench::rate::Rate;
use crate::bench::schedule::{Arrivals, DutyCycle};
use crate::cli::values::{self, Sizes};
use crate::protocol::Qos;
use crate::protocol::sn::PublishQos;
use clap::{ArgAction, ArgGroup, Args, ValueHint, value_parser};
use std::path::PathBuf;
use std::time::Duration;

/// The maximum number of clients of one machine.
pub(super) const MAX_CLIENTS: u32 = 1_000_000;

/// All modes without a scenario file.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Clients")]
pub(super) struct ClientsArgs {
    /// Number of clients [default: 100]
    #[arg(short = 'c', long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=i64::from(MAX_CLIENTS)))]
    pub(super) clients: Option<u32>,
}

/// The clients of the modes that publish: pubsub, pub, rr, reconnect.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Clients")]
pub(super) struct PublishersArgs {
    #[command(flatten)]
    pub(super) clients: ClientsArgs,
    /// Number of publishers [default: -c]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=i64::from(MAX_CLIENTS)))]
    pub(super) publishers: Option<u32>,
}

/// The messages of the modes that publish.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct PublishArgs {
    /// Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100} [default: mq-bench/{run}/{s}/{i}]
    #[arg(short = 't', long, value_name = "TEMPLATE")]
    pub(super) topic: Option<String>,
    #[command(flatten)]
    pub(super) payload: PayloadArgs,
    /// Retain the messages: the broker keeps the last one of each topic
    #[arg(short = 'r', long, action = ArgAction::SetTrue)]
    pub(super) retain: bool,
    /// Maximum number of unacknowledged QoS 1 and 2 messages per publisher [default: 20]
    #[arg(long = "inflight", value_name = "COUNT", value_parser = value_parser!(u16).range(1..))]
    pub(super) in_flight: Option<u16>,
    #[command(flatten)]
    pub(super) pace: PaceArgs,
}

/// The payload of published messages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct PayloadArgs {
    /// Payload size, such as 512 or 64KiB, or a range such as 64..1KiB; the header of measured messages takes 24 bytes, with --rate 32
    #[arg(short = 's', long, value_name = "SIZE", default_value = "64", value_parser = values::sizes, conflicts_with_all = ["payload_file", "payload_template", "payload_recording"])]
    pub(super) size: Sizes,
    /// Read the payload from a file; with subscribers, it follows the header
    #[arg(short = 'f', long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["payload_template", "payload_recording"])]
    pub(super) payload_file: Option<PathBuf>,
    /// Send the payloads of messages that `mq sub --json` wrote to a file, in order; with subscribers, they follow the header
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "payload_template")]
    pub(super) payload_recording: Option<PathBuf>,
    /// Payload template with placeholders such as {seq} and {walk:18.0..25.0:0.1}, see below; with subscribers, it follows the header
    #[arg(long, value_name = "TEXT")]
    pub(super) payload_template: Option<String>,
}

/// The planned times of sends.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace", group = ArgGroup::new("pace").args(["rate", "ramp", "stages"]).multiple(true))]
pub(super) struct PaceArgs {
    /// Messages per second of all publishers together, at planned times: 500, 5k, 1000/s, 30/min
    #[arg(long, value_name = "RATE", value_parser = value_parsers::rate)]
    pub(super) rate: Option<Rate>,
    /// Distribution of the sends of --rate: constant (equal intervals) or poisson (random)
    #[arg(long, value_name = "DISTRIBUTION", value_parser = value_parsers::arrivals, requires = "pace")]
    pub(super) arrivals: Option<Arrivals>,
    /// Number of messages that a publisher sends at a time, within --rate
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=1_000_000), requires = "pace")]
    pub(super) burst: Option<u32>,
    /// Ramp --rate up from 0 in this time; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k
    #[arg(long, value_name = "DURATION|FROM..TO", value_parser = value_parsers::ramp)]
    pub(super) ramp: Option<Ramping>,
    /// Rates one after another, instead of --rate and --duration: '100 for 30s, 100..1k for 1m, 0 for 10s'
    #[arg(long, value_name = "STAGES", value_parser = value_parsers::stages, conflicts_with_all = ["rate", "ramp", "search"])]
    pub(super) stages: Option<Stages>,
    /// On and off times of each publisher, in turn, such as 10s/50s; the mean of --rate stays
    #[arg(long, value_name = "ON/OFF", value_parser = value_parsers::on_off, requires = "rate", conflicts_with_all = ["ramp", "stages"])]
    pub(super) on_off: Option<DutyCycle>,
}

/// The modes that can wait between an answer and the next message: pubsub, pub, rr.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Pace")]
pub(super) struct ThinkArgs {
    /// Random pause of each publisher before each message, after the answer to the one before: 50ms..2s, or 1s. Sets --inflight to 1
    #[arg(long, value_name = "DURATION|MIN..MAX", value_parser = value_parsers::think, conflicts_with_all = ["rate", "ramp", "stages", "search", "arrivals", "burst", "on_off"])]
    pub(super) think: Option<Think>,
}

/// The modes whose publishers have receivers in the same run: pubsub, rr, reconnect.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Clients")]
pub(super) struct ReceiverArgs {
    /// Number of clients that subscribe; 0 measures acknowledgements only [default: one per publisher up to 100, then one per ten]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(0..=i64::from(MAX_CLIENTS)))]
    pub(super) subscribers: Option<u32>,
}

/// The modes that assign subscribers to publishers: pubsub, reconnect.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Clients")]
pub(super) struct TopologyArgs {
    /// Topology: pairs, fan-in (one subscriber), fan-out (one publisher) or mesh (all to all)
    #[arg(long, value_enum, hide_possible_values = true, conflicts_with = "topic")]
    pub(super) topology: Option<Topology>,
}

/// The modes with measured subscriptions: pubsub, sub, reconnect.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct SubscriptionArgs {
    /// QoS level of the subscriptions, if it differs from --qos
    #[arg(long, value_name = "QOS", value_parser = values::qos)]
    pub(super) subscription_qos: Option<Qos>,
    /// Use one shared subscription for all subscribers; each message goes to one of them
    #[arg(long, value_name = "GROUP")]
    pub(super) share: Option<String>,
}

/// The modes that exchange messages: pubsub, pub, sub, rr, reconnect.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct TrafficArgs {
    /// QoS level of messages and subscriptions: 0, 1 or 2
    #[arg(short = 'q', long, default_value = "1", value_parser = values::publish_qos)]
    pub(super) qos: PublishQos,
    /// Duration of the measurement, such as 30s or 2m [default: 10s, or until --messages are sent]
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Time")]
    pub(super) duration: Option<Duration>,
    /// Send messages for this time before the measurement; their losses count too [default: 2s without --duration and --messages]
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = "Time")]
    pub(super) warm_up: Option<Duration>,
}

/// The modes whose clients can stay connected after their work: pubsub, conn, pub, sub, rr.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Time")]
pub(super) struct KeepArgs {
    /// Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "forever", value_parser = value_parsers::hold, conflicts_with = "repeat")]
    pub(super) keep_connected: Option<Hold>,
}

/// The modes with random choices: pubsub, pub, rr, reconnect, scenario.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Time")]
pub(super) struct SeedArgs {
    /// Seed of random times, topics, sizes and payloads, from 0 to 4294967295 [default: random]
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32))]
    pub(super) seed: Option<u32>,
}

/// The modes that a number of messages can end: pubsub, pub, sub, rr.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct CountArgs {
    /// Number of messages of all publishers together; the run ends when they are sent, instead of after a duration
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u64).range(1..=1 << 47), conflicts_with = "duration")]
    pub(super) messages: Option<u64>,
}
