//! Checks whether the load generator itself limited a run; if it did, the report says little about the broker.

use super::format::duration;
use super::{LONG_ENOUGH, LatencyKind, Report};
use crate::bench::gauges::Recent;
use crate::bench::plan::Plan;
use crate::words::counted;
use std::thread::available_parallelism;
use std::time::Duration;

/// A thread with more CPU usage than this has no reserve.
pub(super) const BUSY_PERCENT: f64 = 90.0;

/// An event loop that is later than this, in nanoseconds, adds to the latencies that are attributed to the broker.
const LAG: u64 = 10_000_000;

/// Fewer samples than this are not judged: a percentile of them is just the longest, and a share of them is random.
const MIN_SAMPLES: u64 = 100;

/// The latency that a delayed TCP acknowledgement adds on Linux, in nanoseconds: 40 ms and up to one kernel tick.
const DELAYED_ACKNOWLEDGEMENT: std::ops::Range<u64> = 39_000_000..44_500_000;

/// With fewer samples than this, the 99th percentile is random.
const ENOUGH_FOR_P99: u64 = 1000;

/// One in this many messages may be late.
const LATE_SHARE: u64 = 100;

/// One in this many sends may have waited for the broker to read.
const BLOCKED_SHARE: u64 = 10;

/// The subject of a finding; JSON has its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A thread had no CPU time left.
    Cpu,
    /// The event loop was late for due events.
    Lag,
    /// Clients waited for a CPU to compute their proofs.
    Proofs,
    /// Messages were sent after their planned time.
    Late,
    /// Sends waited for the broker, or the network, to accept bytes.
    BlockedSends,
    /// Acknowledgements arrived with the latency of delayed TCP acknowledgements.
    DelayedAcknowledgements,
    /// Datagrams found no room in the buffers of the clients.
    DroppedDatagrams,
}

impl Mark {
    /// The key in JSON.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Mark::Cpu => "cpu",
            Mark::Lag => "lag",
            Mark::Proofs => "proofs",
            Mark::Late => "late",
            Mark::BlockedSends => "blocked_sends",
            Mark::DelayedAcknowledgements => "delayed_acknowledgements",
            Mark::DroppedDatagrams => "dropped_datagrams",
        }
    }

    /// Whether it means that the load generator was too slow. Full buffers are caused by the broker or the network. So are late
    /// messages, unless another mark shows that the load generator was slow. Proofs only delay clients that connect, and
    /// that wait is measured separately.
    pub(crate) fn is_bottleneck(self) -> bool {
        matches!(self, Mark::Cpu | Mark::Lag | Mark::DroppedDatagrams)
    }
}

/// A caveat about the measurements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The subject.
    pub mark: Mark,
    /// The observation with its value, and a remedy.
    pub text: String,
}

/// The measurements that the self-check judges, of a finished run or of one in progress.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SelfMeasurements {
    /// Whether the load lasted long enough for its CPU usage to mean something: every thread is busy at the start.
    pub is_long_enough: bool,
    /// The CPU usage of the busiest thread.
    pub busiest_thread_percent: Option<f64>,
    /// The number of CPUs, if there are more of them than threads.
    pub unused_cpus: Option<u64>,
    /// The p99 delay of the event loops, from enough samples.
    pub lag_p99: Option<u64>,
    /// The p99 wait for a CPU to compute proofs, from enough samples.
    pub proof_p99: Option<u64>,
    /// Messages sent during the measurement.
    pub measured: u64,
    /// Those that were sent after their planned time.
    pub late: u64,
    /// Those that were late because of the load generator; `None` if they were not counted.
    pub late_by_us: Option<u64>,
    /// Messages sent, including the warm-up.
    pub sent: u64,
    /// Sends that waited for the broker to read.
    pub blocked_sends: u64,
}

/// The side that limits a run in progress, with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Limit {
    /// The load generator.
    LoadGenerator(String),
    /// The broker, or the network.
    Broker(String),
    /// Neither side, as far as it is known.
    #[default]
    None,
}

impl Report {
    /// The caveats about the measurements.
    pub(crate) fn self_check(&self) -> Vec<Finding> {
        let mut findings = self.self_measurements().findings();
        let delayed = self.delayed_acknowledgements();
        findings.extend(delayed.map(|text| Finding { mark: Mark::DelayedAcknowledgements, text }));
        let dropped = self.dropped_datagrams();
        findings.extend(dropped.map(|text| Finding { mark: Mark::DroppedDatagrams, text }));
        findings
    }

    fn self_measurements(&self) -> SelfMeasurements {
        let cpus: u64 = self.hosts.iter().map(|host| host.cpus).sum();
        SelfMeasurements {
            is_long_enough: self.throughput().time().is_some_and(|time| time >= LONG_ENOUGH),
            busiest_thread_percent: self.busiest_thread_percent,
            unused_cpus: Some(cpus).filter(|cpus| self.plan.threads < *cpus),
            lag_p99: self.p99(LatencyKind::Lag),
            proof_p99: self.p99(LatencyKind::AuthenticateWait),
            measured: self.sent.count,
            late: self.late,
            late_by_us: self.late_by_us,
            sent: self.account.sent,
            blocked_sends: self.blocked_sends,
        }
    }

