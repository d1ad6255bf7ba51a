//! From the document to a report.

use super::document::*;
use super::histogram::decode;
use super::keywords::{ending_of, found_of, scenario_of, stage_of, step_of, version_of};
use super::{DIGITS, Flow, Host, JsonError, LatencyKind, Planned, Report};
use crate::bench::broker_watch::{BrokerSide, Metric, Sample};
use crate::bench::ending::Step;
use crate::bench::plan::Volume;
use crate::bench::record::{Account, ConnectTimes, Connects, Errors, Latencies, Outcome};
use crate::bench::report::repeat::{MAX_RUNS, RepeatedRun};
use crate::bench::report::{
    BrokerPart, Deliveries, Figure, Group, GroupMeasurements, Judgement, Load, Repeat, Rule, SearchStep,
    Searched, Setup, Unit, Verdict,
};
use crate::bench::timeline::{self, Coarse, Slot, Timeline};
use crate::protocol::Qos;
use std::collections::BTreeMap;
use std::time::Duration;

impl Document {
    pub(super) fn into_report(self) -> Result<Report, JsonError> {
        let started_at = self.started_at.parse().map_err(|error| bad("started_at", &error))?;
        let hosts = self.hosts.into_iter().map(|HostObject { system, cpus, open_files, machine }| Host {
            system,
            cpus,
            open_files,
            machine,
        });
        let setup = Setup {
            command: self.command,
            seed: self.plan.seed,
            limits: self.broker_limits,
            broker_version: self.broker_version,
        };
        let outcome = self.deliveries.into_outcome(self.messages.rejected, self.messages.unacknowledged);
        let groups = match self.groups.is_empty() {
            true => vec![self.plan.only_group(outcome)?],
            false => self.groups.into_iter().map(GroupObject::into_group).collect::<Result<_, _>>()?,
        };
        Ok(Report {
            tool: self.tool,
            started_at,
            plan: self.plan.into_plan()?,
            setup,
            groups,
            brokers: self.brokers.into_iter().map(BrokerPartObject::into_part).collect::<Result<_, _>>()?,
            hosts: hosts.collect(),
            ending: ending_of(&self.ending).ok_or_else(|| bad("ending", &self.ending))?,
            is_drain_cut: self.is_drain_cut,
            elapsed: Duration::from_nanos(self.elapsed_ns),
            phases: self.phases.into_iter().map(PhaseObject::into_phase).collect::<Result<_, _>>()?,
            connects: self.clients.connected.into_flow(),
            refused: self.clients.refused,
            connections_lost: self.clients.lost,
            tls: self.tls.into_iter().collect(),
            datagrams: self.mqtt_sn,
            reconnects: self.clients.reconnected,
            subscribed: self.clients.subscribed,
            subscribers_to_the_end: self.clients.subscribers_to_the_end,
            sent: self.messages.sent.into_flow(),
            acknowledged: self.messages.acknowledged.into_flow(),
            unmatched: self.messages.unmatched,
            received: self.messages.received.into_flow(),
            account: outcome.account,
            duplicates: outcome.duplicates,
            reordered: outcome.reordered,
            foreign: self.messages.foreign,
            late: self.messages.late,
            late_by_us: self.messages.late_by_us,
            blocked_sends: self.self_check.blocked_sends,
            cpu: Duration::from_nanos(self.self_check.cpu_ns),
            busiest_thread_percent: self.self_check.busiest_thread_percent,
            latencies: latencies_of(&self.latency)?,
            timeline: self.timeline.into_timeline()?,
            errors: errors_of(self.errors)?,
            worker_faults: self.worker_faults,
            broker_side: self.broker.map(BrokerObject::into_side),
            search: self.search.map(SearchObject::into_search).transpose()?,
            repeat: self.repeat.map(RepeatObject::into_repeat).transpose()?,
            conditions: conditions_of(self.verdicts)?,
        })
    }
}

/// The stored conditions. The others are computed again, and those of rules that a later version added are ignored.
fn conditions_of(objects: Vec<VerdictObject>) -> Result<Vec<Verdict>, JsonError> {
    let stored = objects.into_iter().filter_map(|object| {
        let rule = Rule::of_key(&object.rule).filter(|rule| rule.is_stored())?;
        Some(object.into_verdict(rule))
    });
    stored.collect()
}

impl BrokerObject {
    /// Metrics that a later version added are ignored.
    fn into_side(self) -> BrokerSide {
        let samples = self.samples.into_iter().map(|sample| Sample {
            at: sample.at_ns,
            values: (sample.values.into_iter())
                .filter_map(|(key, value)| Some((Metric::of_key(&key)?, value.as_f64()?)))
                .collect(),
        });
        BrokerSide {
            source: self.source,
            version: self.version,
            processes: self.processes.into_iter().map(|process| (process.id, process.name)).collect(),
            problems: self.problems,
            samples: samples.collect(),
        }
    }
}

