//! The exit status of a run or a merge, from its failed verdicts, and the reason on standard error.

use super::verdicts::option_words;
use crate::bench::record::{FailureKind, Stage};
use crate::bench::report::{Rule, Verdict};
use crate::bench::{Ending, Report};
use crate::commands::Messages;
use crate::commands::error::{ExitStatus, broker_hint};
use crate::words::counted_verb;

/// The failures that the report's own rules find. The first one that happened decides the exit status and is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    Workers,
    ConnectionsLost,
    NotConnected,
    Rejected,
    Stalled,
    Unshared,
    QosViolated,
    Errors,
    Repeat,
}

/// Reports the failures, and returns the status: that of the signal, of a run without any connection, of a failed condition of the user,
/// or of the first failure.
/// --quiet hides the progress, but not that a run failed.
pub(super) fn conclude(report: &Report, signal: Option<ExitStatus>, messages: Messages) -> ExitStatus {
    if let Some(words) = report.lowered_qos().filter(|_| signal.is_none()) {
        messages.say(&words);
    }
    let messages = Messages { quiet: false, ..messages };
    let failed: Vec<Verdict> = report.verdicts().into_iter().filter(Verdict::is_failure).collect();
    let failure = failed.iter().filter_map(|verdict| Failure::of(verdict.rule, report)).min();
    if let Some(failure) = failure.filter(|_| signal.is_none()) {
        messages.say_with_hint(&failure.reason(report), failure.hint(report, messages).as_deref());
    }
    let missed: Vec<_> = failed.iter().filter(|verdict| verdict.rule.option().is_some()).collect();
    for verdict in &missed {
        messages.say(&option_words(verdict));
    }
    match (signal, failure) {
        (Some(status), _) => status,
        // Nothing was measured, so the conditions say nothing about the broker.
        (None, Some(failure)) if failure.is_without_connection(report) => failure.status(report),
        (None, _) if !missed.is_empty() => ExitStatus::MISSED,
        (None, failure) => failure.map_or(ExitStatus::DONE, |failure| failure.status(report)),
    }
}

impl Failure {
    /// The failure that a failed condition of this rule means; `None` for the conditions of the user.
    fn of(rule: Rule, report: &Report) -> Option<Failure> {
        match rule {
            Rule::Workers => Some(Failure::Workers),
            Rule::Connections => Some(Failure::ConnectionsLost),
            Rule::Clients => Some(Failure::NotConnected),
            Rule::Permissions => Some(Failure::Rejected),
            Rule::Ending => Some(Failure::of_ending(report)),
            Rule::Shared => Some(Failure::Unshared),
            Rule::Delivery => Some(Failure::QosViolated),
            Rule::Repeat => Some(Failure::Repeat),
            Rule::Errors | Rule::Acknowledgements | Rule::Standstill | Rule::GrantedQos | Rule::SelfCheck => {
                Some(Failure::Errors)
            }
            Rule::Search | Rule::FailIf | Rule::AbortIf | Rule::Baseline => None,
        }
    }

    fn of_ending(report: &Report) -> Failure {
        match report.ending {
            Ending::Stalled(_) => Failure::Stalled,
            Ending::NotConnected => Failure::NotConnected,
            Ending::AllLost if report.connections_lost > 0 => Failure::ConnectionsLost,
            Ending::AllLost | Ending::Complete | Ending::Interrupted => Failure::Errors,
        }
    }

    fn status(self, report: &Report) -> ExitStatus {
        match self {
            Failure::ConnectionsLost => ExitStatus::LOST,
            Failure::NotConnected if all_refused(report) => ExitStatus::REFUSED,
            Failure::Rejected => ExitStatus::REJECTED,
            Failure::Workers
            | Failure::NotConnected
            | Failure::Stalled
            | Failure::Unshared
            | Failure::QosViolated
            | Failure::Errors
            | Failure::Repeat => ExitStatus::FAILED,
        }
    }

    /// Whether no client could connect at all.
    fn is_without_connection(self, report: &Report) -> bool {
        self == Failure::NotConnected && report.connects.count == 0
    }

    fn reason(self, report: &Report) -> String {
        let reason = self.usual_reason(report);
        match (self, report.embedded_fault()) {
            (_, None) => reason,
            (Failure::Stalled | Failure::Errors, Some(fault)) => fault,
            (_, Some(fault)) => format!("{reason}: {fault}"),
        }
    }

    fn usual_reason(self, report: &Report) -> String {
        match self {
            Failure::Workers => report.worker_fault().unwrap_or_default(),
            Failure::ConnectionsLost => {
                let (lost, connected) = (report.connections_lost, report.connects.count);
                let text = format!("{lost} of {connected} clients lost the connection");
                let errors = report.errors.by_count();
                let reasons =
                    errors.iter().filter(|(stage, ..)| *stage == Stage::Run).map(|(_, reason, _)| *reason);
                with_reason(text, reasons, report)
            }
            Failure::NotConnected => not_connected(report),
            Failure::Rejected => match report.errors.count(Stage::Subscribe) {
                0 => rejected(report.account.rejected, "message"),
                subscriptions => rejected(subscriptions, "subscription"),
            },
            Failure::Stalled => format!("the {} stopped answering", report.peer()),
            Failure::Unshared => format!(
                "the broker granted the shared subscription $share/{}, but delivered nothing to it: it seems not to share subscriptions",
                report.unshared().unwrap_or_default()
            ),
            Failure::QosViolated => report.describe_violation().unwrap_or_default(),
            Failure::Errors => "some clients failed".to_owned(),
            Failure::Repeat => "some runs failed".to_owned(),
        }
    }

    fn hint(self, report: &Report, messages: Messages) -> Option<String> {
        let failure = report.errors.main_failure().filter(|_| self.is_without_connection(report))?;
        // Clients are mostly refused because of their user names, and the error has the reason.
        let has_hint = matches!(failure, FailureKind::Congestion | FailureKind::MaybeOfWill(_));
        let is_explained = all_refused(report) && !has_hint;
        if is_explained { None } else { broker_hint::of_failed_clients(failure, messages.connection_kind) }
    }
}

/// The clients that could not connect, with the most frequent reason.
fn not_connected(report: &Report) -> String {
    let text = format!("{} of {} clients could not connect", report.not_connected(), report.clients_due());
    with_reason(text, report.errors.connect_failures().into_iter().map(|(reason, _)| reason), report)
}

/// The text with the most frequent of these reasons.
fn with_reason<'r>(text: String, mut reasons: impl Iterator<Item = &'r str>, report: &Report) -> String {
    match (reasons.next(), reasons.next()) {
        // The end of the broker's process is reported instead.
        _ if report.embedded_fault().is_some() => text,
        (None, _) => text,
        (Some(only), None) => format!("{text}: {only}"),
        (Some(most_frequent), Some(_)) => format!("{text}; most of them: {most_frequent}"),
    }
}

fn rejected(count: u64, noun: &str) -> String {
    format!("{} rejected", counted_verb(count, noun, "was"))
}

fn all_refused(report: &Report) -> bool {
    report.refused == report.clients()
}
