//! A comparison as an HTML page: the outcome, charts of all runs, and tables.

use super::several::Comparisons;
use super::{COMPARED, Outcome, Row};
use crate::bench::report::{ComparisonPage, Trend};

impl Comparisons {
    pub(crate) fn to_html(&self) -> String {
        let outcome = self.outcome();
        let new = self.new.iter().map(|(file, _)| file);
        let runs: Vec<_> =
            std::iter::once(&self.old).chain(new).map(|file| (file.name.as_str(), &file.report)).collect();
        let page = ComparisonPage {
            word: outcome.word(),
            is_good: matches!(outcome, Outcome::NoChange | Outcome::Better),
            sentence: self.reasons(),
            rule: self.rule(),
            trends: trends(&runs),
            tables: tables(self),
            runs,
        };
        page.to_html()
    }
}

/// The values of each metric by the time of the run.
fn trends(runs: &[(&str, &crate::bench::Report)]) -> Vec<Trend> {
    let of_metric = |metric: &super::Compared| {
        let points = runs.iter().map(|(_, report)| (report.started_at, metric.value(report)));
        Trend { name: metric.name, unit: metric.unit(), points: points.collect() }
    };
    COMPARED.iter().map(of_metric).collect()
}

/// A table for each new file.
fn tables(comparisons: &Comparisons) -> Vec<(String, Vec<Vec<String>>)> {
    let of_file = |(file, comparison): &(super::several::NamedReport, super::Comparison)| {
        let caption = format!("{} against {}", file.name, comparisons.old.name);
        let cells = |row: &Row| {
            let [before, now, change] = row.cells();
            vec![row.metric.name.to_owned(), before, now, change, row.outcome_words()]
        };
        let row = |kind: &str, (key, old, new): &(String, String, String)| {
            vec![format!("{kind}: {key}"), old.clone(), new.clone(), String::new(), String::new()]
        };
        let differences = comparison.differences.iter().map(|each| row("different load", each));
        let options = comparison.options.iter().map(|each| row("different option", each));
        (caption, comparison.rows.iter().map(cells).chain(differences).chain(options).collect())
    };
    comparisons.new.iter().map(of_file).collect()
}
