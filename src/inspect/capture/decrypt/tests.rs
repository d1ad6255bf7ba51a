//! Recorded sessions: split at any place, with modified bytes, and with invalid bytes.

use super::suite::Protection;
use super::*;
use crate::inspect::capture::conversation::{ConversationEvent, Conversations};
use crate::inspect::capture::fuzzing;
use crate::inspect::capture::network::Network;
use crate::inspect::capture::reader::Reader;
use crate::inspect::capture::reassembly::{self, Close, Reassembly, Side, Start};
use proptest::prelude::*;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A key log in memory.
struct Given(KeyLog);

impl Secrets for Given {
    fn secret(&mut self, label: Label, client_random: &[u8; 32]) -> Option<Vec<u8>> {
        self.0.secret(label, client_random)
    }

    fn is_empty(&self) -> bool {
        false
    }
}

/// One side's next bytes.
type Part = (Side, Vec<u8>);

/// The application data of client and server, and whether some was lost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    client: Vec<u8>,
    server: Vec<u8>,
    is_lost: bool,
}

fn corpus(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "corpus", "tls", name].iter().collect()
}

fn decryptor(name: &str) -> Option<Box<dyn Decryptor>> {
    let mut log = KeyLog::default();
    assert!(log.add(&fs::read(corpus(&format!("{name}.keys"))).unwrap()) > 0);
    Some(Box::new(TlsDecryptor::new(Box::new(Given(log)))))
}

/// The TCP bytes of the first connection.
fn recorded(name: &str) -> Vec<Part> {
    connections(&format!("{name}.pcap")).remove(0)
}

/// The TCP bytes of each connection.
fn connections(file: &str) -> Vec<Vec<Part>> {
    let mut reader = Reader::new(fs::File::open(corpus(file)).unwrap());
    let (mut network, mut reassembly) = (Network::default(), Reassembly::default());
    let mut connections: Vec<Vec<Part>> = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        let Ok(segment) = network.segment(&frame) else { continue };
        reassembly.segment(frame.at, &segment, &mut |event| match event {
            reassembly::TcpEvent::Opened { .. } => connections.push(Vec::new()),
            reassembly::TcpEvent::Data { connection, side, bytes, .. } => {
                connections[connection as usize].push((side, bytes.to_vec()));
            }
            _ => {}
        });
    }
    connections
}

/// The data found in these parts.
fn said(name: &str, parts: &[Part]) -> Said {
    said_without(name, parts, None)
}

/// The data found in these parts, one of which was not captured from a place in it on.
fn said_without(name: &str, parts: &[Part], lost: Option<&(usize, Range<usize>)>) -> Said {
    let mut conversations = Conversations::new(decryptor(name));
    let mut said = Said::default();
    let at = Moment::default();
    let [a, b] = [40_000, 8883].map(|port| ([127, 0, 0, 1], port).into());
    let start = Start::Handshake { initiator: Side::A };
    let mut tell =
        |event: &reassembly::TcpEvent<'_>| conversations.event(event, &mut |event| said.take(&event));
    tell(&reassembly::TcpEvent::Opened { connection: 0, at, a, b, start });
    let mut offsets = [0, 0];
    for (index, (side, bytes)) in parts.iter().enumerate() {
        let side = *side;
        let offset = offsets[side as usize];
        offsets[side as usize] += bytes.len() as u64;
        let hole = lost.filter(|(part, _)| *part == index).map(|(_, hole)| hole.clone());
        let hole = hole.unwrap_or(bytes.len()..bytes.len());
        let (before, length, after) = (&bytes[..hole.start], hole.len() as u64, &bytes[hole.end..]);
        if !before.is_empty() {
            tell(&reassembly::TcpEvent::Data { connection: 0, at, side, offset, bytes: before });
        }
        if length > 0 {
            tell(&reassembly::TcpEvent::Gap {
                connection: 0,
                at,
                side,
                offset: offset + before.len() as u64,
                length,
            });
        }
        if !after.is_empty() {
            let offset = offset + before.len() as u64 + length;
            tell(&reassembly::TcpEvent::Data { connection: 0, at, side, offset, bytes: after });
        }
    }
    tell(&reassembly::TcpEvent::Closed { connection: 0, at, by: Close::Fin });
    said
}

impl Said {
    fn take(&mut self, event: &ConversationEvent<'_>) {
        match event {
            ConversationEvent::Bytes { direction: Direction::ClientToServer, bytes, .. } => {
                self.client.extend(*bytes);
            }
            ConversationEvent::Bytes { direction: Direction::ServerToClient, bytes, .. } => {
                self.server.extend(*bytes);
            }
            ConversationEvent::Undecryptable { .. } | ConversationEvent::OtherProtocol { .. } => {
                self.is_lost = true;
            }
            _ => {}
        }
    }
}

/// A connection for each suite that OpenSSL has, with and without encrypt-then-MAC.
fn suites() -> &'static [Vec<Part>] {
    static SUITES: OnceLock<Vec<Vec<Part>>> = OnceLock::new();
    SUITES.get_or_init(|| connections("suites.pcap.gz"))
}

