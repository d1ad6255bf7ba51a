//! The broker's own counters in the report: a block of text, and the rows of tables.

use super::Report;
use super::format::rate;
use crate::bench::broker_watch::{BrokerSide, Course, Kind, Metric, Unit};
use crate::words::counted;

/// The heads of the columns after the name.
pub(super) const HEADS: [&str; 3] = ["start", "end", "peak"];

impl Report {
    /// The source of the counters, and the reasons why some are missing. Parts of it are strangers' text.
    pub(super) fn broker_remarks(&self) -> Vec<String> {
        let Some(side) = &self.broker_side else { return Vec::new() };
        let mut remarks = vec![describe(side)];
        remarks.extend(side.problems.iter().cloned());
        remarks
    }

    /// A row for each metric that was read: its name, and its values at the start, at the end and at the peak.
    pub(super) fn broker_rows(&self) -> Vec<(&'static str, [String; 3])> {
        let Some(side) = &self.broker_side else { return Vec::new() };
        let rows = Metric::ALL.into_iter().filter_map(|metric| Some((metric, side.course(metric)?)));
        rows.map(|(metric, course)| (metric.title(), cells(metric, course))).collect()
    }
}

/// The source, the number of samples and their interval, and the processes.
fn describe(side: &BrokerSide) -> String {
    let mut text = format!("{}, {}", side.source, counted(side.samples.len() as u64, "sample"));
    if let Some(interval) = side.interval() {
        text += &format!(", counters every {:.0} s", interval.as_secs_f64().max(1.0));
    }
    if let Some(version) = &side.version {
        text += &format!(", {version}");
    }
    if !side.processes.is_empty() {
        let processes = side.processes.iter().map(|(id, name)| format!("{id} ({name})"));
        text += &format!(", process {}", processes.collect::<Vec<_>>().join(" and "));
    }
    text
}

fn cells(metric: Metric, course: Course) -> [String; 3] {
    let Course { first, last, peak } = course;
    let peak = match (metric.kind(), metric.unit(), peak) {
        (_, _, None) => "-".to_owned(),
        (Kind::Counter, Unit::Seconds, Some(share)) => format!("{:.0} %", share * 100.0),
        (Kind::Counter, unit, Some(per_second)) => format!("{}/s", amount(unit, per_second, true)),
        (Kind::Gauge, unit, Some(value)) => amount(unit, value, false),
    };
    [amount(metric.unit(), first, false), amount(metric.unit(), last, false), peak]
}

fn amount(unit: Unit, value: f64, is_rate: bool) -> String {
    match unit {
        Unit::Count if is_rate => rate(value),
        Unit::Count => format!("{value:.0}"),
        Unit::Bytes => bytes(value),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Percent => format!("{value:.0} %"),
    }
}

/// Bytes in the unit that fits.
fn bytes(value: f64) -> String {
    let (scaled, unit) = match value {
        1_073_741_824.0.. => (value / 1_073_741_824.0, "GiB"),
        1_048_576.0.. => (value / 1_048_576.0, "MiB"),
        1024.0.. => (value / 1024.0, "KiB"),
        _ => return format!("{value:.0} B"),
    };
    format!("{scaled:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::super::Charset;
    use super::super::tests::watched;

    #[test]
    fn every_metric_has_a_row_with_its_unit() {
        let report = watched();
        let rows: Vec<_> = report
            .broker_rows()
            .into_iter()
            .map(|(name, cells)| format!("{name}: {}", cells.join(", ")))
            .collect();
        let expected = [
            "clients: 1, 101, 101",
            "messages in: 10, 2010, 1000/s",
            "CPU time: 1.00 s, 1.50 s, 25 %",
            "resident memory: 5.0 MiB, 6.0 MiB, 6.0 MiB",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn text_of_the_broker_is_escaped_everywhere() {
        let report = watched();
        let (text, markdown, html) = (report.to_text(Charset::Utf8), report.to_markdown(), report.to_html());
        assert!(text.contains("$SYS, 2 samples, counters every 2 s"), "{text}");
        assert!(markdown.contains("| messages in | 10 | 2010 | 1000/s |"), "{markdown}");
        assert!(html.contains("a &lt;b") && html.contains("Broker: messages per second"), "{html}");
        for text in [text, markdown, html] {
            assert!(!text.contains("\u{1b}[31m"), "{text}");
        }
    }
}
