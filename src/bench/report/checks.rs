//! The rules that judge every report: connections, deliveries, and whether the figures are reliable.

use super::format::duration;
use super::self_check::BUSY_PERCENT;
use super::value::Unit;
use super::verdict::{Judgement, Rule, Verdict};
use super::{Group, LONG_ENOUGH, Report};
use crate::bench::ending::Ending;
use crate::bench::plan::Scenario;
use crate::bench::record::Stage;
use crate::protocol::Qos;
use crate::words::{self, counted};
use std::fmt::Write;

/// The maximum number of groups with missing clients that a verdict names.
const MAX_MISSING_GROUPS: usize = 3;

impl Report {
    /// The report's own conditions.
    pub(super) fn checks(&self) -> Vec<Verdict> {
        let checks = [
            self.workers_check(),
            self.ending_check(),
            Some(self.clients_check()),
            self.connections_check(),
            self.permissions_check(),
            self.acknowledgement_check(),
            self.error_check(),
        ];
        let caveats = [
            self.search_check(),
            self.repeat_check(),
            self.standstill_check(),
            self.qos_check(),
            self.shared_check(),
            self.self_check_verdict(),
        ];
        checks
            .into_iter()
            .flatten()
            .chain(self.delivery_checks())
            .chain(caveats.into_iter().flatten())
            .collect()
    }

    fn ending_check(&self) -> Option<Verdict> {
        if self.abort().is_some() {
            return None;
        }
        let (judgement, text) = match self.describe_ending() {
            None => (Judgement::Passed, "the run completed".into()),
            Some(text) if self.ending == Ending::Interrupted => (Judgement::Doubtful, text),
            Some(text) => (Judgement::Failed, text),
        };
        Some(Verdict::new(Rule::Ending, "the run completes", judgement, text))
    }

    fn clients_check(&self) -> Verdict {
        let (connected, all) = (self.connects.count, self.clients_due());
        let condition = format!("{} connected", words::all(all, "client"));
        if self.abandoned_early() > 0 && self.not_connected() == 0 {
            let text = format!(
                "{connected} of {all} clients connected; a worker process failed before the others did"
            );
            return Verdict::new(Rule::Clients, &condition, Judgement::NotMeasured, text);
        }
        Verdict::none_of(Rule::Clients, &condition, self.not_connected(), || {
            format!("only {connected} of {all} clients connected{}", self.missing_by_group())
        })
    }

