//! The statistics as one JSON object.

use super::round_trips::RoundTripTimes;
use super::topics::TopicCounts;
use super::{ConnectionStatistics, Statistics, TrafficCounts};
use crate::inspect::Direction;
use crate::inspect::view::words::version;
use crate::json::Writer;
use crate::json::member::{number, text};

/// Maximum number of topics to list.
const TOPICS: usize = 100;

impl Statistics {
    /// The statistics on one line.
    pub(crate) fn to_json(&self) -> String {
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out, false);
        json.open_object();
        text("event", "statistics", &mut json);
        number("connections", self.count, &mut json);
        number("foreign_connections", self.other_protocols, &mut json);
        number("seconds", self.span.seconds(), &mut json);
        counts(&self.all, &mut json);
        json.key("by_connection");
        json.open_array();
        for (id, one) in &self.connections {
            json.element();
            connection(*id, one, &mut json);
        }
        json.close_array();
        if let Some(sn) = &self.sn {
            json.key("mqtt_sn");
            json.open_object();
            sn.write_json(&mut json);
            json.close_object();
        }
        json.close_object();
        // The writer produces only UTF-8.
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn connection(id: u32, connection: &ConnectionStatistics, json: &mut Writer<'_>) {
    json.open_object();
    number("connection", id, json);
    if let Some(client_id) = &connection.client_id {
        text("client_id", client_id, json);
    }
    if let Some(spoken) = connection.version {
        text("version", version(spoken), json);
    }
    if let Some((client, server)) = connection.ends {
        text("client", &client.to_string(), json);
        text("server", &server.to_string(), json);
    }
    number("seconds", connection.span.seconds(), json);
    if let Some(keep_alive) = connection.keep_alive {
        number("keep_alive", keep_alive, json);
    }
    number("longest_silence_ns", connection.longest_silence, json);
    number("unanswered", connection.unanswered, json);
    counts(&connection.counts, json);
    json.close_object();
}

fn counts(counts: &TrafficCounts, json: &mut Writer<'_>) {
    json.key("packets");
    json.open_object();
    for (name, counts) in counts.types() {
        json.key(name);
        json.open_object();
        for (direction, count) in Direction::BOTH.into_iter().zip(counts) {
            number(direction.name(), count, json);
        }
        json.close_object();
    }
    json.close_object();
    json.key("bytes");
    json.open_object();
    for direction in Direction::BOTH {
        number(direction.name(), counts.bytes_of(direction), json);
    }
    json.close_object();
    round_trips(counts.round_trips().map(|(kind, trips)| (kind.name(), trips)), json);
    topics(&counts.topics, json);
    for (name, count) in [
        ("gaps", counts.gaps),
        ("missing_bytes", counts.missing_bytes),
        ("skipped_bytes", counts.skipped_bytes),
        ("errors", counts.errors),
        ("warnings", counts.warnings),
        ("notes", counts.notes),
    ] {
        number(name, count, json);
    }
}

pub(super) fn round_trips<'t>(
    round_trips: impl Iterator<Item = (&'static str, &'t RoundTripTimes)>,
    json: &mut Writer<'_>,
) {
    json.key("round_trips_ns");
    json.open_object();
    for (name, trips) in round_trips {
        json.key(name);
        json.open_object();
        number("count", trips.len(), json);
        number("min", trips.min(), json);
        for (name, percent) in [("p50", 50.0), ("p90", 90.0), ("p99", 99.0)] {
            number(name, trips.percentile(percent), json);
        }
        number("max", trips.max(), json);
        json.close_object();
    }
    json.close_object();
}

pub(super) fn topics(topics: &TopicCounts, json: &mut Writer<'_>) {
    json.key("topics");
    json.open_array();
    for (topic, count) in topics.top(TOPICS) {
        json.element();
        json.open_object();
        text("topic", topic, json);
        number("messages", count.messages, json);
        number("payload_bytes", count.bytes, json);
        json.close_object();
    }
    json.close_array();
}
