//! Joins the reports of a repeated load into one: all metrics of all runs, and the whole report of one of them.

use super::metric::COMPARED;
use crate::bench::report::repeat::RepeatedRun;
use crate::bench::report::{Judgement, Repeat, Report};

/// The first failed report, so that its reasons are visible, or that with the median throughput; with the metrics of all. A single
/// report stays as it is; `None` without any.
pub(crate) fn join(mut reports: Vec<Report>) -> Option<Report> {
    if reports.len() < 2 {
        return reports.pop();
    }
    let repeat = Repeat { runs: reports.iter().map(run).collect() };
    let failed = reports.iter().position(|report| report.judgement() == Judgement::Failed);
    let shown = reports.swap_remove(failed.unwrap_or_else(|| median_of(&reports)));
    Some(Report { repeat: Some(repeat), ..shown })
}

fn run(report: &Report) -> RepeatedRun {
    RepeatedRun {
        started_at: report.started_at,
        judgement: report.judgement(),
        sentence: report.sentence(),
        figures: COMPARED.iter().filter_map(|metric| metric.figure(report)).collect(),
    }
}

/// The position of the report with the median throughput.
fn median_of(reports: &[Report]) -> usize {
    let mut order: Vec<usize> = (0..reports.len()).collect();
    let rate = |index: &usize| reports.get(*index).and_then(Report::throughput_rate);
    order.sort_by(|a, b| rate(a).unwrap_or_default().total_cmp(&rate(b).unwrap_or_default()));
    order.get(order.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::{report, spoil};

    #[test]
    fn the_report_is_that_of_the_median_run_or_of_the_first_failed_one() {
        let runs = [100_000, 90_000, 120_000].map(|count| {
            let mut run = report();
            run.received.count = count;
            run
        });
        let joined = join(runs.to_vec()).unwrap();
        assert_eq!(joined.received.count, 100_000);
        assert_eq!(joined.repeat.as_ref().unwrap().runs.len(), 3);
        let mut failed = runs.to_vec();
        spoil(&mut failed[1], 1, 0);
        let joined = join(failed).unwrap();
        assert_eq!((joined.received.count, joined.judgement()), (90_000, Judgement::Failed));
        assert_eq!(Report::from_json(joined.to_json().as_bytes()).unwrap(), joined);
        assert_eq!(join(vec![report()]), Some(report()));
    }
}
