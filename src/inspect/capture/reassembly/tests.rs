//! Segments in any order result in bytes in order.

use super::{Close, MAX_CONNECTIONS, Reassembly, Side, Start, TcpEvent};
use crate::inspect::capture::network::Segment;
use crate::inspect::capture::{Moment, fuzzing};
use proptest::prelude::*;
use std::net::{Ipv4Addr, SocketAddr};

/// An event in short form.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Opened(u32, Start),
    Data(Side, Vec<u8>),
    Gap(Side, u64),
    Conflict(Side, u64, u64),
    Lag(Side),
    Fin(Side),
    Closed(u32, Close),
}

use Seen::{Closed, Conflict, Data, Fin, Gap, Lag, Opened};

/// A client and a server that send the segments of a test.
struct Wire {
    reassembly: Reassembly,
    at: Moment,
    seen: Vec<Seen>,
    client: SocketAddr,
    server: SocketAddr,
}

const CLIENT_START: u32 = 1000;
const SERVER_START: u32 = 9000;
const HANDSHAKE: Start = Start::Handshake { initiator: Side::A };

fn data(side: Side, bytes: impl AsRef<[u8]>) -> Seen {
    Data(side, bytes.as_ref().to_vec())
}

impl Wire {
    fn new() -> Wire {
        let end = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (reassembly, at) = (Reassembly::default(), Moment::default());
        Wire { reassembly, at, seen: Vec::new(), client: end(40_000), server: end(1883) }
    }

    /// A connection after its handshake, whose events are dropped.
    fn open() -> Wire {
        let mut wire = Wire::new();
        wire.client(-1, b"", |segment| {
            segment.is_syn = true;
            segment.acknowledgment = None;
        });
        wire.server(-1, b"", |segment| segment.is_syn = true);
        assert_eq!(wire.take(), [Opened(0, HANDSHAKE)]);
        wire
    }

