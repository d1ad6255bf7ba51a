//! The results of a run, computed once, and the formats of its report.
//!
//! A [`Report`] is plain data. `json` writes and reads it without loss, `merge` merges several into one, and all other modules
//! only render it.

mod broker_side;
mod brokers;
mod checks;
mod csv;
mod differences;
mod drawing;
mod format;
mod group;
mod group_part;
mod hdr;
mod html;
mod json;
mod junit;
mod load;
mod machine;
mod markdown;
mod merge;
pub(super) mod metrics;
mod planned_load;
pub(crate) mod prometheus;
pub(crate) mod repeat;
mod running;
mod search;
mod self_check;
mod sentence;
mod setup;
mod text;
mod value;
mod verdict;
mod worker_faults;

use super::broker_watch::BrokerSide;
use super::ending::{Ending, Step};
use super::plan::{self, Plan, Scenario, Volume};
use super::rate_course::RateCourse;
pub(crate) use super::record::LatencyKind;
use super::record::{
    Account, Datagrams, Errors, GroupRecord, Latencies, NOT_CONNECTED_YET, Outcome, Record, Span, Stage,
    Summary, TlsCount, TlsCounts, WorkerFault,
};
use super::timeline::{Coarse, Timeline};
use crate::protocol::{Qos, Version};
use crate::words::counted;
pub(crate) use brokers::{BrokerPart, Deliveries};
pub(crate) use differences::Differences;
pub(crate) use format::{COLUMNS, INDENT, cells_and_words, duration, folded, name_cell, rate};
pub(crate) use group::{Group, GroupMeasurements};
pub(crate) use html::{ComparisonPage, Part, Trend, live_page};
use jiff::Timestamp;
pub(crate) use json::{JsonError, scenario_word};
pub(crate) use load::{Load, of_stages};
use machine::Machine;
pub(crate) use merge::MergeError;
pub(crate) use repeat::Repeat;
pub(crate) use running::RunningReport;
pub(crate) use search::{Found, SearchStep, Searched};
pub(crate) use self_check::{Finding, Limit, SelfMeasurements};
pub(crate) use setup::{RecordedCommand, RecordedFile, Setup};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
pub(crate) use text::Charset;
pub(crate) use value::{Figure, Unit};
pub(crate) use verdict::{Judgement, Rule, Verdict};

/// The start of errors about a process of the embedded broker.
const EMBEDDED_BROKER: &str = "the embedded broker";

/// The protocol of clients of a gateway.
const MQTT_SN: &str = "MQTT-SN 1.2";

/// A shorter time than this has no meaningful rate and no meaningful CPU usage. A load of one second spans a little less, from
/// its first message to its last one.
const LONG_ENOUGH: Duration = Duration::from_millis(950);

