//! Histograms in the encoding of HdrHistogram, as Base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use hdrhistogram::{Counter, Histogram};

/// HDR histograms of version 2 begin with this cookie; their header has this many bytes.
pub(super) const HISTOGRAM_COOKIE: u32 = 0x1c84_9313;
const HISTOGRAM_HEADER: usize = 40;

/// The maximum total count of a histogram; sums of a few of these still fit.
const MAX_COUNTS: u64 = 1 << 60;

pub(super) fn encode<T: Counter>(histogram: &Histogram<T>) -> String {
    let mut bytes = Vec::new();
    let written = V2Serializer::new().serialize(histogram, &mut bytes);
    written.expect("a vector accepts all bytes, and every count fits into an i64");
    STANDARD.encode(bytes)
}

/// Reads a histogram. It checks the header first, since the header determines the memory needed.
pub(super) fn decode<T: Counter>(text: &str, digits: u8) -> Result<Histogram<T>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let words: Vec<u32> = bytes.as_chunks().0.iter().take(6).map(|word| u32::from_be_bytes(*word)).collect();
    let counts = bytes.len().saturating_sub(HISTOGRAM_HEADER) as u32;
    if words != [HISTOGRAM_COOKIE, counts, 0, digits.into(), 0, 1] {
        return Err(format!("it is not an HDR histogram of version 2 with {digits} digits"));
    }
    let read = Deserializer::new().deserialize(&mut bytes.as_slice());
    let mut histogram: Histogram<T> = read.map_err(|error| error.to_string())?;
    if histogram.len() > MAX_COUNTS {
        return Err(format!("its count exceeds the maximum of {MAX_COUNTS}"));
    }
    // Allows a merge with histograms of longer times.
    histogram.auto(true);
    Ok(histogram)
}
