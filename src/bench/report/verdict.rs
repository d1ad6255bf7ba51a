//! The conditions of a run and how they were judged, as data that every format shows.
//!
//! A report judges itself by its own rules (`checks`). The conditions of the user are judged in `thresholds` and stored in
//! [`Report::conditions`](super::Report::conditions).

use super::value::Unit;
use super::{Ending, Report};

/// A condition, and how the run met it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// The rule that the condition belongs to.
    pub rule: Rule,
    /// The condition, without measured values: two runs of the same load have the same one.
    pub condition: String,
    /// The name of the group that it is about, with which the condition begins; `None` for the whole run.
    pub group: Option<String>,
    /// The unit of the limit and of the measured value.
    pub unit: Unit,
    /// The limit; `None` if the condition has no number.
    pub limit: Option<f64>,
    /// The measured value; `None` if it was not measured, or has no number.
    pub measured: Option<f64>,
    pub judgement: Judgement,
    /// The judgement in words, with the measured value.
    pub text: String,
}

/// The origin of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// No worker process fails.
    Workers,
    /// The run completes.
    Ending,
    /// All clients connect.
    Clients,
    /// No client loses its connection.
    Connections,
    /// The broker accepts all subscriptions and messages.
    Permissions,
    /// Every message is acknowledged.
    Acknowledgements,
    /// No other errors occur.
    Errors,
    /// Messages arrive as their QoS guarantees.
    Delivery,
    /// Messages keep arriving.
    Standstill,
    /// The broker grants the requested QoS.
    GrantedQos,
    /// The broker delivers to a shared subscription.
    Shared,
    /// The load generator itself is fast enough, and measures for long enough.
    SelfCheck,
    /// The search finds a sustained rate.
    Search,
    /// A condition of the user that fails the run.
    FailIf,
    /// A condition of the user that ends the run early.
    AbortIf,
    /// A comparison with an earlier report.
    Baseline,
    /// No run of a repeated load fails.
    Repeat,
}

impl Rule {
    const ALL: [Rule; 17] = [
        Rule::Workers,
        Rule::Ending,
        Rule::Clients,
        Rule::Connections,
        Rule::Permissions,
        Rule::Acknowledgements,
        Rule::Errors,
        Rule::Delivery,
        Rule::Standstill,
        Rule::GrantedQos,
        Rule::Shared,
        Rule::SelfCheck,
        Rule::Search,
        Rule::FailIf,
        Rule::AbortIf,
        Rule::Baseline,
        Rule::Repeat,
    ];

    /// The key in JSON and in JUnit XML.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Rule::Workers => "workers",
            Rule::Ending => "ending",
            Rule::Clients => "clients",
            Rule::Connections => "connections",
            Rule::Permissions => "permissions",
            Rule::Acknowledgements => "acknowledgements",
            Rule::Errors => "errors",
            Rule::Delivery => "delivery",
            Rule::Standstill => "standstill",
            Rule::GrantedQos => "granted_qos",
            Rule::Shared => "shared",
            Rule::SelfCheck => "self_check",
            Rule::Search => "search",
            Rule::FailIf => "fail_if",
            Rule::AbortIf => "abort_if",
            Rule::Baseline => "baseline",
            Rule::Repeat => "repeat",
        }
    }

    /// The rule of a key; `None` if a later version added it.
    pub(super) fn of_key(key: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.key() == key)
    }

    /// The name of the option that set the condition, without dashes; `None` for the report's own rules.
    pub(crate) fn option(self) -> Option<&'static str> {
        match self {
            Rule::FailIf => Some("fail-if"),
            Rule::AbortIf => Some("abort-if"),
            Rule::Baseline => Some("baseline"),
            Rule::Search => Some("search"),
            _ => None,
        }
    }

    /// Whether the condition is stored in the report, since it does not follow from the report's own figures.
    pub(super) fn is_stored(self) -> bool {
        matches!(self, Rule::FailIf | Rule::AbortIf | Rule::Baseline)
    }
}

/// How a condition was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Judgement {
    /// It was met.
    Passed,
    /// It cannot be judged.
    NotMeasured,
    /// It was met, but the figures need an explanation.
    Doubtful,
    /// It was not met.
    Failed,
}

impl Judgement {
    const ALL: [Judgement; 4] =
        [Judgement::Passed, Judgement::NotMeasured, Judgement::Doubtful, Judgement::Failed];