/// The results of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// The name and version of the program.
    pub tool: String,
    /// The start of the run.
    pub started_at: Timestamp,
    /// The planned load.
    pub plan: Planned,
    /// The options that repeat the run, and the broker's limits and version.
    pub setup: Setup,
    /// The clients by group; at least one group.
    pub groups: Vec<Group>,
    /// The clients by broker; empty if there is only one.
    pub brokers: Vec<BrokerPart>,
    /// The machines that took part.
    pub hosts: Vec<Host>,
    /// How the run ended.
    pub ending: Ending,
    /// Whether the drain was interrupted: messages that count as lost may only have been late.
    pub is_drain_cut: bool,
    /// The time from the first connect to the last disconnect.
    pub elapsed: Duration,
    /// The start of each step, in nanoseconds since the start of the run.
    pub phases: Vec<(Step, u64)>,
    /// Clients that the broker accepted, from the first client's first step to the last CONNACK.
    pub connects: Flow,
    /// Clients that the broker refused, or that refused a broker without a valid proof; included in [`Report::not_connected`].
    pub refused: u64,
    /// Clients that lost their connection, and did not make it again.
    pub connections_lost: u64,
    /// The accepted connections with TLS, by its algorithms.
    pub tls: TlsCounts,
    /// The datagrams to and from an MQTT-SN gateway; `None` for brokers.
    pub datagrams: Option<Datagrams>,
    /// Lost or dropped connections that were made again.
    pub reconnects: u64,
    /// Subscriptions that the broker granted.
    pub subscribed: u64,
    /// Subscribers that stayed connected to the end; losses of the others cannot be judged.
    pub subscribers_to_the_end: u64,
    /// Messages sent.
    pub sent: Flow,
    /// Messages acknowledged; none at QoS 0.
    pub acknowledged: Flow,
    /// Acknowledged messages for which the broker had no matching subscribers; `None` if they were not counted, as before MQTT 5.0.
    pub unmatched: Option<u64>,
    /// Messages received, each counted once.
    pub received: Flow,
    /// Messages sent against messages received.
    pub account: Account,
    /// Messages received again.
    pub duplicates: u64,
    /// Messages received after one that was sent later.
    pub reordered: u64,
    /// Messages received that did not belong to this run.
    pub foreign: u64,
    /// Messages sent more than a millisecond after their planned time.
    pub late: u64,
    /// Late messages that did not wait for the broker: the load generator itself was late. `None` if they were not counted.
    pub late_by_us: Option<u64>,
    /// The number of sends that waited for the broker to read.
    pub blocked_sends: u64,
    /// The CPU time of all threads.
    pub cpu: Duration,
    /// The CPU usage of the busiest thread during the measurement; `None` if it was not measured.
    pub busiest_thread_percent: Option<f64>,
    /// The latencies that were measured.
    pub latencies: BTreeMap<LatencyKind, Latencies>,
    /// The counts and latencies over time.
    pub timeline: Timeline,
    /// The errors of the run.
    pub errors: Errors,
    /// The worker processes that failed, whose clients are not measured.
    pub worker_faults: Vec<WorkerFault>,
    /// The broker's own counters.
    pub broker_side: Option<BrokerSide>,
    /// The search that the run was a part of.
    pub search: Option<Searched>,
    /// All runs, if the load was repeated; the rest of the report is that of one of them.
    pub repeat: Option<Repeat>,
    /// The conditions of the user, judged. The report's own conditions follow from its figures.
    pub conditions: Vec<Verdict>,
}

/// The parts of a plan that belong in a report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    /// The broker's address.
    pub broker: String,
    pub scenario: Scenario,
    /// The MQTT version.
    pub version: Version,
    /// The number of processes that run the threads; 1 for the leader alone.
    pub processes: u64,
    /// The number of worker threads in all processes.
    pub threads: u64,
    pub clients: u64,
    /// The number of clients that publish.
    pub publishers: u64,
    /// The number of clients that subscribe.
    pub subscribers: u64,
    /// The number of clients by which the run is judged: subscribers, or clients that wait for responses.
    pub receivers: u64,
    /// The size of the longest payload, in bytes.
    pub payload_size: u64,
    /// The number of messages, or the duration.
    pub volume: Volume,
    /// How long messages are sent before the measurement.
    pub warm_up: Duration,
    /// The planned messages per second; `None` for as many as the broker accepts.
    pub rate: Option<f64>,
    /// The planned messages per second over time; `None` if a group sends as fast as it can, or an earlier version did not record it.
    pub rate_course: Option<RateCourse>,
    /// The number of clients that start to connect per second; `None` for as many as the broker accepts.
    pub connect_rate: Option<u32>,
    /// The other settings of the load; `None` if an earlier version did not record them.
    pub load: Option<Load>,
}

/// A machine that took part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// The operating system and the CPU architecture.
    pub system: String,
    /// The number of CPUs that the process may use.
    pub cpus: u64,
    /// The limit of open files of the process; `None` for no limit.
    pub open_files: Option<u64>,
    /// The hardware and the kernel; `None` if an earlier version did not record them.
    pub machine: Option<Machine>,
}

impl Host {
    /// This machine.
    pub(crate) fn this() -> Host {
        Host {
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cpus: std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64),
            open_files: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
            machine: Some(Machine::this()),
        }
    }
}

/// A count of events, and the time span in which they occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flow {
    /// The number of events.
    pub count: u64,
    /// From the first send to the last of the events, in nanoseconds since the start of the run; `None` without events.
    pub span: Option<(u64, u64)>,
}

impl Flow {
    fn new(count: u64, start: Option<u64>, span: Span) -> Flow {
        Flow { count, span: start.zip(span.last()).filter(|_| count > 0) }
    }