impl BrokerPartObject {
    fn into_part(self) -> Result<BrokerPart, JsonError> {
        let deliveries = self
            .deliveries
            .into_iter()
            .map(|BrokerDeliveriesObject { to, owed, lost }| Deliveries { to, owed, lost });
        Ok(BrokerPart {
            address: self.address,
            clients: self.clients,
            connected: self.connected,
            connections_lost: self.connections_lost,
            sent: self.sent,
            acknowledged: self.acknowledged,
            received: self.received,
            rejected: self.rejected,
            unacknowledged: self.unacknowledged,
            owed: self.owed,
            lost: self.lost,
            deliveries: deliveries.collect(),
            latencies: latencies_of(&self.latency)?,
        })
    }
}

impl VerdictObject {
    fn into_verdict(self, rule: Rule) -> Result<Verdict, JsonError> {
        Ok(Verdict {
            rule,
            unit: Unit::of_name(&self.unit).ok_or_else(|| bad("verdicts.unit", &self.unit))?,
            judgement: Judgement::of_key(&self.outcome)
                .ok_or_else(|| bad("verdicts.outcome", &self.outcome))?,
            condition: self.condition,
            group: self.group,
            limit: self.limit,
            measured: self.measured,
            text: self.text,
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
            processes: self.processes,
            threads: self.threads,
            clients: self.clients,
            publishers: self.publishers,
            subscribers: self.subscribers,
            receivers: self.receivers,
            payload_size: self.payload_bytes,
            volume,
            warm_up: Duration::from_nanos(self.warm_up_ns),
            rate: self.messages_per_second,
            rate_course: self.rate_course,
            connect_rate: self.connects_per_second,
            load: self.load.map(Load),
        })
    }
}

impl PlanObject {
    /// The only group of a file that has no list of groups, as earlier versions wrote it.
    fn only_group(&self, outcome: Outcome) -> Result<Group, JsonError> {
        let qos = sending_qos_of("plan.qos", self.qos)?;
        Ok(Group {
            name: String::new(),
            scenario: scenario_of(&self.scenario).ok_or_else(|| bad("plan.scenario", &self.scenario))?,
            publishers: self.publishers,
            subscribers: self.subscribers,
            idle: self.clients.saturating_sub(self.publishers).saturating_sub(self.subscribers),
            qos,
            topic_qos: Vec::new(),
            subscription_qos: qos,
            granted_qos: None,
            payload_sizes: (self.payload_bytes, self.payload_bytes),
            in_flight: self.in_flight,
            rate: self.messages_per_second,
            rate_course: None,
            messages: self.messages,
            listens_to: None,
            share: None,
            shape: None,
            outcome,
            not_started: 0,
            connects: ConnectTimes::default(),
            latencies: BTreeMap::new(),
            measured: None,
        })
    }
}

impl GroupObject {
    fn into_group(self) -> Result<Group, JsonError> {
        Ok(Group {
            scenario: scenario_of(&self.scenario).ok_or_else(|| bad("groups.scenario", &self.scenario))?,
            name: self.name,
            publishers: self.publishers,
            subscribers: self.subscribers,
            idle: self.clients.saturating_sub(self.publishers).saturating_sub(self.subscribers),
            not_started: self.not_started,
            qos: sending_qos_of("groups.qos", self.qos)?,
            topic_qos: self
                .topic_qos
                .iter()
                .map(|qos| qos_of("groups.topic_qos", *qos))
                .collect::<Result<_, _>>()?,
            subscription_qos: qos_of("groups.subscription_qos", self.subscription_qos)?,
            granted_qos: self.granted_qos.map(|qos| qos_of("groups.granted_qos", qos)).transpose()?,
            payload_sizes: (self.least_payload_bytes, self.payload_bytes),
            in_flight: self.in_flight,
            rate: self.messages_per_second,
            rate_course: self.rate_course,
            messages: self.messages,
            listens_to: self.listens_to,
            share: self.share,
            shape: self.load.map(Load),
            outcome: self.deliveries.into_outcome(self.rejected, self.unacknowledged),
            connects: self
                .connects
                .map_or_else(|| Ok(ConnectTimes::default()), ConnectsObject::into_times)?,
            latencies: latencies_of(&self.latency)?,
            measured: self.measured.map(GroupMeasurementsObject::into_measurements),
        })
    }
}

