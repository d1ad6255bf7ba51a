//! Writes the inspector's findings to standard output, and the page.

use super::picture::{self, PageTarget, Picture};
use crate::cli::inspect::InspectArgs;
use crate::commands::error::Error;
use crate::commands::{Messages, is_coloured_terminal};
use crate::inspect::capture::Moment;
use crate::inspect::diagnosis::{Diagnosis, Scope};
use crate::inspect::filter::{Filter, Follower};
use crate::inspect::lint::FindingCounts;
use crate::inspect::statistics::Statistics;
use crate::inspect::view::{Advice, ConversationView, Options, View, ViewFormat};
use crate::inspect::{Finding, Item, Linter, Severity};
use crate::output;
use crate::payload::schema::MessageTypes;
use std::io::{self, IsTerminal, Write};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The buffer is written once it has reached this size.
const BUFFER: usize = 64 * 1024;

/// Formats items and writes them.
pub(super) struct Viewer {
    view: Box<dyn View>,
    linter: Option<Linter>,
    /// Whether the linter's summary is requested. A page has its findings in any case.
    has_summary: bool,
    selection: Selection,
    follower: Option<Follower>,
    statistics: Option<Statistics>,
    diagnosis: Option<PeriodicDiagnosis>,
    picture: Option<Picture>,
    buffer: Vec<u8>,
    failure: Option<io::Error>,
}

/// The option that takes the filters of a diagnosis.
pub(super) const FILTER_OPTION: &str = "--filter";

/// The options that let the inspector show more.
const ADVICE: Advice = Advice { version: "set -V to be certain", key_log: "--tls-keylog FILE decrypts it" };

impl Viewer {
    /// A viewer that also writes a page, if there is a target for it.
    pub(super) fn new(
        args: &InspectArgs,
        page: Option<PageTarget>,
        types: Option<&'static MessageTypes>,
    ) -> Viewer {
        let has_page = page.is_some();
        let least = args.lint.map(Severity::from).or(has_page.then_some(Severity::Warning));
        let options = Options {
            least: least.unwrap_or_default(),
            shows_secrets: args.show_secrets,
            shows_ranges: args.ranges,
            payload: args.payload,
            types,
            advice: ADVICE,
            is_coloured: match args.format {
                // Programs read it.
                ViewFormat::Json => is_coloured_terminal(),
                _ => colored::control::SHOULD_COLORIZE.should_colorize(),
            },
        };
        let is_diagnosed = args.diagnose.is_some() || has_page;
        Viewer {
            view: view(args, options),
            linter: least.map(Linter::new),
            has_summary: args.lint.is_some(),
            selection: Selection::new(args),
            follower: (!args.follow.is_empty()).then(|| Follower::new(args.follow.clone())),
            statistics: args.stats.then(Statistics::default),
            diagnosis: is_diagnosed.then(|| PeriodicDiagnosis::new(args, has_page)),
            picture: page.map(|page| Picture::new(args, page, options)),
            buffer: Vec::with_capacity(BUFFER),
            failure: None,
        }
    }

