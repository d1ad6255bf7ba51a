//! Merges the reports of simultaneous runs as if they were one run: counts and histograms are added, and times count from the
//! earliest start.

use super::{BrokerPart, Ending, Flow, Group, GroupMeasurements, Planned, Report, Rule, Verdict};
use crate::bench::plan::Volume;
use crate::bench::rate_course::RateCourse;
use crate::bench::record::{Account, Outcome};
use jiff::Timestamp;
use std::time::Duration;

/// The reason why reports cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MergeError {
    /// No report.
    #[error("no reports to merge")]
    Nothing,
    /// Reports of different loads.
    #[error("the reports are of different loads ({key}: {first} in one, {second} in another)")]
    Different {
        /// The setting that differs.
        key: String,
        /// Its value in the first report.
        first: String,
        /// Its value in the other.
        second: String,
    },
    /// The same report twice.
    #[error("duplicate report of the run that began at {0}; list each report once")]
    Twice(Timestamp),
    /// Reports of repeated loads, whose runs have a spread that a sum loses.
    #[error("a report of a repeated load cannot be merged: each of its runs counts alone")]
    Repeat,
    /// Reports of searches, each of which found its own rate.
    #[error("a report of a search cannot be merged: each search found its own rate")]
    Search,
}

impl Report {
    /// Merges several reports into one.
    ///
    /// # Errors
    /// If `reports` is empty, or the loads differ.
    pub(crate) fn merge(reports: impl IntoIterator<Item = Report>) -> Result<Report, MergeError> {
        let mut reports: Vec<Report> = reports.into_iter().collect();
        reports.sort_by_key(|report| report.started_at);
        if let Some(twice) =
            reports.windows(2).find_map(|pair| pair.first().filter(|first| pair.last() == Some(first)))
        {
            return Err(MergeError::Twice(twice.started_at));
        }
        let mut reports = reports.into_iter();
        let mut merged = reports.next().ok_or(MergeError::Nothing)?;
        for report in reports {
            merged.add(report)?;
        }
        Ok(merged)
    }

    fn check_compatible(&self, other: &Report) -> Result<(), MergeError> {
        if self.repeat.is_some() || other.repeat.is_some() {
            return Err(MergeError::Repeat);
        }
        if self.search.is_some() || other.search.is_some() {
            return Err(MergeError::Search);
        }
        match self.differences(other).into_iter().next() {
            Some((key, first, second)) => Err(MergeError::Different { key, first, second }),
            None => Ok(()),
        }
    }

    /// Adds a report that began later, or at the same time.
    fn add(&mut self, mut other: Report) -> Result<(), MergeError> {
        self.check_compatible(&other)?;
        let delay = other.started_at.duration_since(self.started_at);
        other.delay(Duration::try_from(delay).unwrap_or_default());
        // A new field does not compile until it is decided here how it is merged.
        let Report {
            tool: _,
            started_at: _,
            plan,
            setup,
            groups,
            brokers,
            hosts,
            ending,
            is_drain_cut,
            elapsed,
            phases,
            connects,
            refused,
            connections_lost,
            tls,
            datagrams,
            reconnects,
            subscribed,
            subscribers_to_the_end,
            sent,
            acknowledged,
            unmatched,
            received,
            account,
            duplicates,
            reordered,
            foreign,
            late,
            late_by_us,
            blocked_sends,
            cpu,
            busiest_thread_percent,
            latencies,
            timeline,
            errors,
            worker_faults,
            broker_side,
            search: _,
            repeat: _,
            conditions,
        } = other;
        self.plan.add(&plan);
        self.setup.merge(&setup);
        self.groups.iter_mut().zip(&groups).for_each(|(ours, theirs)| ours.add(theirs));
        brokers.into_iter().for_each(|broker| self.add_broker(broker));
        self.hosts.extend(hosts);
        self.ending = worse(self.ending, ending);
        self.is_drain_cut |= is_drain_cut;
        self.elapsed = self.elapsed.max(elapsed);
        self.phases = earliest(&self.phases, &phases);
        let flows = [
            (&mut self.connects, connects),
            (&mut self.sent, sent),
            (&mut self.acknowledged, acknowledged),
            (&mut self.received, received),
        ];
        flows.into_iter().for_each(|(ours, theirs)| ours.add(theirs));
        add([
            (&mut self.refused, refused),
            (&mut self.connections_lost, connections_lost),
            (&mut self.reconnects, reconnects),
            (&mut self.subscribed, subscribed),
            (&mut self.subscribers_to_the_end, subscribers_to_the_end),
            (&mut self.duplicates, duplicates),
            (&mut self.reordered, reordered),
            (&mut self.foreign, foreign),
            (&mut self.late, late),
            (&mut self.blocked_sends, blocked_sends),
        ]);
        self.account.add(&account);
        self.unmatched = self.unmatched.zip(unmatched).map(|(ours, theirs)| ours.saturating_add(theirs));
        self.late_by_us = self.late_by_us.zip(late_by_us).map(|(ours, theirs)| ours.saturating_add(theirs));
        self.cpu = self.cpu.saturating_add(cpu);
        self.busiest_thread_percent =
            self.busiest_thread_percent.into_iter().chain(busiest_thread_percent).reduce(f64::max);
        for (kind, latencies) in latencies {
            self.latencies.entry(kind).or_default().merge(&latencies);
        }
        self.timeline.merge(timeline);
        // Several machines load the same broker: one watch is enough, and two would count everything twice.
        self.broker_side = self.broker_side.take().or(broker_side);
        self.tls.merge(tls);
        if let (Some(ours), Some(theirs)) = (&mut self.datagrams, &datagrams) {
            ours.merge(theirs);
        }
        self.errors.merge(errors);
        self.worker_faults.extend(worker_faults);
        self.merge_conditions(conditions);
        Ok(())
    }

