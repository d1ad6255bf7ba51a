//! From a report to the document.

use super::document::*;
use super::histogram::encode;
use super::keywords::{ending_word, found_words, scenario_word, stage_word, step_word, version_word};
use super::{Flow, Host, LatencyKind, Report, SCHEMA};
use crate::bench::broker_watch::BrokerSide;
use crate::bench::ending::Step;
use crate::bench::plan::Volume;
use crate::bench::record::{Account, ConnectTimes, Connects, Latencies, Outcome, Stage};
use crate::bench::report::repeat::{Distribution, RepeatedRun};
use crate::bench::report::{
    BrokerPart, Deliveries, Group, GroupMeasurements, MQTT_SN, Repeat, SearchStep, Searched, Verdict,
};
use crate::bench::timeline::{Slot, Timeline};
use std::time::Duration;

impl Document {
    pub(super) fn of(report: &Report) -> Document {
        Document {
            schema: SCHEMA.to_owned(),
            tool: report.tool.clone(),
            started_at: report.started_at.to_string(),
            sentence: report.sentence(),
            verdict: report.judgement().key().to_owned(),
            verdicts: report.verdicts().iter().map(VerdictObject::of).collect(),
            ending: ending_word(report.ending),
            is_drain_cut: report.is_drain_cut,
            elapsed_ns: nanoseconds(report.elapsed),
            plan: PlanObject::of(report),
            command: report.setup.command.clone(),
            broker_limits: report.setup.limits.clone(),
            broker_version: report.setup.broker_version.clone(),
            groups: report.groups.iter().map(GroupObject::of).collect(),
            brokers: report.brokers.iter().map(BrokerPartObject::of).collect(),
            hosts: report.hosts.iter().map(HostObject::of).collect(),
            phases: report.phases.iter().map(|&(step, begin_ns)| PhaseObject::of(step, begin_ns)).collect(),
            clients: ClientsObject {
                connected: FlowObject::of(report.connects),
                refused: report.refused,
                lost: report.connections_lost,
                reconnected: report.reconnects,
                subscribed: report.subscribed,
                subscribers_to_the_end: report.subscribers_to_the_end,
                not_connected: report.not_connected(),
            },
            tls: report.tls.by_count().into_iter().cloned().collect(),
            mqtt_sn: report.datagrams,
            messages: MessagesObject {
                sent: FlowObject::of_sent(report.sent),
                acknowledged: FlowObject::of(report.acknowledged),
                unmatched: report.unmatched,
                received: FlowObject::of(report.received),
                rejected: report.account.rejected,
                unacknowledged: report.account.unacknowledged,
                late: report.late,
                late_by_us: report.late_by_us,
                foreign: report.foreign,
            },
            deliveries: DeliveriesObject::of(report.account, report.duplicates, report.reordered),
            latency: report.latencies.iter().map(LatencyObject::of).collect(),
            self_check: SelfCheckObject::of(report),
            errors: report.errors.by_count().into_iter().map(ErrorObject::of).collect(),
            worker_faults: report.worker_faults.clone(),
            timeline: TimelineObject::of(&report.timeline),
            broker: report.broker_side.as_ref().map(BrokerObject::of),
            search: report.search.as_ref().map(SearchObject::of),
            repeat: report.repeat.as_ref().map(RepeatObject::of),
        }
    }
}

impl BrokerObject {
    fn of(side: &BrokerSide) -> BrokerObject {
        let samples = side.samples.iter().map(|sample| BrokerSampleObject {
            at_ns: sample.at,
            values: sample
                .values
                .iter()
                .map(|(metric, value)| (metric.key().to_owned(), (*value).into()))
                .collect(),
        });
        let processes = side.processes.iter().map(|(id, name)| ProcessObject { id: *id, name: name.clone() });
        BrokerObject {
            source: side.source.clone(),
            version: side.version.clone(),
            interval_ns: side.interval().map(nanoseconds),
            processes: processes.collect(),
            problems: side.problems.clone(),
            samples: samples.collect(),
        }
    }
}

impl BrokerPartObject {
    fn of(part: &BrokerPart) -> BrokerPartObject {
        let deliveries = part.deliveries.iter().map(|Deliveries { to, owed, lost }| BrokerDeliveriesObject {
            to: to.clone(),
            owed: *owed,
            lost: *lost,
        });
        BrokerPartObject {
            address: part.address.clone(),
            clients: part.clients,
            connected: part.connected,
            connections_lost: part.connections_lost,
            sent: part.sent,
            acknowledged: part.acknowledged,
            received: part.received,
            rejected: part.rejected,
            unacknowledged: part.unacknowledged,
            owed: part.owed,
            lost: part.lost,
            deliveries: deliveries.collect(),
            latency: part.latencies.iter().map(LatencyObject::of).collect(),
        }
    }
}

impl VerdictObject {
    fn of(verdict: &Verdict) -> VerdictObject {
        VerdictObject {
            rule: verdict.rule.key().to_owned(),
            condition: verdict.condition.clone(),
            group: verdict.group.clone(),
            unit: verdict.unit.key().to_owned(),
            limit: verdict.limit,
            measured: verdict.measured,
            outcome: verdict.judgement.key().to_owned(),
            text: verdict.text.clone(),
        }
    }
}