    /// The length of the span; `None` without events.
    pub(crate) fn time(self) -> Option<Duration> {
        self.span.map(|(start, end)| Duration::from_nanos(end.saturating_sub(start)))
    }

    /// The events per second.
    pub(crate) fn rate(self) -> Option<f64> {
        self.time().filter(|time| !time.is_zero()).map(|time| self.count as f64 / time.as_secs_f64())
    }

    /// The messages sent per second. The span begins and ends with one of them, so the intervals count, which are one fewer: a planned
    /// rate is one of intervals.
    pub(crate) fn sent_rate(self) -> Option<f64> {
        let time = self.time().filter(|time| !time.is_zero())?;
        Some(self.count.saturating_sub(1) as f64 / time.as_secs_f64())
    }

    /// Whether the time is long enough for a rate.
    pub(crate) fn is_long_enough(self) -> bool {
        self.time().is_some_and(|time| time >= LONG_ENOUGH)
    }
}

/// The facts about a run besides its plan and its measurements.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances {
    /// The address of each broker.
    pub brokers: Vec<String>,
    /// The start of the run.
    pub started_at: Timestamp,
    /// How the run ended.
    pub ending: Ending,
    /// Whether the drain was interrupted.
    pub is_drain_cut: bool,
    /// The time from the first connect to the last disconnect.
    pub elapsed: Duration,
    /// The start of each step, in nanoseconds since the start of the run.
    pub phases: Vec<(Step, u64)>,
}

impl Report {
    /// Builds the report from the measurements.
    pub(crate) fn new(plan: &Plan, circumstances: Circumstances, mut record: Record) -> Report {
        record.add_missing_groups(plan.groups.len());
        count_unanswered(plan, &mut record);
        let account = record.account(plan);
        let latencies_of_groups = record.take_group_latencies();
        let mut groups = groups(plan, &record);
        if groups.len() > 1 {
            let measured = latencies_of_groups.into_iter().zip(&record.of_groups);
            let planned = groups.iter_mut().zip(&plan.groups);
            planned.zip(measured).for_each(|((group, planned), (latencies, record))| {
                group.add_measurements(latencies, record, plan.counts_unmatched(planned));
            });
        }
        let Circumstances { brokers, started_at, ending, is_drain_cut, elapsed, phases } = circumstances;
        let parts = brokers::parts(plan, &brokers, &mut record);
        let begin = record.sending.first().or(record.receiving.first());
        // The time between the first group and the last one is not spent on connecting.
        let accepting = if plan.has_late_groups() { Span::default() } else { record.accepting };
        Report {
            tool: format!("mq {}", env!("CARGO_PKG_VERSION")),
            started_at,
            plan: Planned::new(plan, brokers.join(", ")),
            setup: Setup::new(plan, record.limits.take()),
            groups,
            brokers: parts,
            hosts: vec![Host::this()],
            ending,
            is_drain_cut,
            elapsed,
            phases,
            connects: Flow::new(record.connected, accepting.first(), accepting),
            refused: record.refused,
            connections_lost: record.connections_lost,
            tls: std::mem::take(&mut record.tls),
            datagrams: plan.broker.is_gateway().then(|| record.datagrams.unwrap_or_default()),
            reconnects: record.of_groups.iter().map(|group| group.reconnected).sum(),
            subscribed: record.subscribed,
            subscribers_to_the_end: record.receivers_to_the_end(plan),
            sent: Flow::new(account.sent - account.before_measuring, begin, record.sending),
            acknowledged: Flow::new(
                record.acknowledgements - record.warm_up.acknowledged,
                begin,
                record.acknowledging,
            ),
            unmatched: plan
                .groups
                .iter()
                .any(|group| plan.counts_unmatched(group))
                .then_some(record.unmatched),
            received: Flow::new(record.deliveries - record.warm_up.received, begin, record.receiving),
            account,
            duplicates: record.duplicates,
            reordered: record.reordered,
            foreign: record.foreign,
            late: record.late,
            late_by_us: Some(record.late_by_us),
            blocked_sends: record.blocked_sends,
            cpu: record.cpu,
            busiest_thread_percent: percent(record.busiest_thread),
            timeline: std::mem::take(&mut record.timeline),
            errors: std::mem::take(&mut record.errors),
            worker_faults: std::mem::take(&mut record.worker_faults),
            latencies: record.latencies.into_measured(),
            broker_side: None,
            search: None,
            repeat: None,
            conditions: Vec::new(),
        }
    }

