//! The report as one JSON object.

use super::ending::Ending;
use super::problem::Problem;
use super::report::{Report, SelectedPart};
use crate::inspect::capture::Moment;
use crate::inspect::view::clock::TimeFormatter;
use crate::json::Writer;
use crate::json::member::{number, objects, text};

/// Decimal places of times.
const DIGITS: u32 = 9;

impl Report {
    /// The report on one line.
    pub(crate) fn to_json(&self) -> String {
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out, false);
        json.open_object();
        text("event", "diagnosis", &mut json);
        number("clients", self.clients, &mut json);
        number("connections", self.connections, &mut json);
        number("foreign_connections", self.others.total(), &mut json);
        number("packets", self.packets, &mut json);
        number("incomplete_connections", self.incomplete, &mut json);
        time("first", self.first, &mut json);
        time("last", self.last, &mut json);
        if let Some(selected) = &self.selection {
            selection(selected, &mut json);
        }
        objects("problems", &self.problems, &mut json, problem);
        json.key("endings");
        endings(&self.endings, &mut json);
        objects("slowest", &self.slowest, &mut json, |answer, json| {
            number("round_trip_ns", answer.nanoseconds, json);
            text("type", answer.packet_type, json);
            text("sender", answer.sender, json);
            if let Some(client) = &answer.client {
                text("client_id", client, json);
            }
            number("connection", answer.connection, json);
            moment("", answer.at, json);
        });
        objects("by_client", &self.by_client, &mut json, |client, json| {
            text("client_id", &client.id, json);
            strings("addresses", client.addresses.iter().map(ToString::to_string), json);
            number("connections", client.connections, json);
            time("first", client.first, json);
            if let Some(shortest) = client.shortest {
                number("shortest_ns", shortest, json);
                number("longest_ns", client.longest, json);
                number("connected_ns", client.connected, json);
            }
            json.key("endings");
            endings(&client.endings, json);
        });
        json.key("left_out");
        json.open_object();
        for (name, _, count) in &self.left_out {
            number(name, *count, &mut json);
        }
        json.close_object();
        json.close_object();
        // The writer produces only UTF-8.
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn selection(selection: &SelectedPart, json: &mut Writer<'_>) {
    json.key("selection");
    json.open_object();
    if !selection.patterns.is_empty() {
        strings("follow", selection.patterns.iter().cloned(), json);
        number("clients", selection.clients, json);
        number("connections", selection.connections, json);
    }
    time("since", selection.since, json);
    time("until", selection.until, json);
    json.close_object();
}

fn problem(problem: &Problem, json: &mut Writer<'_>) {
    text("kind", problem.kind.name(), json);
    text("severity", problem.severity.name(), json);
    strings("clients", problem.clients.iter().map(ToString::to_string), json);
    number("client_count", problem.client_count as u64, json);
    text("text", &problem.text, json);
    number("count", problem.count, json);
    moment("first_", problem.first, json);
    moment("last_", problem.last, json);
    json.key("connections");
    json.open_array();
    for connection in &problem.connections {
        json.element();
        json.integer((*connection).into());
    }
    json.close_array();
    if problem.has_more_connections {
        json.key("has_more_connections");
        json.literal(true);
    }
    if !problem.topics.is_empty() {
        strings("topics", problem.topics.iter().map(ToString::to_string), json);
    }
    for (name, figure) in &problem.figures {
        number(name, *figure, json);
    }
    if !problem.filter.is_empty() {
        text("filter", &problem.filter, json);
    }
}

fn endings(endings: &[(Ending, u64)], json: &mut Writer<'_>) {
    json.open_object();
    for (ending, count) in endings {
        number(&ending.name(), *count, json);
    }
    json.close_object();
}

fn strings(name: &str, all: impl Iterator<Item = String>, json: &mut Writer<'_>) {
    json.key(name);
    json.open_array();
    for one in all {
        json.element();
        json.string(&one);
    }
    json.close_array();
}

/// The time and frame of a moment, with this prefix of the keys.
fn moment(prefix: &str, at: Moment, json: &mut Writer<'_>) {
    time(&format!("{prefix}time"), at.time, json);
    if at.frame > 0 {
        number(&format!("{prefix}frame"), at.frame, json);
    }
}

fn time(name: &str, time: Option<u64>, json: &mut Writer<'_>) {
    if let Some(time) = time {
        let mut shown = Vec::new();
        TimeFormatter::rfc_3339().write(time, DIGITS, &mut shown);
        shown.push(b'Z');
        text(name, &String::from_utf8_lossy(&shown), json);
    }
}
