//! The rows as JSON for the script of the page: a column for each property of a row, so that it is small.

use super::Ladder;
use super::connections::DrawnConnection;
use super::page_texts::PageTexts;
use super::row::{Row, RowFinding};
use crate::html;
use crate::inspect::Direction;
use crate::inspect::diagnosis::Problem;
use crate::json::Writer;
use crate::json::member::{number, objects, text};
use jiff::Timestamp;

const MICROSECOND: u64 = 1000;

/// A problem with its rows.
pub(super) struct MarkedProblem<'r> {
    pub(super) problem: &'r Problem,
    pub(super) rows: Vec<usize>,
}

/// The most characters of a name in a problem.
const MAX_NAME: usize = 60;
const CUT_NAME: usize = MAX_NAME + 1;

/// The most characters of a problem.
const MAX_SENTENCE: usize = 400;

impl MarkedProblem<'_> {
    /// The clients and the problem. Long names are cut with a mark, so that the problem stays readable.
    pub(super) fn sentence(&self) -> String {
        html::shortened(&with_short_names(&self.problem.sentence()), MAX_SENTENCE)
    }
}

/// The text with its quoted parts cut.
fn with_short_names(text: &str) -> String {
    let mut short = String::with_capacity(text.len().min(MAX_SENTENCE));
    let (mut is_quoted, mut is_escaped, mut length) = (false, false, 0);
    for character in text.chars() {
        let is_quote = character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        if is_quote {
            (is_quoted, length) = (!is_quoted, 0);
        }
        length += usize::from(is_quoted && !is_quote);
        match length {
            ..=MAX_NAME => short.push(character),
            CUT_NAME => short.push('…'),
            _ => {}
        }
    }
    short
}

/// The JSON object.
pub(super) fn json(ladder: &Ladder, problems: &[MarkedProblem<'_>], texts: &PageTexts<'_>) -> String {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out, false);
    json.open_object();
    let start = start(ladder);
    number("start_us", start / MICROSECOND, &mut json);
    json.key("zone_seconds");
    json.literal(zone_seconds(start));
    rows(ladder, start, &mut json);
    let (clients, places) = ladder.connections.used_clients();
    objects("connections", ladder.connections.drawn(), &mut json, |connection, json| {
        number("client", places.get(&connection.client).copied().unwrap_or_default(), json);
        write_connection(connection, start, json);
    });
    objects("clients", &clients, &mut json, |client, json| {
        text("name", &client.name, json);
        json.key("identified");
        json.literal(client.id.is_some());
    });
    json.key("servers");
    json.open_array();
    for server in ladder.connections.servers() {
        json.element();
        json.string(&server.to_string());
    }
    json.close_array();
    objects("findings", &ladder.findings, &mut json, finding);
    objects("problems", problems, &mut json, write_problem);
    json.key("options");
    json.open_object();
    text("conversation", texts.conversation_option, &mut json);
    json.close_object();
    json.close_object();
    // The writer produces only UTF-8.
    String::from_utf8_lossy(&out).into_owned()
}

/// The time of the first row, in nanoseconds since 1970.
pub(super) fn start(ladder: &Ladder) -> u64 {
    ladder.rows.iter().filter_map(|row| row.at.time).min().unwrap_or_default()
}

/// The distance of local time to UTC, so that the script shows the same times as the texts.
fn zone_seconds(start: u64) -> i32 {
    let zone = crate::time_zone::local().0;
    let start = Timestamp::from_nanosecond(start.into()).unwrap_or_default();
    zone.to_offset(start).seconds()
}

fn rows(ladder: &Ladder, start: u64, json: &mut Writer<'_>) {
    let mut types: Vec<&'static str> = Vec::new();
    let kinds: Vec<usize> = ladder.rows.iter().map(|row| index(row.kind.name(), &mut types)).collect();
    json.key("types");
    json.open_array();
    for name in &types {
        json.element();
        json.string(name);
    }
    json.close_array();
    json.key("rows");
    json.open_object();
    let column = |name: &str, write: &dyn Fn(&Row, &mut Writer<'_>), json: &mut Writer<'_>| {
        json.key(name);
        json.open_array();
        for row in &ladder.rows {
            json.element();
            write(row, json);
        }
        json.close_array();
    };
    json.key("type");
    json.open_array();
    for kind in kinds {
        json.element();
        json.integer(kind as u64);
    }
    json.close_array();
    column("time_us", &|row, json| optional(row.at.time.map(|time| since(start, time)), json), json);
    column("connection", &|row, json| json.integer(row.connection as u64), json);
    column("direction", &|row, json| json.integer(direction(row.kind.direction())), json);
    column("round_trip_ns", &|row, json| optional(row.round_trip, json), json);
    column("length", &|row, json| json.integer(row.length), json);
    column("frame", &|row, json| json.integer(row.at.frame), json);
    column("text", &|row, json| json.string(&row.text), json);
    json.close_object();
}

/// The place of a name in a list, to which it is added.
fn index(name: &'static str, names: &mut Vec<&'static str>) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

/// 0 from the client, 1 from the server, 2 for neither.
fn direction(direction: Option<Direction>) -> u64 {
    direction.map_or(2, |direction| direction as u64)
}

fn since(start: u64, time: u64) -> u64 {
    time.saturating_sub(start) / MICROSECOND
}

fn write_connection(connection: &DrawnConnection, start: u64, json: &mut Writer<'_>) {
    let DrawnConnection { number: own, server, address, opened, closed, .. } = connection;
    number("number", *own, json);
    json.key("server");
    optional(server.map(|server| server as u64), json);
    if let Some(address) = address {
        text("address", &address.to_string(), json);
    }
    json.key("opened_us");
    optional(opened.map(|opened| since(start, opened)), json);
    json.key("closed_us");
    optional(closed.map(|closed| since(start, closed)), json);
}

fn finding(finding: &RowFinding, json: &mut Writer<'_>) {
    let RowFinding { row, rule, version, severity, detail } = finding;
    number("row", *row as u64, json);
    text("severity", severity.name(), json);
    text("statement", rule.id(*version), json);
    text("detail", detail, json);
    text("hint", rule.hint(), json);
}

fn write_problem(marked: &MarkedProblem<'_>, json: &mut Writer<'_>) {
    let MarkedProblem { problem, rows } = marked;
    text("severity", problem.severity.name(), json);
    text("kind", problem.kind_name(), json);
    text("text", &marked.sentence(), json);
    json.key("rows");
    json.open_array();
    for row in rows {
        json.element();
        json.integer(*row as u64);
    }
    json.close_array();
}

fn optional(number: Option<u64>, json: &mut Writer<'_>) {
    match number {
        Some(number) => json.integer(number),
        None => json.literal("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_in_a_problem_are_cut() {
        let name = "n".repeat(100);
        let cut = format!("\"{}…\"", "n".repeat(MAX_NAME));
        let text = format!("\"a\\\"b\", \"{name}\": denied \"{name}\", once");
        assert_eq!(with_short_names(&text), format!("\"a\\\"b\", {cut}: denied {cut}, once"));
    }
}
