//! Drives the state machines of MQTT-SN 2.0 with any bytes, and reads predefined topics. Compiled for tests and with `--cfg fuzzing` only.

use super::PredefinedTopics;
use super::client::{self, AnyAdapter};
use super::gateway::{Context, Output, Settings, v2::Client};
use super::v2::Packet;
use crate::protocol::session::Limits;
use crate::protocol::{PacketReader, SizeLimits, Version};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The predefined topic of both sides.
const PREDEFINED: u16 = 7;

/// Reads a file of predefined topics, and compares each translation with a search in its lines.
pub fn predefined_topics(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let topics = match PredefinedTopics::parse(text) {
        Ok(topics) => topics,
        Err(error) => return assert!((1..=text.lines().count()).contains(&error.line), "{error}"),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<(&str, u16, &str)> = lines.map(predefined_line).collect();
    let clients: BTreeSet<&str> = lines.iter().map(|(client, ..)| *client).chain(["*", "other"]).collect();
    for client in clients {
        let find = |client: &str, is_wanted: &dyn Fn(u16, &str) -> bool| {
            lines.iter().find(|(of, id, topic)| *of == client && is_wanted(*id, topic)).copied()
        };
        let topic_of = |id| {
            let is_wanted = |known, _: &str| known == id;
            find(client, &is_wanted).or_else(|| find("*", &is_wanted)).map(|(_, _, topic)| topic)
        };
        for (_, id, topic) in &lines {
            assert_eq!(topics.topic(client, *id), topic_of(*id), "{client:?} {id}");
            let is_wanted = |_, known: &str| known == *topic;
            let of_all = || find("*", &is_wanted).filter(|(_, id, topic)| topic_of(*id) == Some(*topic));
            let expected = find(client, &is_wanted).or_else(of_all).map(|(_, id, _)| id);
            assert_eq!(topics.id(client, topic), expected, "{client:?} {topic:?}");
        }
    }
}

/// The client, the id and the topic of a valid line.
fn predefined_line(line: &str) -> (&str, u16, &str) {
    let number = |text: &str| match text.to_ascii_lowercase().strip_prefix("0x") {
        _ if text.contains('+') => None,
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let first = line.split(char::is_whitespace).next().unwrap_or_default();
    if let Some(id) = number(first).filter(|_| first.len() < line.len()) {
        return ("*", id, line.strip_prefix(first).unwrap_or_default().trim());
    }
    let parts: Vec<&str> = line.split(',').collect();
    let [client, .., id] = parts.as_slice() else { panic!("neither form: {line:?}") };
    let topic = line.get(client.len() + 1..line.len() - id.len() - 1).unwrap_or_default();
    (client.trim(), number(id.trim()).expect("a valid id"), topic.trim())
}

/// Feeds datagrams, packets of the other side, and time to a client and to a gateway. Each step has a byte with its kind and one
/// with its length in front.
pub fn machines(bytes: &[u8]) {
    let mut now = Instant::now();
    let mut adapter = AnyAdapter::new(
        super::Version::V20,
        client::Settings {
            is_unconnected: bytes.first().is_some_and(|first| first & 0x80 != 0),
            predefined: vec![(PREDEFINED, "t".to_owned())],
            counts_rejections: true,
            sleep: bytes.first().filter(|first| *first & 0x40 != 0).map(|_| 60),
            retry_interval: Duration::from_secs(10),
            retry_count: 3,
        },
    );
    let mut gateway = Gateway::new(now);
    let mut rest = bytes;
    while let Some(([kind, length], after)) = rest.split_first_chunk::<2>() {
        let (step, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        match kind & 7 {
            0 => drop(adapter.take_datagram(step, now)),
            1 => drop(adapter.take_bytes(step, now)),
            2 => gateway.receive(step, now),
            3 => gateway.receive_packets(step, now),
            4 => gateway.step(now, |client, context, out| {
                client.broker_accepted(Limits::default(), context, out);
            }),
            5 => gateway.step(now, Client::broker_lost),
            _ => {
                now += Duration::from_secs((*length).into());
                drop(adapter.tick(now));
                gateway.step(now, Client::tick);
            }
        }
        adapter.packets_mut().clear();
        while let Some(datagram) = adapter.datagram() {
            gateway.receive(datagram, now);
            adapter.sent();
        }
        adapter.deadline();
    }
}

struct Gateway {
    client: Client,
    settings: Settings,
    predefined: PredefinedTopics,
}

impl Gateway {
    fn new(now: Instant) -> Gateway {
        let settings = Settings {
            retry_interval: Duration::from_secs(10),
            retry_count: 3,
            queued_messages: 4,
            queued_bytes: 4096,
            topics: 4,
            datagram_size: 1000,
            version: Version::V5,
        };
        let predefined = PredefinedTopics::parse("7 t").unwrap_or_default();
        Gateway { client: Client::new("c", now), settings, predefined }
    }

    /// Runs a step, and checks that each datagram is a packet.
    fn step(&mut self, now: Instant, step: impl FnOnce(&mut Client, Context<'_>, &mut Output)) {
        let mut out = Output::default();
        let context = Context::of(now, &self.settings, &self.predefined);
        step(&mut self.client, context, &mut out);
        for datagram in out.datagrams {
            Packet::decode(&datagram).expect("the gateway sends packets");
        }
        self.client.deadline(&self.settings);
    }

    fn receive(&mut self, datagram: &[u8], now: Instant) {
        if let Ok(packet) = Packet::decode(datagram) {
            self.step(now, |client, context, out| client.receive(&packet, context, out));
        }
    }

    fn receive_packets(&mut self, bytes: &[u8], now: Instant) {
        let mut packets = PacketReader::new(bytes, SizeLimits::all(1 << 16));
        while let Ok(Some(packet)) = packets.read(Version::V5) {
            self.step(now, |client, context, out| client.receive_packet(&packet, context, out));
        }
    }
}
