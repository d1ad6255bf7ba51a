//! Lossless encoding of the parts of a record that JSON has no form for: histograms in HDR's own format, errors as a
//! list.

use crate::bench::record::{Errors, FailureKind, Latencies, Stage};
use crate::bench::timeline::Coarse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer as Reader, Serializer as Writer, V2Serializer};
use hdrhistogram::{Counter, Histogram};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

fn to_text<T: Counter>(histogram: &Histogram<T>) -> Result<String, String> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).map_err(|error| error.to_string())?;
    Ok(STANDARD.encode(bytes))
}

fn from_text<T: Counter>(text: &str) -> Result<Histogram<T>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let mut histogram: Histogram<T> =
        Reader::new().deserialize(&mut bytes.as_slice()).map_err(|error| error.to_string())?;
    histogram.auto(true);
    Ok(histogram)
}

impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_text(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Latencies, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_text(&text).map(Latencies).map_err(D::Error::custom)
    }
}

impl Serialize for Coarse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.as_deref().map(to_text).transpose().map_err(S::Error::custom)?;
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Coarse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Coarse, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let histogram = text.map(|text| from_text(&text)).transpose().map_err(D::Error::custom)?;
        Ok(Coarse(histogram.map(Box::new)))
    }
}

impl Serialize for Errors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.iter().collect::<Vec<_>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Errors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Errors, D::Error> {
        let list = Vec::<((Stage, String, FailureKind), u64)>::deserialize(deserializer)?;
        Ok(Errors(list.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use crate::bench::record::{FailureKind, LatencyKind, Record, Sent, Stage};

    #[test]
    fn a_record_is_the_same_on_the_other_side() {
        let mut record = Record { connected: 7, busiest_thread: 0.123_456_789, ..Record::default() };
        for time in (0..1000u64).map(|number| number * number * 977) {
            record.latencies.record(LatencyKind::Connack, time);
            record.timeline.at(time * 1000).latency.record(time);
        }
        record.accepting.note(u64::MAX);
        record.errors.add(Stage::Connect, "busy \"\n".to_owned(), u64::MAX);
        record.errors.add_failure("closed".to_owned(), FailureKind::NotAccepted);
        let mut sent = Sent { count: 5, unacknowledged: vec![4], after_gap: Some(2), ..Sent::default() };
        sent.rejected.insert(1, u64::MAX);
        record.sent.insert(u32::MAX, sent);
        let mut received = crate::bench::record::Received::default();
        for sequence in [0, 3, 9] {
            received.note(sequence);
        }
        received.begin_gap();
        record.received.insert(3, vec![received]);
        let text = serde_json::to_string(&record).unwrap();
        let again: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(
            again.latencies.of(LatencyKind::Connack).summary(),
            record.latencies.of(LatencyKind::Connack).summary()
        );
        // Any loss in transit would show as a difference.
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
    }
}
