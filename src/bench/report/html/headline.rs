//! The top of the page: a sentence and a verdict for those who look once, and the main figures.
//!
//! Verdicts are plain data: [`Headline`] has checks, each with its outcome, and the page renders them. Further checks, such as
//! thresholds, only need to be added to the list.

use super::super::format::{count, duration, rate};
use super::super::{Group, LatencyKind, Report};
use super::axis::Quantity;
use super::markup::as_text;
use crate::bench::Ending;
use crate::bench::plan::Scenario;
use crate::bench::record::{Stage, Summary};
use crate::protocol::Qos;
use std::fmt::Write;
use std::time::Duration;

/// Over a shorter time than this, a rate is not worth a sentence.
const SHORTEST: Duration = Duration::from_secs(1);

/// With fewer samples than this, the 99th percentile is just the longest of them.
const ENOUGH_FOR_P99: u64 = 100;

/// A slot of the timeline in which this many messages are expected should not be empty.
const EXPECTED_IN_A_SLOT: f64 = 10.0;

/// The maximum number of checks on the page: a run may have any number of groups.
const MOST_CHECKS: usize = 20;

/// The result of a check, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Passed,
    /// The figures need an explanation.
    Doubtful,
    Failed,
}

/// A fact that was checked, with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) outcome: Outcome,
    pub(super) text: String,
}

/// The top of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) sentence: String,
    pub(super) checks: Vec<Check>,
}

impl Outcome {
    /// The word of the verdict.
    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "OK",
            Outcome::Doubtful => "CAUTION",
            Outcome::Failed => "FAILED",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Outcome::Passed => "good",
            Outcome::Doubtful => "doubtful",
            Outcome::Failed => "bad",
        }
    }

    /// A symbol, so that the outcome does not depend on the colour.
    fn symbol(self) -> char {
        match self {
            Outcome::Passed => '✓',
            Outcome::Doubtful => '!',
            Outcome::Failed => '✗',
        }
    }
}

impl Headline {
    pub(super) fn of(report: &Report) -> Headline {
        let checks = [
            report.ending_check(),
            report.clients_check(),
            report.connections_check(),
            report.denials_check(),
            report.acknowledgement_check(),
            report.error_check(),
        ];
        let checks = checks.into_iter().flatten().chain(report.delivery_checks()).chain(report.caveats());
        Headline { sentence: report.sentence(), checks: checks.collect() }
    }

    /// The worst outcome of all checks.
    pub(super) fn outcome(&self) -> Outcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Passed)
    }

    /// The verdict with the checks, the worst first.
    pub(super) fn to_html(&self) -> String {
        let outcome = self.outcome();
        let mut html = format!(
            "<section class=\"verdict {}\" aria-label=\"verdict\">\n<p class=\"word\">{}</p>\n<div>\n<p class=\"sentence\">{}</p>\n<ul class=\"checks\">\n",
            outcome.class(),
            outcome.word(),
            as_text(&self.sentence)
        );
        let mut checks: Vec<&Check> = self.checks.iter().collect();
        checks.sort_by_key(|check| std::cmp::Reverse(check.outcome));
        let more = checks.len().saturating_sub(MOST_CHECKS);
        for Check { outcome, text } in checks.into_iter().take(MOST_CHECKS) {
            let (class, symbol) = (outcome.class(), outcome.symbol());
            let _ = writeln!(html, "<li class=\"{class}\"><b>{symbol}</b> {}</li>", as_text(text));
        }
        html += "</ul>\n";
        if more > 0 {
            let _ = writeln!(html, "<p>{more} more checks are not shown</p>");
        }
        html + "</div>\n</section>\n"
    }
}

/// A check that passes if there is none of something.
fn none_of(number: u64, good: &str, bad: impl FnOnce() -> String) -> Check {
    match number {
        0 => Check { outcome: Outcome::Passed, text: good.to_owned() },
        _ => Check { outcome: Outcome::Failed, text: bad() },
    }
}

impl Report {
    /// The run in a sentence: its rate or its clients, its latency, its losses.
    pub(super) fn sentence(&self) -> String {
        let start =
            if self.is_bottleneck() { "mq was the bottleneck, so the broker may be faster. " } else { "" };
        let latency = self.main_latency().and_then(|kind| self.latency_words(kind));
        let loss = self.loss_words();
        let parts: Vec<_> = latency.into_iter().chain(loss).collect();
        match parts.as_slice() {
            [] => format!("{start}{}", self.load_words()),
            parts => format!("{start}{}: {}", self.load_words(), parts.join(", ")),
        }
    }