    /// Adds the end of a front process of the embedded broker, whose clients count as those that lost their connection, or that it did
    /// not respond.
    pub(crate) fn note_front_fault(&mut self, fault: &str) {
        self.errors.add(Stage::Run, format!("{EMBEDDED_BROKER}'s {fault}"), 1);
    }

    /// The negotiated algorithms of TLS, each combination with its number of connections.
    fn tls_rows(&self) -> Vec<String> {
        let rows = self.tls.by_count().into_iter();
        rows.map(|one| format!("{} with {}", counted(one.count, "connection"), one.words())).collect()
    }

    /// Adds the end of the embedded broker's process during the run.
    pub(crate) fn note_broker_end(&mut self, end: &str) {
        self.errors.add(Stage::Run, format!("{EMBEDDED_BROKER}'s {end}"), 1);
    }

    /// The processes of the embedded broker that ended or did not respond, which explain the errors of their clients.
    pub(crate) fn embedded_fault(&self) -> Option<String> {
        let all = self.errors.by_count().into_iter().map(|(_, text, _)| text);
        let mut faults = all.filter(|text| text.starts_with(EMBEDDED_BROKER));
        let first = faults.next()?;
        Some(match faults.count() {
            0 => first.to_owned(),
            more => format!("{first} (and {more} more)"),
        })
    }

    /// The number of planned clients.
    pub(crate) fn clients(&self) -> u64 {
        self.plan.clients
    }

    /// The number of clients that did not connect, without those whose worker process failed before.
    pub(crate) fn not_connected(&self) -> u64 {
        self.clients_due().saturating_sub(self.connects.count).saturating_sub(self.abandoned_early())
    }

    /// The number of planned clients, without those of groups whose start came after the end of the run.
    pub(crate) fn clients_due(&self) -> u64 {
        self.clients().saturating_sub(self.not_started())
    }

    /// The number of clients of groups whose start came after the end of the run.
    pub(crate) fn not_started(&self) -> u64 {
        self.groups.iter().map(|group| group.not_started).fold(0, u64::saturating_add)
    }

