#!/usr/bin/env bash
# Two crates for MessagePack, messagepack-rs 0.8.1 and msgpack_simple 1.0.2: the first writes signed numbers from 128 on as their last octet, the second
# reads negative numbers from -32 on as positive ones.
#
# Expected (MessagePack specification, "int format family") Numbers of one octet are 00 to 7F for 0 to 127 and E0 to FF for -32 to -1. D0, D1, D2 and D3 are followed by
#           a number in two's complement of 8, 16, 32 and 64 bits: D1 03 E8 is 1000, D0 9C is -100. ("map format family") Keys may be of any type.
# Seen:     messagepack-rs writes Int16, Int32 and Int64 of -32 and more as one octet: 1000 as E8, which is -24, 300 as 2C, which is 44, and 200 as C8, which begins an
#           extension, so that what follows is read as something else. Below -32, and with the types without sign, it is right. A map with numbers as keys is
#           an error. msgpack_simple reads D0, D1 and D2 without sign: -32, which it writes as D0 E0, comes back as 224, -100 as 156, and -1000 as 64536. D3 and the numbers of one
#           octet are right.
# So:       measurements are wrong wherever they leave the range from -32 to 127, without an error. With messagepack-rs, write positive numbers as UInt64;
#           with msgpack_simple, read numbers from another library.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "numbers"
version = "1.0.0"
edition = "2021"
[dependencies]
messagepack-rs = "=0.8.1"
msgpack_simple = "=1.0.2"
TOML
cat >src/main.rs <<'RUST'
use messagepack_rs::deserializable::Deserializable;
use messagepack_rs::serializable::Serializable;
use messagepack_rs::value::Value;
use msgpack_simple::MsgPack;

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

fn read(octets: &[u8]) -> [String; 2] {
    let first = Value::deserialize(&mut &octets[..]).map_or_else(|error| format!("{error:?}"), |value| format!("{value:?}"));
    let second = MsgPack::parse(octets).map_or_else(|error| format!("{error}"), |value| format!("{value:?}"));
    [first, second]
}

fn main() {
    for number in [127, 128, 200, 300, 1000, 70000, -32, -33, -100, -1000, -70000, 5_000_000_000, -5_000_000_000_i64] {
        println!("{number}");
        for (name, octets) in [("messagepack-rs", Value::Int64(number).serialize().unwrap()), ("msgpack_simple", MsgPack::Int(number).encode())] {
            let [first, second] = read(&octets);
            println!("  written by {name}: {}, read by messagepack-rs: {first}, by msgpack_simple: {second}", hex(&octets));
        }
    }
    println!("other types of messagepack-rs");
    for value in [Value::Int16(300), Value::Int32(1000), Value::UInt16(300), Value::UInt64(1000)] {
        println!("  {value:?}: {}", hex(&value.clone().serialize().unwrap()));
    }
    let array = Value::Array(vec![Value::Int32(200), Value::Int32(1), Value::Int32(2), Value::Int32(3)]).serialize().unwrap();
    let [first, second] = read(&array);
    println!("  [200, 1, 2, 3]: {}, read by messagepack-rs: {first}, by msgpack_simple: {second}", hex(&array));
    let [first, second] = read(&[0x81, 1, 2]);
    println!("a map of 1 to 2, read by messagepack-rs: {first}, by msgpack_simple: {second}");
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
127
  written by messagepack-rs: 7F, read by messagepack-rs: UInt8(127), by msgpack_simple: Int(127)
  written by msgpack_simple: 7F, read by messagepack-rs: UInt8(127), by msgpack_simple: Int(127)
128
  written by messagepack-rs: 80, read by messagepack-rs: Map({}), by msgpack_simple: Map([])
  written by msgpack_simple: D1 00 80, read by messagepack-rs: Int16(128), by msgpack_simple: Int(128)
200
  written by messagepack-rs: C8, read by messagepack-rs: InvalidLength, by msgpack_simple: MsgPack parse error at byte 1
  written by msgpack_simple: D1 00 C8, read by messagepack-rs: Int16(200), by msgpack_simple: Int(200)
300
  written by messagepack-rs: 2C, read by messagepack-rs: UInt8(44), by msgpack_simple: Int(44)
  written by msgpack_simple: D1 01 2C, read by messagepack-rs: Int16(300), by msgpack_simple: Int(300)
1000
  written by messagepack-rs: E8, read by messagepack-rs: Int8(-24), by msgpack_simple: Int(-24)
  written by msgpack_simple: D1 03 E8, read by messagepack-rs: Int16(1000), by msgpack_simple: Int(1000)
70000
  written by messagepack-rs: 70, read by messagepack-rs: UInt8(112), by msgpack_simple: Int(112)
  written by msgpack_simple: D2 00 01 11 70, read by messagepack-rs: Int32(70000), by msgpack_simple: Int(70000)
-32
  written by messagepack-rs: E0, read by messagepack-rs: Int8(-32), by msgpack_simple: Int(-32)
  written by msgpack_simple: D0 E0, read by messagepack-rs: Int8(-32), by msgpack_simple: Int(224)
-33
  written by messagepack-rs: D0 DF, read by messagepack-rs: Int8(-33), by msgpack_simple: Int(223)
  written by msgpack_simple: D0 DF, read by messagepack-rs: Int8(-33), by msgpack_simple: Int(223)
-100
  written by messagepack-rs: D0 9C, read by messagepack-rs: Int8(-100), by msgpack_simple: Int(156)
  written by msgpack_simple: D0 9C, read by messagepack-rs: Int8(-100), by msgpack_simple: Int(156)
-1000
  written by messagepack-rs: D1 FC 18, read by messagepack-rs: Int16(-1000), by msgpack_simple: Int(64536)
  written by msgpack_simple: D1 FC 18, read by messagepack-rs: Int16(-1000), by msgpack_simple: Int(64536)
-70000
  written by messagepack-rs: D2 FF FE EE 90, read by messagepack-rs: Int32(-70000), by msgpack_simple: Int(4294897296)
  written by msgpack_simple: D2 FF FE EE 90, read by messagepack-rs: Int32(-70000), by msgpack_simple: Int(4294897296)
5000000000
  written by messagepack-rs: 00, read by messagepack-rs: UInt8(0), by msgpack_simple: Int(0)
  written by msgpack_simple: D3 00 00 00 01 2A 05 F2 00, read by messagepack-rs: Int64(5000000000), by msgpack_simple: Int(5000000000)
-5000000000
  written by messagepack-rs: D3 FF FF FF FE D5 FA 0E 00, read by messagepack-rs: Int64(-5000000000), by msgpack_simple: Int(-5000000000)
  written by msgpack_simple: D3 FF FF FF FE D5 FA 0E 00, read by messagepack-rs: Int64(-5000000000), by msgpack_simple: Int(-5000000000)
other types of messagepack-rs
  Int16(300): 2C
  Int32(1000): E8
  UInt16(300): CD 01 2C
  UInt64(1000): CD 03 E8
  [200, 1, 2, 3]: 94 C8 01 02 03, read by messagepack-rs: InvalidValue, by msgpack_simple: MsgPack parse error at byte 5
a map of 1 to 2, read by messagepack-rs: InvalidMarker, by msgpack_simple: Map([MapElement { key: Int(1), value: Int(2) }])
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "messagepack-rs 0.8.1 and msgpack_simple 1.0.2: as described"
