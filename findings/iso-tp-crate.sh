#!/usr/bin/env bash
# The crate iso-tp 0.1.0-alpha.5, which divides long diagnostic messages over a CAN bus, swaps the parts of their length, so that no control unit
# understands it.
#
# Expected (ISO 15765-2:2016, 9.6.3) The first frame begins with 1 and the upper four bits of the length, and the second octet has the lower eight bits: 10 14 for 20
#           octets. (9.6.4) Consecutive frames begin with 2 and a number of four bits, which is 1 in the first of them and 0 after 15. (9.6.2) A single frame has up to
#           7 octets.
# Seen:     Frame::first() writes 14 01 for 20 octets, and first_len() reads 10 14 as 320; only lengths of three equal hexadecimal
#           digits, such as 273, are right. Frame::consecutive() takes 16, the number after 15 for a caller who counts on, into
#           the type: 30, which is flow control. Single frames and flow control are right.
# So:       each message of more than seven octets is an error for the control unit, or it waits for what never comes. Build first frames yourself, number
#           consecutive ones from 1, and keep the lower four bits.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "diagnosis"
version = "1.0.0"
edition = "2021"
[dependencies]
iso-tp = "=0.1.0-alpha.5"
TOML
cat >src/main.rs <<'RUST'
use iso_tp::frame::{FlowKind, Frame};

fn hex(frame: &Frame) -> String {
    frame.as_ref().iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

fn main() {
    println!("single: {}", hex(&Frame::single(&[0x22, 0xf1, 0x90]).unwrap()));
    for length in [8, 20, 255, 256, 273, 4095] {
        let data = vec![0xAA; length];
        let (frame, used) = Frame::first(&data);
        println!("first of {length}: {}, {used} octets used; {:02X} {:02X} expected", hex(&frame), 0x10 | length >> 8, length & 255);
    }
    for octets in [[0x10, 0x14], [0x10, 0xff], [0x11, 0x00], [0x11, 0x11]] {
        let length = (octets[0] & 15) as usize * 256 + octets[1] as usize;
        let frame = Frame::from_bytes(&[octets[0], octets[1], 1, 2, 3, 4, 5, 6]);
        println!("read {}: length {}; {length} expected", hex(&frame), frame.first_len());
    }
    for number in [0, 1, 15, 16] {
        let (frame, used) = Frame::consecutive(number, &[0xAA; 9]);
        println!("consecutive {number}: {}, {used} octets used, read as {:?}", hex(&frame), frame.kind().unwrap());
    }
    println!("flow: {}", hex(&Frame::flow(FlowKind::Continue, 8, 20)));
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
single: 03 22 F1 90 00 00 00 00
first of 8: 18 00 AA AA AA AA AA AA, 6 octets used; 10 08 expected
first of 20: 14 01 AA AA AA AA AA AA, 6 octets used; 10 14 expected
first of 255: 1F 0F AA AA AA AA AA AA, 6 octets used; 10 FF expected
first of 256: 10 10 AA AA AA AA AA AA, 6 octets used; 11 00 expected
first of 273: 11 11 AA AA AA AA AA AA, 6 octets used; 11 11 expected
first of 4095: 1F FF AA AA AA AA AA AA, 6 octets used; 1F FF expected
read 10 14 01 02 03 04 05 06: length 320; 20 expected
read 10 FF 01 02 03 04 05 06: length 4080; 255 expected
read 11 00 01 02 03 04 05 06: length 1; 256 expected
read 11 11 01 02 03 04 05 06: length 273; 273 expected
consecutive 0: 20 AA AA AA AA AA AA AA, 7 octets used, read as Consecutive
consecutive 1: 21 AA AA AA AA AA AA AA, 7 octets used, read as Consecutive
consecutive 15: 2F AA AA AA AA AA AA AA, 7 octets used, read as Consecutive
consecutive 16: 30 AA AA AA AA AA AA AA, 7 octets used, read as Flow
flow: 30 08 14 00 00 00 00 00
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "iso-tp 0.1.0-alpha.5: as described"