    /// The 99th percentile, if there are enough samples.
    fn p99(&self, kind: LatencyKind) -> Option<u64> {
        self.summary(kind).filter(|summary| summary.count >= MIN_SAMPLES).map(|summary| summary.p99)
    }
}

impl SelfMeasurements {
    /// The measurements of a run in progress: `load_time` since the load began, and the totals since the measurement began.
    pub(crate) fn of_run(
        plan: &Plan,
        load_time: Duration,
        measured: u64,
        sent: u64,
        recent: &Recent,
    ) -> SelfMeasurements {
        let cpus = available_parallelism().map_or(1, usize::from);
        let lag = recent.lag.histogram().filter(|lag| lag.len() >= MIN_SAMPLES);
        SelfMeasurements {
            is_long_enough: load_time >= LONG_ENOUGH,
            busiest_thread_percent: Some(100.0 * recent.busiest_thread),
            unused_cpus: (plan.threads < cpus).then_some(cpus as u64),
            lag_p99: lag.and_then(|_| recent.lag.at_percentile(99.0)),
            proof_p99: None,
            measured,
            late: recent.late,
            late_by_us: Some(recent.late_by_us),
            sent,
            blocked_sends: recent.blocked_sends,
        }
    }

    /// The side that limits the load. Without a planned rate, clients that wait for acknowledgements send as fast as the broker
    /// allows.
    pub(crate) fn limit(&self, waits_for_broker: bool) -> Limit {
        let findings = self.findings();
        let first = |is_wanted: fn(Mark) -> bool| findings.iter().find(|finding| is_wanted(finding.mark));
        let is_of_broker = |mark| matches!(mark, Mark::Late | Mark::BlockedSends);
        if let Some(finding) = first(Mark::is_bottleneck) {
            Limit::LoadGenerator(finding.text.clone())
        } else if let Some(finding) = first(is_of_broker) {
            let is_ours = finding.mark == Mark::Late && self.late_by_us.unwrap_or(0) > self.late / 2;
            let side = if is_ours { Limit::LoadGenerator } else { Limit::Broker };
            side(finding.text.clone())
        } else if waits_for_broker && self.is_long_enough {
            Limit::Broker("clients send as fast as it acknowledges".to_owned())
        } else {
            Limit::None
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let texts = [
            (Mark::Cpu, self.busy_thread()),
            (Mark::Lag, self.long_lag()),
            (Mark::Proofs, self.slow_proofs()),
            (Mark::Late, self.late_sends()),
            (Mark::BlockedSends, self.full_buffers()),
        ];
        let findings = texts.into_iter().filter_map(|(mark, text)| Some(Finding { mark, text: text? }));
        findings.collect()
    }

    fn busy_thread(&self) -> Option<String> {
        let percent = self.busiest_thread_percent.filter(|percent| *percent >= BUSY_PERCENT)?;
        let advice = match self.unused_cpus {
            Some(cpus) => format!("use {cpus} threads for all CPUs"),
            None => "lower the load or use a faster machine".to_owned(),
        };
        self.is_long_enough.then(|| format!("a thread used {percent:.0} % of its CPU; {advice}"))
    }

    fn long_lag(&self) -> Option<String> {
        let p99 = self.lag_p99?;
        (p99 >= LAG).then(|| {
            format!(
                "its threads were up to {} late for due events (p99); use fewer clients per CPU, or an otherwise idle \
                 machine",
                duration(p99)
            )
        })
    }

    fn slow_proofs(&self) -> Option<String> {
        let p99 = self.proof_p99?;
        (p99 >= LAG).then(|| {
            format!(
                "clients waited up to {} for a CPU of this machine to compute their proofs (p99); the accepted clients per \
                 second depend on this machine more than on the broker",
                duration(p99)
            )
        })
    }

    fn late_sends(&self) -> Option<String> {
        let is_frequent = self.measured >= MIN_SAMPLES && self.late > self.measured / LATE_SHARE;
        is_frequent.then(|| {
            let late = counted(self.late, "message");
            format!("{late} went out over a millisecond after the planned time{}", self.cause_of_late_sends())
        })
    }

    /// The cause of late sends, as far as it is known.
    fn cause_of_late_sends(&self) -> String {
        match self.late_by_us {
            None => String::new(),
            Some(0) => "; the broker did not sustain the planned rate".to_owned(),
            Some(ours) if ours >= self.late => {
                "; mq itself was late, not the broker: use fewer clients per CPU".to_owned()
            }
            Some(ours) => {
                let theirs = self.late - ours;
                format!("; for {ours} of them mq itself was late, {theirs} had to wait for the broker")
            }
        }
    }

    fn full_buffers(&self) -> Option<String> {
        let sent = self.sent;
        let is_frequent = sent >= MIN_SAMPLES && self.blocked_sends > sent / BLOCKED_SHARE;
        is_frequent.then(|| {
            let waits = counted(self.blocked_sends, "time");
            format!("sends waited {waits} for the broker or the network to accept bytes")
        })
    }
}

impl Report {
    /// The clients read too slowly for their receive buffers.
    fn dropped_datagrams(&self) -> Option<String> {
        let dropped = self.datagrams?.dropped;
        (dropped > 0).then(|| {
            let datagrams = counted(dropped, "datagram");
            format!("{datagrams} found no room in the buffers of the clients; lower the load, or raise net.core.rmem_max")
        })
    }

