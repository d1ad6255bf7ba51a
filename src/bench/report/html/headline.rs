//! The top of the page: the run in one sentence, the verdict, and the main figures.

use super::super::format::{duration, rate};
use super::super::sentence::ENOUGH_FOR_P99;
use super::super::{Judgement, Report, Verdict};
use super::markup::{as_text, shortened};
use crate::bench::record::Summary;
use crate::escape;
use crate::html::as_lines;
use crate::words::counted;
use std::fmt::Write;

/// The maximum number of checks on the page: a run may have any number of groups.
const MAX_CHECKS: usize = 20;

/// The top of the page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Headline {
    sentence: String,
    judgement: Judgement,
    verdicts: Vec<Verdict>,
}

/// The maximum length of a sentence: it is ours, but may have a text of others in it.
const LONGEST_SENTENCE: usize = 1000;

fn whole(sentence: &str) -> String {
    as_lines(&shortened(&escape::line(sentence), LONGEST_SENTENCE))
}

fn class(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Passed => "good",
        Judgement::NotMeasured | Judgement::Doubtful => "doubtful",
        Judgement::Failed => "bad",
    }
}

/// A symbol, so that the judgement does not depend on the colour.
fn symbol(judgement: Judgement) -> char {
    match judgement {
        Judgement::Passed => '✓',
        Judgement::NotMeasured => '?',
        Judgement::Doubtful => '!',
        Judgement::Failed => '✗',
    }
}

/// The top of the page of a run in progress.
pub(super) fn running(state: &str) -> String {
    format!(
        "<section class=\"verdict running\" aria-label=\"state\">\n<p class=\"word\">RUNNING</p>\n\
         <div>\n<p class=\"sentence\">{}</p>\n</div>\n</section>\n",
        as_text(state)
    )
}

impl Headline {
    pub(super) fn of(report: &Report) -> Headline {
        let mut verdicts = report.verdicts();
        verdicts.sort_by_key(|verdict| std::cmp::Reverse((verdict.is_failure(), verdict.judgement)));
        Headline { sentence: report.sentence(), judgement: report.judgement(), verdicts }
    }

    /// The word of the verdict.
    pub(super) fn word(&self) -> &'static str {
        self.judgement.word()
    }

    /// The verdict with the checks, the worst first.
    pub(super) fn to_html(&self) -> String {
        let mut html = format!(
            "<section class=\"verdict {}\" aria-label=\"verdict\">\n<p class=\"word\">{}</p>\n<div>\n<p class=\"sentence\">{}</p>\n<ul class=\"checks\">\n",
            class(self.judgement),
            self.word(),
            whole(&self.sentence)
        );
        for verdict in self.verdicts.iter().take(MAX_CHECKS) {
            let judgement = verdict.judgement;
            let class = if verdict.is_failure() { "bad" } else { class(judgement) };
            let (symbol, word, text) = (symbol(judgement), judgement.word(), whole(&verdict.words()));
            let _ = writeln!(
                html,
                "<li class=\"{class}\"><b><span aria-hidden=\"true\">{symbol}</span> {word}</b> {text}</li>"
            );
        }
        html += "</ul>\n";
        if let Some(more) = self.verdicts.len().checked_sub(MAX_CHECKS).filter(|more| *more > 0) {
            let _ = writeln!(html, "<p>{} not shown</p>", counted(more, "more check"));
        }
        html + "</div>\n</section>\n"
    }
}

/// A main figure: its name, its value, and more about it.
pub(super) type Tile = (String, String, String);

/// The main figures, large.
pub(super) fn tiles(tiles: [Option<Tile>; 4]) -> String {
    let mut html = "<dl class=\"tiles\">\n".to_owned();
    for (name, value, more) in tiles.into_iter().flatten() {
        let [name, value, more] = [name, value, more].map(|text| as_text(&text));
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd><dd class=\"soft\">{more}</dd></div>");
    }
    html + "</dl>\n"
}

impl Report {
    pub(super) fn rate_tile(&self) -> Option<Tile> {
        let flow = self.throughput();
        let name = match flow.count {
            count if count == self.received.count => "received",
            count if count == self.acknowledged.count => "acknowledged",
            _ => "sent",
        };
        let per_second = self.throughput_rate().filter(|_| flow.is_long_enough())?;
        let planned = self.sent_and_planned().map(|(sent, planned)| match name {
            "sent" => format!(", {} planned", rate(planned)),
            _ => format!(", sent {} of {} planned", rate(sent), rate(planned)),
        });
        let planned = planned.unwrap_or_default();
        Some((
            format!("{name} per second"),
            rate(per_second),
            format!("{}{planned}", counted(flow.count, "message")),
        ))
    }

    pub(super) fn latency_tile(&self) -> Option<Tile> {
        let kind = self.main_latency()?;
        let Summary { count, p50, p99, max, .. } = self.summary(kind)?;
        let title = kind.full_title(self.acknowledged_qos());
        Some(match count {
            ..ENOUGH_FOR_P99 => {
                (format!("longest, {title}"), duration(max), format!("median {}", duration(p50)))
            }
            _ => (
                format!("p99, {title}"),
                duration(p99),
                format!("median {}, longest {}", duration(p50), duration(max)),
            ),
        })
    }

    pub(super) fn loss_tile(&self) -> Option<Tile> {
        if !self.is_delivery_judged() {
            return (self.account.sent > 0)
                .then(|| ("lost".to_owned(), "–".to_owned(), "not measured".to_owned()));
        }
        let part = self.partly_judged().map(|part| format!(" {part}")).unwrap_or_default();
        let more = format!(
            "of {}{part}; {} duplicated, {} out of order",
            self.account.owed, self.duplicates, self.reordered
        );
        Some(("lost".to_owned(), self.account.lost.to_string(), more))
    }

    pub(super) fn clients_tile(&self) -> Option<Tile> {
        let time = self.connects.time().map(|time| format!("in {}", duration(time.as_nanos() as u64)));
        let lost = format!("{} lost", counted(self.connections_lost, "connection"));
        let more = time.into_iter().chain([lost]).collect::<Vec<_>>().join(", ");
        Some((
            "clients connected".to_owned(),
            format!("{} of {}", self.connects.count, self.clients_due()),
            more,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::report;

    #[test]
    fn the_planned_rate_is_that_of_sending() {
        let mut report = report();
        report.received.count = 30_000;
        report.plan.rate = Some(20_000.0);
        let (name, _, more) = report.rate_tile().unwrap();
        assert_eq!(
            (name.as_str(), more.as_str()),
            ("received per second", "30000 messages, sent 20000 of 20000 planned")
        );
        (report.received.count, report.acknowledged.count) = (0, 0);
        let (name, _, more) = report.rate_tile().unwrap();
        assert_eq!((name.as_str(), more.as_str()), ("sent per second", "100000 messages, 20000 planned"));
    }
}