    /// The word in the formats for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Judgement::Passed => "PASS",
            Judgement::NotMeasured => "NOT MEASURED",
            Judgement::Doubtful => "CAUTION",
            Judgement::Failed => "FAIL",
        }
    }

    /// The key in JSON.
    pub(in crate::bench) fn key(self) -> &'static str {
        match self {
            Judgement::Passed => "pass",
            Judgement::NotMeasured => "not measured",
            Judgement::Doubtful => "caution",
            Judgement::Failed => "fail",
        }
    }

    pub(super) fn of_key(key: &str) -> Option<Judgement> {
        Judgement::ALL.into_iter().find(|judgement| judgement.key() == key)
    }
}

impl Verdict {
    /// A condition without numbers.
    pub(super) fn new(rule: Rule, condition: &str, judgement: Judgement, text: impl Into<String>) -> Verdict {
        Verdict {
            rule,
            condition: condition.to_owned(),
            group: None,
            unit: Unit::Count,
            limit: None,
            measured: None,
            judgement,
            text: text.into(),
        }
    }

    /// A condition that passes if `number` is 0.
    pub(super) fn none_of(rule: Rule, condition: &str, number: u64, bad: impl FnOnce() -> String) -> Verdict {
        let (judgement, text) = match number {
            0 => (Judgement::Passed, condition.to_owned()),
            _ => (Judgement::Failed, bad()),
        };
        Verdict {
            limit: Some(0.0),
            measured: Some(number as f64),
            ..Verdict::new(rule, condition, judgement, text)
        }
    }

    /// A condition about a group.
    pub(in crate::bench) fn of_group(self, name: &str) -> Verdict {
        Verdict {
            condition: format!("{name}: {}", self.condition),
            text: format!("{name}: {}", self.text),
            group: Some(name.to_owned()),
            ..self
        }
    }

    /// The condition without the name of its group.
    pub(crate) fn own_condition(&self) -> &str {
        let name = self.group.as_deref().and_then(|name| self.condition.strip_prefix(name));
        name.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&self.condition)
    }

    /// Whether the run fails because of it. A requirement of the user that was not measured is not fulfilled; a condition that
    /// could not end a run early did no harm.
    pub(crate) fn is_failure(&self) -> bool {
        match self.judgement {
            Judgement::Passed | Judgement::Doubtful => false,
            Judgement::NotMeasured => matches!(self.rule, Rule::FailIf | Rule::Baseline),
            Judgement::Failed => true,
        }
    }

    /// The judgement in words, with the name of the option that set the condition.
    pub(crate) fn words(&self) -> String {
        match self.rule.option() {
            Some(option) => format!("{option}: {}", self.text),
            None => self.text.clone(),
        }
    }
}

impl Report {
    /// All conditions: those of the user first, then the report's own.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.conditions.iter().cloned().chain(self.checks()).collect()
    }

    /// The conditions that a summary names: those of the user, and the report's own that did not pass.
    pub(super) fn notable_verdicts(&self) -> impl Iterator<Item = Verdict> {
        let is_notable =
            |verdict: &Verdict| verdict.rule.is_stored() || verdict.judgement != Judgement::Passed;
        self.verdicts().into_iter().filter(is_notable)
    }

    /// The verdict on the run: passed, doubtful or failed.
    pub(crate) fn judgement(&self) -> Judgement {
        let judgement = |verdict: &Verdict| match verdict.judgement {
            _ if verdict.is_failure() => Judgement::Failed,
            Judgement::NotMeasured => Judgement::Doubtful,
            judgement => judgement,
        };
        self.verdicts().iter().map(judgement).max().unwrap_or(Judgement::Passed)
    }

    /// The failed condition that ended the run early, if any.
    pub(super) fn abort(&self) -> Option<&Verdict> {
        let is_abort =
            |verdict: &&Verdict| verdict.rule == Rule::AbortIf && verdict.judgement == Judgement::Failed;
        self.conditions.iter().find(is_abort).filter(|_| self.ending == Ending::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn keys_are_read_back() {
        assert!(Rule::ALL.into_iter().all(|rule| Rule::of_key(rule.key()) == Some(rule)));
        assert!(
            Judgement::ALL.into_iter().all(|judgement| Judgement::of_key(judgement.key()) == Some(judgement))
        );
    }

    #[test]
    fn a_condition_of_the_user_that_was_not_measured_fails_the_run() {
        let mut report = report();
        assert_eq!(report.judgement(), Judgement::Passed);
        report.conditions = vec![Verdict::new(Rule::FailIf, "tls.p99>1s", Judgement::NotMeasured, "")];
        assert_eq!(report.judgement(), Judgement::Failed);
        report.conditions = vec![Verdict::new(Rule::SelfCheck, "", Judgement::NotMeasured, "")];
        assert_eq!(report.judgement(), Judgement::Doubtful);
    }
}
