//! The options of `mq bench`, and the plan that they result in.

mod connection;
mod credentials;
mod group;
pub(super) mod modes;
mod preset;
mod recording;
mod scenario_file;
mod value_parsers;

use super::bench_report::{ReportArgs, Searchable};
use super::session::ClientArgs;
use super::values;
use crate::bench::plan::{Group, Plan, RunId, Scenario, Volume};
use crate::bench::schedule::{Arrivals, Rate};
use crate::bench::shard::{self, Shard, ShardError};
use crate::cli::Error;
use crate::protocol::Qos;
use clap::{ArgAction, ArgGroup, Args, ValueHint};
use group::GroupSpec;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};
use value_parsers::Ramping;
pub(super) use value_parsers::rate;
pub use value_parsers::{Topology, Word};

/// The maximum number of clients of one machine.
const MOST_CLIENTS: i64 = 1_000_000;

/// The default duration of a load without a number of messages.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// The duration of each run of a search, and its warm-up.
const SEARCH_DURATION: Duration = Duration::from_secs(5);
const SEARCH_WARM_UP: Duration = Duration::from_secs(1);

/// The first messages per second of a search.
const FIRST_RATE: f64 = 1000.0;

/// The arguments of `mq bench`.
#[derive(Debug, Clone, Args)]
// In `mq bench`, -c is the number of clients.
#[command(mut_arg("disable_clean_session", |arg| arg.short(None)), mut_arg("reauthenticate", |arg| arg.hide(true)), group = ArgGroup::new("pace").args(["rate", "ramp"]).multiple(true), after_help = "\
The first argument chooses the scenario:
  pubsub     clients publish and clients subscribe; every message is checked (the default)
  conn       clients connect and stay connected
  pub        clients publish, without subscribers of this run
  sub        clients subscribe to messages of other publishers
  rr         clients send requests and clients respond: the round trip
  reconnect  like pubsub, but all connections are dropped at once halfway, and made again
  scenario   groups of clients from a file
  merge      no run: merge several reports of --json or --output json into one

Publishers send as fast as the broker acknowledges, or with --rate at planned times regardless of the
broker. The latency then also counts from the planned time, so that a broker that stalls cannot hide it.
Subscribers check that every message arrives, once and in order. At QoS 0, missing messages count as
lost when all were sent and none arrived for a second, or for three times the longest latency; at QoS 1
and 2, after --timeout. The report goes to standard output.

Topics and payloads can contain {run}, the identifier of the run, {client}, the client identifier of
the publisher, and {i}, its number. Each message has a new value of {seq}, its number, {ts}, the time
(RFC 3339; {ts:s}, {ts:ms}, {ts:us} and {ts:ns} since 1970), {uuid} and {rand:0..100}, a random number.
In topics, {s} is the number of the publisher's subscriber.

With --auth-method, each client authenticates on each new connection. A token is read once for all
clients; with SCRAM, each client has its own user name and password. The CPU time of a SCRAM proof is
part of the time that a user waits, and counts in the clients accepted per second. It is not caused by
the broker, so connack and --connect-timeout exclude it: authenticate is the CPU time of each proof,
authenticate_wait the time that clients waited for a CPU of this machine. Each process computes a proof
for the same password and salt only once.

Examples:
  mq bench --embedded -c 1000                   1000 clients, embedded broker
  mq bench -h test.example -c 500 -q 2          QoS 2 with another broker
  mq bench --rate 5k --duration 30              5000 messages per second in all
  mq bench --ramp 100..5k --duration 60         a growing rate
  # random sizes and intervals, after a warm-up of 5 seconds
  mq bench -s 64..1024 --rate 100 --arrivals poisson --warm-up 5
  mq bench conn -c 20000 --hold 60              20000 connections for a minute
  mq bench --topology fan-out -c 500            1 publisher, 500 subscribers
  mq bench --share workers --subscribers 8      a shared subscription
  mq bench rr -c 50 -V 5                        latency of requests in MQTT 5
  mq bench reconnect -c 2000 --keep-sessions    sessions outlive connections
  # messages of other publishers
  mq bench sub -c 10 -t 'sensors/#' --duration 60
  mq bench pub --payload-recording day.json     payloads of recorded messages
  mq bench scenario mix.toml                    groups with different loads
  # TLS, with different credentials for each client
  mq bench --cafile ca.pem -i 'dev-{i}' -u 'user{i}' -P 'pw{i}'
  # 1000 SCRAM logins
  mq bench conn -c 1000 --auth-method SCRAM-SHA-256 --credentials users.csv
  # 1000 logins with a token
  mq bench conn -c 1000 --auth-method OAUTH2-JWT --auth-data-file token
  mq bench -c 20000 --check                     the limits of this machine
  # the second third of a run on three machines
  mq bench -c 60000 --shard 2/3 --start-at 2026-01-31T12:00:00Z --json 2.json
  mq bench merge 1.json 2.json 3.json           one report of three machines
  mq bench --html run.html --json run.json      a page with plots, and a report
  mq bench --fail-if 'p99>10ms, loss>0'         exit status for a CI job
  mq bench --baseline run.json --tolerance 20%  comparison with a report
  mq bench --search rate --until 'p99>50ms'     the highest sustained rate
  # metrics for Prometheus
  mq bench --duration 600 --metrics 127.0.0.1:9100

