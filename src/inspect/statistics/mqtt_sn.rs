//! Counts and times of MQTT-SN.

use super::round_trips::{Precision, RoundTripTimes};
use super::text::{at, topics};
use super::topics::TopicCounts;
use super::{MAX_TOPICS, Period};
use crate::inspect::sn::{Message, SnItem};
use crate::inspect::view::words::duration;
use crate::inspect::{Direction, Finding, Name, Severity};
use crate::json::Writer;
use crate::json::member::number;
use crate::words::counted;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The statistics of all clients.
#[derive(Debug)]
pub(super) struct SnStatistics {
    /// Pairs of addresses.
    connections: u64,
    /// By type, from clients and from gateways.
    messages: BTreeMap<&'static str, [u64; 2]>,
    bytes: [u64; 2],
    round_trips: BTreeMap<&'static str, RoundTripTimes>,
    topics: TopicCounts,
    repeated: u64,
    unanswered: u64,
    errors: u64,
    warnings: u64,
    notes: u64,
    span: Period,
}

impl Default for SnStatistics {
    fn default() -> SnStatistics {
        SnStatistics {
            connections: 0,
            messages: BTreeMap::new(),
            bytes: [0; 2],
            round_trips: BTreeMap::new(),
            topics: TopicCounts::of_at_most(MAX_TOPICS),
            repeated: 0,
            unanswered: 0,
            errors: 0,
            warnings: 0,
            notes: 0,
            span: Period::default(),
        }
    }
}

impl SnStatistics {
    /// Counts an item and the linter's findings for it.
    pub(super) fn observe(&mut self, item: &SnItem<'_>, findings: &[Finding]) {
        self.span.extend(item.at().time);
        match item {
            SnItem::Opened(_) => self.connections += 1,
            SnItem::Message(message) => self.message(message),
            SnItem::Closed { .. } => {}
            SnItem::End(end) => self.unanswered += end.unanswered.len() as u64,
        }
        findings.iter().for_each(|finding| self.found(finding));
    }

    fn message(&mut self, message: &Message<'_>) {
        let counts = self.messages.entry(message.kind.name()).or_default();
        let sides = counts.iter_mut().zip(&mut self.bytes).nth(message.direction as usize);
        if let Some((count, bytes)) = sides {
            *count += 1;
            *bytes += message.length as u64;
        }
        if let Some(time) = message.facts.round_trip {
            let times = self.round_trips.entry(message.kind.name());
            times.or_insert_with(|| RoundTripTimes::new(Precision::Total)).record(time);
        }
        if let Some(payload) = message.tree.find(Name::Payload) {
            self.topics.count(message.topic().unwrap_or_default(), payload.range.len() as u64);
        }
        self.repeated += u64::from(message.facts.repeats > 0);
        message.tree.findings.iter().for_each(|finding| self.found(finding));
    }

    fn found(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Info => self.notes += 1,
        }
    }

    /// Appends a table for people.
    pub(super) fn write_text(&self, text: &mut String) {
        let messages: u64 = self.messages.values().flatten().sum();
        let _ = writeln!(
            text,
            "\nMQTT-SN: {}, {} in {:.3} s",
            counted(self.connections, "connection"),
            counted(messages, "message"),
            self.span.seconds()
        );
        let _ = writeln!(text, "\n{:<14} {:>12} {:>14}", "messages", "from clients", "from gateways");
        for (name, [client, gateway]) in &self.messages {
            let _ = writeln!(text, "  {name:<12} {client:>12} {gateway:>14}");
        }
        let [client, gateway] = self.bytes;
        let _ = writeln!(text, "  {:<12} {client:>12} {gateway:>14}", "bytes");
        self.write_round_trips(text);
        topics(&self.topics, text);
        let found = self.errors + self.warnings + self.notes;
        if self.repeated + self.unanswered + found > 0 {
            let _ = writeln!(
                text,
                "\ntrouble\n  {} repeated, {} unanswered, {}, {}, {}",
                self.repeated,
                self.unanswered,
                counted(self.errors, "error"),
                counted(self.warnings, "warning"),
                counted(self.notes, "note")
            );
        }
    }

    fn write_round_trips(&self, text: &mut String) {
        if self.round_trips.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "\n{:<14} {:>7} {:>11} {:>11} {:>11} {:>11}",
            "round trips", "count", "median", "p90", "p99", "longest"
        );
        for (name, trips) in &self.round_trips {
            let [median, p90, p99] = [50.0, 90.0, 99.0].map(|percent| at(trips, percent));
            let (number, longest) = (trips.len(), duration(trips.max()));
            let _ = writeln!(text, "  {name:<12} {number:>7} {median:>11} {p90:>11} {p99:>11} {longest:>11}");
        }
    }

    /// Writes the members of an object.
    pub(super) fn write_json(&self, json: &mut Writer<'_>) {
        number("connections", self.connections, json);
        number("seconds", self.span.seconds(), json);
        json.key("messages");
        json.open_object();
        for (name, counts) in &self.messages {
            json.key(name);
            directions(*counts, json);
        }
        json.close_object();
        json.key("bytes");
        directions(self.bytes, json);
        super::json::round_trips(self.round_trips.iter().map(|(name, trips)| (*name, trips)), json);
        super::json::topics(&self.topics, json);
        for (name, count) in [
            ("repeated", self.repeated),
            ("unanswered", self.unanswered),
            ("errors", self.errors),
            ("warnings", self.warnings),
            ("notes", self.notes),
        ] {
            number(name, count, json);
        }
    }
}

fn directions(counts: [u64; 2], json: &mut Writer<'_>) {
    json.open_object();
    for (direction, count) in Direction::BOTH.into_iter().zip(counts) {
        number(direction.name(), count, json);
    }
    json.close_object();
}
