//! Prometheus pages: the text format, version 0.0.4, and OpenMetrics as far as they agree. Only known names are kept.

use super::metric::{Metric, Unit};
use super::names::PAGE_NAMES;
use std::collections::{BTreeMap, HashMap};

/// The sum over the label sets of a name, and their number.
type Sums<'p> = HashMap<&'p str, (f64, f64)>;

/// The metrics of a page.
///
/// # Errors
/// The first line that is not a sample, if no metric is known; empty for a page without samples.
pub(super) fn metrics(page: &str) -> Result<BTreeMap<Metric, f64>, PageDefect<'_>> {
    let mut sums = Sums::new();
    let (mut bad_line, mut samples) = (None, 0_u32);
    for line in page.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match sample(line) {
            Some((name, value)) => {
                samples = samples.saturating_add(1);
                add(&mut sums, name, value);
            }
            None => bad_line = bad_line.or(Some(line)),
        }
    }
    let metrics = known(&sums);
    match bad_line {
        Some(line) if samples == 0 => Err(PageDefect::Line(line)),
        _ if samples == 0 => Err(PageDefect::Empty),
        _ if metrics.is_empty() => Err(PageDefect::Unknown),
        _ => Ok(metrics),
    }
}

/// The reason why a page has no metric of a broker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PageDefect<'p> {
    /// This line is not a sample, and no other line is.
    Line(&'p str),
    /// It has no samples.
    Empty,
    /// Its samples have other names.
    Unknown,
}

/// NaN and infinities say nothing about a count, so they are not part of the sum.
fn add<'p>(sums: &mut Sums<'p>, name: &'p str, value: f64) {
    let is_known = PAGE_NAMES.iter().flat_map(|row| row.terms).any(|(known, _)| *known == name);
    if is_known && value.is_finite() {
        let (sum, sets) = sums.entry(name).or_default();
        (*sum, *sets) = (*sum + value, *sets + 1.0);
    }
}

fn known(sums: &Sums<'_>) -> BTreeMap<Metric, f64> {
    let mut metrics = BTreeMap::new();
    for row in &PAGE_NAMES {
        let terms = row.terms.iter().map(|(name, factor)| {
            let (sum, sets) = sums.get(name)?;
            // The percentages of several nodes have a mean, and no sum.
            let value = if row.metric.unit() == Unit::Percent { sum / sets } else { *sum };
            Some(value * factor)
        });
        if let Some(value) = terms.sum::<Option<f64>>() {
            metrics.entry(row.metric).or_insert(value);
        }
    }
    metrics
}

/// The name and the value of a line such as `name{label="text"} 1.5 1700000000000`.
fn sample(line: &str) -> Option<(&str, f64)> {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let end = line.find(|character| !is_of_name(character))?;
    let (name, rest) = line.split_at_checked(end)?;
    if name.is_empty() || name.starts_with(|character: char| character.is_ascii_digit()) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('{') {
        Some(labels) => after_labels(labels)?,
        None => rest,
    };
    let mut words = rest.split_ascii_whitespace();
    let value = words.next()?.parse().ok()?;
    let is_timestamp = words.next().is_none_or(|word| word == "#" || word.parse::<f64>().is_ok());
    is_timestamp.then_some((name, value))
}

/// The text after the `}` that ends the labels. Braces, quotes and backslashes may be part of a value.
fn after_labels(text: &str) -> Option<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '}' if !is_quoted => return text.get(at + 1..),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_by_the_rules_of_the_format() {
        for (line, expected) in [
            ("a 1", Some(("a", 1.0))),
            ("a:b_c\t+1.5e3 1700000000000", Some(("a:b_c", 1500.0))),
            ("a {x=\"1\"} 2", Some(("a", 2.0))),
            ("a{x=\"} \\\" \\\\\",y=\"\\n{\",} 3", Some(("a", 3.0))),
            ("a_total 4 # {trace=\"x\"} 1", Some(("a_total", 4.0))),
            ("a +Inf", Some(("a", f64::INFINITY))),
            ("a", None),
            ("a{x=\"1\" 2", None),
            ("a{x=\"1} 2", None),
            ("a b", None),
            ("a 1 b", None),
            ("1a 1", None),
            ("<html> 1", None),
            ("", None),
        ] {
            assert_eq!(sample(line), expected, "{line}");
        }
        assert!(sample("a NaN").unwrap().1.is_nan());
    }

    #[test]
    fn label_sets_are_added_and_values_that_are_not_numbers_are_left_out() {
        let page = "# HELP x text\n\nmqtt_publish_received{v=\"4\"} 3\nmqtt_publish_received{v=\"5\"} 4 1700\n\
                    mqtt_publish_received{v=\"3\"} NaN\nsocket_open 9\r\nsocket_close 4\nbytes_sent +Inf\n\
                    emqx_vm_cpu_use{node=\"a\"} 10\nemqx_vm_cpu_use{node=\"b\"} 30\nother 1\n";
        let expected = [(Metric::Clients, 5.0), (Metric::MessagesReceived, 7.0), (Metric::MachineCpu, 20.0)];
        assert_eq!(metrics(page).unwrap(), BTreeMap::from(expected));
    }

    #[test]
    fn pages_without_metrics_of_a_broker_are_told_apart() {
        assert_eq!(metrics("<html>\na"), Err(PageDefect::Line("<html>")));
        assert_eq!(metrics("# EOF\n"), Err(PageDefect::Empty));
        assert_eq!(metrics("up 1\n<a>"), Err(PageDefect::Unknown));
    }
}
