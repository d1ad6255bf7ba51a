//! The stream finds the same packets in bytes split at any place, with gaps, and after garbage.

use super::*;
use proptest::prelude::*;

/// A short form of an event.
fn described(event: &StreamEvent<'_>) -> String {
    match event {
        StreamEvent::Packet { offset, packet } => {
            let cut = if packet.is_cut { " cut" } else { "" };
            let holes: String =
                packet.missing.iter().map(|hole| format!(" {}..{}", hole.start, hole.end)).collect();
            let but = if holes.is_empty() { "" } else { " but" };
            format!("{offset}: {:02x} of {}{cut}{but}{holes}", packet.bytes[0], packet.length)
        }
        StreamEvent::Skipped { offset, length } => format!("{offset}: {length} skipped"),
        StreamEvent::Gap { offset, length } => format!("{offset}: {length} missing"),
    }
}

/// The events of a stream from these pieces.
fn events(mut stream: Stream, pieces: &[&[u8]]) -> Vec<String> {
    let mut all = Vec::new();
    let mut sink = |event: StreamEvent<'_>| all.push(described(&event));
    for piece in pieces {
        stream.push(piece, 64 * 1024, &mut sink);
    }
    stream.end(&mut sink);
    all
}

/// A PUBLISH to `abc` with a payload of this size.
fn publish(payload: usize) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut length = payload + 5;
    while length > 0x7f {
        packet.push(length as u8 | 0x80);
        length >>= 7;
    }
    packet.push(length as u8);
    packet.extend(b"\0\x03abc");
    packet.extend(vec![b'x'; payload]);
    packet
}

#[test]
fn a_long_packet_loses_its_end_and_not_its_length() {
    let packet = publish(5000);
    let mut stream = Stream::new(true);
    let mut captured = Vec::new();
    for piece in packet.chunks(700) {
        stream.push(piece, 1024, &mut |event| match event {
            StreamEvent::Packet { packet, .. } => captured.push((packet.bytes.len(), packet.length)),
            StreamEvent::Skipped { .. } | StreamEvent::Gap { .. } => panic!("only a packet"),
        });
        assert!(stream.buffered() <= 1024);
    }
    assert_eq!(captured, [(1024, packet.len())]);
}

#[test]
fn an_announced_length_allocates_nothing() {
    let mut stream = Stream::new(true);
    stream.push(b"\x30\xff\xff\xff\x7f\0\x01a", 1024, &mut |_| panic!("nothing is whole"));
    assert!(stream.buffered() < 16);
}

#[test]
fn a_gap_in_a_payload_leaves_the_packet() {
    let packet = publish(3000);
    let mut all = Vec::new();
    let mut stream = Stream::new(true);
    let mut sink = |event: StreamEvent<'_>| all.push(described(&event));
    stream.push(&packet[..1000], 1024, &mut sink);
    stream.gap(1000, &mut sink);
    stream.push(&packet[2000..], 1024, &mut sink);
    stream.push(b"\xc0\0", 1024, &mut sink);
    assert_eq!(all, ["1000: 1000 missing", "0: 30 of 3008 but 1000..2000", "3008: c0 of 2"]);
}

#[test]
fn a_gap_elsewhere_loses_the_place_until_packets_follow_each_other() {
    let mut all = Vec::new();
    let mut stream = Stream::new(true);
    let mut sink = |event: StreamEvent<'_>| all.push(described(&event));
    stream.push(b"\x82\x08\0\x01", 1024, &mut sink);
    stream.gap(20, &mut sink);
    stream.push(b"not a packet", 1024, &mut sink);
    stream.push(b"the end of something\x30\x09\0\x03abcdata\xc0\0", 1024, &mut sink);
    assert_eq!(
        all,
        ["0: 82 of 10 but 4..10", "4: 20 missing", "24: 32 skipped", "56: 30 of 11", "67: c0 of 2"]
    );
}

#[test]
fn a_gap_inside_any_packet_leaves_the_packet() {
    let mut all = Vec::new();
    let mut stream = Stream::new(true);
    let mut sink = |event: StreamEvent<'_>| all.push(described(&event));
    stream.push(b"\x82\x08\0\x01", 1024, &mut sink);
    stream.gap(2, &mut sink);
    stream.push(b"abc", 1024, &mut sink);
    stream.gap(1, &mut sink);
    stream.push(b"\xc0\0\x82", 1024, &mut sink);
    stream.gap(9, &mut sink);
    assert_eq!(
        all,
        [
            "4: 2 missing",
            "9: 1 missing",
            "0: 82 of 10 but 4..6 9..10",
            "10: c0 of 2",
            "12: 82 of 2 but 1..2",
            "13: 9 missing"
        ]
    );
}

#[test]
fn a_packet_is_not_invented_from_the_inside_of_a_payload() {
    // The last two bytes could be a PINGREQ.
    let tail = b"abcdefgh\xc0\0";
    assert_eq!(events(Stream::new(false), &[tail]), ["0: 10 skipped"]);
    // A packet that arrives alone is accepted.
    assert_eq!(events(Stream::new(false), &[b"\xc0\0"]), ["0: c0 of 2"]);
}