    /// Keeps the conditions that ended a part early. Those of other rules were judged on a part, so they say nothing about the
    /// whole; the caller judges the merged report anew.
    fn merge_conditions(&mut self, conditions: Vec<Verdict>) {
        self.conditions.extend(conditions);
        self.conditions.retain(|verdict| verdict.rule == Rule::AbortIf);
    }

    fn add_broker(&mut self, broker: BrokerPart) {
        match self.brokers.iter_mut().find(|known| known.address == broker.address) {
            Some(known) => known.add(broker),
            None => self.brokers.push(broker),
        }
    }

    /// Counts all times from an earlier start.
    fn delay(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed = self.elapsed.saturating_add(time);
        self.phases.iter_mut().for_each(|(_, begin)| *begin = begin.saturating_add(nanoseconds));
        for flow in [&mut self.connects, &mut self.sent, &mut self.acknowledged, &mut self.received] {
            flow.delay(nanoseconds);
        }
        let measured = self.groups.iter_mut().filter_map(|group| group.measured.as_mut());
        measured.for_each(|measured| measured.delay(nanoseconds));
        self.groups.iter_mut().for_each(|group| group.connects.delay(time));
        self.timeline.delay(time);
        self.broker_side.iter_mut().for_each(|side| side.delay(nanoseconds));
    }
}

fn add_course(ours: &mut Option<RateCourse>, theirs: Option<&RateCourse>) {
    let courses = ours.take().zip(theirs);
    *ours = courses.map(|(ours, theirs)| RateCourse::sum(&[ours, theirs.clone()]));
}

impl Planned {
    fn add(&mut self, other: &Planned) {
        // The settings that all reports have in common were compared before.
        let Planned {
            broker,
            scenario: _,
            version: _,
            processes,
            threads,
            clients,
            publishers,
            subscribers,
            receivers,
            payload_size: _,
            volume,
            warm_up: _,
            rate,
            rate_course,
            connect_rate,
            load: _,
        } = other;
        for broker in broker.split(", ") {
            if !self.broker.split(", ").any(|known| known == broker) {
                self.broker = format!("{}, {broker}", self.broker);
            }
        }
        add([
            (&mut self.processes, *processes),
            (&mut self.threads, *threads),
            (&mut self.clients, *clients),
            (&mut self.receivers, *receivers),
            (&mut self.publishers, *publishers),
            (&mut self.subscribers, *subscribers),
        ]);
        self.rate = self.rate.zip(*rate).map(|(ours, theirs)| ours + theirs);
        add_course(&mut self.rate_course, rate_course.as_ref());
        self.connect_rate = self.connect_rate.zip(*connect_rate).map(|(a, b)| a.saturating_add(b));
        if let (Volume::Messages(ours), Volume::Messages(theirs)) = (self.volume, *volume) {
            self.volume = Volume::Messages(ours.saturating_add(theirs));
        }
    }
}

