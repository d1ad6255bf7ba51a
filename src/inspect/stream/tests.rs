use super::*;
use proptest::prelude::*;

/// What comes out of a stream, in words.
fn told(event: &Event<'_>) -> String {
    match event {
        Event::Packet { offset, packet } => {
            let cut = if packet.is_cut { " cut" } else { "" };
            format!("{offset}: {:02x} of {}{cut}", packet.bytes[0], packet.length)
        }
        Event::Skipped { offset, length } => format!("{offset}: {length} skipped"),
        Event::Gap { offset, length } => format!("{offset}: {length} missing"),
    }
}

/// What comes out of these pieces.
fn events(mut stream: Stream, pieces: &[&[u8]]) -> Vec<String> {
    let mut all = Vec::new();
    let mut sink = |event: Event<'_>| all.push(told(&event));
    for piece in pieces {
        stream.push(piece, 1024, &mut sink);
    }
    stream.end(&mut sink);
    all
}

/// A PUBLISH to `abc` with so many bytes of payload.
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
    let mut kept = Vec::new();
    for piece in packet.chunks(700) {
        stream.push(piece, 1024, &mut |event| match event {
            Event::Packet { packet, .. } => kept.push((packet.bytes.len(), packet.length)),
            Event::Skipped { .. } | Event::Gap { .. } => panic!("only a packet"),
        });
        assert!(stream.held() <= 1024);
    }
    assert_eq!(kept, [(1024, packet.len())]);
}

#[test]
fn what_a_length_announces_is_not_held() {
    let mut stream = Stream::new(true);
    stream.push(b"\x30\xff\xff\xff\x7f\0\x01a", 1024, &mut |_| panic!("nothing is whole"));
    assert!(stream.held() < 16);
}

#[test]
fn a_gap_in_a_payload_leaves_the_packet() {
    let packet = publish(3000);
    let mut all = Vec::new();
    let mut stream = Stream::new(true);
    let mut sink = |event: Event<'_>| all.push(told(&event));
    stream.push(&packet[..1000], 1024, &mut sink);
    stream.gap(1000, &mut sink);
    stream.push(&packet[2000..], 1024, &mut sink);
    stream.push(b"\xc0\0", 1024, &mut sink);
    assert_eq!(all, ["1000: 1000 missing", "0: 30 of 3008", "3008: c0 of 2"]);
}

#[test]
fn a_gap_elsewhere_loses_the_place_until_packets_follow_each_other() {
    let mut all = Vec::new();
    let mut stream = Stream::new(true);
    let mut sink = |event: Event<'_>| all.push(told(&event));
    stream.push(b"\x82\x08\0\x01", 1024, &mut sink);
    stream.gap(20, &mut sink);
    stream.push(b"not a packet", 1024, &mut sink);
    stream.push(b"the end of something\x30\x09\0\x03abcdata\xc0\0", 1024, &mut sink);
    assert_eq!(all, ["0: 82 of 10 cut", "4: 20 missing", "24: 32 skipped", "56: 30 of 11", "67: c0 of 2"]);
}

#[test]
fn a_packet_is_not_invented_from_the_inside_of_a_payload() {
    // The last two bytes could be a PINGREQ.
    let tail = b"abcdefgh\xc0\0";
    assert_eq!(events(Stream::new(false), &[tail]), ["0: 10 skipped"]);
    // What arrives alone is believed.
    assert_eq!(events(Stream::new(false), &[b"\xc0\0"]), ["0: c0 of 2"]);
}

#[test]
fn after_a_length_that_is_too_long_packets_are_looked_for() {
    let all = events(Stream::new(true), &[b"\x30\xff\xff\xff\xff\xffjunk", &publish(20)]);
    assert_eq!(all, ["0: 30 of 5", "5: 5 skipped", "10: 30 of 27"]);
}

#[test]
fn looking_for_packets_holds_little() {
    let mut stream = Stream::new(false);
    let mut skipped = 0;
    for _ in 0..100 {
        stream.push(&[0x4d; 4096], 1024, &mut |event| match event {
            Event::Skipped { length, .. } => skipped += length,
            event => panic!("{event:?}"),
        });
        assert!(stream.held() <= 16 * 1024);
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
        let mut sink = |event: Event<'_>| {
            let (offset, length) = match &event {
                Event::Packet { offset, packet } => {
                    (*offset, if packet.is_cut { 0 } else { packet.length as u64 })
                }
                Event::Skipped { offset, length } | Event::Gap { offset, length } => (*offset, *length),
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
