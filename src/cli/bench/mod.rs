//! The options of `mq bench`, and the plan that they result in.

mod credentials;
mod group;
pub(super) mod modes;
mod preset;
mod recording;
mod scenario_file;
mod way;
mod word;

use super::bench_report::{ReportArgs, Searchable};
use super::session::ClientArgs;
use super::values;
use crate::bench::plan::{Group, Plan, RunId, Scenario, Volume};
use crate::bench::schedule::{Arrivals, Rate};
use crate::bench::shard::{self, Shard};
use crate::error::Error;
use crate::protocol::Qos;
use clap::{ArgAction, ArgGroup, Args, ValueHint};
use group::GroupSpec;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};
use word::Ramping;
pub(super) use word::rate;
pub use word::{Topology, Word};

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
The first word chooses the scenario:
  pubsub     clients publish and clients subscribe: every message is accounted for (the default)
  conn       clients connect and stay
  pub        clients publish, and nobody of ours listens
  sub        clients listen to what others publish
  rr         clients ask and clients answer: the round trip
  reconnect  as pubsub, and in the middle all connections are dropped at once and made again
  scenario   groups of clients from a file
  merge      measures nothing, and makes one report of several that --json or --output json wrote

Publishers send as fast as the broker acknowledges, or with --rate at planned times whatever the broker
does; the latency then counts from the planned time too, so that a broker that stalls cannot hide it.
Subscribers check that every message arrives, once and in order. At QoS 0 messages are lost when all
were sent and none arrived for a second, or for three times the longest time that one took; at QoS 1
and 2 --timeout has to pass. The report goes to standard output.

In topics and payloads, {run} stands for the run, {client} for the publisher's client identifier and
{i} for its number. New for each message are {seq}, its number, {ts}, the time (RFC 3339; {ts:s},
{ts:ms}, {ts:us} and {ts:ns} since 1970), {uuid} and {rand:0..100}, a random number. In topics, {s} is
the number of the publisher's subscriber.

With --auth-method every client authenticates itself, again on each new connection. A token is read
once for all of them; for SCRAM each has its own user name and password. What it computes to prove its
password is part of what a user waits for, and counts in the clients accepted in a second. It is not the
broker's doing, so connack and --connect-timeout leave it out: authenticate is the processor time of
each proof, authenticate_wait how long clients of this machine waited for a processor besides. The same
password with the same salt is computed once in each process.

Examples:
  mq bench --embedded -c 1000       1000 publishers against a broker of its own
  mq bench -h test.example -c 500 -q 2     QoS 2 against another one
  mq bench --rate 5k --duration 30  5000 messages a second in all, planned
  mq bench --ramp 100..5k --duration 60    more and more of them
  mq bench -s 64..1024 --rate 100 --arrivals poisson --warm-up 5
  mq bench conn -c 20000 --hold 60  who stays connected for a minute
  mq bench --topology fan-out -c 500       one publisher, 500 subscribers
  mq bench --share workers --subscribers 8 they share the messages
  mq bench rr -c 50 -V 5            how long an answer takes
  mq bench reconnect -c 2000 --keep-sessions
  mq bench sub -c 10 -t 'sensors/#' --duration 60    what others send
  mq bench pub --payload-recording day.json          what was recorded
  mq bench scenario mix.toml        groups that do different things
  mq bench --cafile ca.pem -i 'dev-{i}' -u 'user{i}' -P 'pw{i}'
                                    TLS, and who each client is
  mq bench conn -c 1000 --auth-method SCRAM-SHA-256 --credentials users.csv
                                    a storm of logins that prove their passwords
  mq bench conn -c 1000 --auth-method OAUTH2-JWT --auth-data-file token
  mq bench -c 20000 --check         what this machine allows
  mq bench -c 60000 --shard 2/3 --start-at 2026-01-31T12:00:00Z --json 2.json
                                    a third, together with other machines
  mq bench merge 1.json 2.json 3.json      what they found together
  mq bench --html run.html --json run.json a page with plots, and a report
  mq bench --fail-if 'p99>10ms, loss>0'    for a CI job
  mq bench --baseline run.json --tolerance 20%       is it slower now?
  mq bench --search rate --until 'p99>50ms'          the highest rate
  mq bench --duration 600 --metrics 127.0.0.1:9100   for Prometheus