    /// A broker without TCP_NODELAY holds an acknowledgement back until TCP acknowledges the previous one, which Linux does after 40 ms.
    fn delayed_acknowledgements(&self) -> Option<String> {
        let summary =
            self.summary(LatencyKind::Acknowledged).filter(|summary| summary.count >= MIN_SAMPLES)?;
        let is_delayed = |latency: &u64| DELAYED_ACKNOWLEDGEMENT.contains(latency);
        let p99 = (summary.count >= ENOUGH_FOR_P99).then_some(summary.p99);
        let latency = [summary.p50, summary.p90].into_iter().chain(p99).find(is_delayed)?;
        Some(format!(
            "acknowledgements took {}, like delayed TCP acknowledgements: the broker may not set TCP_NODELAY (mosquitto: set_tcp_nodelay true)",
            duration(latency)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, spread};
    use super::*;

    fn marks(report: &Report) -> Vec<Mark> {
        report.self_check().into_iter().map(|finding| finding.mark).collect()
    }

    #[test]
    fn a_run_with_room_has_no_marks() {
        assert_eq!(report().self_check(), []);
        let mut unmeasured = report();
        unmeasured.busiest_thread_percent = None;
        assert!(!unmeasured.is_bottleneck());
    }

    #[test]
    fn each_mark_has_its_number() {
        let mut report = report();
        report.busiest_thread_percent = Some(97.3);
        report.latencies.insert(LatencyKind::Lag, spread(20_000_000));
        report.latencies.insert(LatencyKind::AuthenticateWait, spread(10_000_000));
        report.late = 5000;
        report.blocked_sends = 50_000;
        let all = [Mark::Cpu, Mark::Lag, Mark::Proofs, Mark::Late, Mark::BlockedSends];
        assert_eq!(marks(&report), all);
        let texts: Vec<_> = report.self_check().into_iter().map(|finding| finding.text).collect();
        assert!(texts[0].contains("97 %") && texts[0].contains("a faster machine"), "{}", texts[0]);
        assert!(texts[1].contains("60.0 ms") && texts[3].contains("5000") && texts[4].contains("50000"));
        assert!(texts[2].contains("compute their proofs"), "{}", texts[2]);
        report.hosts[0].cpus = 8;
        assert!(report.self_check()[0].text.contains("8 threads"));
    }

    #[test]
    fn two_late_beats_are_no_bottleneck() {
        let mut report = report();
        let mut lag = crate::bench::record::Latencies::default();
        lag.record_several(200_000_000, MIN_SAMPLES - 1);
        report.latencies.insert(LatencyKind::Lag, lag.clone());
        assert_eq!(report.self_check(), []);
        lag.record(200_000_000);
        report.latencies.insert(LatencyKind::Lag, lag);
        assert_eq!(marks(&report), [Mark::Lag]);
    }

    #[test]
    fn late_sends_are_blamed_on_whoever_was_late() {
        let mut report = report();
        report.late = 5000;
        let text = |report: &Report| report.self_check().remove(0).text;
        assert!(text(&report).ends_with("; the broker did not sustain the planned rate"));
        report.late_by_us = Some(5000);
        assert!(text(&report).contains("mq itself was late, not the broker"), "{}", text(&report));
        report.late_by_us = Some(1000);
        assert!(
            text(&report).ends_with("for 1000 of them mq itself was late, 4000 had to wait for the broker")
        );
    }

    #[test]
    fn acknowledgements_that_wait_for_those_of_tcp_are_reported() {
        let mut report = report();
        report.latencies.insert(LatencyKind::Acknowledged, spread(41_000_000));
        assert_eq!(marks(&report), [Mark::DelayedAcknowledgements]);
        assert!(!report.is_bottleneck());
        report.latencies.insert(LatencyKind::Acknowledged, spread(1_000_000));
        assert_eq!(marks(&report), []);
    }

    #[test]
    fn full_buffers_and_their_delays_are_not_the_load_generator_s_fault() {
        let mut report = report();
        (report.late, report.blocked_sends) = (5000, 50_000);
        report.latencies.insert(LatencyKind::AuthenticateWait, spread(100_000));
        assert_eq!((marks(&report), report.is_bottleneck()), (vec![Mark::Late, Mark::BlockedSends], false));
    }
}
