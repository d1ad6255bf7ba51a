//! A report as JSON, and back: schema `mq-bench/1`, which docs/bench-json.md explains.
//!
//! What is computed (rates, percentiles, findings) is written for whoever reads the file and left aside when it is read back:
//! it follows from the counts and the histograms. Keys that are not known are left aside as well, so that a later version may
//! add some.

use super::{Flow, Host, LatencyKind, Planned, Report};
use crate::bench::plan::{Scenario, Volume};
use crate::bench::record::{Account, Errors, Latencies, Stage};
use crate::bench::timeline::{self, Coarse, Slot, Timeline};
use crate::bench::{Ending, Step};
use crate::protocol::{Qos, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use hdrhistogram::{Counter, Histogram};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the files begin with. The number grows when an old reader would misread a new file.
pub const SCHEMA: &str = "mq-bench/1";

/// HDR histograms of version 2 begin with these bytes, and have so many before their counts.
const HISTOGRAM_COOKIE: u32 = 0x1c84_9313;
const HISTOGRAM_HEADER: usize = 40;

/// The digits of the histograms of whole runs.
const DIGITS: u8 = 3;

/// No histogram of ours counts more; sums of a few of these still fit.
const MOST_COUNTS: u64 = 1 << 60;

/// Why a file is no report.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON, or not of the shape that it should have.
    #[error("it is no report of mq bench: {0}")]
    Shape(#[from] serde_json::Error),
    /// It says nothing about what it is.
    #[error("it is JSON without \"schema\"; `mq bench --json FILE` writes a report that can be read")]
    NoSchema,
    /// It is of another version.
    #[error("its schema is {0:?}, and this mq reads {SCHEMA:?}; use the mq that wrote it, or measure again")]
    OtherSchema(String),
    /// A value that cannot be.
    #[error("it is no report of mq bench: {key} cannot be {value}")]
    Value {
        /// Where it stands.
        key: String,
        /// The value, or what is wrong with it.
        value: String,
    },
}

impl Report {
    /// The report as a JSON document, with a line end.
    pub fn to_json(&self) -> String {
        let document = Document::of(self);
        let text = serde_json::to_string_pretty(&document);
        text.expect("strings, numbers, lists and maps with keys of text can be written") + "\n"
    }

    /// Reads what [`Report::to_json`] wrote.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn from_json(text: &[u8]) -> Result<Report, JsonError> {
        let probe: Probe = serde_json::from_slice(text)?;
        match probe.schema {
            Some(schema) if schema == SCHEMA => {}
            Some(schema) => return Err(JsonError::OtherSchema(schema)),
            None => return Err(JsonError::NoSchema),
        }
        serde_json::from_slice::<Document>(text)?.into_report()
    }
}

#[derive(Deserialize)]
struct Probe {
    schema: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    schema: String,
    tool: String,
    started_at: String,
    ending: String,
    elapsed_ns: u64,
    plan: PlanObject,
    hosts: Vec<HostObject>,
    phases: Vec<PhaseObject>,
    clients: ClientsObject,
    messages: MessagesObject,
    deliveries: DeliveriesObject,
    latency: BTreeMap<String, LatencyObject>,
    self_check: SelfCheckObject,
    errors: Vec<ErrorObject>,
    timeline: TimelineObject,
}

