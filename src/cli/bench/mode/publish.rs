//! `mq bench pub`: clients publish, without subscribers of this run.

use crate::cli::bench::group::{GroupMode, GroupSpec};
use crate::cli::bench::help::{PACE, RUN_STATUS, SEE_METRICS, TEMPLATES, paragraphs, reword};
use crate::cli::bench::load::{
    CountArgs, KeepArgs, PublishArgs, PublishersArgs, SeedArgs, ThinkArgs, TrafficArgs,
};
use crate::cli::bench::run::{Run, Search};
use crate::cli::bench::run_args::RunArgs;
use crate::cli::bench::sn_args::TopicIdArgs;
use crate::cli::bench_report::{SearchArgs, searches_without_messages};
use clap::{ArgAction, Args, ValueHint};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  mq bench pub -c 500 -q 1                      latency from PUBLISH to PUBACK
  mq bench pub --rate 5k --duration 30          5000 messages per second
  # a payload for each message, on a topic for each publisher
  mq bench pub -t 'site/{i}' --payload-template '{\"t\":{walk:10..30:1}}'
  mq bench pub --payload-recording day.json     payloads of recorded messages
  # recorded messages on their own topics
  mq bench pub --payload-recording day.json --recorded-topics
  mq bench pub --topics topics.csv              topics by weight, with QoS
  mq bench pub --search rate --until 'p99>50ms'   the highest sustained rate";

/// The options with other words than in the shared groups.
const HELP: &[(&str, &str)] = &[
    ("clients", "Number of publishers [default: 100]"),
    ("publishers", "Number of publishers [default: -c]"),
    ("size", "Payload size, such as 512 or 64KiB, or a range such as 64..1KiB"),
    ("payload_file", "Read the payload from a file"),
    ("payload_recording", "Send the payloads of messages that `mq sub --json` wrote to a file, in order"),
    (
        "payload_template",
        "Payload template with placeholders such as {seq} and {walk:18.0..25.0:0.1}, see below",
    ),
    ("qos", "QoS level of messages: 0, 1 or 2; at an MQTT-SN gateway also -1, without a connection"),
];

#[derive(Debug, Clone, Args)]
#[command(
    mut_args(|arg| reword(arg, HELP)),
    mut_args(searches_without_messages),
    after_help = paragraphs(&[PACE, TEMPLATES, EXAMPLES, SEE_METRICS, RUN_STATUS])
)]
pub(crate) struct PubArgs {
    #[command(flatten)]
    clients: PublishersArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    messages: PublishArgs,
    #[command(flatten)]
    topic_id: TopicIdArgs,
    #[command(flatten)]
    think: ThinkArgs,
    // With recorded topics the receivers of a message are unknown, and therefore losses too.
    /// Send each message of --payload-recording to its recorded topic
    #[arg(long, action = ArgAction::SetTrue, requires = "payload_recording", conflicts_with = "topic", help_heading = "Messages")]
    recorded_topics: bool,
    // The receivers of a message are unknown, as with recorded topics.
    /// Topics from a CSV file, whose first line names the columns: topic, qos, and weight or rate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["topic", "recorded_topics"], help_heading = "Messages")]
    topics: Option<PathBuf>,
    #[command(flatten)]
    count: CountArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    search: SearchArgs,
}

impl From<PubArgs> for Run {
    fn from(args: PubArgs) -> Run {
        let spec = GroupSpec::of_publishers(GroupMode::Pub, args.clients)
            .with_messages(args.messages)
            .with_traffic(args.traffic);
        let spec = GroupSpec {
            topic_id: args.topic_id.topic_id,
            recorded_topics: args.recorded_topics,
            topics: args.topics,
            messages: args.count.messages,
            think: args.think.think,
            ..spec
        };
        Run {
            search: Search::of(args.search),
            hold: args.keep.keep_connected,
            seed: args.seed.seed,
            ..Run::of_group(spec, args.run)
        }
    }
}