The metrics of --fail-if are p50, p90, p99, p99.9, any other percentile, min, mean and max of the main
latency of the run (end to end with subscribers, else to the acknowledgement), or of another one as in
connack.p99: tcp, tls, ws, connack, authenticate, authenticate_wait, ack, ack_planned, end_to_end,
end_to_end_planned, round_trip, round_trip_planned, resubscribed, lag. Their values are times (500us,
10ms, 2s).
Rates (5000/s, 5k/s): throughput, sent_rate, acknowledged_rate, received_rate, connect_rate. Counts,
most of them also as a percentage: loss, duplicates, reordered, denied, unacknowledged, late,
connect_failures, lost_connections, connected, sent, received, foreign, gap_lost, errors. Also cpu
(percent, of the busiest thread) and elapsed (a time).

Exit status: 0 when all messages were sent without a loss that violates the QoS, 1 when clients could
not connect, or the broker stopped responding or lost messages, 2 usage, 3 the broker rejected a
subscription or a message, 4 a condition of --fail-if held, the run was worse than the baseline or
--search found no rate, 5 the broker refused the connections, 7 connections were lost, 130 and 143
interrupted (the report is still written).")]
pub struct BenchArgs {
    /// Scenario: pubsub, conn, pub, sub, rr, reconnect or scenario; or merge
    #[arg(value_name = "SCENARIO", value_enum, default_value = "pubsub", hide_possible_values = true)]
    pub word: Word,
    /// Scenario file, or reports to merge
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Number of clients: publishers, or the clients of conn, sub or rr [default: 100]
    #[arg(short = 'c', long = "clients", value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=MOST_CLIENTS), help_heading = "Load")]
    pub clients: Option<u32>,
    /// Number of clients that publish [default: -c, or 1 with --topology fan-out]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=MOST_CLIENTS), help_heading = "Load")]
    pub publishers: Option<u32>,
    /// Number of clients that subscribe or respond; 0 for none [default: one per publisher, 100, or one per ten publishers]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=MOST_CLIENTS), help_heading = "Load")]
    pub subscribers: Option<u32>,
    /// Topology: pairs, fan-in (one subscriber), fan-out (one publisher) or mesh (all to all)
    #[arg(long, value_enum, hide_possible_values = true, conflicts_with = "topic", help_heading = "Load")]
    pub topology: Option<Topology>,
    /// QoS level of messages and subscriptions: 0, 1 or 2
    #[arg(short = 'q', long, default_value = "1", value_parser = values::qos, help_heading = "Load")]
    pub qos: Qos,
    /// QoS level of the subscriptions, if it differs from --qos
    #[arg(long, value_name = "QOS", value_parser = values::qos, help_heading = "Load")]
    pub subscription_qos: Option<Qos>,
    /// Payload size, such as 512 or 64KiB, or a range such as 64..1KiB; the header of measured messages takes 24 bytes, with --rate 32
    #[arg(short = 's', long = "size", value_name = "SIZE", default_value = "64", value_parser = values::sizes, conflicts_with_all = ["payload_file", "payload_template", "payload_recording"], help_heading = "Load")]
    pub size: values::Sizes,
    /// Read the payload from a file; with subscribers, it follows the header
    #[arg(short = 'f', long = "payload-file", value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["payload_template", "payload_recording"], help_heading = "Load")]
    pub payload_file: Option<PathBuf>,
    /// Send the payloads of messages that `mq sub --json` wrote to a file, in order; with subscribers, they follow the header
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "payload_template", help_heading = "Load")]
    pub payload_recording: Option<PathBuf>,
    /// Send each message of --payload-recording to its recorded topic; only with pub
    #[arg(long, action = ArgAction::SetTrue, requires = "payload_recording", conflicts_with = "topic", help_heading = "Load")]
    pub recorded_topics: bool,
    /// Payload template with {i}, {client}, {seq}, {ts}, {uuid} and {rand:0..100}. With subscribers, it follows the header
    #[arg(long, value_name = "TEXT", help_heading = "Load")]
    pub payload_template: Option<String>,
    /// Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100}. With sub, the topic filter [default: mq-bench/{run}/{s}/{i}]
    #[arg(short = 't', long, value_name = "TEMPLATE", help_heading = "Load")]
    pub topic: Option<String>,
    /// Retain the messages: the broker keeps the last one of each topic
    #[arg(short = 'r', long, action = ArgAction::SetTrue, help_heading = "Load")]
    pub retain: bool,
    /// Use one shared subscription for all subscribers; each message goes to one of them
    #[arg(long, value_name = "GROUP", help_heading = "Load")]
    pub share: Option<String>,
    /// Number of messages of all publishers together [default: 1000 each, from 10000 to 100000, and at least 10 each]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1 << 47), conflicts_with = "duration", help_heading = "Load")]
    pub messages: Option<u64>,
    /// Duration of the load, such as 30s or 2m [default: until --messages are sent; 10s with --rate, sub and reconnect]
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Load")]
    pub duration: Option<Duration>,
    /// Time that the clients of conn stay connected [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = "Load")]
    pub hold: Option<Duration>,
    /// Send messages for this time before the measurement; their losses count too
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = "Load")]
    pub warm_up: Option<Duration>,
    /// Messages per second of all publishers together, at planned times: 500, 5k, 1000/s, 30/min
    #[arg(long, value_name = "RATE", value_parser = value_parsers::rate, help_heading = "Load")]
    pub rate: Option<Rate>,
    /// Distribution of the sends of --rate: constant (equal intervals) or poisson (random)
    #[arg(long, value_name = "HOW", value_parser = value_parsers::arrivals, requires = "pace", help_heading = "Load")]
    pub arrivals: Option<Arrivals>,
    /// Number of messages that a publisher sends at a time, within --rate
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000), requires = "pace", help_heading = "Load")]
    pub burst: Option<u32>,
    /// Ramp --rate up from 0 in this time; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k
    #[arg(long, value_name = "DURATION|FROM..TO", value_parser = value_parsers::ramp, help_heading = "Load")]
    pub ramp: Option<Ramping>,
    /// Maximum of unacknowledged QoS 1 and 2 messages per publisher [default: 20]; with rr, of unanswered requests [default: 1]
    #[arg(long = "inflight", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Load")]
    pub in_flight: Option<u16>,
    /// Number of clients that start to connect per second [default: as many as the broker accepts]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Load")]
    pub connect_rate: Option<u32>,
    /// Keep the sessions of the subscribers of reconnect. MQTT 5 removes them after the run; with MQTT 3 they stay at the broker
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Load")]
    pub keep_sessions: bool,
    /// Number of threads for the clients [default: one per CPU]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Load")]
    pub threads: Option<u16>,
    /// Timeout without progress: connections, acknowledgements or deliveries
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::positive_duration, help_heading = "Load")]
    pub timeout: Duration,
    /// Number of processes for the clients, each with its own limit of open files [default: as many as needed]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Load")]
    pub processes: Option<u16>,
    /// Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`
    #[arg(long, value_name = "K/N", value_parser = values::shard, help_heading = "Several machines")]
    pub shard: Option<Shard>,
    /// Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s
    #[arg(long, value_name = "TIME", value_parser = values::start_time, help_heading = "Several machines")]
    pub start_at: Option<SystemTime>,
    /// Print the limits of this machine, whether the run fits, and how to raise each limit; without a run
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub check: bool,
    /// Start an embedded broker for this run, in its own process
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["host", "port", "url", "unix", "srv", "proxy"], help_heading = "Connection")]
    pub embedded: bool,
    /// Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Connection")]
    pub credentials: Option<PathBuf>,
    /// Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake
    #[arg(long, action = ArgAction::SetTrue, help_heading = "TLS")]
    pub tls_resume: bool,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Serve the leader on standard input.
    #[arg(long, action = ArgAction::SetTrue, hide = true)]
    pub worker: bool,
    /// Print the packets of the first client of each kind to standard error, without progress
    #[arg(short = 'd', long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub debug: bool,
    /// Suppress messages about failures at run time; the report and the exit status still show them
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub quiet: bool,
}

