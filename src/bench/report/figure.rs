//! A figure with its unit: how it is shown, and what its key is in JSON.

use super::words::{duration, rate};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// Things in a second.
    Rate,
    /// Parts of a hundred.
    Percent,
    /// Things.
    Count,
}

impl Unit {
    /// The last one is that of every key that ends with nothing of the others.
    const ALL: [Unit; 4] = [Unit::Time, Unit::Rate, Unit::Percent, Unit::Count];

    /// The end of a key in JSON.
    fn suffix(self) -> &'static str {
        match self {
            Unit::Time => "_ns",
            Unit::Rate => "_per_second",
            Unit::Percent => "_percent",
            Unit::Count => "",
        }
    }

    /// A value in words.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Time => duration(value as u64),
            Unit::Rate => format!("{}/s", rate(value)),
            Unit::Count => format!("{value:.0}"),
            Unit::Percent => format!("{value:.1} %"),
        }
    }
}

/// A figure of a run by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The name of the metric.
    pub metric: String,
    /// What it counts.
    pub unit: Unit,
    /// `None` when it was not measured.
    pub value: Option<f64>,
}

impl Figure {
    /// Its key in JSON: the name with the unit.
    pub(super) fn key(&self) -> String {
        format!("{}{}", self.metric, self.unit.suffix())
    }

    /// What such a key and a value stand for.
    pub(super) fn of_key(key: &str, value: Option<f64>) -> Figure {
        let cut = |unit: Unit| key.strip_suffix(unit.suffix()).map(|metric| (metric, unit));
        let (metric, unit) = Unit::ALL.into_iter().find_map(cut).unwrap_or((key, Unit::Count));
        Figure { metric: metric.to_owned(), unit, value }
    }

    /// The value in words, a dash for none.
    pub(super) fn shown(&self) -> String {
        self.value.map_or("-".to_owned(), |value| self.unit.show(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_counts() {
        let keys = [("p99", Unit::Time, "p99_ns"), ("sent_rate", Unit::Rate, "sent_rate_per_second")];
        let more = [("loss", Unit::Percent, "loss_percent"), ("loss", Unit::Count, "loss")];
        for (metric, unit, key) in keys.into_iter().chain(more) {
            let figure = Figure { metric: metric.to_owned(), unit, value: Some(0.5) };
            assert_eq!((figure.key().as_str(), Figure::of_key(key, Some(0.5))), (key, figure.clone()));
        }
    }
}
