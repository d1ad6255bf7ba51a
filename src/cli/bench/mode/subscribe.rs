//! `mq bench sub`: clients subscribe to messages of other publishers.

use crate::cli::bench::group::{GroupMode, GroupSpec};
use crate::cli::bench::help::{RUN_STATUS, SEE_METRICS, paragraphs, reword};
use crate::cli::bench::load::{ClientsArgs, CountArgs, KeepArgs, SubscriptionArgs, TrafficArgs};
use crate::cli::bench::run::Run;
use crate::cli::bench::run_args::RunArgs;
use crate::cli::bench::sn_args::TopicIdArgs;
use clap::Args;

const SUMMARY: &str = "\
Counts the messages that other programs publish, and measures their rate. Losses are not measured, because
the publishers are unknown; in a scenario file, a group with sub also measures the latency of messages of
the other groups.";

const EXAMPLES: &str = "\
Examples:
  # messages of other publishers
  mq bench sub -c 10 -t 'sensors/#' --duration 60
  mq bench sub -c 1 -t 'sensors/#' --messages 1000   until 1000 arrived
  # a shared subscription
  mq bench sub -c 8 -t 'jobs/#' --share workers --duration 60";

/// The options with other words than in the shared groups.
const HELP: &[(&str, &str)] = &[
    ("clients", "Number of subscribers [default: 100]"),
    ("qos", "QoS level of the subscriptions: 0, 1 or 2"),
    ("messages", "Number of messages to receive, of all subscribers together"),
    (
        "duration",
        "Duration of the measurement, such as 30s or 2m [default: 10s, or until --messages arrived]",
    ),
    (
        "warm_up",
        "Receive messages for this time before the measurement [default: 2s without --duration and --messages]",
    ),
];

#[derive(Debug, Clone, Args)]
#[command(
    mut_args(|arg| reword(arg, HELP)),
    after_help = paragraphs(&[SUMMARY, EXAMPLES, SEE_METRICS, RUN_STATUS])
)]
pub(crate) struct SubArgs {
    #[command(flatten)]
    clients: ClientsArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    /// Topic filter to subscribe to
    #[arg(
        short = 't',
        long,
        value_name = "FILTER",
        required_unless_present = "topic_id",
        help_heading = "Messages"
    )]
    topic: Option<String>,
    #[command(flatten)]
    topic_id: TopicIdArgs,
    #[command(flatten)]
    subscriptions: SubscriptionArgs,
    #[command(flatten)]
    count: CountArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    run: RunArgs,
}

impl From<SubArgs> for Run {
    fn from(args: SubArgs) -> Run {
        let spec = GroupSpec::new(GroupMode::Sub, args.clients)
            .with_subscriptions(args.subscriptions)
            .with_traffic(args.traffic);
        let (topic, topic_id) = (args.topic, args.topic_id.topic_id);
        let spec = GroupSpec { topic, topic_id, messages: args.count.messages, ..spec };
        Run { hold: args.keep.keep_connected, ..Run::of_group(spec, args.run) }
    }
}
