//! A value with its unit: how it is displayed, and its key in JSON.

use super::format::{duration, rate};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds.
    Time,
    /// Occurrences per second.
    Rate,
    Percent,
    /// A plain number.
    Count,
}

impl Unit {
    /// `Count` comes last: it applies to every key without a unit's suffix.
    const ALL: [Unit; 4] = [Unit::Time, Unit::Rate, Unit::Percent, Unit::Count];

    /// The name of the unit in JSON, for a value whose key does not have it.
    pub(in crate::bench) fn key(self) -> &'static str {
        match self {
            Unit::Time => "ns",
            Unit::Rate => "per_second",
            Unit::Percent => "percent",
            Unit::Count => "count",
        }
    }

    pub(super) fn of_name(key: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.key() == key)
    }

    /// The suffix of a key in JSON.
    fn suffix(self) -> &'static str {
        match self {
            Unit::Time => "_ns",
            Unit::Rate => "_per_second",
            Unit::Percent => "_percent",
            Unit::Count => "",
        }
    }

    /// Formats a value for display.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Unit::Time => duration(value as u64),
            Unit::Rate => format!("{}/s", rate(value)),
            Unit::Count => format!("{value:.0}"),
            Unit::Percent => format!("{value:.1} %"),
        }
    }
}

/// A named value of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    /// The name of the metric.
    pub metric: String,
    pub unit: Unit,
    /// `None` if it was not measured.
    pub value: Option<f64>,
}

impl Figure {
    /// The key in JSON: the name with the unit's suffix.
    pub(in crate::bench) fn key(&self) -> String {
        format!("{}{}", self.metric, self.unit.suffix())
    }

    /// Splits such a key into name and unit.
    pub(super) fn of_key(key: &str, value: Option<f64>) -> Figure {
        let cut = |unit: Unit| key.strip_suffix(unit.suffix()).map(|metric| (metric, unit));
        let (metric, unit) = Unit::ALL.into_iter().find_map(cut).unwrap_or((key, Unit::Count));
        Figure { metric: metric.to_owned(), unit, value }
    }

    /// The value for display, or a dash if it was not measured.
    pub(super) fn shown(&self) -> String {
        self.value.map_or("-".to_owned(), |value| self.unit.show(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_unit() {
        let keys = [("p99", Unit::Time, "p99_ns"), ("sent_rate", Unit::Rate, "sent_rate_per_second")];
        let more = [("loss", Unit::Percent, "loss_percent"), ("loss", Unit::Count, "loss")];
        for (metric, unit, key) in keys.into_iter().chain(more) {
            let figure = Figure { metric: metric.to_owned(), unit, value: Some(0.5) };
            assert_eq!((figure.key().as_str(), Figure::of_key(key, Some(0.5))), (key, figure.clone()));
        }
    }
}
