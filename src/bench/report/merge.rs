//! One report of several that were measured at the same time, as if it had been one run: counts are added, histograms too,
//! and times count from the start of the first.

use super::json::scenario_word;
use super::{Ending, Flow, Planned, Report};
use crate::bench::plan::Volume;
use std::time::Duration;

/// Why reports do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There are none.
    #[error("there is no report to merge")]
    Nothing,
    /// They are of different runs.
    #[error("the reports are of different loads: {key} is {first} in one and {second} in another")]
    Different {
        /// What differs.
        key: &'static str,
        /// The first value.
        first: String,
        /// The other.
        second: String,
    },
}

impl Report {
    /// Makes one of several.
    ///
    /// # Errors
    /// When there are none, or they are not of the same load.
    pub fn merge(reports: impl IntoIterator<Item = Report>) -> Result<Report, MergeError> {
        let mut reports: Vec<Report> = reports.into_iter().collect();
        reports.sort_by_key(|report| report.started_at);
        let mut reports = reports.into_iter();
        let mut merged = reports.next().ok_or(MergeError::Nothing)?;
        for report in reports {
            merged.add(report)?;
        }
        Ok(merged)
    }

    /// Adds one that began later, or at the same time.
    fn add(&mut self, mut other: Report) -> Result<(), MergeError> {
        self.plan.add(&other.plan)?;
        let delay = other.started_at.duration_since(self.started_at);
        other.delay(Duration::try_from(delay).unwrap_or_default());
        self.hosts.append(&mut other.hosts);
        self.ending = worse(self.ending, other.ending);
        self.elapsed = self.elapsed.max(other.elapsed);
        self.phases = earliest(&self.phases, &other.phases);
        self.connects.add(other.connects);
        self.sent.add(other.sent);
        self.acknowledged.add(other.acknowledged);
        self.received.add(other.received);
        self.add_counts(&other);
        self.cpu = self.cpu.saturating_add(other.cpu);
        self.busiest_thread_percent = match (self.busiest_thread_percent, other.busiest_thread_percent) {
            (Some(ours), Some(theirs)) => Some(ours.max(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        for (kind, latencies) in other.latencies {
            self.latencies.entry(kind).or_default().merge(&latencies);
        }
        self.timeline.merge(other.timeline);
        self.errors.merge(other.errors);
        Ok(())
    }

    fn add_counts(&mut self, other: &Report) {
        let pairs = [
            (&mut self.refused, other.refused),
            (&mut self.connections_lost, other.connections_lost),
            (&mut self.subscribed, other.subscribed),
            (&mut self.subscribers_to_the_end, other.subscribers_to_the_end),
            (&mut self.account.sent, other.account.sent),
            (&mut self.account.denied, other.account.denied),
            (&mut self.account.unacknowledged, other.account.unacknowledged),
            (&mut self.account.owed, other.account.owed),
            (&mut self.account.lost, other.account.lost),
            (&mut self.duplicates, other.duplicates),
            (&mut self.reordered, other.reordered),
            (&mut self.foreign, other.foreign),
            (&mut self.account.gap_lost, other.account.gap_lost),
            (&mut self.account.before_measuring, other.account.before_measuring),
            (&mut self.late, other.late),
            (&mut self.blocked_sends, other.blocked_sends),
        ];
        pairs.into_iter().for_each(|(ours, theirs)| *ours = ours.saturating_add(theirs));
    }

    /// Counts all times from an earlier start.
    fn delay(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed = self.elapsed.saturating_add(time);
        self.phases.iter_mut().for_each(|(_, begin)| *begin = begin.saturating_add(nanoseconds));
        for flow in [&mut self.connects, &mut self.sent, &mut self.acknowledged, &mut self.received] {
            let later = |time: u64| time.saturating_add(nanoseconds);
            flow.span = flow.span.map(|(start, end)| (later(start), later(end)));
        }
        self.timeline.delay(time);
    }
}

impl Planned {
    fn add(&mut self, other: &Planned) -> Result<(), MergeError> {
        if let Some((key, first, second)) = self.differences(other).into_iter().next() {
            return Err(MergeError::Different { key, first, second });
        }
        if self.broker != other.broker && !self.broker.split(", ").any(|broker| broker == other.broker) {
            self.broker = format!("{}, {}", self.broker, other.broker);
        }
        self.threads = self.threads.saturating_add(other.threads);
        self.clients = self.clients.saturating_add(other.clients);
        self.receivers = self.receivers.saturating_add(other.receivers);
        self.publishers = self.publishers.saturating_add(other.publishers);
        self.subscribers = self.subscribers.saturating_add(other.subscribers);
        self.rate = self.rate.zip(other.rate).map(|(ours, theirs)| ours + theirs);
        self.connect_rate = self.connect_rate.zip(other.connect_rate).map(|(a, b)| a.saturating_add(b));
        if let (Volume::Messages(ours), Volume::Messages(theirs)) = (self.volume, other.volume) {
            self.volume = Volume::Messages(ours.saturating_add(theirs));
        }
        Ok(())
    }

    /// What two plans do differently, apart from how many take part: the key, and both values.
    fn differences(&self, other: &Planned) -> Vec<(&'static str, String, String)> {
        let seconds = |time: Duration| format!("{} s", time.as_secs_f64());
        let volume = |plan: &Planned| match plan.volume {
            Volume::Messages(_) => "a number of messages".to_owned(),
            Volume::Duration(duration) => seconds(duration),
        };
        let rows = [
            (
                "the scenario",
                scenario_word(self.scenario).to_owned(),
                scenario_word(other.scenario).to_owned(),
            ),
            ("the warm-up", seconds(self.warm_up), seconds(other.warm_up)),
            ("the version", self.version.to_string(), other.version.to_string()),
            ("the QoS", self.qos.to_string(), other.qos.to_string()),
            ("the payload's size", self.payload_size.to_string(), other.payload_size.to_string()),
            ("the volume", volume(self), volume(other)),
            ("--inflight", self.in_flight.to_string(), other.in_flight.to_string()),
        ];
        rows.into_iter().filter(|(_, first, second)| first != second).collect()
    }

    /// What two plans do differently, how many take part included.
    pub fn all_differences(&self, other: &Planned) -> Vec<(&'static str, String, String)> {
        let mut rows = vec![
            ("publishers", self.publishers.to_string(), other.publishers.to_string()),
            ("subscribers", self.subscribers.to_string(), other.subscribers.to_string()),
            ("threads", self.threads.to_string(), other.threads.to_string()),
        ];
        let rate = |plan: &Planned| plan.rate.map_or("none".to_owned(), |rate| rate.to_string());
        rows.push(("--rate", rate(self), rate(other)));
        rows.retain(|(_, first, second)| first != second);
        rows.extend(self.differences(other));
        if let (Volume::Messages(first), Volume::Messages(second)) = (self.volume, other.volume)
            && first != second
        {
            rows.push(("messages", first.to_string(), second.to_string()));
        }
        rows
    }
}

impl Flow {
    fn add(&mut self, other: Flow) {
        self.count = self.count.saturating_add(other.count);
        self.span = match (self.span, other.span) {
            (Some(ours), Some(theirs)) => Some((ours.0.min(theirs.0), ours.1.max(theirs.1))),
            (ours, theirs) => ours.or(theirs),
        };
    }
}

/// The ending that is the worse news.
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

/// When each step began for the first of them.
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
    use super::super::tests::report;
    use super::*;
    use crate::protocol::Qos;

    #[test]
    fn two_hosts_are_one_run() {
        let mut late = report();
        late.started_at = "2026-01-02T03:04:07Z".parse().unwrap();
        late.account.lost = 3;
        late.busiest_thread_percent = Some(80.0);
        let merged = Report::merge([late.clone(), report()]).unwrap();
        assert_eq!((merged.clients(), merged.connects.count, merged.account.lost), (2200, 2200, 3));
        assert_eq!(merged.sent.span, Some((0, 2_500_000_000)), "from the first start to the last end");
        assert_eq!(merged.elapsed, Duration::from_secs(3));
        let slots: Vec<_> = merged.timeline.slots().iter().map(|slot| slot.sent).collect();
        assert_eq!(slots, [100_000, 0, 100_000]);
        let mut twice = report().latencies[&LatencyKind::EndToEnd].clone();
        twice.merge(&late.latencies[&LatencyKind::EndToEnd]);
        assert_eq!(merged.latencies[&LatencyKind::EndToEnd], twice);
        assert_eq!((merged.busiest_thread_percent, merged.hosts.len()), (Some(80.0), 2));
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
        other.plan.qos = Qos::ExactlyOnce;
        let error = Report::merge([report(), other]).unwrap_err().to_string();
        assert_eq!(error, "the reports are of different loads: the QoS is 1 in one and 2 in another");
    }

    #[test]
    fn the_worst_ending_is_told() {
        let mut other = report();
        other.ending = Ending::AllLost;
        assert_eq!(Report::merge([other, report()]).unwrap().ending, Ending::AllLost);
    }
}
