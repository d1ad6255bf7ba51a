#!/usr/bin/env bash
# The crate msgpacker 0.7.2, which writes MessagePack in Rust: structures and tuples have no beginning, so that others read their fields as separate
# messages, and numbers of other programs are errors.
#
# Expected (MessagePack specification): an array begins with its number of elements, 9X, DC or DD, a map with that of its pairs, 8X, DE or DF ("Array format family", "Map format
#           family"). The type is Integer, positive or negative; uint 8 to uint 64 are formats of positive ones, whatever type they have in a program ("Type system", "int
#           format family"), and the smallest format should be used ("Serialization: type to format conversion"). The seconds of timestamp 96 are signed
#           ("Timestamp extension type").
# Seen:     a structure of two fields is two values one after the other, for serde and its own derivation, and so are a tuple and a fixed array; a list of two structures is an
#           array of two with four values behind it. It cannot read arrays and maps of others into structures and tuples, or [1, 2] into a pair. 200 is written for i32 as D1 00 C8,
#           and CC C8, as most programs write it, is an error, as is the reverse for u32. The second before 1970 is the year 584 billion. Lists, maps and texts are right.
# So:       a subscriber in another language sees the first field of a measurement and then trailing octets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "packing"
version = "1.0.0"
edition = "2021"
[dependencies]
msgpacker = { version = "=0.7.2", features = ["derive", "serde"] }
serde = { version = "=1.0.219", features = ["derive"] }
TOML
cat >src/main.rs <<'RUST'
use msgpacker::{Extension, MsgPacker, Packable, Unpackable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, MsgPacker, Serialize, Deserialize)]
struct Reading {
    sensor: u8,
    value: f64,
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ")
}

fn octets(text: &str) -> Vec<u8> {
    text.split(' ').map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect()
}

fn main() {
    let reading = || Reading { sensor: 7, value: 21.5 };
    println!("structure, derived | {}", hex(&reading().pack_to_vec()));
    println!("structure, serde | {}", hex(&msgpacker::serde::to_vec(&reading())));
    println!("list of two structures, serde | {}", hex(&msgpacker::serde::to_vec(&vec![reading(), reading()])));
    println!("tuple (1, 2) | {} | {}", hex(&(1u8, 2u8).pack_to_vec()), hex(&msgpacker::serde::to_vec(&(1u8, 2u8))));
    println!("fixed array [1, 2] | {} | {}", hex(&[1u8, 2].pack_to_vec()), hex(&msgpacker::serde::to_vec(&[1u8, 2])));
    println!("list [1, 2] | {} | {}", hex(&vec![1u16, 2].pack_to_vec()), hex(&msgpacker::serde::to_vec(&vec![1u16, 2])));
    println!("map a: 1 | {}", hex(&msgpacker::serde::to_vec(&BTreeMap::from([("a", 1u8)]))));

    println!("{{sensor: 7, value: 21.5}} | {:?}", msgpacker::serde::from_slice::<Reading>(&octets("82 a6 73 65 6e 73 6f 72 07 a5 76 61 6c 75 65 cb 40 35 80 00 00 00 00 00")));
    println!("[7, 21.5] | {:?} | {:?}", msgpacker::serde::from_slice::<Reading>(&octets("92 07 cb 40 35 80 00 00 00 00 00")), Reading::unpack(&octets("92 07 cb 40 35 80 00 00 00 00 00")));
    println!("[1, 2] as a pair | {:?} | {:?}", <(u8, u8)>::unpack(&octets("92 01 02")), msgpacker::serde::from_slice::<(u8, u8)>(&octets("92 01 02")));

    println!("200 for i32 | {}", hex(&200i32.pack_to_vec()));
    for text in ["7f", "cc c8", "cd 03 e8", "d1 00 c8"] {
        println!("{text} | i32 {:?}, u32 {:?}, i64 with serde {:?}", i32::unpack(&octets(text)), u32::unpack(&octets(text)), msgpacker::serde::from_slice::<i64>(&octets(text)));
    }
    for (name, text) in [("1 s after 1970", "c7 0c ff 00 00 00 00 00 00 00 00 00 00 00 01"), ("1 s before 1970", "c7 0c ff 00 00 00 00 ff ff ff ff ff ff ff ff")] {
        match Extension::unpack(&octets(text)) {
            Ok(Extension::Timestamp(found)) => println!("{name} | {} s", found.as_secs()),
            other => println!("{name} | {other:?}"),
        }
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
structure, derived | 07 cb 40 35 80 00 00 00 00 00
structure, serde | 07 cb 40 35 80 00 00 00 00 00
list of two structures, serde | 92 07 cb 40 35 80 00 00 00 00 00 07 cb 40 35 80 00 00 00 00 00
tuple (1, 2) | 01 02 | 01 02
fixed array [1, 2] | 01 02 | 01 02
list [1, 2] | 92 01 02 | 92 01 02
map a: 1 | 81 a1 61 01
{sensor: 7, value: 21.5} | Err(UnexpectedFormatTag)
[7, 21.5] | Err(UnexpectedFormatTag) | Err(UnexpectedFormatTag)
[1, 2] as a pair | Err(UnexpectedFormatTag) | Err(UnexpectedFormatTag)
200 for i32 | d1 00 c8
7f | i32 Ok(127), u32 Ok(127), i64 with serde Ok(127)
cc c8 | i32 Err(UnexpectedFormatTag), u32 Ok(200), i64 with serde Err(UnexpectedFormatTag)
cd 03 e8 | i32 Err(UnexpectedFormatTag), u32 Ok(1000), i64 with serde Err(UnexpectedFormatTag)
d1 00 c8 | i32 Ok(200), u32 Err(UnexpectedFormatTag), i64 with serde Ok(200)
1 s after 1970 | 1 s
1 s before 1970 | 18446744073709551615 s
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "msgpacker 0.7.2: as described"
