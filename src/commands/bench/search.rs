//! `--search rate`: short runs at planned rates, until the highest that holds is known.

use super::session::Session;
use crate::bench::judge::search::{self, Found, Search, Step};
use crate::bench::plan::RunId;
use crate::bench::{Ending, Report};
use crate::cli::bench::BenchArgs;
use crate::error::Error;

/// What a search found out.
pub(super) struct Searched {
    steps: Vec<Step>,
    found: Option<Found>,
}

/// Searches; the report is that of the highest rate that held, or of the last run when none did.
pub(super) async fn search(args: &BenchArgs, session: &Session<'_>) -> Result<(Report, Searched), Error> {
    let until = args.report.until.clone().unwrap_or_default();
    let mut search = Search::new(args.first_rate());
    let mut steps = Vec::new();
    let (mut best, mut last) = (None, None);
    while let Some(rate) = search.next_rate() {
        let report = session.measure(args.plan_at(rate, RunId(fastrand::u32(..)))?).await?;
        let is_over = session.signal().is_some() || report.ending == Ending::NotConnected;
        if !is_over {
            let step = Step::new(rate, &report, &until);
            search.note(step.failure.is_none());
            if step.failure.is_none() {
                best = Some(report.clone());
            }
            steps.push(step);
        }
        last = Some(report);
        if is_over {
            break;
        }
    }
    let report = best.or(last).ok_or_else(|| Error::Usage("--search: there is no rate to try".to_owned()))?;
    Ok((report, Searched { steps, found: search.found() }))
}

impl Searched {
    /// The rates that were tried, and what came out.
    pub(super) fn to_text(&self) -> String {
        let found = self.found.map_or("no rate was measured to the end".to_owned(), Found::to_text);
        format!("{}\n{:<17} {found}\n", search::to_text(&self.steps), "search")
    }

    /// The same for a page.
    pub(super) fn to_markdown(&self) -> String {
        format!("```\n{}```\n", self.to_text())
    }

    /// Why the search failed, when no rate held.
    pub(super) fn failure(&self) -> Option<String> {
        let found = self.found.filter(|found| matches!(found, Found::NotEven(_)))?;
        let reason = self.steps.last().and_then(|step| step.failure.clone()).unwrap_or_default();
        Some(format!("{}: {reason}", found.to_text()))
    }
}
