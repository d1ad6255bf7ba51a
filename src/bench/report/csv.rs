//! The time series as CSV: one line per slot, times in seconds, latencies in milliseconds.

use super::Report;
use std::fmt::Write;

impl Report {
    /// The time series as comma-separated values with a header. Values that were not measured are empty.
    pub(crate) fn to_csv(&self) -> String {
        let mut text = "begin_s,width_s,connected,failed,lost,sent,acknowledged,denied,received,\
                        latency_p50_ms,latency_p99_ms,latency_max_ms,unmatched\n"
            .to_owned();
        let width = self.timeline.width().as_secs();
        for (slot, begin) in self.timeline.slots().iter().zip((0..).step_by(width as usize)) {
            let (p50, p99) = (slot.latency.at_percentile(50.0), slot.latency.at_percentile(99.0));
            let counts = [
                slot.connected,
                slot.failed,
                slot.lost,
                slot.sent,
                slot.acknowledged,
                slot.rejected,
                slot.received,
            ];
            let counts = counts.map(|count| count.to_string()).join(",");
            let [p50, p99, max] = [p50, p99, slot.latency.max()].map(milliseconds);
            let _ = writeln!(text, "{begin},{width},{counts},{p50},{p99},{max},{}", slot.unmatched);
        }
        text
    }
}

fn milliseconds(nanoseconds: Option<u64>) -> String {
    nanoseconds.map_or(String::new(), |time| format!("{:.3}", time as f64 / 1e6))
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;

    #[test]
    fn a_line_for_each_second() {
        let mut report = report();
        report.timeline.at(1_500_000_000).failed = 2;
        let csv = report.to_csv();
        let lines: Vec<_> = csv.lines().skip(1).collect();
        assert_eq!(lines[1], "1,1,0,2,0,0,0,0,0,,,,0");
        assert!(lines[0].starts_with("0,1,1100,0,0,100000,100000,0,100000,20."), "{}", lines[0]);
        assert_eq!(lines.len(), 2);
    }
}