const NAMES: [&str; 7] = [
    "tls12-aes128",
    "tls12-chacha20",
    "tls13-aes256",
    "tls13-key-update",
    "tls12-renegotiated",
    "tls13-early",
    "wss",
];

#[test]
fn bytes_that_come_one_by_one_say_the_same() {
    for name in NAMES {
        let parts = recorded(name);
        let expected = said(name, &parts);
        assert!(!expected.is_lost && expected.client.len() > 60 && expected.server.len() > 40, "{name}");
        let single = |(side, bytes): &Part| bytes.iter().map(|byte| (*side, vec![*byte])).collect::<Vec<_>>();
        let singles: Vec<Part> = parts.iter().flat_map(single).collect();
        assert_eq!(said(name, &singles), expected, "{name}");
    }
}

#[test]
fn sides_that_come_in_the_wrong_order_say_the_same() {
    for name in NAMES {
        let parts = recorded(name);
        let expected = said(name, &parts);
        let of = |side| parts.iter().filter(move |part| part.0 == side).cloned();
        let client_first: Vec<Part> = of(Side::A).chain(of(Side::B)).collect();
        assert_eq!(said(name, &client_first), expected, "{name}");
    }
}

/// Whether `rest` is `whole` without one range of at most `most` bytes.
fn is_without(whole: &[u8], rest: &[u8], most: usize) -> bool {
    let Some(lost) = whole.len().checked_sub(rest.len()).filter(|lost| *lost <= most) else { return false };
    let common = whole.iter().zip(rest).take_while(|(a, b)| a == b).count();
    whole[(common + lost).min(whole.len())..] == rest[common..]
}

#[test]
fn only_the_content_of_a_lost_segment_is_lost() {
    let first = |parts: &[Part], side| parts.iter().position(|part| part.0 == side).unwrap();
    for parts in suites().iter().step_by(3) {
        let expected = said("suites", parts);
        let connect = parts.len() - 11;
        for (index, (side, bytes)) in parts.iter().enumerate().filter(|(index, _)| *index > connect) {
            if index == first(parts, Side::A) || index == first(parts, Side::B) {
                continue;
            }
            let said = said_without("suites", parts, Some(&(index, 0..bytes.len())));
            let of = |of| if *side == of { bytes.len() } else { 0 };
            assert!(is_without(&expected.client, &said.client, of(Side::A)), "{index} {parts:02x?}");
            assert!(is_without(&expected.server, &said.server, of(Side::B)), "{index} {parts:02x?}");
        }
    }
}

#[test]
fn the_document_lists_the_suites() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "docs", "inspect-tls.md"].iter().collect();
    let document = fs::read_to_string(path).unwrap();
    let row = |line: &&str| line.starts_with('|') && line.contains("| yes");
    let listed = document.lines().filter(row).flat_map(|line| line.split('`').skip(1).step_by(2));
    let mut listed: Vec<&str> = listed.collect();
    let mut supported: Vec<&str> = suite::rows().iter().map(|row| row.0).collect();
    listed.sort_unstable();
    supported.sort_unstable();
    assert_eq!(listed, supported);
}

#[test]
fn each_suite_has_the_lengths_in_its_name() {
    let rows = suite::rows().iter().filter(|row| !row.0.starts_with("CHACHA20"));
    for (name, protection, hash) in rows {
        let (key_length, mac_length) = match protection {
            Protection::Aead(aead) => (aead.key_length(), None),
            Protection::Cbc(cbc, mac) => (cbc.key_length, Some(mac.digest_algorithm().output_len())),
            Protection::Mac(mac) => (0, Some(mac.digest_algorithm().output_len())),
        };
        let sizes = [("_128_", 16), ("_256_", 32), ("3DES_", 24), ("NULL_", 0)];
        let expected = sizes.iter().find(|(part, _)| name.contains(part)).unwrap().1;
        assert_eq!(key_length, expected, "{name}");
        let hash_length = match name.rsplit('_').next() {
            Some("SHA") => 20,
            Some("SHA384") => 48,
            _ => 32,
        };
        assert!(mac_length.is_none_or(|length| length == hash_length), "{name}");
        assert_eq!(hash.length(), hash_length.max(32), "{name}");
    }
}

#[test]
fn a_line_of_a_key_log_is_whole_or_none() {
    let (random, secret) = ("ab".repeat(32), "cd".repeat(48));
    let line = format!("CLIENT_RANDOM {random} {secret}\r\n");
    let mut log = KeyLog::default();
    for end in 0..line.len() - 3 {
        assert_eq!(log.add(&line.as_bytes()[..end]), 0, "{end}");
    }
    let other =
        format!("# a comment\n\nEXPORTER_SECRET {random} {secret}\nCLIENT_RANDOM {random} {secret} x\n");
    assert_eq!(log.add(format!("\0\u{fe}\n{line}{other}").as_bytes()), 2);
    assert_eq!(log.secret(Label::Master, &[0xab; 32]), Some(vec![0xcd; 48]));
    assert_eq!(log.secret(Label::ClientTraffic, &[0xab; 32]), None);
}

