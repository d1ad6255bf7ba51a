//! Writes the inspector's findings to standard output.

use crate::cli::inspect::InspectArgs;
use crate::commands::error::Error;
use crate::inspect::diagnosis::{Diagnosis, Scope};
use crate::inspect::filter::{Filter, Follower};
use crate::inspect::lint::FindingCounts;
use crate::inspect::statistics::Statistics;
use crate::inspect::view::{Advice, Options, View, ViewFormat};
use crate::inspect::{Finding, Item, Linter, Severity};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The buffer is written once it has reached this size.
const BUFFER: usize = 64 * 1024;

/// Formats items and writes them.
pub(super) struct Viewer {
    view: Box<dyn View>,
    linter: Option<Linter>,
    selection: Selection,
    follower: Option<Follower>,
    statistics: Option<Statistics>,
    diagnosis: Option<PeriodicDiagnosis>,
    buffer: Vec<u8>,
    failure: Option<io::Error>,
}

/// The option that takes the filters of a diagnosis.
const FILTER_OPTION: &str = "--filter";

/// The options that let the inspector show more.
const ADVICE: Advice = Advice { version: "set -V to be certain", key_log: "--tls-keylog FILE decrypts it" };

impl Viewer {
    pub(super) fn new(args: &InspectArgs) -> Viewer {
        let least = args.lint.map(Severity::from);
        let options = Options {
            least: least.unwrap_or_default(),
            shows_secrets: args.show_secrets,
            shows_ranges: args.ranges,
            payload: args.payload,
            advice: ADVICE,
            is_coloured: colored::control::SHOULD_COLORIZE.should_colorize(),
        };
        Viewer {
            view: args.format.view(options),
            linter: least.map(Linter::new),
            selection: Selection::new(args),
            follower: (!args.follow.is_empty()).then(|| Follower::new(args.follow.clone())),
            statistics: args.stats.then(Statistics::default),
            diagnosis: args.diagnose.map(|interval| PeriodicDiagnosis::new(interval, args)),
            buffer: Vec::with_capacity(BUFFER),
            failure: None,
        }
    }

    /// Shows an item that is selected. The next flush reports an error.
    pub(super) fn show(&mut self, item: &Item<'_>) {
        if let Some(diagnosis) = &mut self.diagnosis {
            return diagnosis.diagnosis.observe(item);
        }
        let findings = self.linter.as_mut().map(|linter| linter.check(item)).unwrap_or_default();
        self.selection.start(item.at().time);
        let Some(mut follower) = self.follower.take() else { return self.show_selected(item, &findings) };
        follower.select(item, &mut |item| self.show_selected(item, &findings));
        self.follower = Some(follower);
    }

    fn show_selected(&mut self, item: &Item<'_>, findings: &[Finding]) {
        if !self.selection.matches(item, findings) {
            return;
        }
        if let Some(statistics) = &mut self.statistics {
            return statistics.observe(item, findings);
        }
        self.view.write(item, findings, &mut self.buffer);
        if self.buffer.len() >= BUFFER {
            self.write();
        }
    }

    /// Writes the buffer.
    ///
    /// # Errors
    /// If writing to standard output failed.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.write();
        self.failure.take().map_or(Ok(()), |error| Err(Error::Output(error)))
    }

    /// Whether writing to standard output failed, so that no more input needs to be read.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Writes the rest; returns the linter's summary, if the linter is on.
    pub(super) fn finish(mut self) -> Result<Option<FindingCounts>, Error> {
        if let Some(statistics) = self.statistics.take() {
            self.buffer.extend_from_slice(self.view.statistics(&statistics).as_bytes());
        }
        self.report();
        self.flush()?;
        Ok(self.linter.map(|linter| linter.counts()))
    }

    /// The time until the next report; `None` if there is only one, at the end.
    pub(super) fn next_report(&self) -> Option<Duration> {
        let next = self.diagnosis.as_ref()?.next?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Adds a report of the diagnosis to the buffer.
    pub(super) fn report(&mut self) {
        let Some(periodic) = &mut self.diagnosis else { return };
        let report = periodic.diagnosis.report(&periodic.scope);
        if std::mem::replace(&mut periodic.has_reported, true) && periodic.is_text {
            self.buffer.push(b'\n');
        }
        self.buffer.extend_from_slice(self.view.diagnosis(&report, FILTER_OPTION).as_bytes());
        periodic.next = periodic.interval.map(|interval| Instant::now() + interval);
    }

    /// Adds the report on a capture that could not be read to its end, if anything was read.
    pub(super) fn report_partial(&mut self) {
        if self.diagnosis.as_ref().is_some_and(|periodic| !periodic.diagnosis.is_empty()) {
            self.report();
        }
    }

    /// Writes the buffer. The next flush reports an error.
    pub(super) fn write(&mut self) {
        if self.failure.is_none() && !self.buffer.is_empty() {
            let mut stdout = io::stdout().lock();
            self.failure = stdout.write_all(&self.buffer).and_then(|()| stdout.flush()).err();
        }
        self.buffer.clear();
    }
}

/// A diagnosis, with the time of its next report.
struct PeriodicDiagnosis {
    diagnosis: Diagnosis,
    scope: Scope,
    interval: Option<Duration>,
    next: Option<Instant>,
    has_reported: bool,
    is_text: bool,
}

impl PeriodicDiagnosis {
    fn new(interval: Option<Duration>, args: &InspectArgs) -> PeriodicDiagnosis {
        let scope = Scope { clients: args.follow.clone(), since: args.since, until: args.until };
        PeriodicDiagnosis {
            diagnosis: Diagnosis::default(),
            scope,
            interval,
            next: interval.map(|interval| Instant::now() + interval),
            has_reported: false,
            is_text: args.format != ViewFormat::Json,
        }
    }
}

/// The items to show: those in the period that at least one filter matches.
struct Selection {
    period: Option<Filter>,
    filters: Vec<Filter>,
    has_started: bool,
}

impl Selection {
    fn new(args: &InspectArgs) -> Selection {
        let has_period = args.since.is_some() || args.until.is_some();
        let period = has_period.then(|| Filter::period(args.since, args.until));
        Selection { period, filters: args.filter.clone(), has_started: false }
    }

    /// Takes the time of the next item. Times relative to the start refer to the first one.
    fn start(&mut self, time: Option<u64>) {
        if let Some(time) = time.filter(|_| !self.has_started) {
            self.has_started = true;
            self.period.iter_mut().chain(&mut self.filters).for_each(|filter| filter.start(time));
        }
    }

    fn matches(&self, item: &Item<'_>, findings: &[Finding]) -> bool {
        let is_match = |filter: &Filter| filter.matches(item, findings);
        self.period.as_ref().is_none_or(is_match)
            && (self.filters.is_empty() || self.filters.iter().any(is_match))
    }
}