    /// The groups whose QoS guarantee was violated.
    pub(crate) fn qos_violations(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.violates_qos() && !self.is_drain_cut)
    }

    #[cfg(test)]
    pub(crate) fn violates_qos(&self) -> bool {
        self.qos_violations().next().is_some()
    }

    /// The first violation of a QoS guarantee as text.
    pub(crate) fn describe_violation(&self) -> Option<String> {
        let group = self.qos_violations().next()?;
        let qos = group.delivery_qos();
        Some(match self.brokers.len() {
            0 | 1 if self.datagrams.is_some() => {
                format!("the gateway or the broker behind it violated the guarantee of QoS {qos}")
            }
            0 | 1 => format!("the broker violated the guarantee of QoS {qos}"),
            _ => format!(
                "the brokers violated the guarantee of QoS {qos}, or do not forward messages to each other"
            ),
        })
    }

    /// The granted and the requested QoS as text, if the broker granted a lower one.
    pub(crate) fn lowered_qos(&self) -> Option<String> {
        let (granted, asked) = self.groups.iter().find_map(Group::lowered_qos)?;
        let peer = self.peer();
        Some(format!("the {peer} granted QoS {granted} instead of QoS {asked}; measured at QoS {granted}"))
    }

    /// The shared subscription that the broker granted without delivering to it, if any.
    pub(crate) fn unshared(&self) -> Option<&str> {
        let is_unshared = |group: &&Group| {
            let account = group.outcome.account;
            group.share.is_some() && account.owed > 0 && account.lost == account.owed
        };
        self.groups.iter().find(is_unshared)?.share.as_deref().filter(|_| !self.is_drain_cut)
    }

    /// The ending, unless the run was complete.
    fn describe_ending(&self) -> Option<Cow<'static, str>> {
        if let Some(abort) = self.abort() {
            return Some(format!("ended early, since {} held", abort.condition).into());
        }
        if let Some(words) = self.abandoned_ending() {
            return Some(Cow::Borrowed(words));
        }
        if let Ending::Stalled(step) = self.ending {
            return Some(self.describe_stall(step));
        }
        Some(Cow::Borrowed(match self.ending {
            Ending::Complete | Ending::Stalled(_) => return None,
            Ending::Interrupted => "interrupted; the report covers the time until then",
            Ending::NotConnected if self.connects.count == 0 => "no client could connect",
            Ending::NotConnected => "no publisher could connect",
            Ending::AllLost if self.connections_lost == 0 => "no client could continue",
            Ending::AllLost => "all clients lost their connections",
        }))
    }

    /// The step in which nothing made progress.
    fn describe_stall(&self, step: Step) -> Cow<'static, str> {
        let peer = self.peer();
        match step {
            Step::Connect => format!("timeout: the {peer} accepted no more clients").into(),
            Step::Subscribe => format!("timeout: the {peer} did not answer every SUBSCRIBE").into(),
            Step::Reconnect => "timeout: not every client reconnected".into(),
            Step::Wait | Step::WarmUp | Step::Measure | Step::CatchUp | Step::Drain | Step::Hold => {
                format!("timeout: the {peer} stopped reading or acknowledging messages").into()
            }
        }
    }

    /// The number of clients that send without a connection.
    fn unconnected(&self) -> u64 {
        let groups = self.groups.iter().filter(|group| group.is_unconnected());
        groups.map(|group| group.publishers).fold(0, u64::saturating_add)
    }

    /// The peer of the clients.
    pub(crate) fn peer(&self) -> &'static str {
        if self.datagrams.is_some() { "gateway" } else { "broker" }
    }

    /// The protocol between the clients and their peer.
    fn protocol(&self) -> String {
        if self.datagrams.is_some() { MQTT_SN.to_owned() } else { self.plan.version.to_string() }
    }

    /// The datagrams of MQTT-SN in words: a name and a text for each row.
    fn datagram_rows(&self) -> Vec<(&'static str, String)> {
        // They are not known during a run.
        let datagrams = self.datagrams.filter(|datagrams| *datagrams != Datagrams::default());
        let Some(datagrams) = datagrams else { return Vec::new() };
        let Datagrams {
            sent,
            received,
            retries,
            unanswered,
            congestion,
            retries_of_gateway,
            malformed,
            dropped,
            dropped_by_gateway,
        } = datagrams;
        let gateway_retries = format!("{retries_of_gateway} by the gateway");
        let rows = [
            ("datagrams", true, format!("{sent} sent, {received} received")),
            (
                "retries",
                true,
                format!("{} sent again by clients, {gateway_retries}", counted(retries, "message")),
            ),
            (
                "unanswered",
                unanswered > 0,
                format!("{} given up after all retries", counted(unanswered, "message")),
            ),
            (
                "congestion",
                congestion > 0,
                format!("{} of the gateway", counted(congestion, "congestion answer")),
            ),
            ("malformed", malformed > 0, format!("{} ignored", counted(malformed, "invalid datagram"))),
            (
                "dropped",
                dropped > 0,
                format!("{} by full buffers of the clients", counted(dropped, "datagram")),
            ),
            (
                "dropped",
                dropped_by_gateway.is_some_and(|dropped| dropped > 0),
                format!(
                    "{} by the full receive buffer of the gateway",
                    counted(dropped_by_gateway.unwrap_or_default(), "datagram")
                ),
            ),
        ];
        rows.into_iter().filter(|(_, is_shown, _)| *is_shown).map(|(name, _, words)| (name, words)).collect()
    }

    /// The number of worker threads, and of processes if there are several.
    fn workers(&self) -> String {
        let threads = counted(self.plan.threads, "thread");
        match self.plan.processes {
            0 | 1 => threads,
            processes => format!("{threads} in {processes} processes"),
        }
    }

    /// The planned duration of the load, if a time ends it.
    fn for_a_time(&self) -> String {
        group::for_a_time(self.plan.volume)
    }

    /// The broker, the MQTT version and the settings of all connections.
    fn place(&self) -> String {
        let plan = &self.plan;
        let words = plan.load.as_ref().map(Load::words).filter(|words| !words.is_empty());
        let words = words.map(|words| format!(", {words}")).unwrap_or_default();
        let pace = plan.connect_rate.map(|rate| format!(", {rate} connects per second")).unwrap_or_default();
        format!("{}, {}{words}{pace}", plan.broker, self.protocol())
    }

    /// The warm-up; empty without one.
    fn warm_up(&self) -> String {
        match self.plan.warm_up {
            Duration::ZERO => String::new(),
            time => format!(", after {} s of warm-up", time.as_secs_f64()),
        }
    }

    fn load_of(&self, group: &Group, for_a_time: &str) -> String {
        group.load(for_a_time) + &self.warm_up()
    }

    /// Whether there are several groups.
    fn is_mix(&self) -> bool {
        self.groups.len() > 1
    }

    /// The QoS of all messages that are acknowledged one by one; `None` if there are several.
    fn acknowledged_qos(&self) -> Option<Qos> {
        group::only_one(&self.acknowledged_levels())
    }

    /// The QoS levels of the messages that are acknowledged one by one.
    fn acknowledged_levels(&self) -> BTreeSet<Qos> {
        self.groups.iter().flat_map(Group::acknowledged_levels).collect()
    }

    /// Whether any deliveries were owed, so that a loss could be detected.
    pub(crate) fn is_delivery_judged(&self) -> bool {
        self.subscribers_to_the_end > 0 && self.account.owed > 0
    }

    /// The subscribers by which the deliveries were judged, if some did not stay to the end: their losses are unknown.
    fn partly_judged(&self) -> Option<String> {
        let (due, stayed) = (self.receivers_due(), self.subscribers_to_the_end);
        let gone = due.checked_sub(stayed).filter(|gone| *gone > 0)?;
        let others = if gone == 1 { "one is".to_owned() } else { format!("{gone} are") };
        Some(format!("at {stayed} of {due} subscribers; losses of the other {others} unknown"))
    }

    /// The clients by which the run is judged, without those of groups whose start came after the end of the run.
    fn receivers_due(&self) -> u64 {
        let never_began = self.groups.iter().filter(|group| group.not_started == group.clients());
        let receivers = never_began.filter(|group| group.not_started > 0).map(Group::receivers);
        self.plan.receivers.saturating_sub(receivers.fold(0, u64::saturating_add))
    }

    /// Whether subscribers receive messages of other publishers, by topic filter.
    fn has_listeners(&self) -> bool {
        self.groups.iter().any(|group| group.listens_to.is_some())
    }

    /// The main count of the run: messages received, else acknowledged, else sent.
    pub(crate) fn throughput(&self) -> Flow {
        // With messages of QoS 0 among others, the acknowledged ones are only a part.
        let answered = self.acknowledged.count + self.account.unacknowledged + self.account.rejected;
        let acknowledged = Some(self.acknowledged).filter(|_| answered >= self.sent.count);
        let flows = [Some(self.received), acknowledged, Some(self.sent)];
        flows.into_iter().flatten().find(|flow| flow.count > 0).unwrap_or_default()
    }

    /// The messages per second of the main count.
    pub(crate) fn throughput_rate(&self) -> Option<f64> {
        let flow = self.throughput();
        if flow == self.sent { flow.sent_rate() } else { flow.rate() }
    }

    /// The main latency of the run: that of messages, from the planned time if there was one.
    pub(crate) fn main_latency(&self) -> Option<LatencyKind> {
        let ranked = self.latencies.keys().filter_map(|kind| Some((kind.rank()?, *kind)));
        ranked.min().map(|(_, kind)| kind)
    }

    /// The main latency in the last part of the measurement, of this length; `None` if the measurement was shorter.
    pub(in crate::bench) fn last_latency(&self, length: Duration) -> Option<Coarse> {
        let length = u64::try_from(length.as_nanos()).ok()?;
        let position = self.phases.iter().rposition(|(step, _)| *step == Step::Measure)?;
        let (_, begin) = self.phases.get(position)?;
        let (_, end) = self.phases.get(position + 1)?;
        let from = end.checked_sub(length).filter(|from| from >= begin)?;
        Some(self.timeline.latency_between(from, *end))
    }

    /// The percentiles of a latency; `None` if it was not measured.
    pub(crate) fn summary(&self, kind: LatencyKind) -> Option<Summary> {
        self.latencies.get(&kind)?.summary()
    }

    /// Whether latencies were measured by group.
    fn has_group_latencies(&self) -> bool {
        self.groups.iter().any(|group| !group.latencies.is_empty())
    }

    /// The latencies that get a row: those from the planned time only if they differ from those from the actual time.
    fn latency_rows(&self) -> Vec<(LatencyKind, Summary)> {
        let rows = LatencyKind::ALL.into_iter().filter_map(|kind| Some((kind, self.summary(kind)?)));
        rows.filter(|(kind, row)| {
            kind.real().and_then(|real| self.summary(real)).is_none_or(|real| differs(row, &real))
        })
        .collect()
    }
}

