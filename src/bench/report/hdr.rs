//! The latencies as a log of HDR histograms (log format 1.3, histograms of version 2) for the tools around HdrHistogram: each kind
//! over the whole run in nanoseconds, then the main one by second in microseconds.

use super::Report;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriter, IntervalLogWriterBuilder, Tag};
use std::fmt::Display;
use std::time::{Duration, SystemTime};

/// The tag of the histograms of single seconds.
const BY_SECOND: &str = "main_by_second_us";

impl Report {
    pub(crate) fn to_hdr_log(&self) -> Vec<u8> {
        let mut log = Vec::new();
        let mut serializer = V2DeflateSerializer::new();
        let start = SystemTime::from(self.started_at);
        let mut builder = IntervalLogWriterBuilder::new();
        builder.with_start_time(start).with_base_time(start);
        for comment in self.comments() {
            builder.add_comment(&comment);
        }
        let writer = builder.begin_log_with(&mut log, &mut serializer);
        self.write_histograms(&mut expect_written(writer));
        log
    }

    fn comments(&self) -> [String; 3] {
        let main = self.main_latency().map_or("none was measured", |kind| kind.key());
        [
            "[Histogram log format version 1.3]".to_owned(),
            format!("[{}; whole run in nanoseconds, tagged by kind]", self.tool),
            format!("[{BY_SECOND}: {main}, in microseconds]"),
        ]
    }

    fn write_histograms(&self, writer: &mut IntervalLogWriter<'_, '_, Vec<u8>, V2DeflateSerializer>) {
        for (kind, latencies) in &self.latencies {
            let written = writer.write_histogram(
                latencies.histogram(),
                Duration::ZERO,
                self.elapsed,
                Tag::new(kind.key()),
            );
            expect_written(written);
        }
        let width = self.timeline.width();
        for (slot, number) in self.timeline.slots().iter().zip(0u32..) {
            if let Some(histogram) = slot.latency.histogram() {
                let begin = width.saturating_mul(number);
                expect_written(writer.write_histogram(histogram, begin, width, Tag::new(BY_SECOND)));
            }
        }
    }
}

fn expect_written<T, E: Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| unreachable!("a vector accepts all bytes, and every count fits: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::LatencyKind;
    use super::super::tests::report;
    use super::*;
    use base64::Engine;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    #[test]
    fn the_log_is_read_by_others() {
        let report = report();
        let log = report.to_hdr_log();
        let mut tags = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            let LogEntry::Interval(interval) = entry.unwrap() else { continue };
            let tag = interval.tag().unwrap().as_str().to_owned();
            let bytes =
                base64::engine::general_purpose::STANDARD.decode(interval.encoded_histogram()).unwrap();
            let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            if tag == "end_to_end" {
                assert_eq!(&read, report.latencies[&LatencyKind::EndToEnd].histogram());
            }
            tags.push(tag);
        }
        assert_eq!(tags, ["tcp_connect", "connack", "acknowledged", "end_to_end", BY_SECOND]);
        let text = String::from_utf8(log).unwrap();
        assert!(text.starts_with("#[Histogram log format version 1.3]\n"), "{text}");
    }
}