The metrics of --fail-if: p50, p90, p99, p99.9, any other percentile, min, mean and max of the
latency that the run is about (end to end with subscribers, else to the acknowledgement), or of
another one as in connack.p99: tcp, tls, ws, connack, authenticate, authenticate_wait, ack,
ack_planned, end_to_end, end_to_end_planned, round_trip, round_trip_planned, resubscribed, lag. In
times (500us, 10ms, 2s).
Rates (5000/s, 5k/s): throughput, sent_rate, acknowledged_rate, received_rate, connect_rate. Counts,
most of them also as a percentage: loss, duplicates, reordered, denied, unacknowledged, late,
connect_failures, lost_connections, connected, sent, received, foreign, gap_lost, errors. And cpu
(percent, of the busiest thread) and elapsed (a time).

Exit status: 0 when everything was sent and nothing lost that the QoS promises, 1 when clients could
not connect, or the broker stopped answering or lost messages, 2 usage, 3 the broker denied a
subscription or a message, 4 a condition of --fail-if held, the run was worse than the baseline or
--search found no rate, 5 it refused the connections, 7 connections were lost, 130 and 143 interrupted
(the report still comes).")]
pub struct BenchArgs {
    /// What is measured: pubsub, conn, pub, sub, rr, reconnect or scenario; or merge
    #[arg(value_name = "SCENARIO", value_enum, default_value = "pubsub", hide_possible_values = true)]
    pub word: Word,
    /// The file of the scenario, or the reports to merge
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// How many clients there are: publishers, or what the scenario is about [default: 100]
    #[arg(short = 'c', long = "clients", value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=MOST_CLIENTS), help_heading = "Load")]
    pub clients: Option<u32>,
    /// How many clients publish [default: -c, or 1 with --topology fan-out]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=MOST_CLIENTS), help_heading = "Load")]
    pub publishers: Option<u32>,
    /// How many clients subscribe, or answer; 0 for none [default: as many as publish, or 100, or one for every ten]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=MOST_CLIENTS), help_heading = "Load")]
    pub subscribers: Option<u32>,
    /// Who receives what: pairs, fan-in (one subscriber), fan-out (one publisher) or mesh (everybody everything)
    #[arg(long, value_enum, hide_possible_values = true, conflicts_with = "topic", help_heading = "Load")]
    pub topology: Option<Topology>,
    /// The QoS of publishing and subscribing: 0, 1 or 2
    #[arg(short = 'q', long, default_value = "1", value_parser = values::qos, help_heading = "Load")]
    pub qos: Qos,
    /// The QoS of the subscriptions, where it is another one
    #[arg(long, value_name = "QOS", value_parser = values::qos, help_heading = "Load")]
    pub subscription_qos: Option<Qos>,
    /// The payload's bytes, or from how many to how many, as in 64..1024; the stamp of measured messages takes 24, with --rate 32
    #[arg(short = 's', long = "size", value_name = "BYTES", default_value = "64", value_parser = values::sizes, conflicts_with_all = ["payload_file", "payload_template", "payload_recording"], help_heading = "Load")]
    pub size: values::Sizes,
    /// The payload from a file, behind the stamp if there are subscribers
    #[arg(short = 'f', long = "payload-file", value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["payload_template", "payload_recording"], help_heading = "Load")]
    pub payload_file: Option<PathBuf>,
    /// The payloads of messages that `mq sub --json` wrote to a file, one after the other, behind the stamp if there are subscribers
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "payload_template", help_heading = "Load")]
    pub payload_recording: Option<PathBuf>,
    /// Send each message of --payload-recording to the topic that it was recorded with; only with pub
    #[arg(long, action = ArgAction::SetTrue, requires = "payload_recording", conflicts_with = "topic", help_heading = "Load")]
    pub recorded_topics: bool,
    /// Payload template with {i}, {client}, {seq}, {ts}, {uuid} and {rand:0..100}, behind the stamp if there are subscribers
    #[arg(long, value_name = "TEXT", help_heading = "Load")]
    pub payload_template: Option<String>,
    /// Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100}; with sub the filter [default: mq-bench/{run}/{s}/{i}]
    #[arg(short = 't', long, value_name = "TEMPLATE", help_heading = "Load")]
    pub topic: Option<String>,
    /// Let the broker keep the last message of each topic
    #[arg(short = 'r', long, action = ArgAction::SetTrue, help_heading = "Load")]
    pub retain: bool,
    /// Let all subscribers share one subscription, so that each message goes to one of them
    #[arg(long, value_name = "GROUP", help_heading = "Load")]
    pub share: Option<String>,
    /// How many messages all publishers send together [default: 1000 each, from 10000 to 100000, and at least 10 each]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1 << 47), conflicts_with = "duration", help_heading = "Load")]
    pub messages: Option<u64>,
    /// How long they send [default: until --messages are sent; 10 with --rate, sub and reconnect]
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, help_heading = "Load")]
    pub duration: Option<Duration>,
    /// How long the clients of conn stay connected [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, help_heading = "Load")]
    pub hold: Option<Duration>,
    /// How long messages are sent before they are measured; they count for losses all the same
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds, help_heading = "Load")]
    pub warm_up: Option<Duration>,
    /// How many messages all publishers send in a second, at planned times: 500, 5k, 1000/s, 30/min
    #[arg(long, value_name = "RATE", value_parser = word::rate, help_heading = "Load")]
    pub rate: Option<Rate>,
    /// How the sends of --rate are spread: constant (at equal distances) or poisson (at random)
    #[arg(long, value_name = "HOW", value_parser = word::arrivals, requires = "pace", help_heading = "Load")]
    pub arrivals: Option<Arrivals>,
    /// How many messages a publisher sends at a time, within --rate
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000), requires = "pace", help_heading = "Load")]
    pub burst: Option<u32>,
    /// How long --rate takes to grow from 0; or instead of --rate, from which rate to which it goes over --duration, as in 100..5k
    #[arg(long, value_name = "SECONDS|FROM..TO", value_parser = word::ramp, help_heading = "Load")]
    pub ramp: Option<Ramping>,
    /// How many messages of QoS 1 and 2 each publisher keeps unacknowledged [default: 20]; with rr, how many requests unanswered [default: 1]
    #[arg(long = "inflight", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Load")]
    pub in_flight: Option<u16>,
    /// How many clients begin to connect in a second [default: as many as the broker takes]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Load")]
    pub connect_rate: Option<u32>,
    /// Let subscribers of reconnect keep their sessions while they are away. MQTT 5 removes them after the run; under MQTT 3 they stay at the broker
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Load")]
    pub keep_sessions: bool,
    /// How many threads the clients share [default: one for each processor]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Load")]
    pub threads: Option<u16>,
    /// How long to wait while nothing moves: connections, acknowledgements, or messages on their way
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = values::positive_seconds, help_heading = "Load")]
    pub timeout: Duration,
    /// How many processes the clients share, each with a limit of open files of its own [default: as many as they need]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Load")]
    pub processes: Option<u16>,
    /// Take the part K of N of clients, topics, rates and messages, as in 2/3; `mq bench merge` adds the reports up
    #[arg(long, value_name = "K/N", value_parser = values::shard, help_heading = "Several machines")]
    pub shard: Option<Shard>,
    /// Begin to send at this time, with all clients connected: 2026-01-31T12:00:00Z, seconds since 1970, or +SECONDS
    #[arg(long, value_name = "TIME", value_parser = values::start_time, help_heading = "Several machines")]
    pub start_at: Option<SystemTime>,
    /// Measure nothing: print what this machine allows, whether the run fits, and what would lift each limit
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub check: bool,
    /// Measure against a broker of our own, started for this run in a process of its own
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["host", "port", "url", "unix", "srv", "proxy"], help_heading = "Connection")]
    pub embedded: bool,
    /// A CSV file with a row for each client; its first line names the columns: client_id, username, password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Connection")]
    pub credentials: Option<PathBuf>,
    /// Let clients that come back resume their TLS session; otherwise every connection makes the whole handshake
    #[arg(long, action = ArgAction::SetTrue, help_heading = "TLS")]
    pub tls_resume: bool,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Serve the leader on standard input.
    #[arg(long, action = ArgAction::SetTrue, hide = true)]
    pub worker: bool,
    /// Show every packet of the first client of each kind on standard error, in the place of the progress
    #[arg(short = 'd', long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub debug: bool,
    /// Keep quiet about failures at run time; the report and the exit status still tell
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
            shard::cut(&mut groups, shard)?;
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
            patience: self.timeout,
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
                let text = "--search rate is for one machine: with --shard and --start-at, each would try other rates than the others";
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
