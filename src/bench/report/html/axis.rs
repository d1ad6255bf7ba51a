//! The scales of a chart: ranges, round ticks, and the text of a value.

use super::super::format::{duration, rate};
use jiff::Timestamp;

/// The kind of a value; it decides the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Seconds since the start of a run.
    Seconds,
    /// Seconds since 1970, as a date.
    Date,
    /// Nanoseconds of a latency.
    Latency,
    /// Occurrences per second.
    Rate,
    /// A plain number.
    Count,
    /// The number of nines of a percentile: 2 for the 99th.
    Nines,
}

/// The scale from values to positions, and the labels.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// Empty if the caption of the chart has it.
    pub(super) title: String,
    pub(super) quantity: Quantity,
    is_logarithmic: bool,
    /// The values of the ends.
    range: (f64, f64),
    /// Values with their labels.
    pub(super) ticks: Vec<(f64, String)>,
}

/// Time axes up to this are in seconds.
const MAX_SECONDS: f64 = 300.0;

/// Time axes up to this are in minutes, in seconds.
const MAX_MINUTES: f64 = 3.0 * 3600.0;

/// A logarithmic axis over at most this many powers of ten has ticks at 1, 2 and 5.
const FEW_DECADES: f64 = 2.01;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// The number of parts of an axis of dates.
const DATE_STEPS: u32 = 4;

/// The percentiles with a label.
const PERCENTILES: [f64; 8] = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999];

impl Axis {
    /// From zero to a round number above the largest value.
    pub(super) fn linear(quantity: Quantity, largest: f64) -> Axis {
        let step = round_step(largest).max(1.0);
        let steps = (largest / step).ceil().clamp(1.0, 10.0) as u32;
        let ticks = (0..=steps).map(|tick| f64::from(tick) * step).map(|value| (value, number(value)));
        let range = (0.0, f64::from(steps) * step);
        Axis { title: String::new(), quantity, is_logarithmic: false, range, ticks: ticks.collect() }
    }

    /// From the start of a run to its end in seconds, in the unit that fits.
    pub(super) fn time(end: f64) -> Axis {
        let (unit, word) = match end {
            ..=MAX_SECONDS => (1.0, "seconds"),
            ..=MAX_MINUTES => (60.0, "minutes"),
            _ => (3600.0, "hours"),
        };
        let end = end.max(1.0);
        let step = round_step(end / unit);
        let steps = (end / unit / step * 1.0001).floor().min(20.0) as u32;
        let values = (0..=steps).map(|tick| f64::from(tick) * step);
        let ticks = values.map(|value| (value * unit, number(value))).collect();
        let title = format!("{word} since the start");
        Axis { title, quantity: Quantity::Seconds, is_logarithmic: false, range: (0.0, end), ticks }
    }

    /// Between two times in seconds since 1970.
    pub(super) fn dates(first: f64, last: f64) -> Axis {
        let last = last.max(first + 1.0);
        let format = if last - first < SECONDS_PER_DAY { "%H:%M" } else { "%m-%d" };
        let ticks = (0..=DATE_STEPS).map(|step| {
            let time = first + (last - first) * f64::from(step) / f64::from(DATE_STEPS);
            (time, date(time, format))
        });
        let (title, quantity) = ("start of the run (UTC)".to_owned(), Quantity::Date);
        Axis { title, quantity, is_logarithmic: false, range: (first, last), ticks: ticks.collect() }
    }

    /// Over all of these latencies; `None` without any. The ends are round.
    pub(super) fn latency(values: impl Iterator<Item = f64>) -> Option<Axis> {
        let widen = |range: Option<(f64, f64)>, value: f64| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        };
        let (smallest, largest) = values.map(|value| value.max(1.0)).fold(None, widen)?;
        let steps = steps_of_1_2_5(smallest, largest);
        let range = (steps.first().copied()?, steps.last().copied()?);
        let has_few = (range.1 / range.0).log10() <= FEW_DECADES;
        let is_shown = |value: &f64| has_few || (value.log10() - value.log10().round()).abs() < 0.01;
        let ticks = steps.into_iter().filter(is_shown).map(|value| (value, round_duration(value)));
        let quantity = Quantity::Latency;
        Some(Axis { title: String::new(), quantity, is_logarithmic: true, range, ticks: ticks.collect() })
    }

    /// Up to this number of nines; each further nine takes the same width.
    pub(super) fn percentiles(last: f64) -> Axis {
        let ticks = PERCENTILES.into_iter().map(|percentile| (nines(percentile), percentile.to_string()));
        let ticks = ticks.filter(|(place, _)| *place <= last + 0.01).collect();
        let (title, quantity) = ("percentile".to_owned(), Quantity::Nines);
        Axis { title, quantity, is_logarithmic: false, range: (0.0, last), ticks }
    }

    /// The position of a value between the ends, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        let map = |value: f64| match self.is_logarithmic {
            false => value,
            true => value.max(f64::MIN_POSITIVE).log10(),
        };
        let (low, high) = (map(self.range.0), map(self.range.1));
        ((map(value) - low) / (high - low)).clamp(0.0, 1.0)
    }
}

