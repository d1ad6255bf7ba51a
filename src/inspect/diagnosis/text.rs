//! The report as text, for people.

use super::problem::{Problem, listed};
use super::report::{ClientSummary, Report, SelectedPart};
use crate::columns;
use crate::escape;
use crate::inspect::capture::Moment;
use crate::inspect::view::clock::TimeFormatter;
use crate::inspect::view::words::duration;
use crate::words::counted;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The most clients to list.
const MAX_CLIENTS: usize = 20;

/// The width of names in the table of clients.
const NAME_WIDTH: usize = 24;

/// The indentation of a problem's further lines.
const INDENTATION: &str = "       ";

/// The least columns to which the text is wrapped.
const MIN_COLUMNS: usize = 20;

/// The sign of text that is left out.
const MARK: &str = "...";

/// Decimal places of times.
const DIGITS: u32 = 3;

impl Report {
    /// The report as text, wrapped to the columns of a terminal if there is one. `filter_option` names the option that takes a
    /// filter; filters are not wrapped, since they are copied to a shell.
    pub(crate) fn to_text(&self, filter_option: &str, columns: Option<usize>) -> String {
        let text = self.text(filter_option);
        let Some(columns) = columns else { return text };
        let columns = columns.max(MIN_COLUMNS);
        let filter = format!("{INDENTATION}{filter_option} ");
        let mut wrapped = String::new();
        for line in text.lines() {
            let lines = match line.starts_with(&filter) {
                true => vec![line.to_owned()],
                false => columns::wrap(line, columns, INDENTATION.len()),
            };
            lines.iter().for_each(|line| wrapped.extend([line, "\n"]));
        }
        wrapped
    }

    fn text(&self, filter_option: &str) -> String {
        let mut text = String::new();
        let mut clock = TimeFormatter::time_of_day();
        self.summary(&mut clock, &mut text);
        if self.packets == 0 {
            text.push_str("\nno MQTT packets were decoded\n");
        } else if self.problems.is_empty() {
            let place = if self.selection.is_some() { " in the selection" } else { "" };
            let _ = writeln!(text, "\nno problems found{place}");
        }
        for problem in &self.problems {
            text.push('\n');
            write_problem(problem, filter_option, &mut clock, &mut text);
        }
        self.remainder(&mut clock, &mut text);
        text
    }

    /// The counts and the selection, a line each.
    pub(in crate::inspect) fn summary_lines(&self) -> String {
        let mut text = String::new();
        self.summary(&mut TimeFormatter::time_of_day(), &mut text);
        text
    }

    /// The part of the text after the problems.
    pub(in crate::inspect) fn remaining_lines(&self) -> String {
        let mut text = String::new();
        self.remainder(&mut TimeFormatter::time_of_day(), &mut text);
        text
    }

    fn remainder(&self, clock: &mut TimeFormatter, text: &mut String) {
        self.endings(text);
        self.slowest(clock, text);
        self.clients(text);
        for (key, name, number) in &self.left_out {
            let how =
                if *key == "problems" { "; their clients are not named" } else { ", and were not judged" };
            let _ = writeln!(text, "\n{number} {name} exceeded a limit{how}");
        }
    }

    fn summary(&self, clock: &mut TimeFormatter, text: &mut String) {
        let counts = [
            counted(self.clients, "client"),
            counted(self.connections, "connection"),
            counted(self.packets, "packet"),
        ];
        text.push_str(&counts.join(", "));
        if let (Some(first), Some(last)) = (self.first, self.last) {
            let period = duration(last.saturating_sub(first));
            let (first, last) = (time(first, clock), time(last, clock));
            let _ = write!(text, " in {period}, {first} to {last}");
        }
        text.push('\n');
        if let Some(selection) = &self.selection {
            write_selection(selection, clock, text);
        }
        for (reason, number) in self.others.all() {
            let _ = writeln!(text, "{} {}", counted(number, "connection"), reason.describe());
        }
        if self.incomplete > 0 {
            let connections = counted(self.incomplete, "connection");
            let _ = writeln!(
                text,
                "{connections} with bytes that were not captured, late or unreadable: missing answers are not judged there"
            );
        }
    }

    fn endings(&self, text: &mut String) {
        if !self.endings.is_empty() {
            text.push_str("\nconnections ended\n");
        }
        let mut endings = self.endings.clone();
        endings.sort_by_key(|(ending, count)| (std::cmp::Reverse(*count), *ending));
        for (ending, count) in endings {
            let _ = writeln!(text, "{count:>8}  {}", ending.describe());
        }
    }

    fn slowest(&self, clock: &mut TimeFormatter, text: &mut String) {
        if !self.slowest.is_empty() {
            text.push_str("\nslowest answers\n");
        }
        for answer in &self.slowest {
            let client = match &answer.client {
                Some(client) => escape::quoted(client),
                None => format!("connection {}", answer.connection),
            };
            let place = place(answer.at, clock);
            let (time, name, sender) = (duration(answer.nanoseconds), answer.packet_type, answer.sender);
            let _ = writeln!(text, "{time:>12}  {name:<8} of the {sender}, {client}, {place}");
        }
    }

