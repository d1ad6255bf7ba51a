#!/usr/bin/env bash
# The crate sbus 0.2.2, with which drones and robots in Rust read a radio control receiver (S.BUS), never says that the control is lost, beside uf-sbus 0.1.0.
#
# Expected (Bolder Flight Systems, SBUS library, README of the present version, description of the protocol) A packet has 25 octets: 0F, 16 channels of 11 bits
#           each, the flags, and 00 at the end. Of the flags, bit 0 is channel 17, bit 1 channel 18, bit 2 says that a frame is lost, and bit 3 that the receiver has
#           lost the control and sends its failsafe positions.
# Seen:     the crate asks of each bit whether its value is 1, which only bit 0 can be: channel 18, frame lost and failsafe are always false. The channels
#           and channel 17 are right. The last octet of each packet is left, so that the next packet comes with the second try_parse() only. uf-sbus is right.
# So:       a vehicle goes on with the failsafe positions as if the pilot had set them, and no program can know. Read bit 3 of octet 23 yourself before the octets
#           are given to the parser.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "receiver"
version = "1.0.0"
edition = "2021"
[dependencies]
sbus = "=0.2.2"
uf-sbus = "=0.1.0"
TOML
cat >src/main.rs <<'RUST'
/// The debug text without the channels.
fn flags_of(packet: impl std::fmt::Debug) -> String {
    let text = format!("{packet:?}");
    assert!(text.contains("[1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024]"));
    text.split("], ").nth(1).unwrap().trim_end_matches(" }").to_string()
}

fn main() {
    // all channels in the middle: 1024 is the highest of eleven bits
    let mut packet = [0u8; 25];
    packet[0] = 0x0f;
    for channel in 0..16 {
        let bit = channel * 11 + 10;
        packet[1 + bit / 8] |= 1 << (bit % 8);
    }
    for (name, flags) in [("none", 0), ("channel 17", 1), ("channel 18", 2), ("frame lost", 4), ("failsafe", 8), ("frame lost and failsafe", 12)] {
        packet[23] = flags;
        println!("{name}");
        let mut parser = sbus::SBusPacketParser::new();
        parser.push_bytes(&packet);
        println!("  sbus    {}", flags_of(parser.try_parse().unwrap()));
        let found: Vec<_> = uf_sbus::SbusParser::new().iter_packets(&packet).map(Result::unwrap).collect();
        println!("  uf-sbus {}", flags_of(found[0]));
    }
    let mut parser = sbus::SBusPacketParser::new();
    for number in 1..=3 {
        parser.push_bytes(&packet);
        println!("packet {number}: {}, then {}", parser.try_parse().is_some(), parser.try_parse().is_some());
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
none
  sbus    d1: false, d2: false, failsafe: false, frame_lost: false
  uf-sbus channel_17: false, channel_18: false, failsafe: false, frame_lost: false
channel 17
  sbus    d1: true, d2: false, failsafe: false, frame_lost: false
  uf-sbus channel_17: true, channel_18: false, failsafe: false, frame_lost: false
channel 18
  sbus    d1: false, d2: false, failsafe: false, frame_lost: false
  uf-sbus channel_17: false, channel_18: true, failsafe: false, frame_lost: false
frame lost
  sbus    d1: false, d2: false, failsafe: false, frame_lost: false
  uf-sbus channel_17: false, channel_18: false, failsafe: false, frame_lost: true
failsafe
  sbus    d1: false, d2: false, failsafe: false, frame_lost: false
  uf-sbus channel_17: false, channel_18: false, failsafe: true, frame_lost: false
frame lost and failsafe
  sbus    d1: false, d2: false, failsafe: false, frame_lost: false
  uf-sbus channel_17: false, channel_18: false, failsafe: true, frame_lost: true
packet 1: true, then false
packet 2: false, then true
packet 3: false, then true
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "sbus 0.2.2 and uf-sbus 0.1.0: as described"