#[test]
fn the_data_waiting_for_a_secret_is_bounded() {
    let mut parts = recorded("tls13-aes128");
    let record = [&[23, 3, 3, 0x40, 0][..], &[7; 0x4000]].concat();
    parts.extend((0..40).map(|_| (Side::B, record.clone())));
    let before_close = said("tls13-aes256", &parts);
    assert_eq!(before_close, Said { is_lost: true, ..Said::default() });
}

/// A key log and the capture of its connections, as the fuzz target reads them.
fn with_key_log(name: &str) -> Vec<u8> {
    let read = |extension: &str| fs::read(corpus(&format!("{name}.{extension}"))).unwrap();
    [read("keys"), vec![0], read("pcap")].concat()
}

#[test]
fn bytes_that_are_missing_in_a_header_are_not_filled() {
    let mut records = record::Records::default();
    records.push(&[record::APPLICATION_DATA, 3, 3, 0, 1, 9, record::APPLICATION_DATA, 3]);
    assert_eq!(records.fill(10), None);
    assert_eq!(records.take().body, [9]);
    records.push(&[3, 0, 20]);
    assert_eq!((records.fill(21), records.fill(20)), (None, Some(())));
}

#[test]
fn the_fuzz_target_reads_recorded_sessions() {
    for name in RECORDED {
        fuzzing::tls(&with_key_log(name));
    }
}

/// Sessions of each kind of record protection and handshake.
const RECORDED: [&str; 7] = [
    "tls12-aes128",
    "tls12-cbc",
    "tls12-renegotiated",
    "tls13-chacha20",
    "tls13-early",
    "tls13-hello-retry",
    "tls13-key-update",
];

proptest! {
    #[test]
    fn changed_sessions_keep_the_order_of_events(
        name in prop::sample::select(RECORDED.to_vec()),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..40_usize), 0..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = with_key_log(name);
        for (at, byte, removed) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if removed > 30 {
                let end = (at + removed).min(bytes.len());
                bytes.drain(at..end);
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fuzzing::tls(&bytes);
    }
}

proptest! {
    #[test]
    fn changed_bytes_say_nothing_else(name in prop::sample::select(&NAMES[..6]), place in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut parts = recorded(name);
        let expected = said(name, &parts);
        let place = place.index(parts.iter().map(|part| part.1.len()).sum());
        if let Some(byte) = parts.iter_mut().flat_map(|part| &mut part.1).nth(place) {
            *byte ^= 1 << bit;
        }
        let said = said(name, &parts);
        prop_assert!(expected.client.starts_with(&said.client), "{}", place);
        prop_assert!(expected.server.starts_with(&said.server), "{}", place);
    }

    #[test]
    fn a_changed_bit_in_any_suite_says_nothing_else(
        connection in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let mut parts = connection.get(suites()).clone();
        let expected = said("suites", &parts);
        let place = place.index(parts.iter().map(|part| part.1.len()).sum());
        if let Some(byte) = parts.iter_mut().flat_map(|part| &mut part.1).nth(place) {
            *byte ^= 1 << bit;
        }
        let said = said("suites", &parts);
        prop_assert!(expected.client.starts_with(&said.client), "{}", place);
        prop_assert!(expected.server.starts_with(&said.server), "{}", place);
    }

    #[test]
    fn lost_bytes_say_nothing_else(
        connection in any::<prop::sample::Index>(),
        part in any::<prop::sample::Index>(),
        ends in any::<[prop::sample::Index; 2]>(),
    ) {
        let parts = connection.get(suites());
        let expected = said("suites", parts);
        let part = part.index(parts.len());
        let [a, b] = ends.map(|end| end.index(parts[part].1.len() + 1));
        let said = said_without("suites", parts, Some(&(part, a.min(b)..a.max(b))));
        prop_assert!(is_without(&expected.client, &said.client, usize::MAX));
        prop_assert!(is_without(&expected.server, &said.server, usize::MAX));
    }

    #[test]
    fn any_records_after_the_handshake_are_borne(
        connection in any::<prop::sample::Index>(),
        kept in 4..12_usize,
        records in proptest::collection::vec(
            (any::<bool>(), 20..=24_u8, proptest::collection::vec(any::<u8>(), 0..100)),
            1..20,
        ),
    ) {
        let mut parts = connection.get(suites()).clone();
        parts.truncate(kept);
        let expected = said("suites", &parts);
        for (is_a, kind, body) in records {
            let record = [&[kind, 3, 3, 0, body.len() as u8][..], &body].concat();
            parts.push((if is_a { Side::A } else { Side::B }, record));
        }
        let said = said("suites", &parts);
        prop_assert_eq!((said.client, said.server), (expected.client, expected.server));
    }

    #[test]
    fn any_bytes_after_the_hellos_are_borne(
        name in prop::sample::select(&NAMES[..]),
        read_body in 1..8_usize,
        parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 1..80)), 0..20),
    ) {
        let mut bytes = recorded(name);
        bytes.truncate(read_body);
        bytes.extend(parts.into_iter().map(|(is_a, part)| (if is_a { Side::A } else { Side::B }, part)));
        let _ = said(name, &bytes);
    }
}