#[derive(Serialize, Deserialize)]
struct PlanObject {
    broker: String,
    scenario: String,
    mqtt_version: String,
    threads: u64,
    clients: u64,
    publishers: u64,
    subscribers: u64,
    receivers: u64,
    qos: u8,
    payload_bytes: u64,
    messages: Option<u64>,
    duration_ns: Option<u64>,
    warm_up_ns: u64,
    messages_per_second: Option<f64>,
    in_flight: u16,
    connects_per_second: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct HostObject {
    system: String,
    cpus: u64,
    open_files: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct PhaseObject {
    name: String,
    begin_ns: u64,
}

#[derive(Serialize, Deserialize)]
struct ClientsObject {
    connected: FlowObject,
    refused: u64,
    lost: u64,
    subscribed: u64,
    subscribers_to_the_end: u64,
    #[serde(skip_deserializing)]
    not_connected: u64,
}

#[derive(Serialize, Deserialize)]
struct FlowObject {
    count: u64,
    begin_ns: Option<u64>,
    end_ns: Option<u64>,
    #[serde(skip_deserializing)]
    per_second: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct MessagesObject {
    sent: FlowObject,
    acknowledged: FlowObject,
    received: FlowObject,
    denied: u64,
    unacknowledged: u64,
    late: u64,
    foreign: u64,
}

#[derive(Serialize, Deserialize)]
struct DeliveriesObject {
    sent: u64,
    owed: u64,
    lost: u64,
    duplicates: u64,
    reordered: u64,
    lost_in_gap: u64,
    sent_in_warm_up: u64,
}

#[derive(Serialize, Deserialize)]
struct LatencyObject {
    #[serde(flatten, skip_deserializing)]
    figures: LatencyFigures,
    histogram: String,
}

#[derive(Serialize, Default)]
struct LatencyFigures {
    count: u64,
    min_ns: u64,
    mean_ns: u64,
    p50_ns: u64,
    p90_ns: u64,
    p95_ns: u64,
    p99_ns: u64,
    #[serde(rename = "p99.9_ns")]
    p99_9_ns: u64,
    #[serde(rename = "p99.99_ns")]
    p99_99_ns: u64,
    max_ns: u64,
}

#[derive(Serialize, Deserialize)]
struct SelfCheckObject {
    cpu_ns: u64,
    busiest_thread_percent: Option<f64>,
    blocked_sends: u64,
    #[serde(skip_deserializing)]
    is_bottleneck: bool,
    #[serde(skip_deserializing)]
    findings: Vec<FindingObject>,
}

#[derive(Serialize)]
struct FindingObject {
    mark: &'static str,
    is_bottleneck: bool,
    text: String,
}

#[derive(Serialize, Deserialize)]
struct ErrorObject {
    stage: String,
    text: String,
    count: u64,
}

#[derive(Serialize, Deserialize)]
struct TimelineObject {
    slot_ns: u64,
    slots: Vec<SlotObject>,
}

#[derive(Serialize, Deserialize)]
struct SlotObject {
    connected: u64,
    failed: u64,
    lost: u64,
    sent: u64,
    acknowledged: u64,
    denied: u64,
    received: u64,
    latency: Option<SlotLatencyObject>,
}

#[derive(Serialize, Deserialize)]
struct SlotLatencyObject {
    #[serde(skip_deserializing)]
    p50_ns: u64,
    #[serde(skip_deserializing)]
    p99_ns: u64,
    #[serde(skip_deserializing)]
    max_ns: u64,
    histogram_us: String,
}

/// Writing.
impl Document {
    fn of(report: &Report) -> Document {
        Document {
            schema: SCHEMA.to_owned(),
            tool: report.tool.clone(),
            started_at: report.started_at.to_string(),
            ending: ending_word(report.ending),
            elapsed_ns: nanoseconds(report.elapsed),
            plan: PlanObject::of(&report.plan),
            hosts: report.hosts.iter().map(HostObject::of).collect(),
            phases: report.phases.iter().map(|&(step, begin_ns)| PhaseObject::of(step, begin_ns)).collect(),
            clients: ClientsObject {
                connected: FlowObject::of(report.connects),
                refused: report.refused,
                lost: report.connections_lost,
                subscribed: report.subscribed,
                subscribers_to_the_end: report.subscribers_to_the_end,
                not_connected: report.not_connected(),
            },
            messages: MessagesObject {
                sent: FlowObject::of(report.sent),
                acknowledged: FlowObject::of(report.acknowledged),
                received: FlowObject::of(report.received),
                denied: report.account.denied,
                unacknowledged: report.account.unacknowledged,
                late: report.late,
                foreign: report.foreign,
            },
            deliveries: DeliveriesObject {
                sent: report.account.sent,
                owed: report.account.owed,
                lost: report.account.lost,
                duplicates: report.duplicates,
                reordered: report.reordered,
                lost_in_gap: report.account.gap_lost,
                sent_in_warm_up: report.account.before_measuring,
            },
            latency: report.latencies.iter().map(LatencyObject::of).collect(),
            self_check: SelfCheckObject::of(report),
            errors: report.errors.by_count().into_iter().map(ErrorObject::of).collect(),
            timeline: TimelineObject::of(&report.timeline),
        }
    }
}

impl PlanObject {
    fn of(plan: &Planned) -> PlanObject {
        let (messages, duration_ns) = match plan.volume {
            Volume::Messages(messages) => (Some(messages), None),
            Volume::Duration(duration) => (None, Some(nanoseconds(duration))),
        };
        PlanObject {
            broker: plan.broker.clone(),
            scenario: scenario_word(plan.scenario).to_owned(),
            mqtt_version: version_word(plan.version).to_owned(),
            threads: plan.threads,
            clients: plan.clients,
            publishers: plan.publishers,
            subscribers: plan.subscribers,
            receivers: plan.receivers,
            qos: plan.qos as u8,
            payload_bytes: plan.payload_size,
            messages,
            duration_ns,
            warm_up_ns: nanoseconds(plan.warm_up),
            messages_per_second: plan.rate,
            in_flight: plan.in_flight,
            connects_per_second: plan.connect_rate,
        }
    }
}

impl HostObject {
    fn of(host: &Host) -> HostObject {
        HostObject { system: host.system.clone(), cpus: host.cpus, open_files: host.open_files }
    }
}

impl PhaseObject {
    fn of(step: Step, begin_ns: u64) -> PhaseObject {
        PhaseObject { name: step_word(step).to_owned(), begin_ns }
    }
}

impl FlowObject {
    fn of(flow: Flow) -> FlowObject {
        let (begin_ns, end_ns) = flow.span.unzip();
        FlowObject { count: flow.count, begin_ns, end_ns, per_second: flow.rate() }
    }
}

impl LatencyObject {
    fn of((kind, latencies): (&LatencyKind, &Latencies)) -> (String, LatencyObject) {
        let histogram = latencies.histogram();
        let at = |percentile| histogram.value_at_percentile(percentile);
        let figures = LatencyFigures {
            count: histogram.len(),
            min_ns: histogram.min(),
            mean_ns: histogram.mean() as u64,
            p50_ns: at(50.0),
            p90_ns: at(90.0),
            p95_ns: at(95.0),
            p99_ns: at(99.0),
            p99_9_ns: at(99.9),
            p99_99_ns: at(99.99),
            max_ns: histogram.max(),
        };
        (kind.key().to_owned(), LatencyObject { figures, histogram: encode(histogram) })
    }
}

impl SelfCheckObject {
    fn of(report: &Report) -> SelfCheckObject {
        let findings = report.self_check().into_iter().map(|finding| FindingObject {
            mark: finding.mark.key(),
            is_bottleneck: finding.mark.is_bottleneck(),
            text: finding.text,
        });
        SelfCheckObject {
            cpu_ns: nanoseconds(report.cpu),
            busiest_thread_percent: report.busiest_thread_percent,
            blocked_sends: report.blocked_sends,
            is_bottleneck: report.is_bottleneck(),
            findings: findings.collect(),
        }
    }
}

impl ErrorObject {
    fn of((stage, text, count): (Stage, &str, u64)) -> ErrorObject {
        ErrorObject { stage: stage_word(stage).to_owned(), text: text.to_owned(), count }
    }
}

impl TimelineObject {
    fn of(timeline: &Timeline) -> TimelineObject {
        let slots = timeline.slots().iter().map(SlotObject::of).collect();
        TimelineObject { slot_ns: nanoseconds(timeline.width()), slots }
    }
}

impl SlotObject {
    fn of(slot: &Slot) -> SlotObject {
        let at = |percentile| slot.latency.at_percentile(percentile).unwrap_or_default();
        let latency = slot.latency.histogram().map(|histogram| SlotLatencyObject {
            p50_ns: at(50.0),
            p99_ns: at(99.0),
            max_ns: slot.latency.max().unwrap_or_default(),
            histogram_us: encode(histogram),
        });
        SlotObject {
            connected: slot.connected,
            failed: slot.failed,
            lost: slot.lost,
            sent: slot.sent,
            acknowledged: slot.acknowledged,
            denied: slot.denied,
            received: slot.received,
            latency,
        }
    }
}

/// Reading.
impl Document {
    fn into_report(self) -> Result<Report, JsonError> {
        let started_at = self.started_at.parse().map_err(|error| bad("started_at", &error))?;
        let hosts = self.hosts.into_iter().map(|HostObject { system, cpus, open_files }| Host {
            system,
            cpus,
            open_files,
        });
        let mut errors = Errors::default();
        for error in self.errors {
            let stage = stage_of(&error.stage).ok_or_else(|| bad("errors.stage", &error.stage))?;
            errors.add(stage, error.text, error.count);
        }
        let account = Account {
            sent: self.deliveries.sent,
            denied: self.messages.denied,
            unacknowledged: self.messages.unacknowledged,
            owed: self.deliveries.owed,
            lost: self.deliveries.lost,
            gap_lost: self.deliveries.lost_in_gap,
            before_measuring: self.deliveries.sent_in_warm_up,
        };
        Ok(Report {
            tool: self.tool,
            started_at,
            plan: self.plan.into_plan()?,
            hosts: hosts.collect(),
            ending: ending_of(&self.ending).ok_or_else(|| bad("ending", &self.ending))?,
            elapsed: Duration::from_nanos(self.elapsed_ns),
            phases: self.phases.into_iter().map(PhaseObject::into_phase).collect::<Result<_, _>>()?,
            connects: self.clients.connected.into_flow(),
            refused: self.clients.refused,
            connections_lost: self.clients.lost,
            subscribed: self.clients.subscribed,
            subscribers_to_the_end: self.clients.subscribers_to_the_end,
            sent: self.messages.sent.into_flow(),
            acknowledged: self.messages.acknowledged.into_flow(),
            received: self.messages.received.into_flow(),
            account,
            duplicates: self.deliveries.duplicates,
            reordered: self.deliveries.reordered,
            foreign: self.messages.foreign,
            late: self.messages.late,
            blocked_sends: self.self_check.blocked_sends,
            cpu: Duration::from_nanos(self.self_check.cpu_ns),
            busiest_thread_percent: self.self_check.busiest_thread_percent,
            latencies: latencies_of(&self.latency)?,
            timeline: self.timeline.into_timeline()?,
            errors,
        })
    }
}

impl PlanObject {
    fn into_plan(self) -> Result<Planned, JsonError> {
        let volume = match (self.messages, self.duration_ns) {
            (Some(messages), None) => Volume::Messages(messages),
            (None, Some(nanoseconds)) => Volume::Duration(Duration::from_nanos(nanoseconds)),
            _ => return Err(bad("plan", &"without one of messages and duration_ns")),
        };
        Ok(Planned {
            scenario: scenario_of(&self.scenario).ok_or_else(|| bad("plan.scenario", &self.scenario))?,
            version: version_of(&self.mqtt_version)
                .ok_or_else(|| bad("plan.mqtt_version", &self.mqtt_version))?,
            broker: self.broker,
            threads: self.threads,
            clients: self.clients,
            publishers: self.publishers,
            subscribers: self.subscribers,
            receivers: self.receivers,
            qos: Qos::from_u8(self.qos).ok_or_else(|| bad("plan.qos", &self.qos))?,
            payload_size: self.payload_bytes,
            volume,
            warm_up: Duration::from_nanos(self.warm_up_ns),
            rate: self.messages_per_second,
            in_flight: self.in_flight,
            connect_rate: self.connects_per_second,
        })
    }
}

impl PhaseObject {
    fn into_phase(self) -> Result<(Step, u64), JsonError> {
        let step = step_of(&self.name).ok_or_else(|| bad("phases.name", &self.name))?;
        Ok((step, self.begin_ns))
    }
}

impl FlowObject {
    fn into_flow(self) -> Flow {
        Flow { count: self.count, span: self.begin_ns.zip(self.end_ns) }
    }
}

fn latencies_of(
    objects: &BTreeMap<String, LatencyObject>,
) -> Result<BTreeMap<LatencyKind, Latencies>, JsonError> {
    let mut latencies = BTreeMap::new();
    for (key, object) in objects {
        // A kind that a later version added says nothing to this one.
        if let Some(kind) = LatencyKind::ALL.into_iter().find(|kind| kind.key() == key) {
            let histogram =
                decode(&object.histogram, DIGITS).map_err(|problem| bad_histogram(key, &problem))?;
            latencies.insert(kind, Latencies::from_histogram(histogram));
        }
    }
    Ok(latencies)
}

impl TimelineObject {
    fn into_timeline(self) -> Result<Timeline, JsonError> {
        let width = Duration::from_nanos(self.slot_ns);
        let slots = self.slots.into_iter().map(SlotObject::into_slot).collect::<Result<Vec<_>, _>>()?;
        let what = format!("{} slots of {} ns", slots.len(), self.slot_ns);
        Timeline::from_parts(width, slots).ok_or_else(|| bad("timeline", &what))
    }
}

impl SlotObject {
    fn into_slot(self) -> Result<Slot, JsonError> {
        let latency = match &self.latency {
            None => Coarse::default(),
            Some(latency) => {
                let histogram = decode(&latency.histogram_us, timeline::DIGITS)
                    .map_err(|problem| bad_histogram("timeline", &problem))?;
                Coarse::from_histogram(histogram)
            }
        };
        Ok(Slot {
            connected: self.connected,
            failed: self.failed,
            lost: self.lost,
            sent: self.sent,
            acknowledged: self.acknowledged,
            denied: self.denied,
            received: self.received,
            latency,
        })
    }
}

fn bad(key: &str, value: &dyn std::fmt::Display) -> JsonError {
    JsonError::Value { key: key.to_owned(), value: value.to_string() }
}

fn bad_histogram(key: &str, problem: &str) -> JsonError {
    bad(&format!("the histogram of {key}"), &format!("read: {problem}"))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn encode<T: Counter>(histogram: &Histogram<T>) -> String {
    let mut bytes = Vec::new();
    let written = V2Serializer::new().serialize(histogram, &mut bytes);
    written.expect("a vector takes all bytes, and no count is over what an i64 holds");
    STANDARD.encode(bytes)
}

/// Reads a histogram. The header is checked first: it decides how much memory is taken.
fn decode<T: Counter>(text: &str, digits: u8) -> Result<Histogram<T>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let words: Vec<u32> = bytes.as_chunks().0.iter().take(6).map(|word| u32::from_be_bytes(*word)).collect();
    let counts = bytes.len().saturating_sub(HISTOGRAM_HEADER) as u32;
    if words != [HISTOGRAM_COOKIE, counts, 0, digits.into(), 0, 1] {
        return Err(format!("it is no HDR histogram of version 2 with {digits} digits"));
    }
    let read = Deserializer::new().deserialize(&mut bytes.as_slice());
    let mut histogram: Histogram<T> = read.map_err(|error| error.to_string())?;
    if histogram.len() > MOST_COUNTS {
        return Err("it counts more than there can be".to_owned());
    }
    // So that others can be added that hold longer times.
    histogram.auto(true);
    Ok(histogram)
}

const STEPS: [(Step, &str); 8] = [
    (Step::Connect, "connect"),
    (Step::Subscribe, "subscribe"),
    (Step::Wait, "wait"),
    (Step::WarmUp, "warm_up"),
    (Step::Measure, "measure"),
    (Step::Reconnect, "reconnect"),
    (Step::CatchUp, "catch_up"),
    (Step::Drain, "drain"),
];

pub(super) fn step_word(step: Step) -> &'static str {
    STEPS.iter().find(|(known, _)| *known == step).map_or("", |(_, word)| word)
}

fn step_of(word: &str) -> Option<Step> {
    STEPS.iter().find(|(_, known)| *known == word).map(|(step, _)| *step)
}

const STALLED: &str = "stalled in ";

pub(super) fn ending_word(ending: Ending) -> String {
    match ending {
        Ending::Complete => "complete".to_owned(),
        Ending::Interrupted => "interrupted".to_owned(),
        Ending::NotConnected => "not connected".to_owned(),
        Ending::AllLost => "all lost".to_owned(),
        Ending::Stalled(step) => format!("{STALLED}{}", step_word(step)),
    }
}

fn ending_of(word: &str) -> Option<Ending> {
    match word {
        "complete" => Some(Ending::Complete),
        "interrupted" => Some(Ending::Interrupted),
        "not connected" => Some(Ending::NotConnected),
        "all lost" => Some(Ending::AllLost),
        _ => word.strip_prefix(STALLED).and_then(step_of).map(Ending::Stalled),
    }
}

pub(super) fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connect",
        Stage::Subscribe => "subscribe",
        Stage::Run => "run",
    }
}

