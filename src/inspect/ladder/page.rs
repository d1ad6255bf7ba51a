//! The page: the diagnosis, the findings and the first rows as text, and the ladder, which a script draws.

use super::data::{self, MarkedProblem};
use super::marks::RowIndex;
use super::page_texts::PageTexts;
use super::row::{Row, RowFinding};
use super::{Ladder, MAX_FINDINGS};
use crate::html::{self, Policy, as_lines, as_text, script_data, with_isolated_names};
use crate::inspect::diagnosis::{Problem, Report};
use crate::inspect::view::clock::TimeFormatter;
use crate::inspect::view::words::duration;
use crate::inspect::{Direction, Severity};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The controls and the frame of the ladder.
const FRAME: &str = include_str!("frame.html");

/// The most rows as text beside those that have links, and their most characters.
const MAX_LINES: usize = 1_000;
const MAX_LINE: usize = 160;

/// The most problems in the page.
const MAX_PROBLEMS: usize = 100;

/// The most characters of a filter, and of the ends of connections.
const MAX_FILTER: usize = 400;
const MAX_REMAINDER: usize = 20_000;

/// The decimal places of times.
const DIGITS: u32 = 6;

impl Ladder {
    /// The page.
    pub(crate) fn to_html(&self, report: &Report, texts: &PageTexts<'_>) -> String {
        let index = RowIndex::new(&self.rows, &self.connections);
        let shown = report.problems().iter().take(MAX_PROBLEMS);
        let problems: Vec<_> =
            shown.map(|problem| MarkedProblem { problem, rows: index.rows_of(problem) }).collect();
        let policy = Policy { scripts: &[SCRIPT], connects: false };
        let title = format!("mq inspect: {}", texts.source);
        let mut html = html::head(&html::shortened(&title, html::LONGEST_TEXT), STYLE, &policy);
        let _ = writeln!(html, "<h1>mq inspect: {}</h1>", as_text(texts.source));
        html += "<div class=\"page\">\n<div class=\"reports\">\n";
        let _ = writeln!(html, "<p class=\"summary\">{}</p>", as_lines(report.summary_lines().trim_end()));
        html += &self.omission(texts);
        html += &problem_list(&problems, report.problems().len(), texts);
        html += &self.finding_list();
        let _ = writeln!(
            html,
            "<details class=\"more\"><summary>Ends of connections, slowest answers, clients</summary>\n<pre>{}</pre></details>\n</div>",
            with_isolated_names(&html::shortened(
                report.remaining_lines().trim_start_matches('\n'),
                MAX_REMAINDER
            ))
        );
        html += FRAME;
        html += "</div>\n";
        html += &self.lines(&problems);
        let data = script_data(&data::json(self, &problems, texts));
        let _ = write!(
            html,
            "<script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
        );
        html
    }

    /// The selection, and the rows that the page does not have.
    fn omission(&self, texts: &PageTexts<'_>) -> String {
        let mut html = String::new();
        if let Some(selection) = texts.selection {
            let _ = writeln!(html, "<p>In the picture: {}</p>", as_lines(selection));
        }
        if self.omitted.packets > 0 {
            let from = self.omitted.from.map(|from| format!(" from {}", time(from))).unwrap_or_default();
            let _ = writeln!(
                html,
                "<p class=\"omitted\">The picture has {} packets: the first ones, and those around later problems. It leaves out {}{from} on. \
                 To see them, use {}, {} or {}. The problems are those of the whole capture.</p>",
                self.packets(),
                self.omitted.packets,
                texts.since_option,
                texts.until_option,
                texts.filter_option
            );
        }
        html
    }

    /// The findings by statement, the worst first.
    fn findings_by_rule(&self) -> BTreeMap<(Reverse<Severity>, &'static str), Vec<&RowFinding>> {
        let mut by_rule: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for finding in &self.findings {
            let key = (Reverse(finding.severity), finding.rule.id(finding.version));
            by_rule.entry(key).or_default().push(finding);
        }
        by_rule
    }

    fn finding_list(&self) -> String {
        let by_rule = self.findings_by_rule();
        if by_rule.is_empty() {
            return String::new();
        }
        let mut html = "<h2>Findings about packets</h2>\n<ul class=\"findings\">\n".to_owned();
        for ((_, statement), findings) in by_rule {
            let Some(first) = findings.first() else { continue };
            let severity = first.severity.name();
            let sentence = as_lines(first.rule.sentence());
            let detail = with_isolated_names(&first.detail);
            let links = row_links(findings.iter().map(|finding| finding.row));
            let _ = writeln!(
                html,
                "<li class=\"{severity}\"><b>{severity}</b> {statement}: {sentence}\n<p><span class=\"soft\">{detail}</span> · {links}</p></li>",
            );
        }
        html += "</ul>\n";
        if self.other_findings > 0 {
            let _ = writeln!(
                html,
                "<p class=\"omitted\">The page has {} of {} findings.</p>",
                self.findings.len().min(MAX_FINDINGS),
                self.findings.len() as u64 + self.other_findings
            );
        }
        html
    }

