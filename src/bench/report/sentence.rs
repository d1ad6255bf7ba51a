//! The run in one sentence, the first line of every report for people.

use super::format::{duration, rate};
use super::{LatencyKind, Report};
use crate::bench::record::Summary;
use crate::words::counted;
use std::borrow::Cow;
use std::time::Duration;

/// With fewer samples than this, the 99th percentile is just the longest of them.
pub(super) const ENOUGH_FOR_P99: u64 = 100;

/// A planned rate counts as held if at least this share of it was reached.
const HELD_SHARE: f64 = 0.98;

impl Report {
    /// The run in a sentence: its rate or its clients, its latency, its losses.
    pub(crate) fn sentence(&self) -> String {
        // The latency of a handshake is not one of messages.
        let is_told = |kind: &LatencyKind| self.account.sent == 0 || *kind != LatencyKind::Connack;
        let latency = self.main_latency().filter(is_told).and_then(|kind| self.latency_words(kind));
        let parts: Vec<_> = latency.into_iter().chain(self.loss_words()).collect();
        let facts = match parts.as_slice() {
            [] => self.load_words(),
            parts => format!("{}: {}", self.load_words(), parts.join(", ")),
        };
        let facts = match self.short_time() {
            Some(_) => format!("{facts}; too short for rates"),
            None => facts,
        };
        let facts = match self.early_end_words() {
            Some(ending) => format!("{ending}; {facts}"),
            None => facts,
        };
        let facts = match self.embedded_fault() {
            Some(fault) => format!("{fault}; {facts}"),
            None => facts,
        };
        let facts = match self.is_bottleneck() {
            true => format!("mq was the bottleneck: the figures are lower bounds; {facts}"),
            false => facts,
        };
        match self.worker_fault() {
            Some(fault) => format!("{fault}; {facts}"),
            None => facts,
        }
    }

    /// The time of the measurement, if it is too short for rates.
    fn short_time(&self) -> Option<Duration> {
        self.throughput().time().filter(|time| *time < super::LONG_ENOUGH)
    }

