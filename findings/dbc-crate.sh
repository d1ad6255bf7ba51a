#!/usr/bin/env bash
# The crate dbc-rs 0.7.1, which reads CAN databases and frames on small devices, takes the bits of big-endian signals from the wrong end of an octet: right
# are only whole octets.
#
# Expected (Vector, DBC file format documentation, 8, signal definitions): bits are numbered from the lowest of each octet. The start bit of a big-endian
#           signal is its highest bit; it goes on towards bit 0 and then at bit 7 of the next octet. 7|12@0 and 11|12@0 share an octet
#           and no bit. SIG_VALTYPE_ 1 is a float of 32 bits. VAL_ names raw values, negative ones too. SG_MUL_VAL_: a signal that depends on m1M is there
#           if that is. PyPI cantools 45.1.0 decodes so.
# Seen:     a file with two signals of 12 bits side by side is rejected for overlapping signals. Alone, a speed of 291 is 303, a torque of -2 is 831,
#           and they are written so. Of a gear, a door and a counter of few bits, all are wrong. 21.5 is 1101791232. "backwards" for -1 is not found. In a
#           group that is not sent, the inner multiplexer and what depends on it are decoded.
# So:       a database of signals of 8 and 16 bits works in a test, and that of a car cannot be loaded or gives other speeds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "car"
version = "1.0.0"
edition = "2024"
[dependencies]
dbc-rs = "=0.7.1"
TOML
cat >src/main.rs <<'RUST'
use dbc_rs::Dbc;

/// A message of the signals, and further lines of the file.
fn file(signals: &[&str], more: &str) -> String {
    let lines: String = signals.iter().map(|signal| format!(" SG_ {signal} ECU\n")).collect();
    format!("VERSION \"\"\n\nNS_ :\n\nBS_:\n\nBU_: ECU\n\nBO_ 256 Message: 8 ECU\n{lines}\n{more}\n")
}

fn read(name: &str, signals: &[&str], more: &str, data: &[u8; 8]) {
    let text = file(signals, more);
    let found = Dbc::parse(&text).map_err(|error| format!("the file is an error: {error:?}")).and_then(|whole| {
        let found = whole.decode(256, data, false).map_err(|error| format!("an error: {error:?}"))?;
        Ok(found.iter().map(|one| format!("{} {} {:?}", one.name, one.value, one.description)).collect::<Vec<_>>().join(", "))
    });
    println!("{name} | {}", found.unwrap_or_else(|error| error));
}

fn write(name: &str, signals: &[&str], values: &[(&str, f64)]) {
    let found = Dbc::parse(&file(signals, "")).unwrap().encode(256, values, false).map(|found| found.to_vec());
    println!("{name} | written {:02x?}", found);
}

fn main() {
    let aligned = [r#"Speed : 7|16@0+ (0.01,0) [0|655.35] "km/h""#, r#"Torque : 23|16@0- (1,0) [-32768|32767] "Nm""#];
    read("whole octets, 100 km/h, -2 Nm", &aligned, "", &[0x27, 0x10, 0xff, 0xfe, 0, 0, 0, 0]);
    let packed = [r#"Speed : 7|12@0+ (1,0) [0|4095] "km/h""#, r#"Torque : 11|12@0- (1,0) [-2048|2047] "Nm""#];
    read("12 bits each, 291 km/h, -2 Nm", &packed, "", &[0x12, 0x3f, 0xfe, 0, 0, 0, 0, 0]);
    for one in &packed {
        read("12 bits each, 291 km/h, -2 Nm, one in the file", &[one], "", &[0x12, 0x3f, 0xfe, 0, 0, 0, 0, 0]);
    }
    for one in [r#"Gear : 30|3@0+ (1,0) [0|7] """#, r#"Door : 27|1@0+ (1,0) [0|1] """#, r#"Counter : 35|4@0+ (1,0) [0|15] """#] {
        read("gear 6, door 1, counter 10", &[one], "", &[0, 0, 0, 0x68, 0x0a, 0, 0, 0]);
    }
    read("float 21.5", &[r#"Temperature : 0|32@1- (1,0) [-100|100] "C""#], "SIG_VALTYPE_ 256 Temperature : 1;", &[0x00, 0x00, 0xac, 0x41, 0, 0, 0, 0]);
    read("-1 is backwards", &[r#"Direction : 0|8@1- (1,0) [-1|1] """#], r#"VAL_ 256 Direction -1 "backwards" 0 "standing" 1 "forwards" ;"#, &[0xff, 0, 0, 0, 0, 0, 0, 0]);
    let choice = [r#"Page M : 0|8@1+ (1,0) [0|255] """#, r#"Voltage m0 : 8|16@1+ (0.1,0) [0|6553.5] "V""#, r#"Current m1 : 8|16@1- (0.1,0) [-3276.8|3276.7] "A""#];
    read("page 1, -5 A", &choice, "", &[1, 0xce, 0xff, 0, 0, 0, 0, 0]);
    let nested = [r#"Group M : 0|8@1+ (1,0) [0|255] """#, r#"Item m1M : 8|8@1+ (1,0) [0|255] """#, r#"Level m2 : 16|8@1+ (1,0) [0|255] """#, r#"Other m1 : 24|8@1+ (1,0) [0|255] """#];
    let more = "SG_MUL_VAL_ 256 Item Group 1-1;\nSG_MUL_VAL_ 256 Level Item 2-2;\nSG_MUL_VAL_ 256 Other Group 1-1;";
    read("nested, group 1", &nested, more, &[1, 2, 50, 60, 0, 0, 0, 0]);
    read("nested, group 0", &nested, more, &[0, 2, 50, 60, 0, 0, 0, 0]);
    write("291 km/h", &packed[..1], &[("Speed", 291.0)]);
    write("-2 Nm", &packed[1..], &[("Torque", -2.0)]);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
whole octets, 100 km/h, -2 Nm | Speed 100 None, Torque -2 None
12 bits each, 291 km/h, -2 Nm | the file is an error: Message { msg: "Signals overlap within message", line: Some(1) }
12 bits each, 291 km/h, -2 Nm, one in the file | Speed 303 None
12 bits each, 291 km/h, -2 Nm, one in the file | Torque 831 None
gear 6, door 1, counter 10 | Gear 4 None
gear 6, door 1, counter 10 | Door 0 None
gear 6, door 1, counter 10 | Counter 0 None
float 21.5 | Temperature 1101791232 None
-1 is backwards | Direction -1 None
page 1, -5 A | Page 1 None, Current -5 None
nested, group 1 | Group 1 None, Item 2 None, Level 50 None, Other 60 None
nested, group 0 | Group 0 None, Item 2 None, Level 50 None
291 km/h | written Ok([12, 03, 00, 00, 00, 00, 00, 00])
-2 Nm | written Ok([00, fe, 00, 00, 00, 00, 00, 00])
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "dbc-rs 0.7.1: as described"