    /// The connected clients of the groups that miss some; empty with one group.
    fn missing_by_group(&self) -> String {
        let counts = self.groups.iter().filter_map(|group| {
            let (connected, due) =
                (group.measured?.connected, group.clients().saturating_sub(group.not_started));
            (connected < due).then(|| format!("{}: {connected} of {due}", group.name))
        });
        let counts: Vec<_> = counts.take(MAX_MISSING_GROUPS).collect();
        if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) }
    }

    fn connections_check(&self) -> Option<Verdict> {
        let lost = self.connections_lost;
        let condition = match self.plan.scenario {
            Scenario::Reconnect => "every dropped connection was made again",
            _ => "no client lost its connection",
        };
        // The check of the clients or of the ending covers these.
        let is_covered = self.connects.count == 0 || self.ending == Ending::AllLost;
        (!is_covered).then(|| {
            Verdict::none_of(Rule::Connections, condition, lost, || {
                format!("{} lost the connection", counted(lost, "client"))
            })
        })
    }

    fn permissions_check(&self) -> Option<Verdict> {
        let subscriptions = self.errors.count(Stage::Subscribe);
        let rejected = [(subscriptions, "subscription"), (self.account.rejected, "message")];
        let words: Vec<_> = rejected
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, thing)| counted(*number, thing))
            .collect();
        let number = subscriptions.saturating_add(self.account.rejected);
        let condition = format!("the {} accepts all subscriptions and messages", self.peer());
        let bad = || format!("{} rejected by the {}", words.join(" and "), self.peer());
        (number > 0).then(|| Verdict::none_of(Rule::Permissions, &condition, number, bad))
    }

    fn acknowledgement_check(&self) -> Option<Verdict> {
        self.acknowledged_levels().first()?;
        let missing = self.account.unacknowledged;
        if self.account.sent == 0 && missing == 0 {
            // Nothing was sent, for reasons that other checks name.
            return None;
        }
        let condition = "every message was acknowledged";
        let bad = || format!("{} never acknowledged", counted(missing, "message"));
        let verdict = Verdict::none_of(Rule::Acknowledgements, condition, missing, bad);
        // The check of the deliveries decides whether such a message is lost.
        Some(Verdict { judgement: verdict.judgement.min(Judgement::Doubtful), ..verdict })
    }

    /// Errors that no other check counts.
    fn error_check(&self) -> Option<Verdict> {
        let errors = self.errors.count(Stage::Run);
        let bad = || format!("{}, see the list of errors", counted(errors, "error"));
        let is_covered = errors == 0 || self.connections_lost > 0;
        (!is_covered).then(|| Verdict::none_of(Rule::Errors, "no errors", errors, bad))
    }

    /// The deliveries, judged group by group.
    fn delivery_checks(&self) -> Vec<Verdict> {
        if !self.is_delivery_judged() {
            let reason = match (self.plan.receivers, self.subscribers_to_the_end) {
                (0, _) if self.has_listeners() => {
                    "the subscribers receive by topic filter, so the messages due to them are unknown"
                }
                (0, _) => "there were no subscribers",
                (_, 0) => "no subscriber stayed to the end",
                _ => "no message was acknowledged",
            };
            let text = format!("losses were not measured: {reason}");
            let verdict = Verdict::new(Rule::Delivery, "all messages arrived", Judgement::NotMeasured, text);
            let is_owed = self.account.sent > 0;
            return is_owed.then_some(Verdict { limit: Some(0.0), ..verdict }).into_iter().collect();
        }
        let judged = self.groups.iter().filter(|group| group.outcome.account.owed > 0);
        judged.map(|group| self.named_delivery_check(group)).collect()
    }

    fn named_delivery_check(&self, group: &Group) -> Verdict {
        let verdict = self.delivery_check(group);
        if self.is_mix() { verdict.of_group(&group.name) } else { verdict }
    }

    fn delivery_check(&self, group: &Group) -> Verdict {
        let [_, owed, lost, duplicated, _] = group.deliveries();
        let (lowest, qos) = (group.delivery_qos(), group.delivery_qos_words());
        let condition = format!("all messages arrived, at QoS {qos}");
        let verdict = Verdict {
            limit: Some(0.0),
            measured: Some(lost as f64),
            ..Verdict::new(Rule::Delivery, &condition, Judgement::Passed, "")
        };
        if lost == 0 && (duplicated == 0 || lowest != Qos::ExactlyOnce) {
            let once = if duplicated == 0 { " once" } else { "" };
            let text = format!("{} arrived{once}", words::all(owed, "message"));
            return match self.partly_judged() {
                None => Verdict { text, ..verdict },
                Some(part) => {
                    Verdict { judgement: Judgement::Doubtful, text: format!("{text} {part}"), ..verdict }
                }
            };
        }
        let missing = if self.is_drain_cut { "missing when the run was interrupted" } else { "lost" };
        let allowed = match lowest {
            Qos::AtMostOnce if group.is_unconnected() => "; QoS -1 allows losses",
            Qos::AtMostOnce => "; QoS 0 allows losses",
            Qos::AtLeastOnce | Qos::ExactlyOnce => "",
        };
        let mut text = format!("{lost} of {owed} messages {missing} at QoS {qos}{allowed}");
        if duplicated > 0 {
            let _ = write!(text, ", {duplicated} duplicated");
        }
        if let Some(part) = self.partly_judged() {
            let _ = write!(text, " {part}");
        }
        let is_broken = group.violates_qos() && !self.is_drain_cut;
        Verdict {
            judgement: if is_broken { Judgement::Failed } else { Judgement::Doubtful },
            text,
            ..verdict
        }
    }

    fn search_check(&self) -> Option<Verdict> {
        let search = self.search.as_ref()?;
        let judgement = if search.failure().is_some() { Judgement::Failed } else { Judgement::Passed };
        let text = search.failure().unwrap_or_else(|| search.outcome());
        Some(Verdict {
            unit: Unit::Rate,
            measured: search.sustained(),
            ..Verdict::new(Rule::Search, "a rate was sustained", judgement, text)
        })
    }

    /// The longest time in the measurement without any message, although messages were planned or usual in it, and there were some
    /// before and after it.
    fn standstill(&self) -> Option<(u64, u64)> {
        let flow = self.throughput();
        let (begin, end) = flow.span?;
        let width = self.timeline.width().as_nanos() as u64;
        let (mut longest, mut empty) = (0..0, 0..0);
        for (slot, index) in self.timeline.slots().iter().zip(0_u64..) {
            let is_inside = index * width >= begin && (index + 1) * width <= end;
            let count = if flow == self.received { slot.received } else { slot.acknowledged.max(slot.sent) };
            let is_empty = is_inside && count == 0;
            // With a message every few slots, or in a planned pause, an empty slot means nothing.
            let is_standstill = is_empty && self.is_busy(index * width, (index + 1) * width);
            empty = if is_standstill { empty.start..index + 1 } else { index + 1..index + 1 };
            if empty.end - empty.start > longest.end - longest.start {
                longest = empty.clone();
            }
        }
        (!longest.is_empty()).then_some((longest.start * width, longest.end * width))
    }

    fn standstill_check(&self) -> Option<Verdict> {
        let (begin, end) = self.standstill()?;
        let activity = if self.throughput() == self.received { "arrived" } else { "was acknowledged" };
        let [first, last] = [begin, end].map(|time| time as f64 / 1e9);
        let text = format!("no message {activity} from {first} s to {last} s");
        Some(Verdict {
            unit: Unit::Time,
            limit: Some(0.0),
            measured: Some(end.saturating_sub(begin) as f64),
            ..Verdict::new(Rule::Standstill, "messages keep arriving", Judgement::Doubtful, text)
        })
    }

    fn qos_check(&self) -> Option<Verdict> {
        let condition = format!("the {} grants the requested QoS", self.peer());
        Some(Verdict::new(Rule::GrantedQos, &condition, Judgement::Doubtful, self.lowered_qos()?))
    }

    fn shared_check(&self) -> Option<Verdict> {
        let text = format!("$share/{} was granted, but nothing was delivered to it", self.unshared()?);
        Some(Verdict::new(
            Rule::Shared,
            "the broker delivers to shared subscriptions",
            Judgement::Failed,
            text,
        ))
    }

    /// Whether the figures measure the broker rather than `mq`, and over a long enough time.
    fn self_check_verdict(&self) -> Option<Verdict> {
        let verdict = |judgement, text: String| Verdict {
            unit: Unit::Percent,
            limit: Some(BUSY_PERCENT),
            measured: self.busiest_thread_percent,
            ..Verdict::new(Rule::SelfCheck, "mq itself was not the bottleneck", judgement, text)
        };
        let findings = self.self_check().into_iter().filter(|finding| finding.mark.is_bottleneck());
        let texts: Vec<_> = findings.map(|finding| finding.text).collect();
        if !texts.is_empty() {
            let text = format!("mq was the bottleneck: {}", texts.join("; "));
            return Some(verdict(Judgement::Doubtful, text));
        }
        let time = self.throughput().time()?;
        if time < LONG_ENOUGH {
            let time = duration(time.as_nanos() as u64);
            let text = format!("measured for only {time}; rates and the self-check of mq need 1 s");
            return Some(Verdict { measured: None, ..verdict(Judgement::NotMeasured, text) });
        }
        let busiest = self.busiest_thread_percent?;
        let text =
            format!("mq itself was not the bottleneck: its busiest thread used {busiest:.0} % of a CPU");
        Some(verdict(Judgement::Passed, text))
    }

    /// Whether the load generator was too slow for the measurement: rates are then lower bounds.
    pub(crate) fn is_bottleneck(&self) -> bool {
        self.self_check().iter().any(|finding| finding.mark.is_bottleneck())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mix, report, spoil};
    use super::*;

    /// The judgement on a report, and the verdicts that it is due to.
    fn verdict(report: &Report) -> (Judgement, Vec<String>) {
        let judgement = report.judgement();
        let worst = report.verdicts().into_iter().filter(|verdict| verdict.judgement == judgement);
        (judgement, worst.map(|verdict| verdict.text).collect())
    }

    #[test]
    fn a_good_run_passes_every_check() {
        let report = report();
        let (judgement, checks) = verdict(&report);
        assert_eq!(judgement, Judgement::Passed);
        assert_eq!(
            checks,
            [
                "the run completed",
                "all 1100 clients connected",
                "no client lost its connection",
                "every message was acknowledged",
                "all 100000 messages arrived once",
                "mq itself was not the bottleneck: its busiest thread used 42 % of a CPU"
            ]
        );
    }

    #[test]
    fn a_loss_fails_unless_the_qos_allows_it() {
        let mut report = report();
        spoil(&mut report, 3, 0);
        assert_eq!(
            verdict(&report),
            (Judgement::Failed, vec!["3 of 100000 messages lost at QoS 1".to_owned()])
        );
        report.groups[0].qos = Qos::AtMostOnce;
        let (judgement, checks) = verdict(&report);
        assert_eq!(judgement, Judgement::Doubtful);
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
        report.account.rejected = 1;
        report.errors.add(Stage::Subscribe, "rejected".to_owned(), 2);
        let expected = [
            "all clients lost their connections",
            "only 1099 of 1100 clients connected",
            "2 subscriptions and 1 message rejected by the broker",
        ];
        assert_eq!(verdict(&report), (Judgement::Failed, expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_load_generator_at_its_limit_is_no_verdict_about_the_broker() {
        let mut report = report();
        report.received.span = Some((0, 2_000_000_000));
        report.busiest_thread_percent = Some(99.0);
        assert_eq!(verdict(&report).0, Judgement::Doubtful);
        assert!(
            report.sentence().starts_with("mq was the bottleneck: the figures are lower bounds; "),
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
            (Judgement::Doubtful, vec!["no message arrived from 3 s to 5 s".to_owned()])
        );
        report.received.count = 30;
        assert_eq!(verdict(&report).0, Judgement::Passed, "a few messages need not come in every second");
    }

    #[test]
    fn losses_that_nobody_could_count_are_not_passed() {
        let mut report = report();
        (report.plan.receivers, report.subscribers_to_the_end) = (0, 0);
        let text = "losses were not measured: there were no subscribers".to_owned();
        assert_eq!(report.judgement(), Judgement::Doubtful);
        assert!(report.verdicts().iter().any(|verdict| verdict.text == text));
        assert!(report.sentence().ends_with("losses not measured"), "{}", report.sentence());
    }
}