    /// An ending that the figures alone do not show.
    fn early_end_words(&self) -> Option<Cow<'static, str>> {
        self.describe_ending().filter(|_| self.connects.count > 0)
    }

    /// The rate that was reached and its time; the clients if no messages were sent.
    fn load_words(&self) -> String {
        let flow = self.throughput();
        let is_answered = self.latencies.contains_key(&LatencyKind::RoundTrip) && !self.is_mix();
        let (one, unit) = match is_answered {
            true => ("message and response", "messages and responses"),
            false => ("message", "messages"),
        };
        match (flow.time(), self.throughput_rate().filter(|_| flow.is_long_enough())) {
            (Some(time), Some(per_second)) => {
                let held = self.held_words().unwrap_or_default();
                format!("{} {unit}/s{held} for {:.0} s", rate(per_second), time.as_secs_f64())
            }
            (Some(time), _) => {
                let unit = if flow.count == 1 { one } else { unit };
                format!("{} {unit} in {}", flow.count, duration(time.as_nanos() as u64))
            }
            (None, _) => {
                let time =
                    self.connects.time().map(|time| format!(" in {}", duration(time.as_nanos() as u64)));
                let (connected, all) = (self.connects.count, self.clients_due());
                format!("{connected} of {all} clients connected{}", time.unwrap_or_default())
            }
        }
    }

    /// Whether the planned rate was held.
    fn held_words(&self) -> Option<String> {
        let (sent, planned) = self.sent_and_planned()?;
        Some(if sent >= planned * HELD_SHARE {
            " held".to_owned()
        } else {
            format!(" (sent {} of {} planned)", rate(sent), rate(planned))
        })
    }

    fn latency_words(&self, kind: LatencyKind) -> Option<String> {
        let Summary { count, p99, max, .. } = self.summary(kind)?;
        let title = kind.full_title(self.acknowledged_qos());
        Some(match count {
            ..ENOUGH_FOR_P99 => format!("at most {} ({title})", duration(max)),
            _ => format!("p99 {} ({title})", duration(p99)),
        })
    }

    fn loss_words(&self) -> Option<String> {
        let account = self.account;
        if account.sent == 0 {
            return (self.connects.count > 0).then(|| match self.connections_lost {
                0 if self.worker_fault().is_some() => "no other connection lost".to_owned(),
                0 => "no connection lost".to_owned(),
                lost => format!("{} lost", counted(lost, "connection")),
            });
        }
        Some(match account.lost {
            _ if !self.is_delivery_judged() => "losses not measured".to_owned(),
            0 => format!("nothing lost{}", self.partly_judged_words()),
            lost => format!("{lost} of {} messages lost{}", account.owed, self.partly_judged_words()),
        })
    }

    fn partly_judged_words(&self) -> String {
        self.partly_judged().map_or(String::new(), |part| format!(" {part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, spoil};
    use super::super::{Flow, LatencyKind, Rule, Verdict};

    use crate::bench::ending::{Ending, Step};

    #[test]
    fn a_run_is_a_sentence() {
        let mut report = report();
        report.received.span = Some((0, 50_000_000_000));
        let expected = "2000 messages/s for 50 s: p99 1.20 s (end to end), nothing lost";
        assert_eq!(report.sentence(), expected);
        report.sent.span = report.received.span;
        report.plan.rate = Some(2000.0);
        assert!(
            report.sentence().starts_with("2000 messages/s held for 50 s: p99 "),
            "{}",
            report.sentence()
        );
        report.plan.rate = Some(5000.0);
        let expected = "2000 messages/s (sent 2000 of 5000 planned) for 50 s: ";
        assert!(report.sentence().starts_with(expected), "{}", report.sentence());
        spoil(&mut report, 3, 0);
        assert!(
            report.sentence().ends_with("(end to end), 3 of 100000 messages lost"),
            "{}",
            report.sentence()
        );
    }

    #[test]
    fn the_handshake_is_no_latency_of_messages() {
        let mut report = report();
        report.latencies.retain(|kind, _| *kind == LatencyKind::Connack);
        assert_eq!(report.sentence(), "16667 messages/s for 6 s: nothing lost");
    }

    #[test]
    fn losses_of_subscribers_that_left_are_unknown() {
        let mut report = report();
        report.subscribers_to_the_end = 98;
        let expected = "nothing lost at 98 of 100 subscribers; losses of the other 2 are unknown";
        assert!(report.sentence().ends_with(expected), "{}", report.sentence());
        spoil(&mut report, 3, 0);
        let expected =
            "3 of 100000 messages lost at 98 of 100 subscribers; losses of the other 2 are unknown";
        assert!(report.sentence().ends_with(expected), "{}", report.sentence());
    }

    #[test]
    fn a_short_run_has_no_rate() {
        let mut report = report();
        report.received.span = Some((0, 600_000_000));
        let expected =
            "100000 messages in 600 ms: p99 1.20 s (end to end), nothing lost; too short for rates";
        assert_eq!(report.sentence(), expected);
        assert!(
            report.verdicts().iter().any(|verdict| verdict.text.starts_with("measured for only 600 ms; "))
        );
    }

    #[test]
    fn an_early_end_comes_first() {
        let mut report = report();
        report.ending = Ending::Stalled(Step::Drain);
        let expected =
            "timeout: the broker stopped reading or acknowledging messages; 16667 messages/s for 6 s: ";
        assert!(report.sentence().starts_with(expected), "{}", report.sentence());
        report.ending = Ending::Interrupted;
        report.conditions = vec![Verdict::new(Rule::AbortIf, "p99>1s", super::super::Judgement::Failed, "")];
        assert!(report.sentence().starts_with("ended early, since p99>1s held; "), "{}", report.sentence());
        (report.ending, report.connects.count, report.account.sent) = (Ending::NotConnected, 0, 0);
        (report.sent, report.acknowledged, report.received) =
            (Flow::default(), Flow::default(), Flow::default());
        report.latencies.clear();
        assert_eq!(report.sentence(), "0 of 1100 clients connected in 1.25 s");
    }
}
