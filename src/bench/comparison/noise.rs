//! Decides whether a difference between two series of values is more than noise.
//!
//! A difference counts if it is larger than the tolerance, and outside of the noise: an interval that the ranks of the values give,
//! as in the test of Mann and Whitney. Ranks need no assumption about the distribution, and a single outlier moves them by one place.

use super::metric::{Better, Compared};
use crate::bench::report::{Unit, repeat::median};

/// The normal quantile of a confidence of 99 percent.
const CONFIDENCE_QUANTILE: f64 = 2.576;

/// The judgement on the difference of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    NoChange,
    Better,
    NotComparable,
    Worse,
}

impl Outcome {
    /// The word in all formats.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::NoChange => "no change",
            Outcome::Better => "better",
            Outcome::NotComparable => "not comparable",
            Outcome::Worse => "worse",
        }
    }
}

/// A difference between two series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// The values that represent the series: the medians, or the means of counts.
    pub(crate) before: f64,
    pub(crate) now: f64,
    /// The interval of the difference at a confidence of 99 percent, in the unit of the metric; a single value if both series have just one.
    pub(crate) interval: (f64, f64),
    pub(crate) outcome: Outcome,
}

impl Difference {
    /// Compares two series; `None` if one of them is empty.
    pub(crate) fn of(
        before: &[f64],
        now: &[f64],
        metric: &Compared,
        tolerance_percent: f64,
    ) -> Option<Difference> {
        let (old, new) = (centre(before, metric.unit())?, centre(now, metric.unit())?);
        let interval = interval(before, now)?;
        let is_beyond_noise = interval.0 > 0.0 || interval.1 < 0.0;
        // The first failure is a difference, however rare.
        let is_first = old == 0.0 && new > 0.0;
        let limit = metric.better.limit(old, tolerance_percent);
        let gain_limit = metric.better.opposite().limit(old, tolerance_percent);
        let outcome = match metric.better {
            _ if !is_beyond_noise && !is_first => Outcome::NoChange,
            Better::Higher if new < limit => Outcome::Worse,
            Better::Higher if new > gain_limit => Outcome::Better,
            Better::Lower if new > limit => Outcome::Worse,
            Better::Lower if new < gain_limit => Outcome::Better,
            Better::Higher | Better::Lower => Outcome::NoChange,
        };
        Some(Difference { before: old, now: new, interval, outcome })
    }

    /// A value of the metric's unit as a percentage of the earlier value; `None` if that is 0.
    pub(crate) fn percent(&self, difference: f64) -> Option<f64> {
        (self.before > 0.0).then(|| 100.0 * difference / self.before)
    }

    pub(crate) fn change(&self) -> f64 {
        self.now - self.before
    }

    /// Whether there is an interval, since a series has several values.
    pub(crate) fn has_noise(&self) -> bool {
        self.interval.0 != self.interval.1
    }
}

/// The median; of counts, most of which are 0, the mean.
fn centre(values: &[f64], unit: Unit) -> Option<f64> {
    match unit {
        Unit::Count => (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
        Unit::Time | Unit::Rate | Unit::Percent => median(values),
    }
}

/// The interval of the shift between two series: of all differences of pairs, those between the ranks that chance leaves out.
fn interval(before: &[f64], now: &[f64]) -> Option<(f64, f64)> {
    let mut pairs: Vec<f64> = before.iter().flat_map(|old| now.iter().map(move |new| new - old)).collect();
    pairs.sort_by(f64::total_cmp);
    let (old, new) = (before.len() as f64, now.len() as f64);
    let deviation = (old * new * (old + new + 1.0) / 12.0).sqrt();
    // Negative for short series: they need to be separate altogether.
    let left_out = (old * new / 2.0 - CONFIDENCE_QUANTILE * deviation).floor().max(0.0) as usize;
    Some((*pairs.get(left_out)?, *pairs.get(pairs.len().checked_sub(left_out + 1)?)?))
}

#[cfg(test)]
mod tests {
    use super::super::metric::COMPARED;
    use super::*;

    fn judge(metric: &str, before: &[f64], now: &[f64]) -> Outcome {
        let metric = COMPARED.iter().find(|compared| compared.name == metric).unwrap();
        Difference::of(before, now, metric, 10.0).unwrap().outcome
    }

    #[test]
    fn single_values_are_judged_by_the_tolerance() {
        assert_eq!(judge("p99", &[100.0], &[110.0]), Outcome::NoChange);
        assert_eq!(judge("p99", &[100.0], &[111.0]), Outcome::Worse);
        assert_eq!(judge("p99", &[100.0], &[89.0]), Outcome::Better);
        assert_eq!(judge("throughput", &[100.0], &[89.0]), Outcome::Worse);
        assert_eq!(judge("throughput", &[100.0], &[111.0]), Outcome::Better);
        assert_eq!(judge("p99", &[0.0], &[0.0]), Outcome::NoChange);
    }

    #[test]
    fn series_that_overlap_are_not_different() {
        let noisy = [80.0, 95.0, 100.0, 130.0, 160.0];
        assert_eq!(judge("p99", &noisy, &[90.0, 118.0, 121.0, 140.0, 155.0]), Outcome::NoChange);
        assert_eq!(judge("p99", &noisy, &[161.0, 170.0, 175.0, 180.0, 190.0]), Outcome::Worse);
        assert_eq!(judge("p99", &[100.0, 101.0, 102.0], &[120.0, 121.0, 122.0]), Outcome::Worse);
    }

    #[test]
    fn an_outlier_does_not_hide_a_difference() {
        let before: Vec<f64> = (0..10).map(|run| 100.0 + f64::from(run)).collect();
        let mut now: Vec<f64> = before.iter().map(|value| value * 1.2).collect();
        now[3] = 90.0;
        assert_eq!(judge("p50", &before, &now), Outcome::Worse);
        assert_eq!(judge("p50", &before, &before), Outcome::NoChange);
    }

    #[test]
    fn the_first_loss_is_worse_and_fewer_losses_are_better() {
        assert_eq!(judge("loss", &[0.0; 5], &[0.0, 0.0, 1.0, 0.0, 0.0]), Outcome::Worse);
        assert_eq!(judge("loss", &[5.0, 9.0], &[7.0, 8.0]), Outcome::NoChange);
        assert_eq!(judge("loss", &[5.0, 6.0, 7.0], &[0.0; 3]), Outcome::Better);
    }

    #[test]
    fn the_interval_narrows_with_the_number_of_runs() {
        let few = interval(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(few, (-2.0, 2.0));
        let values: Vec<f64> = (0..20).map(f64::from).collect();
        let many = interval(&values, &values).unwrap();
        assert!(many.0 > -19.0 && many.0 < 0.0 && many.0 == -many.1, "{many:?}");
    }
}
