//! `--search rate`: short runs at planned rates, to find the highest sustained one.

use super::session::Session;
use crate::bench::plan::RunId;
use crate::bench::report::{SearchStep, Searched, rate as shown};
use crate::bench::thresholds::Search;
use crate::bench::thresholds::search::judge;
use crate::bench::{Ending, Report};
use crate::cli::bench::{Run, Search as Wanted};
use crate::commands::error::Error;

/// Searches. The report is that of the highest sustained rate, or of the last run if none was sustained; it lists all steps.
pub(super) async fn search(run: &Run, wanted: &Wanted, session: &Session<'_>) -> Result<Report, Error> {
    let mut search = Search::new(run.first_rate());
    let mut steps = Vec::new();
    let (mut best, mut last) = (None, None);
    while let Some(rate) = search.next_rate() {
        let plan = run.plan_at(rate, RunId(fastrand::u32(..)))?;
        let report = session.measure_at(rate, plan).await?;
        if session.signal().is_some() || report.ending == Ending::NotConnected {
            last = Some(report);
            break;
        }
        let step = judge(rate, &report, &wanted.until);
        session.say(&step_result(&step));
        let holds = step.failure.is_none();
        search.note(holds);
        steps.push(step);
        *if holds { &mut best } else { &mut last } = Some(report);
    }
    let report = best.or(last).ok_or_else(|| Error::usage("--search: no rate to try"))?;
    Ok(Report { search: Some(Searched { steps, found: search.found() }), ..report })
}

/// The result of a step, as progress on standard error.
fn step_result(step: &SearchStep) -> String {
    let rate = shown(step.rate);
    match &step.failure {
        None => format!("--search: {rate} messages per second was sustained"),
        Some(failure) => format!("--search: {rate} messages per second failed: {failure}"),
    }
}