impl BenchArgs {
    /// Checks the options against each other, and makes a plan of them.
    ///
    /// # Errors
    /// If options conflict, or a file is invalid.
    pub fn plan(&self, run: RunId) -> Result<Plan, Error> {
        if self.word == Word::Merge {
            return Err(Error::Usage("merge reads reports, and plans no run".to_owned()));
        }
        self.check_service()?;
        self.check_start()?;
        self.check_search()?;
        let (mut groups, duration, warm_up) = match self.word {
            Word::Scenario => self.groups_of_file(run)?,
            _ => {
                let duration = self.duration();
                let group = self.spec().group(run, duration.is_some())?;
                (vec![group], duration, self.warm_up.unwrap_or_default())
            }
        };
        if let Some(shard) = self.shard {
            shard::cut(&mut groups, shard).map_err(|error| match error {
                ShardError::TooFew { .. } => Error::Usage(format!("--shard: {error}")),
                ShardError::SameTopics => {
                    Error::Usage(format!("--shard: {error}; add {{run}} or {{s}} to the topics"))
                }
            })?;
        }
        Plan::number_through(&mut groups);
        let volume = match duration {
            Some(duration) => Volume::Duration(duration),
            None => Volume::Messages(groups.iter().filter_map(|group| group.messages).sum()),
        };
        let clients = groups.iter().map(Group::clients).fold(0, u32::saturating_add);
        let mut plan = Plan {
            scenario: self.word.scenario(),
            broker: self.broker(clients)?,
            run,
            groups,
            volume,
            warm_up,
            connect_rate: self.part_of_connect_rate()?,
            threads: 1,
            processes: 1,
            start_at: self.start_at,
            timeout: self.timeout,
        };
        plan.threads = self.thread_count(plan.clients());
        self.check_identities(&plan)?;
        self.check_rules(&plan)?;
        Ok(plan)
    }

