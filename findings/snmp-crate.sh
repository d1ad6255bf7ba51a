#!/usr/bin/env bash
# The crate snmp 0.2.2, with which monitoring programs in Rust ask routers and power supplies, ends the list of values at the first one which a device does
# not have, and at counters from 2^63 on.
#
# Expected (RFC 3416, 3) The value of a variable binding may be noSuchObject [0], noSuchInstance [1] or endOfMibView [2], and the values of the others are valid.
#           (4.2.3) In a GetBulk of several columns, each repetition has one value of every column, and columns that are at their end have endOfMibView.
#           (RFC 2578, 7.1.10) Counter64 goes up to 18446744073709551615. (ITU-T X.690, 8.3) Integers are in two's complement, so that a counter from 2^63
#           on has nine octets, of which the first is 0. (8.19.4) The first two numbers of an object identifier are one, 40 X + Y.
# Seen:     the iterator over the values, and with it the debug text, stops without an error at each of the three and at a counter of nine octets: of a
#           GetBulk of two columns, nothing is left behind the end of the shorter one, and of five values with a missing one in second place, one. The
#           status is 0 in all cases. 9223372036854775807 is read.
# So:       a table looks shorter than it is, or empty, and a sensor that one device does not have hides all others. Ask for each value by itself, and compare
#           the number of values with that of the names: fewer mean that one is missing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "monitor"
version = "1.0.0"
edition = "2021"
[dependencies]
snmp = "=0.2.2"
TOML
cat >src/main.rs <<'RUST'
use snmp::SnmpPdu;

fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = if content.len() < 128 { vec![content.len() as u8] } else { vec![0x81, content.len() as u8] };
    [vec![tag], length, content.to_vec()].concat()
}

/// The answer of a device with the values of 1.3.6.1.2.1.2.2.1.column.row.
fn show(name: &str, values: &[(u8, u8, Vec<u8>)]) {
    let list: Vec<u8> = values
        .iter()
        .flat_map(|(column, row, value)| field(0x30, &[field(6, &[43, 6, 1, 2, 1, 2, 2, 1, *column, *row]), value.clone()].concat()))
        .collect();
    let response = field(0xa2, &[vec![2, 1, 7, 2, 1, 0, 2, 1, 0], field(0x30, &list)].concat());
    let message = field(0x30, &[vec![2, 1, 1], field(4, b"public"), response].concat());
    let found = SnmpPdu::from_bytes(&message).unwrap();
    println!("{name}: {} values sent, status {}", values.len(), found.error_status);
    for (name, value) in found.varbinds {
        println!("  {name} {value:?}");
    }
}

fn main() {
    let number = |value: u8| field(2, &[value]);
    let (no_object, no_instance, end) = (field(0x80, &[]), field(0x81, &[]), field(0x82, &[]));
    show("all there", &[(10, 1, number(1)), (10, 2, number(2)), (10, 3, number(3)), (10, 4, number(4)), (10, 5, number(5))]);
    show("no such instance", &[(10, 1, number(1)), (10, 2, no_instance), (10, 3, number(3)), (10, 4, number(4)), (10, 5, number(5))]);
    show("no such object", &[(10, 1, no_object), (10, 2, number(2))]);
    show(
        "two columns",
        &[(10, 1, number(1)), (16, 1, number(1)), (10, 2, end.clone()), (16, 2, number(2)), (10, 2, end), (16, 3, number(3))],
    );
    let counter = |first: &[u8]| field(0x46, &[first, &[0xff; 7]].concat());
    show("counters", &[(10, 1, counter(&[0x7f])), (10, 2, counter(&[0, 0xff])), (10, 3, counter(&[0x12]))]);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
all there: 5 values sent, status 0
  1.3.6.1.2.1.2.2.1.10.1 INTEGER: 1
  1.3.6.1.2.1.2.2.1.10.2 INTEGER: 2
  1.3.6.1.2.1.2.2.1.10.3 INTEGER: 3
  1.3.6.1.2.1.2.2.1.10.4 INTEGER: 4
  1.3.6.1.2.1.2.2.1.10.5 INTEGER: 5
no such instance: 5 values sent, status 0
  1.3.6.1.2.1.2.2.1.10.1 INTEGER: 1
no such object: 2 values sent, status 0
two columns: 6 values sent, status 0
  1.3.6.1.2.1.2.2.1.10.1 INTEGER: 1
  1.3.6.1.2.1.2.2.1.16.1 INTEGER: 1
counters: 3 values sent, status 0
  1.3.6.1.2.1.2.2.1.10.1 COUNTER64: 9223372036854775807
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "snmp 0.2.2: as described"
