//! The corpus: the output of all layers, compared with an independent decoder's.

use super::conversation::ConversationEvent;
use super::reader::Reader;
use super::{Capture, Moment};
use crate::inspect::Direction;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// A packet or a gap, with the details that both decoders report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    connection: u64,
    direction: &'static str,
    offset: u64,
    /// The packet type and the Remaining Length, or `gap` and the number of missing bytes.
    what: (String, u64),
    frame: u64,
    time: Option<u64>,
}

/// Splits one direction's bytes into packets, with zeros for missing bytes inside a packet.
#[derive(Default)]
struct Cutter {
    bytes: Vec<u8>,
    offset: u64,
}

impl Cutter {
    /// The length of the packet at the front, and of its header.
    fn packet(&self) -> Option<(usize, usize)> {
        let digits = self.bytes.iter().skip(1).take(4);
        let size = digits.clone().position(|byte| byte & 0x80 == 0)? + 1;
        let value = digits.take(size).rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
        Some((1 + size + value, 1 + size))
    }
}

fn corpus(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "corpus", name].iter().collect()
}

/// All captures that come with an independent decode.
fn captures() -> Vec<String> {
    let entries = fs::read_dir(corpus("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter_map(|name| name.strip_suffix(".oracle.jsonl").map(str::to_owned)).collect();
    names.sort();
    names
}

/// Calls `each` with all events of a capture.
fn run(name: &str, mut each: impl FnMut(ConversationEvent<'_>)) -> Capture {
    let mut reader = Reader::new(fs::File::open(corpus(name)).unwrap());
    let mut capture = Capture::default();
    while let Some(frame) = reader.next_frame().unwrap() {
        capture.frame(&frame, &mut each);
    }
    capture.finish(&mut each);
    capture
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "c2s",
        Direction::ServerToClient => "s2c",
    }
}

/// The lines found by these layers.
fn found(name: &str) -> Vec<Line> {
    let mut cutters: BTreeMap<(u32, &'static str), Cutter> = BTreeMap::new();
    let mut lines = Vec::new();
    run(name, |event| match event {
        ConversationEvent::Bytes { connection, at, direction, offset, bytes, .. } => {
            let key = (connection, direction_name(direction));
            let cutter = cutters.entry(key).or_default();
            assert_eq!(offset, cutter.offset + cutter.bytes.len() as u64, "{name} {key:?}");
            cutter.bytes.extend_from_slice(bytes);
            cut(key, at, cutter, &mut lines);
        }
        ConversationEvent::Gap { connection, at, direction, offset, length } => {
            let key = (connection, direction_name(direction));
            let cutter = cutters.entry(key).or_default();
            assert_eq!(offset, cutter.offset + cutter.bytes.len() as u64, "{name} {key:?}");
            let (frame, time) = (at.frame, None);
            let what = ("gap".to_owned(), length);
            lines.push(Line {
                connection: connection.into(),
                direction: key.1,
                offset: 0,
                what,
                frame,
                time,
            });
            let missing_in_packet = cutter.packet().map_or(0, |(size, _)| size - cutter.bytes.len());
            if missing_in_packet as u64 >= length {
                cutter.bytes.resize(cutter.bytes.len() + length as usize, 0);
                cut(key, at, cutter, &mut lines);
            } else {
                cutter.offset = offset + length;
                cutter.bytes.clear();
            }
        }
        _ => {}
    });
    lines.sort();
    lines
}

fn cut(key: (u32, &'static str), at: Moment, cutter: &mut Cutter, lines: &mut Vec<Line>) {
    while let Some((size, header)) = cutter.packet()
        && cutter.bytes.len() >= size
    {
        let packet: Vec<u8> = cutter.bytes.drain(..size).collect();
        lines.push(Line {
            connection: key.0.into(),
            direction: key.1,
            offset: cutter.offset,
            what: ((packet[0] >> 4).to_string(), (size - header) as u64),
            frame: at.frame,
            time: at.time,
        });
        cutter.offset += size as u64;
    }
}

/// The lines found by the independent decoder.
fn expected(name: &str) -> Vec<Line> {
    let names = [
        "",
        "CONNECT",
        "CONNACK",
        "PUBLISH",
        "PUBACK",
        "PUBREC",
        "PUBREL",
        "PUBCOMP",
        "SUBSCRIBE",
        "SUBACK",
        "UNSUBSCRIBE",
        "UNSUBACK",
        "PINGREQ",
        "PINGRESP",
        "DISCONNECT",
        "AUTH",
    ];
    let text = fs::read_to_string(corpus(&format!("{name}.oracle.jsonl"))).unwrap();
    let mut lines = Vec::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let number = |key: &str| value[key].as_u64().unwrap_or(0);
        let what = match (value["type"].as_str(), value["event"].as_str()) {
            (Some("RESERVED"), _) => ("0".to_owned(), number("rl")),
            (Some(kind), _) => {
                (names.iter().position(|name| *name == kind).unwrap().to_string(), number("rl"))
            }
            (None, Some("gap")) => ("gap".to_owned(), number("missing")),
            _ => continue,
        };
        let direction = if value["dir"] == "c2s" { "c2s" } else { "s2c" };
        let is_gap = what.0 == "gap";
        let time = value["t"].as_number().filter(|_| !is_gap).map(|seconds| nanos(&seconds.to_string()));
        let (connection, offset, frame) = (number("conn"), number("off"), number("frame"));
        lines.push(Line { connection, direction, offset, what, frame, time });
    }
    lines.sort();
    lines
}

/// Seconds with nine places, of which a double holds six and a half.
fn nanos(seconds: &str) -> u64 {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    whole.parse::<u64>().unwrap() * 1_000_000_000 + format!("{fraction:0<9}")[..9].parse::<u64>().unwrap()
}

#[test]
fn the_corpus_is_read_as_an_independent_decoder_reads_it() {
    for name in captures() {
        let (mut found, mut expected) = (found(&name), expected(&name));
        for (ours, theirs) in found.iter_mut().zip(&mut expected) {
            let (our_time, their_time) = (ours.time.take(), theirs.time.take());
            assert_eq!(our_time.is_some(), their_time.is_some(), "{name} {ours:?}");
            assert!(our_time.unwrap_or(0).abs_diff(their_time.unwrap_or(0)) < 500, "{name} {ours:?}");
        }
        assert_eq!(found, expected, "{name}");
    }
}