    /// The first messages per second of a search.
    pub fn first_rate(&self) -> f64 {
        self.rate.map_or(FIRST_RATE, Rate::as_per_second)
    }

    /// A plan at another rate, for a short run unless the user set a duration.
    ///
    /// # Errors
    /// As [`BenchArgs::plan`].
    pub fn plan_at(&self, rate: f64, run: RunId) -> Result<Plan, Error> {
        let mut args = self.clone();
        args.rate = Rate::per_second(rate);
        args.duration = self.duration.or(Some(SEARCH_DURATION));
        args.warm_up = self.warm_up.or(Some(SEARCH_WARM_UP));
        args.plan(run)
    }

    /// Only a load at planned times has a rate to search for.
    fn check_search(&self) -> Result<(), Error> {
        let publishes = !matches!(self.word, Word::Conn | Word::Sub | Word::Scenario);
        match self.report.search {
            Some(Searchable::Rate) if !publishes => Err(Error::Usage(format!(
                "--search rate does not go with {}, which has no --rate",
                self.word
            ))),
            Some(Searchable::Rate) if self.shard.is_some() || self.start_at.is_some() => {
                let text = "--search rate is for one machine: with --shard and --start-at, each machine would try different rates";
                Err(Error::Usage(text.to_owned()))
            }
            Some(Searchable::Rate) | None => Ok(()),
        }
    }

    fn spec(&self) -> GroupSpec {
        GroupSpec {
            name: String::new(),
            word: self.word,
            clients: self.clients,
            publishers: self.publishers,
            subscribers: self.subscribers,
            topology: self.topology,
            qos: self.qos,
            subscription_qos: self.subscription_qos,
            size: self.size,
            payload_file: self.payload_file.clone(),
            payload_recording: self.payload_recording.clone(),
            recorded_topics: self.recorded_topics,
            payload_template: self.payload_template.clone(),
            topic: self.topic.clone(),
            retain: self.retain,
            share: self.share.clone(),
            messages: self.messages,
            in_flight: self.in_flight,
            rate: self.rate,
            arrivals: self.arrivals.unwrap_or(Arrivals::Constant),
            burst: self.burst.unwrap_or(1),
            ramp: self.ramp,
            time: (self.warm_up.unwrap_or_default(), self.duration()),
        }
    }

    /// The duration of the load; `None` if a number of messages ends it.
    fn duration(&self) -> Option<Duration> {
        match self.word {
            Word::Conn => Some(self.hold.unwrap_or(DEFAULT_DURATION)),
            _ if self.duration.is_some() || self.messages.is_some() => self.duration,
            Word::Sub | Word::Reconnect => Some(DEFAULT_DURATION),
            _ => self.rate.map(|_| DEFAULT_DURATION).or(self.ramp.map(|_| DEFAULT_DURATION)),
        }
    }

    fn groups_of_file(&self, run: RunId) -> Result<(Vec<Group>, Option<Duration>, Duration), Error> {
        let [path] = self.files.as_slice() else {
            return Err(Error::Usage("scenario needs one file: mq bench scenario FILE.toml".to_owned()));
        };
        scenario_file::read(path, run)
    }

    /// Every thread has at least one client.
    fn thread_count(&self, clients: u32) -> usize {
        let wanted = match self.threads {
            Some(threads) => threads.into(),
            None => available_parallelism().map_or(1, usize::from),
        };
        wanted.min(clients as usize).max(1)
    }
}

impl Word {
    fn scenario(self) -> Scenario {
        match self {
            Word::Conn => Scenario::Connect,
            Word::Pub => Scenario::Publish,
            Word::Sub => Scenario::Subscribe,
            Word::Pubsub => Scenario::PublishSubscribe,
            Word::Rr => Scenario::RequestResponse,
            Word::Reconnect => Scenario::Reconnect,
            Word::Scenario | Word::Merge => Scenario::Mix,
        }
    }
}
