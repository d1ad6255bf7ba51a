//! `mq bench rr`: clients send requests and clients respond.

use crate::cli::bench::group::{GroupMode, GroupSpec};
use crate::cli::bench::help::{PACE, RUN_STATUS, SEE_METRICS, TEMPLATES, paragraphs, reword};
use crate::cli::bench::load::{
    CountArgs, KeepArgs, PublishArgs, PublishersArgs, ReceiverArgs, SeedArgs, ThinkArgs, TrafficArgs,
};
use crate::cli::bench::run::{Run, Search};
use crate::cli::bench::run_args::RunArgs;
use crate::cli::bench_report::{SearchArgs, searches_without_messages};
use clap::Args;

const SUMMARY: &str = "\
Measures the round trip from a request to its response. With MQTT 5, requests have a response topic and
correlation data.";

const EXAMPLES: &str = "\
Examples:
  mq bench rr -c 50                             one request at a time
  mq bench rr -c 50 -V 5                        latency of requests in MQTT 5
  mq bench rr -c 50 --inflight 10               10 unanswered requests each
  mq bench rr -c 50 --rate 1k --duration 30     1000 requests per second in all
  mq bench rr -c 50 --think 50ms..2s            random pauses between requests
  mq bench rr -c 50 --fail-if 'p99>20ms'        exit status for a CI job";

/// The options with other words than in the shared groups.
const HELP: &[(&str, &str)] = &[
    ("clients", "Number of clients that send requests [default: 100]"),
    ("publishers", "Number of clients that send requests [default: -c]"),
    (
        "subscribers",
        "Number of clients that respond [default: one per requester up to 100, then one per ten]",
    ),
    (
        "topic",
        "Topic template of requests with {run}, {i}, {s} and {client} [default: mq-bench/{run}/requests/{s}]",
    ),
    ("in_flight", "Maximum number of unanswered requests per client [default: 1]"),
    (
        "messages",
        "Number of requests of all clients together; the run ends when they are sent, instead of after a duration",
    ),
    ("rate", "Requests per second of all clients together, at planned times: 500, 5k, 1000/s, 30/min"),
];

#[derive(Debug, Clone, Args)]
#[command(
    mut_args(|arg| reword(arg, HELP)),
    mut_args(searches_without_messages),
    after_help = paragraphs(&[SUMMARY, PACE, TEMPLATES, EXAMPLES, SEE_METRICS, RUN_STATUS])
)]
pub(crate) struct RrArgs {
    #[command(flatten)]
    requesters: PublishersArgs,
    #[command(flatten)]
    responders: ReceiverArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    requests: PublishArgs,
    #[command(flatten)]
    think: ThinkArgs,
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

impl From<RrArgs> for Run {
    fn from(args: RrArgs) -> Run {
        let spec = GroupSpec::of_publishers(GroupMode::Rr, args.requesters)
            .with_messages(args.requests)
            .with_traffic(args.traffic);
        let spec = GroupSpec {
            subscribers: args.responders.subscribers,
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
