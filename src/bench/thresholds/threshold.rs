//! Conditions under which a run fails, such as `p99>10ms, loss>0, throughput<5000/s`.

use super::metric::Metric;
use crate::bench::report::{Figure, Judgement, Report, Rule, Unit, Verdict, duration};
use crate::quantity;
use std::borrow::Cow;
use std::str::FromStr;

/// Conditions that make a run fail; one is enough.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Thresholds(pub(super) Vec<Threshold>);

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Threshold {
    pub(super) metric: Metric,
    pub(super) comparison: Comparison,
    value: f64,
    pub(super) is_percentage: bool,
    /// As it was typed.
    pub(super) text: String,
    /// The name of the group that it judges; `None` for the whole run.
    pub(super) group: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Thresholds {
    /// Judges a report. A condition that holds fails it.
    pub(crate) fn judge(&self, report: &Report) -> Vec<Verdict> {
        self.0.iter().map(|threshold| threshold.judge(report)).collect()
    }

    /// The same conditions for one group.
    pub(crate) fn for_group(self, name: &str) -> Thresholds {
        let for_group = |condition| Threshold { group: Some(name.to_owned()), ..condition };
        Thresholds(self.0.into_iter().map(for_group).collect())
    }

    /// Checks that a group can be judged by the conditions.
    ///
    /// # Errors
    /// If one has a metric that is not measured by group.
    pub(crate) fn check_by_group(&self) -> Result<(), String> {
        self.0.iter().try_for_each(|condition| {
            let check = condition.metric.check_by_group();
            check.map_err(|problem| format!("{}: {problem}", condition.text))
        })
    }

    /// The conditions as text, with the names of their groups.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|condition| match &condition.group {
            Some(name) => format!("{name}: {}", condition.text),
            None => condition.text.clone(),
        })
    }

    /// The first failure as text: a condition that holds, or one without a measured value.
    pub(crate) fn first_failure(&self, report: &Report) -> Option<String> {
        self.judge(report).into_iter().find(Verdict::is_failure).map(|verdict| verdict.text)
    }

    /// The figures that the conditions compare.
    pub(crate) fn figures(&self, report: &Report) -> Vec<Figure> {
        self.0.iter().map(|threshold| threshold.figure(report)).collect()
    }
}

impl FromIterator<Thresholds> for Thresholds {
    fn from_iter<I: IntoIterator<Item = Thresholds>>(all: I) -> Thresholds {
        Thresholds(all.into_iter().flat_map(|Thresholds(conditions)| conditions).collect())
    }
}

impl FromStr for Thresholds {
    type Err = String;

    fn from_str(text: &str) -> Result<Thresholds, String> {
        text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Thresholds)
    }
}

impl Threshold {
    fn judge(&self, report: &Report) -> Verdict {
        let figure = self.figure(report);
        let verdict = self.verdict(Rule::FailIf, figure.unit, figure.value);
        match self.part(report).and_then(|part| self.metric.short_time(&part)) {
            Some(time) => {
                let time = duration(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
                Verdict { text: format!("{}; {time} is too short for a rate", verdict.text), ..verdict }
            }
            None => verdict,
        }
    }

    /// The report that it judges: of its group, or of the whole run.
    fn part<'a>(&self, report: &'a Report) -> Option<Cow<'a, Report>> {
        match &self.group {
            Some(name) => report.of_group(name),
            None => Some(Cow::Borrowed(report)),
        }
    }

    /// The verdict on a measured value.
    pub(super) fn verdict(&self, rule: Rule, unit: Unit, measured: Option<f64>) -> Verdict {
        let judgement = match measured {
            None => Judgement::NotMeasured,
            Some(value) if self.comparison.holds(value, self.value) => Judgement::Failed,
            Some(_) => Judgement::Passed,
        };
        let text = match measured {
            Some(value) => format!("{}: it was {}", self.text, unit.show(value)),
            None => format!("{}: it was not measured", self.text),
        };
        let limit = Some(self.value);
        let condition = self.text.clone();
        let verdict = Verdict { rule, condition, group: None, unit, limit, measured, judgement, text };
        match &self.group {
            Some(name) => verdict.of_group(name),
            None => verdict,
        }
    }

    /// The figure that it compares: that of its group, or of the whole run.
    fn figure(&self, report: &Report) -> Figure {
        match self.part(report) {
            Some(part) => self.figure_of(&part),
            None => Figure { metric: self.metric.to_string(), unit: self.unit(), value: None },
        }
    }

    fn figure_of(&self, report: &Report) -> Figure {
        let mut figure = self.metric.figure(report);
        figure.value = figure.value.filter(|_| self.metric.short_time(report).is_none());
        match self.is_percentage && figure.unit != Unit::Percent {
            true => Figure { value: self.metric.percentage(report), unit: Unit::Percent, ..figure },
            false => figure,
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Threshold, String> {
        let usage =
            || format!("{text:?} is not a condition; use METRIC>VALUE or METRIC<VALUE, as in p99>10ms");
        let start = text.find(['<', '>']).ok_or_else(usage)?;
        let (name, rest) = text.split_at_checked(start).ok_or_else(usage)?;
        let (comparison, value) = Comparison::cut(rest).ok_or_else(usage)?;
        let metric = Metric::parse(name.trim())?;
        let value = value.trim();
        let percentage = value.strip_suffix('%').map(str::trim_end);
        let number = match (percentage, metric.unit()) {
            (Some(number), Unit::Percent) => number_of(number),
            (Some(number), _) if metric.has_whole() => number_of(number),
            (Some(_), _) => None,
            (None, unit) => value_of(value, unit),
        };
        let value = number.ok_or_else(|| format!("{text}: expected {}", example(metric)))?;
        Ok(Threshold {
            metric,
            comparison,
            value,
            is_percentage: percentage.is_some(),
            text: text.to_owned(),
            group: None,
        })
    }
}

impl Comparison {
    /// Splits a leading comparison operator from the text after it.
    fn cut(text: &str) -> Option<(Comparison, &str)> {
        let signs = [
            (">=", Comparison::GreaterOrEqual),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
        ];
        signs.into_iter().find_map(|(sign, comparison)| Some((comparison, text.strip_prefix(sign)?)))
    }

    /// Whether it holds for large values.
    pub(super) fn is_upper_limit(self) -> bool {
        matches!(self, Comparison::Greater | Comparison::GreaterOrEqual)
    }

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Comparison::Greater => value > limit,
            Comparison::GreaterOrEqual => value >= limit,
            Comparison::Less => value < limit,
            Comparison::LessOrEqual => value <= limit,
        }
    }
}