impl Group {
    fn add(&mut self, other: &Group) {
        let Group {
            name: _,
            scenario: _,
            publishers,
            subscribers,
            idle,
            not_started,
            qos: _,
            topic_qos: _,
            subscription_qos: _,
            granted_qos,
            payload_sizes: _,
            in_flight: _,
            rate,
            rate_course,
            messages,
            listens_to: _,
            share: _,
            shape: _,
            outcome,
            connects,
            latencies,
            measured,
        } = other;
        add([
            (&mut self.publishers, *publishers),
            (&mut self.subscribers, *subscribers),
            (&mut self.idle, *idle),
            (&mut self.not_started, *not_started),
        ]);
        self.rate = self.rate.zip(*rate).map(|(ours, theirs)| ours + theirs);
        add_course(&mut self.rate_course, rate_course.as_ref());
        self.messages = self.messages.zip(*messages).map(|(ours, theirs)| ours.saturating_add(theirs));
        self.granted_qos = self.granted_qos.into_iter().chain(*granted_qos).min();
        self.outcome.add(outcome);
        self.connects.merge(connects.clone());
        for (kind, latencies) in latencies {
            self.latencies.entry(*kind).or_default().merge(latencies);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.measured, measured) {
            ours.add(theirs);
        } else {
            self.measured = None;
        }
    }
}

impl GroupMeasurements {
    fn add(&mut self, other: &GroupMeasurements) {
        let GroupMeasurements { connected, lost, reconnected, sent, acknowledged, unmatched, received } =
            *other;
        add([(&mut self.connected, connected), (&mut self.lost, lost), (&mut self.reconnected, reconnected)]);
        self.sent.add(sent);
        self.acknowledged.add(acknowledged);
        self.unmatched = self.unmatched.zip(unmatched).map(|(ours, theirs)| ours.saturating_add(theirs));
        self.received.add(received);
    }

    /// Moves all times.
    fn delay(&mut self, nanoseconds: u64) {
        let flows = [&mut self.sent, &mut self.acknowledged, &mut self.received];
        flows.into_iter().for_each(|flow| flow.delay(nanoseconds));
    }
}

impl BrokerPart {
    fn add(&mut self, other: BrokerPart) {
        let BrokerPart {
            address: _,
            clients,
            connected,
            connections_lost,
            sent,
            acknowledged,
            received,
            rejected,
            unacknowledged,
            owed,
            lost,
            deliveries,
            latencies,
        } = other;
        add([
            (&mut self.clients, clients),
            (&mut self.connected, connected),
            (&mut self.connections_lost, connections_lost),
            (&mut self.sent, sent),
            (&mut self.acknowledged, acknowledged),
            (&mut self.received, received),
            (&mut self.rejected, rejected),
            (&mut self.unacknowledged, unacknowledged),
            (&mut self.owed, owed),
            (&mut self.lost, lost),
        ]);
        for theirs in deliveries {
            match self.deliveries.iter_mut().find(|ours| ours.to == theirs.to) {
                Some(ours) => add([(&mut ours.owed, theirs.owed), (&mut ours.lost, theirs.lost)]),
                None => self.deliveries.push(theirs),
            }
        }
        for (kind, latencies) in latencies {
            self.latencies.entry(kind).or_default().merge(&latencies);
        }
    }
}

impl Outcome {
    fn add(&mut self, other: &Outcome) {
        let Outcome { account, duplicates, reordered } = other;
        self.account.add(account);
        add([(&mut self.duplicates, *duplicates), (&mut self.reordered, *reordered)]);
    }
}

impl Account {
    fn add(&mut self, other: &Account) {
        let Account { sent, rejected, unacknowledged, owed, lost, gap_lost, before_measuring } = *other;
        add([
            (&mut self.sent, sent),
            (&mut self.rejected, rejected),
            (&mut self.unacknowledged, unacknowledged),
            (&mut self.owed, owed),
            (&mut self.lost, lost),
            (&mut self.gap_lost, gap_lost),
            (&mut self.before_measuring, before_measuring),
        ]);
    }
}

fn add<const N: usize>(pairs: [(&mut u64, u64); N]) {
    pairs.into_iter().for_each(|(ours, theirs)| *ours = ours.saturating_add(theirs));
}

impl Flow {
    fn delay(&mut self, nanoseconds: u64) {
        let later = |time: u64| time.saturating_add(nanoseconds);
        self.span = self.span.map(|(start, end)| (later(start), later(end)));
    }