    /// Sends bytes from the client, at `offset` from its first one, with changes.
    fn client(&mut self, offset: i64, bytes: &[u8], change: impl FnOnce(&mut Segment<'_>)) {
        self.send(
            self.client,
            self.server,
            CLIENT_START.wrapping_add(offset as u32),
            SERVER_START,
            bytes,
            change,
        );
    }

    fn server(&mut self, offset: i64, bytes: &[u8], change: impl FnOnce(&mut Segment<'_>)) {
        self.send(
            self.server,
            self.client,
            SERVER_START.wrapping_add(offset as u32),
            CLIENT_START,
            bytes,
            change,
        );
    }

    fn send(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
        sequence: u32,
        acknowledgment: u32,
        bytes: &[u8],
        change: impl FnOnce(&mut Segment<'_>),
    ) {
        let (is_syn, is_fin, is_reset, missing) = (false, false, false, 0);
        let acknowledgment = Some(acknowledgment);
        let mut segment = Segment {
            source,
            destination,
            sequence,
            acknowledgment,
            is_syn,
            is_fin,
            is_reset,
            bytes,
            missing,
        };
        change(&mut segment);
        self.at.frame += 1;
        let seen = &mut self.seen;
        self.reassembly.segment(self.at, &segment, &mut |event| seen.push(short(&event)));
    }

    /// The server acknowledges the client's first `count` bytes.
    fn acknowledge(&mut self, count: u32) {
        self.server(0, b"", |segment| segment.acknowledgment = Some(CLIENT_START.wrapping_add(count)));
    }

    fn finish(&mut self) -> Vec<Seen> {
        let seen = &mut self.seen;
        self.reassembly.finish(self.at, &mut |event| seen.push(short(&event)));
        self.take()
    }

    fn take(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }
}

fn short(event: &TcpEvent<'_>) -> Seen {
    match *event {
        TcpEvent::Opened { connection, start, .. } => Opened(connection, start),
        TcpEvent::Data { side, bytes, .. } => data(side, bytes),
        TcpEvent::Gap { side, length, .. } => Gap(side, length),
        TcpEvent::Conflict { side, offset, length, .. } => Conflict(side, offset, length),
        TcpEvent::Lag { side, .. } => Lag(side),
        TcpEvent::Fin { side, .. } => Fin(side),
        TcpEvent::Closed { connection, by, .. } => Closed(connection, by),
    }
}

fn as_it_is(_: &mut Segment<'_>) {}

fn fin(segment: &mut Segment<'_>) {
    segment.is_fin = true;
}

fn reset(segment: &mut Segment<'_>) {
    segment.is_reset = true;
}

#[test]
fn bytes_that_come_too_early_wait_for_those_before() {
    let mut wire = Wire::open();
    wire.client(3, b"def", as_it_is);
    wire.client(6, b"ghi", as_it_is);
    assert_eq!(wire.take(), []);
    wire.client(0, b"abc", as_it_is);
    assert_eq!(wire.take(), [data(Side::A, b"abc"), data(Side::A, b"def"), data(Side::A, b"ghi")]);
}

#[test]
fn bytes_that_come_again_are_left_out() {
    let mut wire = Wire::open();
    wire.client(0, b"abc", as_it_is);
    wire.client(0, b"abc", as_it_is);
    wire.client(0, b"abcde", as_it_is);
    wire.client(7, b"hi", as_it_is);
    wire.client(4, b"efghij", as_it_is);
    let parts = wire.take().into_iter().map(|seen| if let Data(_, bytes) = seen { bytes } else { vec![] });
    let bytes: Vec<_> = parts.collect();
    assert_eq!(bytes.concat(), b"abcdefghij");
}

#[test]
fn the_first_bytes_count_and_others_in_their_place_are_reported() {
    let mut wire = Wire::open();
    wire.client(0, b"abcdef", as_it_is);
    wire.client(0, b"abXdXfgh", as_it_is);
    assert_eq!(wire.take(), [data(Side::A, b"abcdef"), Conflict(Side::A, 2, 3), data(Side::A, b"gh")]);
    wire.client(10, b"kl", as_it_is);
    wire.client(8, b"ijKl", as_it_is);
    assert_eq!(wire.take(), [data(Side::A, b"ij"), Conflict(Side::A, 10, 1), data(Side::A, b"kl")]);
}

#[test]
fn probes_are_no_bytes() {
    let mut wire = Wire::open();
    wire.client(0, b"abc", as_it_is);
    wire.client(2, b"\0", as_it_is);
    wire.client(2, b"", as_it_is);
    wire.client(-1, b"", as_it_is);
    assert_eq!(wire.take(), [data(Side::A, b"abc")]);

    let mut wire = Wire::new();
    wire.acknowledge(50);
    wire.client(49, b"\0", as_it_is);
    wire.client(50, b"abc", as_it_is);
    assert_eq!(wire.take(), [Opened(0, Start::Midway), data(Side::B, b"abc")]);
}

#[test]
fn a_hole_is_given_up_when_the_other_side_acknowledges_it() {
    let mut wire = Wire::open();
    wire.client(5, b"fgh", as_it_is);
    wire.acknowledge(3);
    assert_eq!(wire.take(), [Gap(Side::A, 3)], "the rest may still come");
    wire.acknowledge(8);
    assert_eq!(wire.take(), [Gap(Side::A, 2), data(Side::A, b"fgh")]);
    wire.client(3, b"de", as_it_is);
    assert_eq!(wire.take(), [], "too late");
}

#[test]
fn an_acknowledgement_before_its_bytes_is_no_gap() {
    let mut wire = Wire::open();
    wire.acknowledge(3);
    wire.client(0, b"abc", as_it_is);
    assert_eq!(wire.take(), [Lag(Side::A), data(Side::A, b"abc")]);
    wire.acknowledge(6);
    wire.client(6, b"ghi", as_it_is);
    assert_eq!(wire.take(), [Lag(Side::A), Gap(Side::A, 3), data(Side::A, b"ghi")]);
}

#[test]
fn a_hole_is_given_up_when_too_much_waits_behind_it() {
    let mut wire = Wire::open();
    let piece = vec![b'x'; 60_000];
    for number in 0..17 {
        wire.client(10 + number * 60_000, &piece, as_it_is);
        assert_eq!(wire.take(), []);
    }
    wire.client(10 + 17 * 60_000, &piece, as_it_is);
    let seen = wire.take();
    assert_eq!((seen.len(), &seen[0]), (19, &Gap(Side::A, 10)));
}

#[test]
fn all_connections_together_keep_a_bounded_number_of_bytes() {
    let mut wire = Wire::new();
    let piece = vec![b'x'; 60_000];
    for port in 1..=80 {
        wire.client.set_port(port);
        wire.client(0, b"a", as_it_is);
        for number in 0..15 {
            wire.client(10 + number * 60_000, &piece, as_it_is);
        }
        assert!(wire.reassembly.pending_cost <= 64 << 20);
    }
    let gaps = wire.take().into_iter().filter(|seen| matches!(seen, Gap(..))).count();
    assert_eq!(gaps, 6, "80 times 900 kB are six times too many");
}

#[test]
fn bytes_missing_at_the_end_are_reported() {
    let mut wire = Wire::open();
    wire.client(3, b"def", as_it_is);
    wire.client(9, b"", fin);
    let expected = [
        Gap(Side::A, 3),
        data(Side::A, b"def"),
        Gap(Side::A, 3),
        Fin(Side::A),
        Closed(0, Close::EndOfCapture),
    ];
    assert_eq!(wire.finish(), expected);

    let mut wire = Wire::open();
    wire.client(0, b"abc", as_it_is);
    wire.acknowledge(9);
    let expected = [data(Side::A, b"abc"), Lag(Side::A), Gap(Side::A, 6), Closed(0, Close::EndOfCapture)];
    assert_eq!(wire.finish(), expected);

    let mut wire = Wire::open();
    wire.client(0, b"abc", as_it_is);
    wire.acknowledge(4);
    let expected = [data(Side::A, b"abc"), Lag(Side::A), Closed(0, Close::EndOfCapture)];
    assert_eq!(wire.finish(), expected, "a FIN or a byte that was not captured");
}

#[test]
fn a_connection_ends_with_both_fins_and_all_bytes() {
    let mut wire = Wire::open();
    wire.client(3, b"def", fin);
    wire.server(0, b"xyz", fin);
    assert_eq!(wire.take(), [data(Side::B, b"xyz"), Fin(Side::B)]);
    wire.client(0, b"abc", as_it_is);
    let expected = [data(Side::A, b"abc"), data(Side::A, b"def"), Fin(Side::A), Closed(0, Close::Fin)];
    assert_eq!(wire.take(), expected);
    wire.server(4, b"", as_it_is);
    wire.client(3, b"def", fin);
    assert_eq!(wire.finish(), [], "nothing of it is new");
}

#[test]
fn a_fin_that_is_acknowledged_ends_the_stream_whatever_is_missing() {
    let mut wire = Wire::open();
    wire.client(3, b"", fin);
    wire.server(0, b"", fin);
    wire.acknowledge(4);
    assert_eq!(wire.take(), [Fin(Side::B), Gap(Side::A, 3), Fin(Side::A), Closed(0, Close::Fin)]);
}

#[test]
fn a_reset_ends_both_sides() {
    let mut wire = Wire::open();
    wire.client(3, b"def", as_it_is);
    wire.server(0, b"", reset);
    assert_eq!(wire.take(), [Gap(Side::A, 3), data(Side::A, b"def"), Closed(0, Close::Reset(Side::B))]);
    wire.client(6, b"ghi", as_it_is);
    assert_eq!(wire.take(), [], "it was on its way");
}

#[test]
fn a_reset_that_its_sender_does_not_know_of_was_somebody_elses() {
    let mut wire = Wire::open();
    wire.client(0, b"abc", as_it_is);
    wire.client(3, b"", reset);
    wire.client(3, b"def", as_it_is);
    let expected = [
        data(Side::A, b"abc"),
        Closed(0, Close::Reset(Side::A)),
        Opened(1, Start::Midway),
        data(Side::A, b"def"),
    ];
    assert_eq!(wire.take(), expected);
}

#[test]
fn a_refused_connection_is_one() {
    let mut wire = Wire::new();
    wire.client(-1, b"", |segment| {
        segment.is_syn = true;
        segment.acknowledgment = None;
    });
    wire.send(wire.server, wire.client, 0, CLIENT_START, b"", reset);
    assert_eq!(wire.take(), [Opened(0, HANDSHAKE), Closed(0, Close::Refused(Side::B))]);
}

#[test]
fn a_new_handshake_is_a_new_connection_and_a_repeated_one_is_not() {
    let mut wire = Wire::open();
    let syn = |segment: &mut Segment<'_>| {
        segment.is_syn = true;
        segment.acknowledgment = None;
    };
    wire.client(-1, b"", syn);
    wire.client(0, b"abc", as_it_is);
    wire.client(-1, b"", syn);
    assert_eq!(wire.take(), [data(Side::A, b"abc")]);
    wire.client(70_000, b"", syn);
    assert_eq!(wire.take(), [Closed(0, Close::Replaced), Opened(1, HANDSHAKE)]);
    wire.server(70_000, b"", |segment| segment.is_syn = true);
    wire.client(70_001, b"new", as_it_is);
    assert_eq!(wire.take(), [data(Side::A, b"new")]);
    wire.client(70_004, b"", fin);
    wire.server(70_001, b"", fin);
    wire.client(90_000, b"", syn);
    assert_eq!(wire.take(), [Fin(Side::A), Fin(Side::B), Closed(1, Close::Fin), Opened(2, HANDSHAKE)]);
}

#[test]
fn the_initiator_is_known_from_either_half_of_the_handshake() {
    let mut wire = Wire::new();
    wire.server(-1, b"", |segment| segment.is_syn = true);
    wire.client(3, b"def", as_it_is);
    assert_eq!(wire.take(), [Opened(0, Start::Handshake { initiator: Side::B })], "bytes before are missing");
    wire.client(0, b"abc", as_it_is);
    assert_eq!(wire.take(), [data(Side::B, b"abc"), data(Side::B, b"def")]);
}

#[test]
fn bytes_with_the_handshake_are_the_first() {
    let mut wire = Wire::new();
    wire.client(-1, b"fast", |segment| segment.is_syn = true);
    wire.client(4, b"open", as_it_is);
    let first = Opened(0, Start::Handshake { initiator: Side::B });
    assert_eq!(wire.take(), [first, data(Side::A, b"fast"), data(Side::A, b"open")]);
}

#[test]
fn one_direction_is_enough() {
    let mut wire = Wire::new();
    wire.client(0, b"abc", as_it_is);
    wire.client(6, b"ghi", as_it_is);
    let expected = [
        Opened(0, Start::Midway),
        data(Side::A, b"abc"),
        Gap(Side::A, 3),
        data(Side::A, b"ghi"),
        Closed(0, Close::EndOfCapture),
    ];
    assert_eq!(wire.finish(), expected);
}

#[test]
fn the_rest_of_a_segment_that_was_cut_off_is_missing() {
    let mut wire = Wire::open();
    wire.client(0, b"abc", |segment| segment.missing = 4);
    wire.client(7, b"hij", as_it_is);
    assert_eq!(wire.take(), [data(Side::A, b"abc"), Gap(Side::A, 4), data(Side::A, b"hij")]);
    wire.client(0, b"abc", |segment| segment.missing = 4);
    assert_eq!(wire.take(), [], "it came again");
}

#[test]
fn of_too_many_connections_the_idle_ones_are_closed() {
    let mut wire = Wire::new();
    for number in 0..=MAX_CONNECTIONS as u32 {
        wire.client.set_ip(Ipv4Addr::from(0x0a00_0000 + number / 50_000).into());
        wire.client.set_port((number % 50_000) as u16 + 1);
        wire.client(0, b"a", as_it_is);
    }
    let closed: Vec<_> = wire.take().into_iter().filter(|seen| matches!(seen, Closed(..))).collect();
    assert_eq!(closed[..2], [Closed(0, Close::Evicted), Closed(1, Close::Evicted)]);
    assert!(closed.len() < 10_000 && wire.reassembly.connections.len() < MAX_CONNECTIONS);
}

/// The segment boundaries of a stream, their order, and the retransmissions.
#[derive(Debug, Clone)]
struct Plan {
    start: u32,
    lengths: Vec<usize>,
    /// The number of bytes by which each segment overlaps the previous one.
    overlaps: Vec<usize>,
    /// The number of positions by which each segment is delayed.
    delays: Vec<usize>,
    repeats: Vec<bool>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let start = prop_oneof![any::<u32>(), (u32::MAX - 3000)..=u32::MAX];
    (1_usize..60).prop_flat_map(move |count| {
        let lengths = proptest::collection::vec(1..200_usize, count);
        let overlaps = proptest::collection::vec(0..100_usize, count);
        let delays = proptest::collection::vec(0..20_usize, count);
        let repeats = proptest::collection::vec(any::<bool>(), count);
        (start.clone(), lengths, overlaps, delays, repeats).prop_map(
            |(start, lengths, overlaps, delays, repeats)| Plan { start, lengths, overlaps, delays, repeats },
        )
    })
}

proptest! {
    #[test]
    fn any_order_gives_the_same_bytes(plan in plan()) {
        let total: usize = plan.lengths.iter().sum();
        let bytes: Vec<u8> = (0..total).map(|number| (number * 31 % 251) as u8).collect();
        let mut segments = Vec::new();
        let mut end = 0;
        for (index, length) in plan.lengths.iter().enumerate() {
            let start = end - plan.overlaps[index].min(end);
            end += length;
            segments.push((index + plan.delays[index], start, end));
            if plan.repeats[index] {
                segments.push((index + plan.delays[index] * 2, start, end));
            }
        }
        segments.sort();
        let mut wire = Wire::new();
        let (client, server) = (wire.client, wire.server);
        wire.send(client, server, plan.start.wrapping_sub(1), 0, b"", |segment| {
            segment.is_syn = true;
            segment.acknowledgment = None;
        });
        wire.take();
        for (_, start, end) in segments {
            let sequence = plan.start.wrapping_add(start as u32);
            wire.send(client, server, sequence, SERVER_START, &bytes[start..end], as_it_is);
        }
        let mut seen = Vec::new();
        for event in wire.take() {
            match event {
                Data(Side::A, bytes) => seen.extend(bytes),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(seen, bytes);
    }

    #[test]
    fn any_segments_give_events_in_order(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        fuzzing::segments(&bytes);
    }

    #[test]
    fn few_bytes_in_any_segments_give_events_in_order(
        bytes in proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), 0..3_u8), 0..200),
    ) {
        let bytes = bytes.into_iter().flat_map(|(a, b, c, d, e)| [vec![a, b, c, d, e], vec![a; e.into()]].concat());
        fuzzing::segments(&bytes.collect::<Vec<u8>>());
    }
}
