//! `mq bench pubsub`, the default: clients publish and clients subscribe.

use crate::cli::bench::group::{GroupMode, GroupSpec};
use crate::cli::bench::help::{
    AUTHENTICATION, LOSS, METRICS, PACE, RUN_STATUS, TEMPLATES, paragraphs, reword,
};
use crate::cli::bench::load::{
    CountArgs, KeepArgs, PublishArgs, PublishersArgs, ReceiverArgs, SeedArgs, SubscriptionArgs, ThinkArgs,
    TopologyArgs, TrafficArgs,
};
use crate::cli::bench::run::{Run, Search};
use crate::cli::bench::run_args::RunArgs;
use crate::cli::bench::sn_args::TopicIdArgs;
use crate::cli::bench_report::{SearchArgs, searches_without_messages};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  mq bench --embedded -c 1000                   1000 clients, embedded broker
  mq bench -h test.example -c 500 -q 2          QoS 2 with another broker
  mq bench --rate 5k --duration 30              5000 messages per second in all
  mq bench --ramp 100..5k --duration 60         a growing rate
  # random sizes and intervals, after a warm-up of 5 s
  mq bench -s 64..1024 --rate 100 --arrivals poisson --warm-up 5
  mq bench --topology fan-out -c 500            1 publisher, 500 subscribers
  mq bench --share workers --subscribers 8      a shared subscription
  # TLS, with different credentials for each client
  mq bench --cafile ca.pem -i 'dev-{i}' -u 'user{i}' -P 'pw{i}'
  mq bench -c 20000 --check                     the limits of this machine
  mq bench --sn --embedded -c 500               MQTT-SN clients of a gateway
  # QoS -1: messages without a connection, and a subscriber
  mq bench --sn -q -1 --rate 1k -t ab
  # the second third of a run on three machines
  mq bench -c 60000 --shard 2/3 --start-at 2026-01-31T12:00:00Z --json 2.json
  mq bench --html run.html --json run.json      a page with plots, and a report
  mq bench --fail-if 'p99>10ms, loss>0'         exit status for a CI job
  mq bench --baseline run.json --tolerance 20%  comparison with a report
  mq bench --search rate --until 'p99>50ms'     the highest sustained rate
  # metrics for Prometheus
  mq bench --duration 600 --metrics 127.0.0.1:9100";

/// The options with other words than in the shared groups.
const HELP: &[(&str, &str)] = &[
    ("clients", "Number of publishers; with --topology fan-out, of subscribers [default: 100]"),
    ("publishers", "Number of publishers [default: -c, or 1 with --topology fan-out]"),
    (
        "qos",
        "QoS level of messages and subscriptions: 0, 1 or 2; at an MQTT-SN gateway also -1: messages without a connection",
    ),
];

#[derive(Debug, Clone, Args)]
#[command(
    mut_args(|arg| reword(arg, HELP)),
    mut_args(searches_without_messages),
    after_help = paragraphs(&[PACE, LOSS, TEMPLATES, AUTHENTICATION, EXAMPLES, METRICS, RUN_STATUS])
)]
pub(crate) struct PubsubArgs {
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
    think: ThinkArgs,
    #[command(flatten)]
    subscriptions: SubscriptionArgs,
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

impl From<PubsubArgs> for Run {
    fn from(args: PubsubArgs) -> Run {
        let spec = GroupSpec::of_publishers(GroupMode::Pubsub, args.clients)
            .with_messages(args.messages)
            .with_subscriptions(args.subscriptions)
            .with_traffic(args.traffic);
        let spec = GroupSpec {
            subscribers: args.receivers.subscribers,
            topology: args.topology.topology,
            topic_id: args.topic_id.topic_id,
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