impl PlanObject {
    fn of(report: &Report) -> PlanObject {
        let plan = &report.plan;
        // Every run has a group. These two keys predate the list of groups.
        let first = report.groups.first();
        let (messages, duration_ns) = match plan.volume {
            Volume::Messages(messages) => (Some(messages), None),
            Volume::Duration(duration) => (None, Some(nanoseconds(duration))),
        };
        PlanObject {
            broker: plan.broker.clone(),
            scenario: scenario_word(plan.scenario).to_owned(),
            mqtt_version: match report.datagrams {
                Some(_) => MQTT_SN.to_owned(),
                None => version_word(plan.version).to_owned(),
            },
            processes: plan.processes,
            threads: plan.threads,
            clients: plan.clients,
            publishers: plan.publishers,
            subscribers: plan.subscribers,
            receivers: plan.receivers,
            qos: first.map_or(0, Group::qos_number),
            payload_bytes: plan.payload_size,
            messages,
            duration_ns,
            warm_up_ns: nanoseconds(plan.warm_up),
            messages_per_second: plan.rate,
            rate_course: plan.rate_course.clone(),
            in_flight: first.map_or(0, |group| group.in_flight),
            connects_per_second: plan.connect_rate,
            load: plan.load.clone().map(|load| load.0),
            seed: report.setup.seed,
        }
    }
}

impl GroupObject {
    fn of(group: &Group) -> GroupObject {
        let Outcome { account, duplicates, reordered } = group.outcome;
        GroupObject {
            name: group.name.clone(),
            scenario: scenario_word(group.scenario).to_owned(),
            clients: group.clients(),
            publishers: group.publishers,
            subscribers: group.subscribers,
            not_started: group.not_started,
            qos: group.qos_number(),
            topic_qos: group.topic_qos.iter().map(|qos| *qos as u8).collect(),
            subscription_qos: group.subscription_qos as u8,
            granted_qos: group.granted_qos.map(|qos| qos as u8),
            least_payload_bytes: group.payload_sizes.0,
            payload_bytes: group.payload_sizes.1,
            in_flight: group.in_flight,
            messages_per_second: group.rate,
            rate_course: group.rate_course.clone(),
            messages: group.messages,
            listens_to: group.listens_to.clone(),
            share: group.share.clone(),
            load: group.shape.clone().map(|load| load.0),
            rejected: account.rejected,
            unacknowledged: account.unacknowledged,
            deliveries: DeliveriesObject::of(account, duplicates, reordered),
            connects: ConnectsObject::of(&group.connects),
            latency: group.latencies.iter().map(LatencyObject::of).collect(),
            measured: group.measured.as_ref().map(GroupMeasurementsObject::of),
        }
    }
}

impl ConnectsObject {
    /// `None` without a connect.
    fn of(times: &ConnectTimes) -> Option<ConnectsObject> {
        let slot = |(slot, connects): (&u64, &Connects)| {
            let Connects { connected, reconnected } = *connects;
            ConnectSlotObject { slot: *slot, connected, reconnected }
        };
        let slots: Vec<_> = times.slots().iter().map(slot).collect();
        (!slots.is_empty()).then(|| ConnectsObject { slot_ns: times.slot_ns(), slots })
    }
}

impl GroupMeasurementsObject {
    fn of(measured: &GroupMeasurements) -> GroupMeasurementsObject {
        GroupMeasurementsObject {
            connected: measured.connected,
            lost: measured.lost,
            reconnected: measured.reconnected,
            sent: FlowObject::of_sent(measured.sent),
            acknowledged: FlowObject::of(measured.acknowledged),
            unmatched: measured.unmatched,
            received: FlowObject::of(measured.received),
        }
    }
}

impl DeliveriesObject {
    fn of(account: Account, duplicates: u64, reordered: u64) -> DeliveriesObject {
        DeliveriesObject {
            sent: account.sent,
            owed: account.owed,
            lost: account.lost,
            duplicates,
            reordered,
            lost_in_gap: account.gap_lost,
            sent_in_warm_up: account.before_measuring,
        }
    }
}

impl SearchObject {
    fn of(search: &Searched) -> SearchObject {
        let (outcome, messages_per_second) = search.found.map(found_words).unzip();
        SearchObject {
            outcome: outcome.map(str::to_owned),
            messages_per_second,
            steps: search.steps.iter().map(SearchStepObject::of).collect(),
        }
    }
}

impl SearchStepObject {
    fn of(step: &SearchStep) -> SearchStepObject {
        let figures = step.figures.iter().map(|figure| (figure.key(), figure.value.into()));
        SearchStepObject {
            messages_per_second: step.rate,
            holds: step.failure.is_none(),
            reason: step.failure.clone(),
            figures: figures.collect(),
        }
    }
}

impl RepeatObject {
    fn of(repeat: &Repeat) -> RepeatObject {
        let metrics = repeat.distributions().into_iter().map(|(metric, all)| {
            let Distribution { median, spread, lowest, highest } = all;
            (metric.key(), DistributionObject { median, spread, lowest, highest })
        });
        RepeatObject {
            runs: repeat.runs.iter().map(RepeatedRunObject::of).collect(),
            metrics: metrics.collect(),
        }
    }
}

impl RepeatedRunObject {
    fn of(run: &RepeatedRun) -> RepeatedRunObject {
        let figures = run.figures.iter().map(|figure| (figure.key(), figure.value.into()));
        RepeatedRunObject {
            started_at: run.started_at.to_string(),
            verdict: run.judgement.key().to_owned(),
            sentence: run.sentence.clone(),
            figures: figures.collect(),
        }
    }
}

impl HostObject {
    fn of(host: &Host) -> HostObject {
        HostObject {
            system: host.system.clone(),
            cpus: host.cpus,
            open_files: host.open_files,
            machine: host.machine.clone(),
        }
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

    fn of_sent(flow: Flow) -> FlowObject {
        FlowObject { per_second: flow.sent_rate(), ..FlowObject::of(flow) }
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
            unmatched: slot.unmatched,
            rejected: slot.rejected,
            received: slot.received,
            latency,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
