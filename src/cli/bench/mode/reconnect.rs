//! `mq bench reconnect`: as pubsub, but all connections are dropped at once halfway, and made again.

use crate::cli::bench::group::{GroupMode, GroupSpec};
use crate::cli::bench::help::{LOSS, RUN_STATUS, SEE_METRICS, TEMPLATES, paragraphs, reword};
use crate::cli::bench::load::{
    PublishArgs, PublishersArgs, ReceiverArgs, SeedArgs, SubscriptionArgs, TopologyArgs, TrafficArgs,
};
use crate::cli::bench::run::{Run, Search};
use crate::cli::bench::run_args::RunArgs;
use crate::cli::bench::sn_args::TopicIdArgs;
use crate::cli::bench_report::SearchArgs;
use clap::{ArgAction, Args};

const SUMMARY: &str = "\
Halfway through --duration, all clients are disconnected at once, and reconnect. The report contains the
time until all are back, and with --keep-sessions whether the broker kept the messages meanwhile. Without
--rate, each publisher sends one message per second.";

const EXAMPLES: &str = "\
Examples:
  mq bench reconnect -c 1000                    drop all connections once
  mq bench reconnect -c 2000 --keep-sessions    sessions outlive connections
  # 200 clients reconnect per second
  mq bench reconnect -c 1000 --connect-rate 200
  # TLS sessions are resumed
  mq bench reconnect -c 1000 --cafile ca.pem --tls-resume";

/// The options with other words than in the shared groups.
const HELP: &[(&str, &str)] = &[
    ("clients", "Number of publishers; with --topology fan-out, of subscribers [default: 100]"),
    ("publishers", "Number of publishers [default: -c, or 1 with --topology fan-out]"),
    ("duration", "Duration of the measurement, such as 30s or 2m [default: 10s]"),
    (
        "warm_up",
        "Send messages for this time before the measurement; their losses count too [default: 2s without --duration]",
    ),
];

#[derive(Debug, Clone, Args)]
#[command(
    mut_args(|arg| reword(arg, HELP)),
    after_help = paragraphs(&[SUMMARY, LOSS, TEMPLATES, EXAMPLES, SEE_METRICS, RUN_STATUS])
)]
pub(crate) struct ReconnectArgs {
    #[command(flatten)]
    clients: PublishersArgs,
    #[command(flatten)]
    receivers: ReceiverArgs,
    #[command(flatten)]
    topology: TopologyArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    messages: PublishArgs,
    #[command(flatten)]
    topic_id: TopicIdArgs,
    #[command(flatten)]
    subscriptions: SubscriptionArgs,
    /// Keep the sessions of the subscribers. MQTT 5 removes them after the run; with MQTT 3 they stay at the broker
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Session")]
    keep_sessions: bool,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    search: SearchArgs,
}

impl From<ReconnectArgs> for Run {
    fn from(args: ReconnectArgs) -> Run {
        let spec = GroupSpec::of_publishers(GroupMode::Reconnect, args.clients)
            .with_messages(args.messages)
            .with_subscriptions(args.subscriptions)
            .with_traffic(args.traffic);
        let spec = GroupSpec {
            subscribers: args.receivers.subscribers,
            topology: args.topology.topology,
            topic_id: args.topic_id.topic_id,
            ..spec
        };
        Run {
            keep_sessions: args.keep_sessions,
            seed: args.seed.seed,
            search: Search::of(args.search),
            ..Run::of_group(spec, args.run)
        }
    }
}