    /// The first rows and those with links as text, for readers without the script.
    fn lines(&self, problems: &[MarkedProblem<'_>]) -> String {
        let all = self.rows.len();
        if all == 0 {
            return String::new();
        }
        let linked = problems.iter().flat_map(|problem| linked_rows(problem.rows.iter().copied()).0);
        let by_rule = self.findings_by_rule();
        let found = by_rule.values().flat_map(|findings| linked_rows(findings.iter().map(|it| it.row)).0);
        let shown: BTreeSet<usize> = (0..all.min(MAX_LINES)).chain(linked).chain(found).collect();
        let title = match shown.len() {
            count if count == all => "The rows as text".to_owned(),
            count => {
                format!("{count} of {all} rows as text: the first ones, and those with problems or findings")
            }
        };
        let mut html = format!("<details class=\"lines\" open=\"open\"><summary>{title}</summary>\n<pre>\n");
        let mut clock = TimeFormatter::time_of_day();
        for number in shown {
            let Some(row) = self.rows.get(number) else { continue };
            let line = html::shortened(&self.line(row, &mut clock), MAX_LINE);
            let _ = writeln!(html, "<span id=\"row-{number}\">{}</span>", with_isolated_names(&line));
        }
        html += "</pre></details>\n";
        html
    }

    fn line(&self, row: &Row, clock: &mut TimeFormatter) -> String {
        let mut text = Vec::new();
        match row.at.time {
            Some(time) => clock.write(time, DIGITS, &mut text),
            None => text.extend_from_slice(b"               "),
        }
        let mut line = String::from_utf8_lossy(&text).into_owned();
        let number = self.connections.drawn().get(row.connection).map_or(0, |connection| connection.number);
        let arrow = match row.kind.direction() {
            Some(Direction::ClientToServer) => "->",
            Some(Direction::ServerToClient) => "<-",
            None => "  ",
        };
        let name = if row.kind.is_packet() { format!("{:<11}", row.kind.name()) } else { "--".to_owned() };
        let _ = write!(line, " {number:>3} {arrow} {name} {}", row.text);
        if let Some(round_trip) = row.round_trip {
            let _ = write!(line, ", after {}", duration(round_trip));
        }
        line.trim_end().to_owned()
    }
}

/// The problems of the diagnosis, with links to their rows.
fn problem_list(problems: &[MarkedProblem<'_>], all: usize, texts: &PageTexts<'_>) -> String {
    let mut html = "<h2>Problems</h2>\n".to_owned();
    if problems.is_empty() {
        html += "<p>No problems found.</p>\n";
        return html;
    }
    html += "<ol class=\"problems\">\n";
    for (number, marked) in problems.iter().enumerate() {
        let MarkedProblem { problem, rows } = marked;
        let severity = problem.severity.name();
        let links = if rows.is_empty() { outside(problem, texts) } else { row_links(rows.iter().copied()) };
        let filter = problem
            .shell_filter(texts.filter_option)
            .map(|filter| format!("\n<code>{}</code>", as_lines(&html::shortened(&filter, MAX_FILTER))));
        let _ = writeln!(
            html,
            "<li id=\"problem-{number}\" class=\"{severity}\" data-problem=\"{number}\"><b>{severity}</b> {}\n<p><span class=\"soft\">{}</span> · {links}</p>{}</li>",
            with_isolated_names(&marked.sentence()),
            as_lines(&problem.place()),
            filter.unwrap_or_default(),
        );
    }
    html += "</ol>\n";
    if all > problems.len() {
        let _ = writeln!(
            html,
            "<p class=\"omitted\">The page has the first {} of {all} problems.</p>",
            problems.len()
        );
    }
    html
}

/// The most links of one problem or finding.
const MAX_LINKS: usize = 5;

/// The rows that have links, and the number of others.
fn linked_rows(rows: impl Iterator<Item = usize>) -> (Vec<usize>, usize) {
    let mut rows: Vec<_> = rows.collect();
    rows.dedup();
    let others = rows.len().saturating_sub(MAX_LINKS);
    rows.truncate(MAX_LINKS);
    (rows, others)
}

/// Links to rows. Without the script they lead to the rows as text.
fn row_links(rows: impl Iterator<Item = usize>) -> String {
    let (rows, others) = linked_rows(rows);
    let mut html = String::new();
    for (place, row) in rows.iter().enumerate() {
        let text = if place == 0 { "show row " } else { "" };
        let _ = write!(html, "<a href=\"#row-{row}\" data-row=\"{row}\">{text}{}</a> ", row + 1);
    }
    if others == 0 { html.trim_end().to_owned() } else { html + &format!("and {others} more") }
}

/// How to see a problem without a row in the picture.
fn outside(problem: &Problem, texts: &PageTexts<'_>) -> String {
    let (Some(first), Some(last)) = (problem.first.time, problem.last.time) else {
        return "not in the picture".to_owned();
    };
    let (since, until) = (seconds(first, false), seconds(last, true));
    format!(
        "not in the picture; see it with <code>{} {since} {} {until}</code>",
        texts.since_option, texts.until_option
    )
}

/// Seconds since 1970 for an option, rounded so that the moment is inside.
fn seconds(time: u64, is_end: bool) -> u64 {
    time / 1_000_000_000 + u64::from(is_end)
}

fn time(time: u64) -> String {
    let mut text = Vec::new();
    TimeFormatter::time_of_day().write(time, 3, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