impl Quantity {
    /// The value with its unit.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Quantity::Seconds => clock(value),
            Quantity::Date => date(value, "%Y-%m-%d %H:%M"),
            Quantity::Latency => duration(value as u64),
            Quantity::Rate => format!("{}/s", rate(value)),
            Quantity::Count => format!("{value:.0}"),
            Quantity::Nines => {
                let percentile = 100.0 * (1.0 - 10_f64.powf(-value));
                format!("p{}", trimmed(format!("{percentile:.*}", value.clamp(0.0, 9.0) as usize)))
            }
        }
    }
}

/// The position of a percentile: the number of its nines.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

/// Seconds since 1970 as a date.
fn date(seconds: f64, format: &str) -> String {
    Timestamp::from_second(seconds as i64)
        .map_or_else(|_| String::new(), |time| time.strftime(format).to_string())
}

/// Seconds, from ten minutes on as a clock shows them.
fn clock(seconds: f64) -> String {
    if seconds < 600.0 {
        return format!("{} s", trimmed(format!("{seconds:.1}")));
    }
    let seconds = seconds as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// 1, 2 and 5 times the powers of ten, from the last one at or below the smallest value to the first one at or above the largest.
fn steps_of_1_2_5(smallest: f64, largest: f64) -> Vec<f64> {
    let first = smallest.log10().floor() as i32;
    let last = largest.log10().ceil() as i32;
    let steps: Vec<f64> =
        (first..=last + 1).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power))).collect();
    // Powers of ten are not exact.
    let below = steps.iter().rposition(|step| *step <= smallest * 1.000_001).unwrap_or(0);
    let above = steps.iter().position(|step| *step >= largest * 0.999_999).unwrap_or(steps.len());
    let end = above.max(below + 1);
    steps.get(below..=end.min(steps.len().saturating_sub(1))).unwrap_or_default().to_vec()
}

/// A step of 1, 2 or 5 times a power of ten that divides the largest value into about five.
fn round_step(largest: f64) -> f64 {
    let rough = (largest / 5.0).max(0.2);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// A number with a letter for thousands, as in 25k.
fn number(value: f64) -> String {
    let (scaled, unit) = match value {
        1e9.. => (value / 1e9, "G"),
        1e6.. => (value / 1e6, "M"),
        1e3.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    trimmed(format!("{scaled:.2}")) + unit
}

/// Removes zeros at the end of the decimals.
fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A round number of nanoseconds, without decimals.
fn round_duration(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..999.0 => (nanoseconds, "ns"),
        999.0..999e3 => (nanoseconds / 1e3, "µs"),
        999e3..999e6 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{value:.0} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    fn latency(values: &[f64]) -> Axis {
        Axis::latency(values.iter().copied()).unwrap()
    }

    #[test]
    fn ticks_are_round() {
        let linear = |largest| Axis::linear(Quantity::Count, largest);
        assert_eq!(labels(&linear(23_456.0)), ["0", "5k", "10k", "15k", "20k", "25k"]);
        assert_eq!(labels(&linear(0.0)), ["0", "1"]);
        assert_eq!(labels(&linear(7.0)), ["0", "2", "4", "6", "8"]);
        assert_eq!(labels(&latency(&[150.0, 20e6])), ["100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms"]);
        assert_eq!(labels(&latency(&[1.5e6, 18e6])), ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms"]);
        assert_eq!(labels(&latency(&[100.0])), ["100 ns", "200 ns"]);
        assert!(Axis::latency(std::iter::empty()).is_none());
    }

    #[test]
    fn time_is_in_the_unit_that_fits_and_ends_with_the_run() {
        let axis = Axis::time(23.0);
        assert_eq!((labels(&axis).join(" ").as_str(), axis.place(23.0)), ("0 5 10 15 20", 1.0));
        assert_eq!(labels(&Axis::time(900.0)), ["0", "5", "10", "15"]);
        assert_eq!(Axis::time(50_000.0).title, "hours since the start");
        let any = [0.0, 1e-9, f64::MAX].map(|end| Axis::time(end).ticks.len());
        assert!(any.iter().all(|ticks| (1..=21).contains(ticks)), "{any:?}");
    }

    #[test]
    fn values_have_their_unit() {
        let shown = [
            (Quantity::Seconds, 12.5, "12.5 s"),
            (Quantity::Seconds, 3725.0, "1:02:05"),
            (Quantity::Latency, 5_900_000.0, "5.90 ms"),
            (Quantity::Rate, 1999.6, "2000/s"),
            (Quantity::Count, 7.0, "7"),
            (Quantity::Nines, 0.301, "p50"),
            (Quantity::Nines, 3.0, "p99.9"),
            (Quantity::Nines, 2.25, "p99.44"),
        ];
        for (quantity, value, text) in shown {
            assert_eq!(quantity.show(value), text);
        }
    }

    #[test]
    fn each_nine_is_a_step() {
        let places = [0.0, 90.0, 99.0, 99.9].map(|percentile| (nines(percentile) * 1000.0).round());
        assert_eq!(places, [0.0, 1000.0, 2000.0, 3000.0]);
    }
}