    fn clients(&self, text: &mut String) {
        if self.by_client.is_empty() {
            return;
        }
        text.push_str("\nclients                  connections     shortest      longest  ended\n");
        for client in self.by_client.iter().take(MAX_CLIENTS) {
            write_client(client, text);
        }
        let all = self.selection.as_ref().map_or(self.clients, |selection| selection.clients);
        let others = all.saturating_sub(self.by_client.len().min(MAX_CLIENTS) as u64);
        if others > 0 && self.by_client.len() >= MAX_CLIENTS {
            let _ = writeln!(text, "and {}", counted(others, "client"));
        }
    }
}

fn write_selection(selection: &SelectedPart, clock: &mut TimeFormatter, text: &mut String) {
    let SelectedPart { patterns, clients, connections, since, until } = selection;
    if !patterns.is_empty() {
        let named: Vec<_> = patterns.iter().map(|pattern| escape::quoted(pattern)).collect();
        let (clients, connections) = (counted(*clients, "client"), counted(*connections, "connection"));
        let _ = writeln!(text, "selected: {} ({clients}, {connections})", named.join(", "));
    }
    let period = match (since, until) {
        (Some(since), Some(until)) => format!("{} to {}", time(*since, clock), time(*until, clock)),
        (Some(since), None) => format!("since {}", time(*since, clock)),
        (None, Some(until)) => format!("until {}", time(*until, clock)),
        (None, None) => return,
    };
    let _ = writeln!(text, "selected: problems {period}");
}

impl Problem {
    /// The clients and the problem, as a sentence.
    pub(in crate::inspect) fn sentence(&self) -> String {
        let names: Vec<_> = self.clients.iter().map(|client| escape::quoted(client)).collect();
        let clients = match self.client_count {
            0 => String::new(),
            count => {
                let listed = listed(&names, count, &connections(&self.connections, count));
                let others = if self.has_unnamed_clients { " and others" } else { "" };
                format!("{listed}{others}: ")
            }
        };
        format!("{clients}{}", escape::line(&self.text))
    }

    /// The times and frames.
    pub(in crate::inspect) fn place(&self) -> String {
        period(self.first, self.last, &mut TimeFormatter::time_of_day())
    }

    /// The filter as an argument of a shell; `None` if there are no packets.
    pub(in crate::inspect) fn shell_filter(&self, filter_option: &str) -> Option<String> {
        let filter = escape::line(&self.filter).replace('\'', "'\\''");
        (!filter.is_empty()).then(|| format!("{filter_option} '{filter}'"))
    }
}

fn write_problem(problem: &Problem, filter_option: &str, clock: &mut TimeFormatter, text: &mut String) {
    let (severity, sentence) = (problem.severity.name(), problem.sentence());
    let _ = writeln!(text, "{severity:<5}  {sentence}");
    let _ = writeln!(text, "{INDENTATION}{}", period(problem.first, problem.last, clock));
    if let Some(filter) = problem.shell_filter(filter_option) {
        let part = if problem.filters_part { " (the first connections)" } else { "" };
        let _ = writeln!(text, "{INDENTATION}{filter}{part}");
    }
}

fn connections(numbers: &[u32], count: usize) -> String {
    let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
    format!("connection {}", listed(&numbers, count, ""))
}

fn write_client(client: &ClientSummary, text: &mut String) {
    let name = cut(&escape::quoted(&client.id), NAME_WIDTH);
    let padding = " ".repeat(NAME_WIDTH.saturating_sub(name.width()));
    let shortest = client.shortest.map_or_else(|| "-".to_owned(), duration);
    let longest = client.shortest.map_or_else(|| "-".to_owned(), |_| duration(client.longest));
    let mut endings = client.endings.clone();
    endings.sort_by_key(|(ending, count)| (std::cmp::Reverse(*count), *ending));
    let endings: Vec<_> =
        endings.iter().map(|(ending, count)| format!("{count} {}", ending.name())).collect();
    let endings = if endings.is_empty() { "still open".to_owned() } else { endings.join(", ") };
    let connections = client.connections;
    let _ = writeln!(text, "{name}{padding} {connections:>11} {shortest:>12} {longest:>12}  {endings}");
}

/// The time and the frame of a moment.
fn place(at: Moment, clock: &mut TimeFormatter) -> String {
    match (at.time, at.frame) {
        (Some(at), 0) => time(at, clock),
        (Some(at), frame) => format!("{}, frame {frame}", time(at, clock)),
        (None, 0) => "at an unknown time".to_owned(),
        (None, frame) => format!("frame {frame}"),
    }
}

fn period(first: Moment, last: Moment, clock: &mut TimeFormatter) -> String {
    match (first.time, last.time) {
        (Some(start), Some(end)) if first != last => {
            let times = format!("{} to {}", time(start, clock), time(end, clock));
            match (first.frame, last.frame) {
                (0, _) | (_, 0) => times,
                (start, end) => format!("{times}, frames {start} to {end}"),
            }
        }
        _ => place(first, clock),
    }
}

fn time(time: u64, clock: &mut TimeFormatter) -> String {
    let mut text = Vec::new();
    clock.write(time, DIGITS, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The text up to this number of columns, with a mark if some of it is left out.
pub(super) fn cut(text: &str, columns: usize) -> String {
    columns::cut(text, columns, MARK)
}