    /// Shows an item that is selected. The next flush reports an error.
    pub(super) fn show(&mut self, item: &Item<'_>) {
        if let Some(PeriodicDiagnosis { diagnosis, .. }) = &mut self.diagnosis {
            let known = diagnosis.sightings();
            diagnosis.observe(item);
            let Some(picture) = &mut self.picture else { return };
            picture.see(item, diagnosis.sightings() > known);
        }
        self.selection.see(item.connection());
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
        if let Some(picture) = &mut self.picture {
            picture.draw(item, findings);
        }
        if let Some(statistics) = &mut self.statistics {
            return statistics.observe(item, findings);
        }
        if self.picture.is_some() {
            return;
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

    /// The reason why nothing was shown, if the requested connection does not exist.
    pub(super) fn unseen(&self) -> Option<String> {
        let Selection { conversation, has_conversation, connections, .. } = &self.selection;
        let wanted = conversation.filter(|_| !has_conversation)?;
        let known = match connections.as_ref().map(|range| (range.start(), range.end())) {
            None => "there are no connections with MQTT".to_owned(),
            Some((first, last)) if first == last => format!("the only one is {first}"),
            Some((first, last)) => format!("the connections are {first} to {last}"),
        };
        Some(format!("no connection {wanted}: {known}"))
    }

    /// Whether writing to standard output failed, so that no more input needs to be read.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Writes the rest; returns the linter's summary, if it is requested.
    pub(super) fn finish(mut self, messages: Messages) -> Result<Option<FindingCounts>, Error> {
        if let Some(statistics) = self.statistics.take() {
            self.buffer.extend_from_slice(self.view.statistics(&statistics).as_bytes());
        }
        self.report();
        let printed = self.flush();
        self.write_page(messages)?;
        printed?;
        Ok(self.linter.filter(|_| self.has_summary).map(|linter| linter.counts()))
    }

    fn write_page(&mut self, messages: Messages) -> Result<(), Error> {
        let (Some(picture), Some(periodic)) = (self.picture.take(), &self.diagnosis) else { return Ok(()) };
        picture.write(&periodic.diagnosis.report(&periodic.scope), messages)
    }

    /// Takes an attempt to connect to the server that failed.
    pub(super) fn unreachable(&mut self, at: Moment, reason: &str) {
        if let Some(PeriodicDiagnosis { diagnosis, .. }) = &mut self.diagnosis {
            diagnosis.unreachable(at, reason);
        }
    }

    /// The time until the next report; `None` if there is only one, at the end.
    pub(super) fn next_report(&self) -> Option<Duration> {
        let next = self.diagnosis.as_ref()?.next?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Adds a report of the diagnosis to the buffer.
    pub(super) fn report(&mut self) {
        let Some(periodic) = self.diagnosis.as_mut().filter(|periodic| periodic.is_printed) else { return };
        let report = periodic.diagnosis.report(&periodic.scope);
        let columns = io::stdout().is_terminal().then(output::columns);
        if std::mem::replace(&mut periodic.has_reported, true) && periodic.is_text {
            self.buffer.push(b'\n');
        }
        self.buffer.extend_from_slice(self.view.diagnosis(&report, FILTER_OPTION, columns).as_bytes());
        periodic.next = periodic.interval.map(|interval| Instant::now() + interval);
    }

    /// Adds the report on a capture that could not be read to its end, if anything was read, and writes the page.
    ///
    /// # Errors
    /// If the page cannot be written.
    pub(super) fn report_partial(&mut self, messages: Messages) -> Result<(), Error> {
        if self.diagnosis.as_ref().is_none_or(|periodic| periodic.diagnosis.is_empty()) {
            return Ok(());
        }
        self.report();
        self.write_page(messages)
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

fn view(args: &InspectArgs, options: Options) -> Box<dyn View> {
    match args.format {
        ViewFormat::Line if args.conversation.is_some() => {
            Box::new(ConversationView::new(options, output::columns()))
        }
        format => format.view(options),
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
    /// Whether its reports are printed; a page has one in any case.
    is_printed: bool,
}

impl PeriodicDiagnosis {
    fn new(args: &InspectArgs, has_page: bool) -> PeriodicDiagnosis {
        let interval = args.diagnose.flatten();
        let scope = Scope { clients: args.follow.clone(), since: args.since, until: args.until };
        PeriodicDiagnosis {
            diagnosis: picture::diagnosis(has_page),
            scope,
            interval,
            next: interval.map(|interval| Instant::now() + interval),
            has_reported: false,
            is_text: args.format != ViewFormat::Json,
            is_printed: args.diagnose.is_some(),
        }
    }
}

/// The items to show: those in the period that at least one filter matches.
struct Selection {
    period: Option<Filter>,
    filters: Vec<Filter>,
    /// The only connection to show.
    conversation: Option<u32>,
    has_conversation: bool,
    /// The numbers of the connections up to now.
    connections: Option<RangeInclusive<u32>>,
    has_started: bool,
}

impl Selection {
    fn new(args: &InspectArgs) -> Selection {
        let has_period = args.since.is_some() || args.until.is_some();
        let period = has_period.then(|| Filter::period(args.since, args.until));
        let (filters, conversation) = (args.filter.clone(), args.conversation);
        Selection {
            period,
            filters,
            conversation,
            has_conversation: false,
            connections: None,
            has_started: false,
        }
    }

    /// Takes the number of the next item's connection.
    fn see(&mut self, connection: u32) {
        self.has_conversation |= self.conversation == Some(connection);
        let (first, last) = match &self.connections {
            Some(known) => (connection.min(*known.start()), connection.max(*known.end())),
            None => (connection, connection),
        };
        self.connections = Some(first..=last);
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
        self.conversation.is_none_or(|wanted| wanted == item.connection())
            && self.period.as_ref().is_none_or(is_match)
            && (self.filters.is_empty() || self.filters.iter().any(is_match))
    }
}