    /// The rate that was reached and its time; the clients if no messages were sent.
    fn load_words(&self) -> String {
        let flow = self.throughput();
        let unit = if self.latencies.contains_key(&LatencyKind::RoundTrip) && !self.is_mix() {
            "messages and responses"
        } else {
            "messages"
        };
        match (flow.time(), flow.rate()) {
            (Some(time), Some(per_second)) if time >= SHORTEST => {
                format!("{} {unit} per second for {:.0} s", rate(per_second), time.as_secs_f64())
            }
            (Some(time), _) => format!("{} {unit} in {}", flow.count, duration(time.as_nanos() as u64)),
            (None, _) => {
                let time =
                    self.connects.time().map(|time| format!(" in {}", duration(time.as_nanos() as u64)));
                let (connected, all) = (self.connects.count, self.clients());
                format!("{connected} of {all} clients connected{}", time.unwrap_or_default())
            }
        }
    }

    fn latency_words(&self, kind: LatencyKind) -> Option<String> {
        let Summary { count, p99, max, .. } = self.summary(kind)?;
        let title = kind.full_title(self.acknowledged_qos());
        Some(match count {
            ..ENOUGH_FOR_P99 => format!("at most {} ({title})", duration(max)),
            _ => format!("99 % within {} ({title})", duration(p99)),
        })
    }

    fn loss_words(&self) -> Option<String> {
        let account = self.account;
        if account.sent == 0 {
            return (self.connects.count > 0).then(|| match self.connections_lost {
                0 => "no connection lost".to_owned(),
                lost => format!("{} lost", count(lost, "connection")),
            });
        }
        Some(match account.lost {
            _ if !self.is_delivery_judged() => "losses not measured".to_owned(),
            0 => "nothing lost".to_owned(),
            lost => format!("{lost} of {} messages lost", account.owed),
        })
    }

    fn ending_check(&self) -> Option<Check> {
        let text = self.describe_ending()?.to_owned();
        let outcome = if self.ending == Ending::Interrupted { Outcome::Doubtful } else { Outcome::Failed };
        Some(Check { outcome, text })
    }

    fn clients_check(&self) -> Option<Check> {
        let (connected, all) = (self.connects.count, self.clients());
        let good = format!("all {} connected", count(all, "client"));
        Some(none_of(self.not_connected(), &good, || format!("only {connected} of {all} clients connected")))
    }

    fn connections_check(&self) -> Option<Check> {
        let lost = self.connections_lost;
        let good = match self.plan.scenario {
            Scenario::Reconnect => "every dropped connection was made again",
            _ => "no client lost its connection",
        };
        let is_known = self.connects.count == 0 || self.ending == Ending::AllLost;
        (!is_known).then(|| none_of(lost, good, || format!("{} lost the connection", count(lost, "client"))))
    }

