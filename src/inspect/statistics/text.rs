//! The statistics as text.

use super::round_trips::RoundTripTimes;
use super::topics::TopicCounts;
use super::{ConnectionStatistics, Statistics, TrafficCounts};
use crate::escape;
use crate::inspect::Direction;
use crate::inspect::view::words::{duration, version};
use crate::words::counted;
use std::fmt::Write;

/// Maximum number of topics to list.
const TOPICS: usize = 10;

/// Maximum characters of a client identifier to show.
const MAX_CLIENT_ID: usize = 24;

impl Statistics {
    /// The statistics as a table for people.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        let packets: u64 = Direction::BOTH.into_iter().map(|direction| self.all.packets_of(direction)).sum();
        let _ = writeln!(
            text,
            "{}, {} in {:.3} s",
            counted(self.count, "connection"),
            counted(packets, "packet"),
            self.span.seconds()
        );
        if self.other_protocols > 0 {
            let _ = writeln!(text, "{} with another protocol", counted(self.other_protocols, "connection"));
        }
        packets_by_type(&self.all, &mut text);
        round_trips(&self.all, &mut text);
        topics(&self.all.topics, &mut text);
        trouble(&self.all, &mut text);
        connections(self, &mut text);
        self.sn.iter().for_each(|sn| sn.write_text(&mut text));
        text
    }
}

fn packets_by_type(counts: &TrafficCounts, text: &mut String) {
    let _ = writeln!(text, "\n{:<12} {:>14} {:>14}", "packets", "from clients", "from servers");
    for (name, [client, server]) in counts.types() {
        let _ = writeln!(text, "  {name:<10} {client:>14} {server:>14}");
    }
    let [client, server] = Direction::BOTH.map(|direction| counts.bytes_of(direction));
    let _ = writeln!(text, "  {:<10} {client:>14} {server:>14}", "bytes");
}

fn round_trips(counts: &TrafficCounts, text: &mut String) {
    if counts.round_trips.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n{:<12} {:>9} {:>11} {:>11} {:>11} {:>11}",
        "round trips", "count", "median", "p90", "p99", "longest"
    );
    for (kind, trips) in counts.round_trips() {
        let [median, p90, p99] = [50.0, 90.0, 99.0].map(|percent| at(trips, percent));
        let (name, longest) = (kind.name(), duration(trips.max()));
        let _ =
            writeln!(text, "  {name:<10} {:>9} {median:>11} {p90:>11} {p99:>11} {longest:>11}", trips.len());
    }
}

pub(super) fn at(trips: &RoundTripTimes, percent: f64) -> String {
    duration(trips.percentile(percent))
}

pub(super) fn topics(topics: &TopicCounts, text: &mut String) {
    if topics.len() == 0 {
        return;
    }
    let _ = writeln!(text, "\n{:<12} {:>9} {:>14}", "topics", "messages", "payload bytes");
    for (topic, count) in topics.top(TOPICS) {
        let _ = writeln!(text, "  {:<10} {:>9} {:>14}", escape::line(topic), count.messages, count.bytes);
    }
    let rest = topics.len().saturating_sub(TOPICS);
    if rest > 0 {
        let _ = writeln!(text, "  and {} more", counted(rest, "topic"));
    }
    if topics.others().messages > 0 {
        let _ = writeln!(text, "  and {} to other topics", counted(topics.others().messages, "message"));
    }
}

fn trouble(counts: &TrafficCounts, text: &mut String) {
    let mut lines = Vec::new();
    if counts.gaps > 0 {
        lines.push(format!(
            "{} in {} were not captured",
            counted(counts.missing_bytes, "byte"),
            counted(counts.gaps, "gap")
        ));
    }
    if counts.skipped_bytes > 0 {
        lines
            .push(format!("{} skipped without a recognisable packet", counted(counts.skipped_bytes, "byte")));
    }
    if counts.errors + counts.warnings + counts.notes > 0 {
        let (errors, warnings, notes) = (counts.errors, counts.warnings, counts.notes);
        lines.push(format!(
            "{}, {}, {}",
            counted(errors, "error"),
            counted(warnings, "warning"),
            counted(notes, "note")
        ));
    }
    if !lines.is_empty() {
        let _ = writeln!(text, "\ntrouble\n  {}", lines.join("\n  "));
    }
}

fn connections(statistics: &Statistics, text: &mut String) {
    if statistics.connections.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n{:>5}  {:<MAX_CLIENT_ID$} {:<7} {:<21} {:>8} {:>8} {:>9} {:>10}  notes",
        "", "client id", "version", "address", "sent", "received", "bytes", "seconds"
    );
    for (number, connection) in &statistics.connections {
        let client_id: String = escape::line(connection.client_id.as_deref().unwrap_or("?"))
            .chars()
            .take(MAX_CLIENT_ID)
            .collect();
        let spoken = connection.version.map_or("?", version);
        let address = connection.ends.map_or_else(|| "?".to_owned(), |(client, _)| client.to_string());
        let [sent, received] = Direction::BOTH.map(|direction| connection.counts.packets_of(direction));
        let bytes: u64 =
            Direction::BOTH.into_iter().map(|direction| connection.counts.bytes_of(direction)).sum();
        let line = format!(
            "{number:>5}  {client_id:<MAX_CLIENT_ID$} {spoken:<7} {address:<21} {sent:>8} {received:>8} {bytes:>9} {:>10.3}  {}",
            connection.span.seconds(),
            notes(connection).join(", ")
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let more = statistics.count.saturating_sub(statistics.connections.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "  and {} more", counted(more, "connection"));
    }
}

/// Problems of a connection, for the last column.
fn notes(connection: &ConnectionStatistics) -> Vec<String> {
    let counts = &connection.counts;
    let mut notes = Vec::new();
    if connection.unanswered > 0 {
        notes.push(format!("{} unanswered", connection.unanswered));
    }
    if connection.is_keep_alive_missed() {
        let keep_alive = connection.keep_alive.unwrap_or_default();
        notes.push(format!(
            "silent for {} with keep alive {keep_alive} s",
            duration(connection.longest_silence)
        ));
    }
    if counts.gaps > 0 {
        notes.push(counted(counts.gaps, "gap"));
    }
    for (number, unit) in [(counts.errors, "error"), (counts.warnings, "warning")] {
        if number > 0 {
            notes.push(counted(number, unit));
        }
    }
    notes
}