fn stage_of(word: &str) -> Option<Stage> {
    [Stage::Connect, Stage::Subscribe, Stage::Run].into_iter().find(|stage| stage_word(*stage) == word)
}

const SCENARIOS: [(Scenario, &str); 7] = [
    (Scenario::Connect, "conn"),
    (Scenario::Publish, "pub"),
    (Scenario::Subscribe, "sub"),
    (Scenario::PublishSubscribe, "pubsub"),
    (Scenario::RequestResponse, "rr"),
    (Scenario::Reconnect, "reconnect"),
    (Scenario::Mix, "scenario"),
];

pub(super) fn scenario_word(scenario: Scenario) -> &'static str {
    SCENARIOS.iter().find(|(known, _)| *known == scenario).map_or("", |(_, word)| word)
}

fn scenario_of(word: &str) -> Option<Scenario> {
    SCENARIOS.iter().find(|(_, known)| *known == word).map(|(scenario, _)| *scenario)
}

fn version_word(version: Version) -> &'static str {
    match version {
        Version::V31 => "3.1",
        Version::V311 => "3.1.1",
        Version::V5 => "5.0",
    }
}

fn version_of(word: &str) -> Option<Version> {
    [Version::V31, Version::V311, Version::V5].into_iter().find(|version| version_word(*version) == word)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, spread};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_report_reads_back_as_it_was() {
        let mut report = report();
        report.ending = Ending::Stalled(Step::Drain);
        report.errors.add(Stage::Run, "closed \"early\"\u{1}".to_owned(), 3);
        report.plan.volume = Volume::Duration(Duration::from_millis(1500));
        report.hosts[0].open_files = None;
        (report.plan.rate, report.plan.scenario) = (Some(0.125), Scenario::Reconnect);
        (report.account.gap_lost, report.account.before_measuring) = (3, 4);
        assert_eq!(Report::from_json(report.to_json().as_bytes()).unwrap(), report);
    }

    proptest! {
        #[test]
        fn whatever_was_measured_reads_back(
            times in proptest::collection::vec(any::<u64>(), 0..50),
            counts in any::<[u32; 8]>(),
            flow in proptest::option::of((any::<u64>(), any::<u64>())),
            kind in 0..LatencyKind::ALL.len(),
            busiest in proptest::option::of(0_u32..=1000),
        ) {
            let mut report = report();
            let [sent, lost, reordered, late, slot, blocked, duplicates, cpu] = counts.map(u64::from);
            report.sent = Flow { count: sent, span: flow };
            (report.account.lost, report.reordered, report.late) = (lost, reordered, late);
            (report.blocked_sends, report.duplicates) = (blocked, duplicates);
            report.cpu = Duration::from_nanos(cpu);
            report.busiest_thread_percent = busiest.map(|tenths| f64::from(tenths) / 10.0);
            let mut latencies = Latencies::default();
            for &time in &times {
                latencies.record(time);
                report.timeline.at(slot * 1_000_000_000).latency.record(time);
            }
            if !times.is_empty() {
                report.latencies.insert(LatencyKind::ALL[kind], latencies);
            }
            let read = Report::from_json(report.to_json().as_bytes()).unwrap();
            prop_assert_eq!(read, report);
        }

        #[test]
        fn broken_histograms_are_refused_or_read_and_never_more(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut text = Vec::from(HISTOGRAM_COOKIE.to_be_bytes());
            text.extend(bytes);
            let _ = decode::<u64>(&STANDARD.encode(text), DIGITS);
        }
    }

    #[test]
    fn what_was_read_can_be_added_to() {
        let mut read = Report::from_json(report().to_json().as_bytes()).unwrap();
        let latencies = read.latencies.get_mut(&LatencyKind::EndToEnd).unwrap();
        latencies.merge(&spread(40_000_000_000));
        assert_eq!(latencies.histogram().len(), 2000, "longer times than it held");
    }

    #[test]
    fn other_files_are_told_apart() {
        let error = |text: &str| Report::from_json(text.as_bytes()).unwrap_err().to_string();
        assert!(error("").contains("no report of mq bench: EOF"));
        assert!(error("[1]").contains("no report"));
        assert!(error("{}").contains("--json FILE"));
        assert!(
            error("{\"schema\":\"mq-bench/2\"}").contains("its schema is \"mq-bench/2\", and this mq reads")
        );
        assert!(error("{\"schema\":\"mq-bench/1\"}").contains("missing field `tool`"));
        let json = report().to_json();
        assert!(error(&json.replace("\"qos\": 1", "\"qos\": 3")).contains("plan.qos cannot be 3"));
        assert!(error(&json.replace("\"complete\"", "\"odd\"")).contains("ending cannot be odd"));
        let broken = json.replace("\"histogram\": \"HIST", "\"histogram\": \"HISR");
        assert!(error(&broken).contains("histogram of"), "{}", error(&broken));
        assert!(
            error(&json.replace("\"slot_ns\": 1000000000", "\"slot_ns\": 3")).contains("1 slots of 3 ns")
        );
    }
}