    fn add(&mut self, Flow { count, span }: Flow) {
        self.count = self.count.saturating_add(count);
        self.span = match (self.span, span) {
            (Some(ours), Some(theirs)) => Some((ours.0.min(theirs.0), ours.1.max(theirs.1))),
            (ours, theirs) => ours.or(theirs),
        };
    }
}

/// The more severe of two endings.
fn worse(first: Ending, second: Ending) -> Ending {
    let badness = |ending| match ending {
        Ending::Complete => 0,
        Ending::Interrupted => 1,
        Ending::Stalled(_) => 2,
        Ending::AllLost => 3,
        Ending::NotConnected => 4,
    };
    if badness(second) > badness(first) { second } else { first }
}

/// The earliest begin of each step.
fn earliest(first: &[(super::Step, u64)], second: &[(super::Step, u64)]) -> Vec<(super::Step, u64)> {
    let mut phases = first.to_vec();
    for &(step, begin) in second {
        match phases.iter_mut().find(|(known, _)| *known == step) {
            Some((_, known)) => *known = begin.min(*known),
            None => phases.push((step, begin)),
        }
    }
    phases.sort_by_key(|&(_, begin)| begin);
    phases
}

#[cfg(test)]
mod tests {
    use super::super::LatencyKind;
    use super::super::search::tests::searched;
    use super::super::tests::{mix, report, spoil};
    use super::*;
    use crate::protocol::Qos;

    #[test]
    fn two_hosts_are_one_run() {
        let mut late = report();
        late.started_at = "2026-01-02T03:04:07Z".parse().unwrap();
        spoil(&mut late, 3, 0);
        late.busiest_thread_percent = Some(80.0);
        let merged = Report::merge([late.clone(), report()]).unwrap();
        assert_eq!((merged.clients(), merged.connects.count, merged.account.lost), (2200, 2200, 3));
        assert_eq!(merged.sent.span, Some((0, 7_000_000_000)), "from the first start to the last end");
        assert_eq!(merged.elapsed, Duration::from_secs(3));
        let slots: Vec<_> = merged.timeline.slots().iter().map(|slot| slot.sent).collect();
        assert_eq!(slots, [100_000, 0, 100_000]);
        let mut twice = report().latencies[&LatencyKind::EndToEnd].clone();
        twice.merge(&late.latencies[&LatencyKind::EndToEnd]);
        assert_eq!(merged.latencies[&LatencyKind::EndToEnd], twice);
        assert_eq!((merged.busiest_thread_percent, merged.hosts.len()), (Some(80.0), 2));
        let [group] = merged.groups.as_slice() else { panic!("they are of the same group") };
        assert_eq!(
            (group.clients(), group.messages, group.outcome.account),
            (2200, Some(200_000), merged.account)
        );
        assert_eq!(Report::merge([report(), late]).unwrap(), merged, "in either order");
    }

    #[test]
    fn one_report_stays_as_it_is() {
        assert_eq!(Report::merge([report()]).unwrap(), report());
        assert_eq!(Report::merge([]).unwrap_err(), MergeError::Nothing);
    }

    #[test]
    fn different_loads_do_not_add_up() {
        let mut other = report();
        other.groups[0].qos = Qos::ExactlyOnce;
        let error = Report::merge([report(), other]).unwrap_err().to_string();
        assert_eq!(error, "the reports are of different loads (the QoS: 1 in one, 2 in another)");
    }

    #[test]
    fn the_worst_ending_is_reported() {
        let mut other = report();
        other.ending = Ending::AllLost;
        assert_eq!(Report::merge([other, report()]).unwrap().ending, Ending::AllLost);
    }

    #[test]
    fn other_groups_do_not_add_up() {
        let mut other = mix();
        other.groups[0].in_flight = 1;
        let error = |other: Report| Report::merge([mix(), other]).unwrap_err().to_string();
        let expected =
            "the reports are of different loads (the messages in flight of sensors: 20 in one, 1 in another)";
        assert_eq!(error(other.clone()), expected);
        other.groups.truncate(1);
        assert!(error(other).contains("the groups: sensors, idle in one, sensors in another"));
    }

    #[test]
    fn a_report_counts_once() {
        let error = Report::merge([report(), report()]).unwrap_err();
        assert!(
            error.to_string().contains("duplicate report of the run that began at 2026-01-02T03:04:05Z"),
            "{error}"
        );
    }

    #[test]
    fn searches_do_not_add_up() {
        let mut other = report();
        other.search = Some(searched());
        assert_eq!(Report::merge([report(), other]).unwrap_err(), MergeError::Search);
    }
}