impl Planned {
    fn new(plan: &Plan, broker: String) -> Planned {
        Planned {
            broker,
            scenario: plan.scenario,
            version: plan.broker.version,
            processes: plan.processes as u64,
            threads: plan.threads as u64,
            clients: plan.clients().into(),
            publishers: plan.publishers().into(),
            subscribers: plan.subscribers().into(),
            receivers: plan
                .groups
                .iter()
                .filter(|group| group.filter.is_none())
                .map(|group| u64::from(group.receivers()))
                .sum(),
            payload_size: plan
                .groups
                .iter()
                .map(|group| plan.payload_sizes(group).1 as u64)
                .max()
                .unwrap_or_default(),
            volume: plan.volume,
            warm_up: plan.warm_up,
            rate: planned_rate(plan),
            rate_course: plan.rate_course(),
            connect_rate: plan.connect_rate,
            load: Some(Load::of_plan(plan)),
        }
    }
}

/// The groups of a plan. Counts without a group belong to the only group, if there is just one.
fn groups(plan: &Plan, record: &Record) -> Vec<Group> {
    let group = |(group, index): (&plan::Group, usize)| Group {
        not_started: not_started(group, record.of_groups.get(index)),
        ..Group::new(plan, group, record)
    };
    let mut groups: Vec<_> = plan.groups.iter().zip(0..).map(group).collect();
    if let [only] = groups.as_mut_slice() {
        only.outcome = Outcome { duplicates: record.duplicates, reordered: record.reordered, ..only.outcome };
    }
    groups
}