impl ConnectsObject {
    fn into_times(self) -> Result<ConnectTimes, JsonError> {
        let slots = self.slots.into_iter().map(|ConnectSlotObject { slot, connected, reconnected }| {
            (slot, Connects { connected, reconnected })
        });
        let width = self.slot_ns;
        ConnectTimes::from_parts(width, slots.collect()).ok_or_else(|| bad("groups.connects.slot_ns", &width))
    }
}

impl GroupMeasurementsObject {
    fn into_measurements(self) -> GroupMeasurements {
        GroupMeasurements {
            connected: self.connected,
            lost: self.lost,
            reconnected: self.reconnected,
            sent: self.sent.into_flow(),
            acknowledged: self.acknowledged.into_flow(),
            unmatched: self.unmatched,
            received: self.received.into_flow(),
        }
    }
}

impl DeliveriesObject {
    fn into_outcome(self, rejected: u64, unacknowledged: u64) -> Outcome {
        let account = Account {
            sent: self.sent,
            rejected,
            unacknowledged,
            owed: self.owed,
            lost: self.lost,
            gap_lost: self.lost_in_gap,
            before_measuring: self.sent_in_warm_up,
        };
        Outcome { account, duplicates: self.duplicates, reordered: self.reordered }
    }
}

impl SearchObject {
    fn into_search(self) -> Result<Searched, JsonError> {
        let found = match self.outcome.zip(self.messages_per_second) {
            None => None,
            Some((word, rate)) => Some(found_of(&word, rate).ok_or_else(|| bad("search.outcome", &word))?),
        };
        Ok(Searched { steps: self.steps.into_iter().map(SearchStepObject::into_step).collect(), found })
    }
}

impl SearchStepObject {
    fn into_step(self) -> SearchStep {
        let figures = self.figures.iter().map(|(key, value)| Figure::of_key(key, value.as_f64()));
        SearchStep {
            rate: self.messages_per_second,
            figures: figures.collect(),
            failure: self.reason.filter(|_| !self.holds),
        }
    }
}

impl RepeatObject {
    fn into_repeat(self) -> Result<Repeat, JsonError> {
        let runs = self.runs.len();
        if !(1..=MAX_RUNS).contains(&runs) {
            return Err(bad("repeat.runs", &format!("of {runs} runs, only of 1 to {MAX_RUNS}")));
        }
        let runs = self.runs.into_iter().map(RepeatedRunObject::into_run).collect::<Result<_, _>>()?;
        Ok(Repeat { runs })
    }
}

impl RepeatedRunObject {
    fn into_run(self) -> Result<RepeatedRun, JsonError> {
        let figures = self.figures.iter().map(|(key, value)| Figure::of_key(key, value.as_f64()));
        Ok(RepeatedRun {
            started_at: self.started_at.parse().map_err(|error| bad("repeat.started_at", &error))?,
            judgement: Judgement::of_key(&self.verdict)
                .ok_or_else(|| bad("repeat.verdict", &self.verdict))?,
            figures: figures.collect(),
            sentence: self.sentence,
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

fn errors_of(objects: Vec<ErrorObject>) -> Result<Errors, JsonError> {
    let mut errors = Errors::default();
    for error in objects {
        let stage = stage_of(&error.stage).ok_or_else(|| bad("errors.stage", &error.stage))?;
        errors.add(stage, error.text, error.count);
    }
    Ok(errors)
}

fn latencies_of(
    objects: &BTreeMap<String, LatencyObject>,
) -> Result<BTreeMap<LatencyKind, Latencies>, JsonError> {
    let mut latencies = BTreeMap::new();
    for (key, object) in objects {
        // Kinds that a later version added are ignored.
        if let Some(kind) = LatencyKind::from_key(key) {
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
            unmatched: self.unmatched,
            rejected: self.rejected,
            received: self.received,
            latency,
        })
    }
}

/// The QoS of messages; -1 is known from the other settings of the load.
fn sending_qos_of(key: &str, number: i8) -> Result<Qos, JsonError> {
    let qos =
        if number == -1 { Some(Qos::AtMostOnce) } else { u8::try_from(number).ok().and_then(Qos::from_u8) };
    qos.ok_or_else(|| bad(key, &number))
}

fn qos_of(key: &str, number: u8) -> Result<Qos, JsonError> {
    Qos::from_u8(number).ok_or_else(|| bad(key, &number))
}

fn bad(key: &str, value: &dyn std::fmt::Display) -> JsonError {
    JsonError::Value { key: key.to_owned(), value: value.to_string() }
}

fn bad_histogram(key: &str, problem: &str) -> JsonError {
    bad(&format!("the histogram of {key}"), &format!("read: {problem}"))
}