#[test]
fn after_a_length_that_is_too_long_packets_are_looked_for() {
    let all = events(Stream::new(true), &[b"\x30\xff\xff\xff\xff\xffjunk", &publish(20)]);
    assert_eq!(all, ["0: 30 of 5", "5: 5 skipped", "10: 30 of 27"]);
}

#[test]
fn more_than_the_window_at_once_is_read_from_its_first_byte() {
    let many: Vec<u8> = (0..1900).flat_map(|_| publish(12)).collect();
    let all = events(Stream::new(false), &[&many[..many.len() - 5]]);
    assert_eq!(
        (all.len(), all[0].as_str(), all[1899].as_str()),
        (1900, "0: 30 of 19", "36081: 30 of 19 cut")
    );
    // Also after the rest of a packet.
    let behind = [&b"the end of something"[..], &many].concat();
    let all = events(Stream::new(false), &[&behind]);
    assert_eq!((all.len(), all[0].as_str()), (1901, "0: 20 skipped"));
}

#[test]
fn a_first_packet_that_is_longer_than_the_window_is_found() {
    let long = publish(20_000);
    let pieces: Vec<&[u8]> = long.chunks(1400).collect();
    assert_eq!(events(Stream::new(false), &pieces), ["0: 30 of 20009"]);
    let small = publish(5);
    let first: Vec<u8> = [&small[..], &long, &small].concat();
    let pieces: Vec<&[u8]> = first.chunks(1400).collect();
    assert_eq!(events(Stream::new(false), &pieces), ["0: 30 of 12", "12: 30 of 20009", "20021: 30 of 12"]);
}

#[test]
fn a_long_packet_behind_a_gap_is_found() {
    let long = publish(20_000);
    let mut all = Vec::new();
    let mut stream = Stream::new(true);
    let mut sink = |event: StreamEvent<'_>| all.push(described(&event));
    stream.push(&publish(5), 1 << 20, &mut sink);
    stream.gap(7, &mut sink);
    long.chunks(1400).for_each(|piece| stream.push(piece, 1 << 20, &mut sink));
    stream.push(b"\xc0\0", 1 << 20, &mut sink);
    assert_eq!(all, ["0: 30 of 12", "12: 7 missing", "19: 30 of 20009", "20028: c0 of 2"]);
}

#[test]
fn a_false_start_of_a_long_packet_is_skipped() {
    let mut false_start = publish(20_000);
    let length = false_start.len();
    false_start.extend(b"no packet at all");
    let pieces: Vec<&[u8]> = false_start.chunks(length + 3).collect();
    let skipped: Vec<String> = events(Stream::new(false), &pieces);
    assert!(skipped.iter().all(|event| event.ends_with("skipped")), "{skipped:?}");
    // The stream does not wait for its end forever.
    let unfinished = events(Stream::new(false), &[&false_start[..5000]]);
    assert_eq!(unfinished, ["0: 5000 skipped"]);
}

#[test]
fn looking_for_packets_takes_little_work() {
    // A long SUBSCRIBE seems to start at every sixth byte.
    let hostile = b"\x82\x90\x40\0\0\x01".repeat(20_000);
    let mut stream = Stream::new(false);
    let mut skipped = 0;
    for piece in hostile.chunks(64 * 1024) {
        stream.push(piece, 1024, &mut |event| match event {
            StreamEvent::Skipped { length, .. } => skipped += length,
            event => panic!("{event:?}"),
        });
    }
    assert!(skipped > 100_000);
}

#[test]
fn looking_for_packets_holds_little() {
    let mut stream = Stream::new(false);
    let mut skipped = 0;
    for _ in 0..100 {
        stream.push(&[0x4d; 4096], 1024, &mut |event| match event {
            StreamEvent::Skipped { length, .. } => skipped += length,
            event => panic!("{event:?}"),
        });
        assert!(stream.buffered() <= 16 * 1024);
    }
    assert!(skipped > 300_000);
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_packets(
        sizes in proptest::collection::vec(0..400_usize, 1..12),
        cuts in proptest::collection::vec(1..60_usize, 1..80),
    ) {
        let whole: Vec<u8> = sizes.iter().flat_map(|size| publish(*size)).collect();
        let mut rest = &whole[..];
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, others) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = others;
        }
        pieces.push(rest);
        prop_assert_eq!(events(Stream::new(true), &pieces), events(Stream::new(true), &[&whole]));
    }

    #[test]
    fn no_byte_is_told_of_twice_or_forgotten(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..20),
        is_from_start: bool,
    ) {
        let mut at = 0;
        let mut stream = Stream::new(is_from_start);
        let mut sink = |event: StreamEvent<'_>| {
            let (offset, length) = match &event {
                StreamEvent::Packet { offset, packet } => {
                    (*offset, if packet.is_cut { 0 } else { packet.length as u64 })
                }
                StreamEvent::Skipped { offset, length } | StreamEvent::Gap { offset, length } => (*offset, *length),
            };
            assert_eq!(offset, at);
            at += length;
        };
        for piece in &pieces {
            stream.push(piece, 64, &mut sink);
        }
        stream.end(&mut sink);
    }
}