/// The number of clients of a group whose time had not come when the run ended.
fn not_started(group: &plan::Group, record: Option<&GroupRecord>) -> u64 {
    let started = record.map_or(0, |record| record.late_starts);
    if group.is_late() { u64::from(group.clients()).saturating_sub(started) } else { 0 }
}

/// The sum of the rates of all groups.
fn planned_rate(plan: &Plan) -> Option<f64> {
    plan.groups.iter().filter_map(plan::Group::planned_rate).reduce(|all, rate| all + rate)
}

/// Records an error for the clients that did not get a response before the end.
fn count_unanswered(plan: &Plan, record: &mut Record) {
    let abandoned = record.worker_faults.iter().map(|fault| fault.clients.saturating_sub(fault.connected));
    let abandoned = abandoned.fold(0, u64::saturating_add);
    let answered = record.connected + record.errors.count(Stage::Connect) + abandoned;
    let groups = plan.groups.iter().zip(0..);
    let not_started: u64 = groups.map(|(group, index)| not_started(group, record.of_groups.get(index))).sum();
    let unanswered = u64::from(plan.clients()).saturating_sub(answered).saturating_sub(not_started);
    if unanswered > 0 {
        record.errors.add(Stage::Connect, NOT_CONNECTED_YET.to_owned(), unanswered);
    }
}

/// A fraction of one as a percentage with one decimal; `None` for 0, which means not measured.
fn percent(part: f64) -> Option<f64> {
    (part > 0.0).then(|| (part * 1000.0).round() / 10.0)
}

/// Whether a percentile differs by more than 2 percent.
fn differs(planned: &Summary, real: &Summary) -> bool {
    let pairs =
        [(planned.p50, real.p50), (planned.p90, real.p90), (planned.p99, real.p99), (planned.max, real.max)];
    pairs.into_iter().any(|(planned, real)| planned.abs_diff(real) > real / 50)
}

#[cfg(test)]
pub(super) mod tests;
