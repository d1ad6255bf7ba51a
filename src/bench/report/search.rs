//! The result of a search for the highest sustained rate: the rates that were tried, and the values that decided.

use super::format::{folded, rate};
use super::value::Figure;
use crate::escape;
use std::fmt::Write;

/// The column of the reason for a failure.
const INDENT: usize = 18;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Searched {
    /// The rates that were tried, in order.
    pub steps: Vec<SearchStep>,
    /// The outcome; `None` if no run was complete.
    pub found: Option<Found>,
}

/// A rate that was tried, and its result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SearchStep {
    /// The requested messages per second.
    pub rate: f64,
    /// The reason for the failure; `None` if the rate was sustained.
    pub failure: Option<String>,
    /// The values that decided.
    pub figures: Vec<Figure>,
}

/// The outcome of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// The highest sustained rate.
    Rate(f64),
    /// The highest sustained rate; none failed, so a higher one may be sustained too.
    AtLeast(f64),
    /// The lowest rate that was tried, which failed.
    NotEven(f64),
}

impl Searched {
    /// The failure, if no rate was sustained.
    pub(crate) fn failure(&self) -> Option<String> {
        let found = self.found.filter(|found| matches!(found, Found::NotEven(_)))?;
        let reason = self.steps.last().and_then(|step| step.failure.clone()).unwrap_or_default();
        Some(format!("{}: {reason}", found.to_text()))
    }

    /// The rate that was sustained, if any.
    pub(super) fn sustained(&self) -> Option<f64> {
        match self.found? {
            Found::Rate(rate) | Found::AtLeast(rate) => Some(rate),
            Found::NotEven(_) => None,
        }
    }

    /// The outcome as a sentence.
    pub(super) fn outcome(&self) -> String {
        self.found.map_or("no run was complete".to_owned(), Found::to_text)
    }

    /// The header of the table of steps.
    pub(super) fn heads(&self) -> Vec<&str> {
        let figures = self.steps.first().map(|step| step.figures.as_slice()).unwrap_or_default();
        let names = figures.iter().map(|figure| figure.metric.as_str());
        std::iter::once("tried per second").chain(names).chain(["verdict"]).collect()
    }

    /// The rows of the table of steps.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.steps.iter().map(|step| {
            let figures = step.figures.iter().map(Figure::shown);
            std::iter::once(rate(step.rate)).chain(figures).chain([step.verdict()]).collect()
        })
    }

    /// The steps for a terminal. The reason for a failure is on its own lines.
    pub(super) fn table(&self) -> (String, String) {
        let heads = self.heads();
        let row = |cells: &[&str]| {
            let mut line = String::new();
            for (number, cell) in cells.iter().map(|cell| escape::line(cell)).enumerate() {
                let _ = match number {
                    0 => write!(line, "{cell:<18}"),
                    _ if number + 1 == cells.len() => write!(line, "  {cell}"),
                    _ => write!(line, "{cell:>12}"),
                };
            }
            line
        };
        let mut rows = String::new();
        for (step, mut cells) in self.steps.iter().zip(self.rows()) {
            cells.pop();
            cells.push(if step.failure.is_none() { "sustained" } else { "failed" }.to_owned());
            rows += &row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
            rows.push('\n');
            if step.failure.is_some() {
                let verdict = escape::line(&step.verdict()).into_owned();
                let _ = writeln!(rows, "{:INDENT$}{}", "", folded(&verdict, INDENT));
            }
        }
        (row(&heads), rows)
    }
}

impl SearchStep {
    fn verdict(&self) -> String {
        self.failure.as_ref().map_or("sustained".to_owned(), |failure| format!("failed: {failure}"))
    }
}

impl Found {
    /// The outcome as a sentence.
    pub(crate) fn to_text(self) -> String {
        match self {
            Found::Rate(found) => {
                format!("the highest sustained rate is {} messages per second", rate(found))
            }
            Found::AtLeast(found) => {
                format!("every rate was sustained, up to {} messages per second", rate(found))
            }
            Found::NotEven(found) => format!("not even {} messages per second was sustained", rate(found)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Two rates, of which the first was sustained.
    pub(in crate::bench::report) fn searched() -> Searched {
        let figures = |sent: f64, p99: f64, loss: f64| {
            let [sent, p99, loss] = [sent, p99, loss].map(Some);
            vec![
                Figure::of_key("sent_rate_per_second", sent),
                Figure::of_key("p99_ns", p99),
                Figure::of_key("loss_percent", loss),
            ]
        };
        let held = SearchStep { rate: 1000.0, failure: None, figures: figures(999.5, 1.5e6, 0.0) };
        let failure = Some("loss>1%: it was 1.5 %".to_owned());
        let failed = SearchStep { rate: 2000.0, failure, figures: figures(1950.0, 1.2e9, 1.5) };
        Searched { steps: vec![held, failed], found: Some(Found::Rate(1000.0)) }
    }

    #[test]
    fn each_step_is_a_row_with_its_figures_and_the_verdict() {
        let (head, rows) = searched().table();
        assert_eq!(head, "tried per second     sent_rate         p99        loss  verdict");
        let expected = "\
1000                    1000/s     1.50 ms       0.0 %  sustained
2000                    1950/s      1.20 s       1.5 %  failed
                  failed: loss>1%: it was 1.5 %
";
        assert_eq!(rows, expected);
    }
}