/// Parses a value with its unit. A time needs one: some would read a bare number as seconds, others as milliseconds, and a
/// condition that never holds passes unnoticed.
fn value_of(text: &str, unit: Unit) -> Option<f64> {
    let units: &[(&str, f64)] = match unit {
        Unit::Time => return quantity::duration_with_unit(text).map(|duration| duration.as_nanos() as f64),
        Unit::Rate => &[("k/s", 1e3), ("/s", 1.0), ("k", 1e3), ("", 1.0)],
        Unit::Count => &[("", 1.0)],
        Unit::Percent => &[("", 1.0)],
    };
    units.iter().find_map(|(suffix, factor)| Some(number_of(text.strip_suffix(suffix)?.trim_end())? * factor))
}

/// Parses a finite, non-negative number in decimal digits.
fn number_of(text: &str) -> Option<f64> {
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

fn example(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::Time => quantity::DURATION,
        Unit::Rate => "a rate such as 5000/s or 5k/s",
        Unit::Count if metric.has_whole() => "a number or a percentage, such as 100 or 0.1%",
        Unit::Count => "a number",
        Unit::Percent => "a percentage such as 90%",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;
    use proptest::prelude::*;

    fn misses(conditions: &str) -> Vec<String> {
        let thresholds: Thresholds = conditions.parse().unwrap();
        let failures = thresholds.judge(&report()).into_iter().filter(Verdict::is_failure);
        failures.map(|verdict| verdict.text).collect()
    }

    #[test]
    fn a_fulfilled_condition_is_reported_with_the_value() {
        assert_eq!(misses("p99<10ms, loss>0, throughput<5000/s,connect_rate < 0.8k/s"), [""; 0]);
        let expected =
            ["p50>100ms: it was 400 ms", "sent_rate<1000k/s: it was 20000/s", "cpu>=41.5%: it was 41.5 %"];
        assert_eq!(misses("p50>100ms, sent_rate<1000k/s,cpu>=41.5%"), expected);
        assert_eq!(misses("loss<=0"), ["loss<=0: it was 0"]);
        assert_eq!(misses("loss>=0%"), ["loss>=0%: it was 0.0 %"]);
    }

    #[test]
    fn an_unmeasured_metric_misses_its_threshold() {
        assert_eq!(misses("tls.p99>10s"), ["tls.p99>10s: it was not measured"]);
    }

    #[test]
    fn mistakes_are_reported() {
        let error = |text: &str| text.parse::<Thresholds>().unwrap_err();
        assert!(error("").contains("p99>10ms"));
        assert!(error("p99").contains("METRIC>VALUE"));
        assert!(error("p99>10ms,").contains("is not a condition"));
        assert!(error("p99>10").ends_with("expected a duration such as 500ms, 5s or 2m"));
        assert!(error("p99>10x").ends_with("expected a duration such as 500ms, 5s or 2m"));
        assert!(error("p99>10%").contains("expected a duration"));
        assert!(error("loss>x").contains("number or a percentage"));
        assert!(error("p99>-1ms").contains("expected a duration"));
        assert!(error("p99>infs").contains("expected a duration"));
        assert!(error("p99>1e3ms").contains("expected a duration"));
        assert!(error("p98x>1ms").contains("unknown metric p98x"));
        assert!(error("throughput>1ms").contains("5000/s"));
        assert!(error("µ>1").contains("unknown metric"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}", condition in "[a-z_.0-9]{0,12}[<>]=?[0-9.]{0,4}[a-z%/µ]{0,3}") {
            let _ = text.parse::<Thresholds>();
            if let Ok(thresholds) = condition.parse::<Thresholds>() {
                thresholds.judge(&report());
            }
        }
    }
}