    fn denials_check(&self) -> Option<Check> {
        let subscriptions = self.errors.count(Stage::Subscribe);
        let denied = [(subscriptions, "subscription"), (self.account.denied, "message")];
        let words: Vec<_> = denied
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, thing)| count(*number, thing))
            .collect();
        (!words.is_empty()).then(|| Check {
            outcome: Outcome::Failed,
            text: format!("{} rejected by the broker", words.join(" and ")),
        })
    }

    fn acknowledgement_check(&self) -> Option<Check> {
        self.acknowledged_qos()?;
        let missing = self.account.unacknowledged;
        let good = "every message was acknowledged";
        let check = none_of(missing, good, || format!("{} never acknowledged", count(missing, "message")));
        // Whether such a message is lost, the check of the deliveries decides.
        Some(Check { outcome: check.outcome.min(Outcome::Doubtful), ..check })
    }

    /// Errors that no other check counts.
    fn error_check(&self) -> Option<Check> {
        let errors = self.errors.count(Stage::Run);
        let text = format!("{}, see the table of errors", count(errors, "error"));
        (errors > 0 && self.connections_lost == 0).then_some(Check { outcome: Outcome::Failed, text })
    }

    /// The deliveries, judged group by group.
    fn delivery_checks(&self) -> Vec<Check> {
        if !self.is_delivery_judged() {
            let reason = match (self.plan.receivers, self.subscribers_to_the_end) {
                (0, _) => "there were no subscribers",
                (_, 0) => "no subscriber stayed to the end",
                _ => "no message was acknowledged",
            };
            let text = format!("losses were not measured: {reason}");
            let is_owed = self.account.sent > 0;
            return is_owed.then_some(Check { outcome: Outcome::Doubtful, text }).into_iter().collect();
        }
        let judged = self.groups.iter().filter(|group| group.outcome.account.owed > 0);
        let mut checks: Vec<_> = judged.map(|group| self.delivery_check(group)).collect();
        if checks.iter().all(|check| check.outcome == Outcome::Passed) {
            let text = format!("all {} messages arrived once", self.account.owed);
            checks = vec![Check { outcome: Outcome::Passed, text }];
        }
        checks
    }

    fn delivery_check(&self, group: &Group) -> Check {
        let [_, owed, lost, duplicated, _] = group.deliveries();
        let qos = group.delivery_qos();
        let name = if self.is_mix() { format!("{}: ", group.name) } else { String::new() };
        if lost == 0 && (duplicated == 0 || qos != Qos::ExactlyOnce) {
            return Check { outcome: Outcome::Passed, text: format!("{name}all {owed} messages arrived") };
        }
        let missing = if self.is_drain_cut { "missing when the run was interrupted" } else { "lost" };
        let allowed = if qos == Qos::AtMostOnce { "; QoS 0 allows losses" } else { "" };
        let mut text = format!("{name}{lost} of {owed} messages {missing} at QoS {qos}{allowed}");
        if duplicated > 0 {
            let _ = write!(text, ", {duplicated} duplicated");
        }
        let is_broken = group.violates_qos() && !self.is_drain_cut;
        Check { outcome: if is_broken { Outcome::Failed } else { Outcome::Doubtful }, text }
    }

    /// The longest time in the measurement without any message, although there were messages before and after it.
    fn standstill(&self) -> Option<(f64, f64)> {
        let flow = self.throughput();
        let (begin, end) = flow.span?;
        let width = self.timeline.width();
        // With a message every few slots, an empty slot means nothing.
        flow.rate().filter(|rate| rate * width.as_secs_f64() >= EXPECTED_IN_A_SLOT)?;
        let width = width.as_nanos() as u64;
        let (mut longest, mut empty) = (0..0, 0..0);
        for (slot, index) in self.timeline.slots().iter().zip(0_u64..) {
            let is_inside = index * width >= begin && (index + 1) * width <= end;
            let count = if flow == self.received { slot.received } else { slot.acknowledged.max(slot.sent) };
            empty = if is_inside && count == 0 { empty.start..index + 1 } else { index + 1..index + 1 };
            if empty.end - empty.start > longest.end - longest.start {
                longest = empty.clone();
            }
        }
        let seconds = |slots: u64| (slots * width) as f64 / 1e9;
        (!longest.is_empty()).then(|| (seconds(longest.start), seconds(longest.end)))
    }

    /// What qualifies the figures without being a failure of the broker.
    fn caveats(&self) -> Vec<Check> {
        let doubtful = |text: String| Check { outcome: Outcome::Doubtful, text };
        let lowered = self.lowered_qos().map(doubtful);
        let unshared = self.unshared().map(|share| Check {
            outcome: Outcome::Failed,
            text: format!("$share/{share} was granted, but nothing was delivered to it"),
        });
        let search = self.search.as_ref().map(|search| Check {
            outcome: if search.failure().is_some() { Outcome::Failed } else { Outcome::Passed },
            text: search.outcome(),
        });
        let findings = self.self_check().into_iter().filter(|finding| finding.mark.is_bottleneck());
        let findings = findings.map(|finding| doubtful(format!("mq was the bottleneck: {}", finding.text)));
        let standstill = self.standstill().map(|(begin, end)| {
            let what = if self.throughput() == self.received { "arrived" } else { "was acknowledged" };
            let [begin, end] = [begin, end].map(|seconds| Quantity::Seconds.show(seconds));
            doubtful(format!("no message {what} from {begin} to {end}"))
        });
        search.into_iter().chain(standstill).chain(lowered).chain(unshared).chain(findings).collect()
    }

    /// The main figures, large.
    pub(super) fn tiles(&self) -> String {
        let tiles = [self.rate_tile(), self.latency_tile(), self.loss_tile(), self.clients_tile()];
        let mut html = "<dl class=\"tiles\">\n".to_owned();
        for (name, value, more) in tiles.into_iter().flatten() {
            let [name, value, more] = [name, value, more].map(|text| as_text(&text));
            let _ =
                writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd><dd class=\"soft\">{more}</dd></div>");
        }
        html + "</dl>\n"
    }

    fn rate_tile(&self) -> Option<(String, String, String)> {
        let flow = self.throughput();
        let name = match flow.count {
            count if count == self.received.count => "received",
            count if count == self.acknowledged.count => "acknowledged",
            _ => "sent",
        };
        let per_second = flow.rate()?;
        let planned =
            self.plan.rate.map(|planned| format!(", {} planned", rate(planned))).unwrap_or_default();
        Some((format!("{name} per second"), rate(per_second), format!("{} messages{planned}", flow.count)))
    }

    fn latency_tile(&self) -> Option<(String, String, String)> {
        let kind = self.main_latency()?;
        let Summary { count, p50, p99, max, .. } = self.summary(kind)?;
        let title = kind.full_title(self.acknowledged_qos());
        Some(match count {
            ..ENOUGH_FOR_P99 => {
                (format!("longest, {title}"), duration(max), format!("median {}", duration(p50)))
            }
            _ => (
                format!("p99, {title}"),
                duration(p99),
                format!("median {}, longest {}", duration(p50), duration(max)),
            ),
        })
    }

    fn loss_tile(&self) -> Option<(String, String, String)> {
        if !self.is_delivery_judged() {
            return (self.account.sent > 0)
                .then(|| ("lost".to_owned(), "–".to_owned(), "not measured".to_owned()));
        }
        let more = format!(
            "of {}; {} duplicated, {} out of order",
            self.account.owed, self.duplicates, self.reordered
        );
        Some(("lost".to_owned(), self.account.lost.to_string(), more))
    }

    fn clients_tile(&self) -> Option<(String, String, String)> {
        let time = self.connects.time().map(|time| format!("in {}", duration(time.as_nanos() as u64)));
        let lost = format!("{} lost", count(self.connections_lost, "connection"));
        let more = time.into_iter().chain([lost]).collect::<Vec<_>>().join(", ");
        Some(("clients connected".to_owned(), format!("{} of {}", self.connects.count, self.clients()), more))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{mix, report, spoil};
    use super::*;

    fn verdict(report: &Report) -> (Outcome, Vec<String>) {
        let headline = Headline::of(report);
        let outcome = headline.outcome();
        let worst = headline.checks.into_iter().filter(|check| check.outcome == outcome);
        (outcome, worst.map(|check| check.text).collect())
    }

    #[test]
    fn a_good_run_is_a_sentence() {
        let mut report = report();
        assert_eq!(
            report.sentence(),
            "100000 messages in 600 ms: 99 % within 1.20 s (end to end), nothing lost"
        );
        report.received.span = Some((0, 50_000_000_000));
        let expected = "2000 messages per second for 50 s: 99 % within 1.20 s (end to end), nothing lost";
        assert_eq!(report.sentence(), expected);
        let (outcome, checks) = verdict(&report);
        assert_eq!(outcome, Outcome::Passed);
        assert_eq!(
            checks,
            [
                "all 1100 clients connected",
                "no client lost its connection",
                "every message was acknowledged",
                "all 100000 messages arrived once"
            ]
        );
    }

    #[test]
    fn a_loss_fails_unless_the_qos_allows_it() {
        let mut report = report();
        spoil(&mut report, 3, 0);
        assert_eq!(
            verdict(&report),
            (Outcome::Failed, vec!["3 of 100000 messages lost at QoS 1".to_owned()])
        );
        report.groups[0].qos = Qos::AtMostOnce;
        let (outcome, checks) = verdict(&report);
        assert_eq!(outcome, Outcome::Doubtful);
        assert_eq!(checks, ["3 of 100000 messages lost at QoS 0; QoS 0 allows losses"]);
    }

    #[test]
    fn the_group_with_the_loss_is_named() {
        let mut report = mix();
        report.connects.count = report.clients();
        spoil(&mut report, 3, 0);
        assert_eq!(verdict(&report).1, ["sensors: 3 of 100000 messages lost at QoS 1"]);
    }

    #[test]
    fn every_failure_is_named() {
        let mut report = report();
        (report.ending, report.connections_lost) = (Ending::AllLost, 1100);
        report.connects.count = 1099;
        report.account.denied = 1;
        report.errors.add(Stage::Subscribe, "rejected".to_owned(), 2);
        let expected = [
            "all clients lost their connections",
            "only 1099 of 1100 clients connected",
            "2 subscriptions and 1 message rejected by the broker",
        ];
        assert_eq!(verdict(&report), (Outcome::Failed, expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_load_generator_at_its_limit_is_no_verdict_about_the_broker() {
        let mut report = report();
        report.received.span = Some((0, 2_000_000_000));
        report.busiest_thread_percent = Some(99.0);
        assert_eq!(verdict(&report).0, Outcome::Doubtful);
        assert!(
            report.sentence().starts_with("mq was the bottleneck, so the broker may be faster"),
            "{}",
            report.sentence()
        );
    }

    #[test]
    fn a_standstill_is_named() {
        let mut report = report();
        report.timeline = Default::default();
        for second in [0, 1, 2, 5, 6, 8, 9] {
            report.timeline.at(second * 1_000_000_000).received = 1000;
        }
        report.received.span = Some((500_000_000, 9_500_000_000));
        assert_eq!(
            verdict(&report),
            (Outcome::Doubtful, vec!["no message arrived from 3 s to 5 s".to_owned()])
        );
        report.received.count = 30;
        assert_eq!(verdict(&report).0, Outcome::Passed, "a few messages need not come in every second");
    }

    #[test]
    fn losses_that_nobody_could_count_are_not_passed() {
        let mut report = report();
        (report.plan.receivers, report.subscribers_to_the_end) = (0, 0);
        assert_eq!(verdict(&report).0, Outcome::Doubtful);
        assert!(report.sentence().ends_with("losses not measured"), "{}", report.sentence());
    }
}
