#!/usr/bin/env bash
# The crate srec-rs 0.1.4, which reads firmware in Motorola S-records for an update of devices, puts the octets of one part of the firmware into another unless
# the file is sorted, and moves parts where it divides them.
#
# Expected (Motorola, M68000 Family Programmer's Reference Manual, appendix C) Each record S1, S2 or S3 has the address of its data; their order is free. S0 is
#           the count, an address of two octets, 0000, the header and the checksum. (srec-rs, documentation) get_data_layout gives each region with its
#           data, to_full_binary the image from the lowest to the highest address; regions are at most MAX octets long.
# Seen:     the regions are sorted by address, and the data are taken in the order of the file: with the part at 8000 before the one at 1000, the octets of
#           the first are at 1000. Two records for the same address, of which the second counts, leave one octet too many, and all parts behind are
#           moved. A region which grows over MAX is divided, and its rest has the address of the last record and not that where the first part ends: the
#           octets of 2010 are at 200C, and the image is two octets short. The header of S0 begins with an octet 0. An empty line is an error.
# So:       a device gets firmware with parts at wrong addresses, with no error. Sort the lines by address before, look that none overlap, let MAX be larger
#           than the file, and compare the image with that of objcopy.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "firmware"
version = "1.0.0"
edition = "2021"
[dependencies]
srec-rs = "=0.1.4"
TOML
cat >src/main.rs <<'RUST'
use srec_rs::{Address, SRecord};
use std::fs::{write, File};

/// A record of data with an address of 16 bits.
fn record(address: u16, data: &[u8]) -> String {
    let octets = [&[data.len() as u8 + 3][..], &address.to_be_bytes(), data].concat();
    let sum = !octets.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet));
    format!("S1{}{sum:02X}\n", hex(&octets).replace(' ', ""))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

fn show<const MAX: u32>(name: &str, records: &[String]) {
    println!("{name}");
    let file = records.concat();
    write("firmware.srec", format!("S00600004844521B\n{file}S9030000FC\n")).unwrap();
    match SRecord::<MAX>::from_srec(File::open("firmware.srec").unwrap()) {
        Ok(found) => {
            for (address, data) in found.get_data_layout() {
                let (Address::Address16(_) | Address::Address24(_) | Address::Address32(_)) = address;
                println!("  {}: {}", hex(&address.to_be_bytes()[2..]).replace(' ', ""), hex(data));
            }
            let image = found.to_full_binary();
            println!("  image of {} octets, header {:?}", image.len(), found.get_header().unwrap());
            if image.len() < 100 {
                println!("  {}", hex(&image));
            }
        }
        Err(e) => println!("  {e}"),
    }
}

fn main() {
    let (boot, main) = (record(0x1000, b"\x01\x02\x03\x04"), record(0x8000, b"\xA1\xA2\xA3\xA4\xA5\xA6"));
    show::<0x8000>("in order", &[boot.clone(), main.clone()]);
    show::<0x8000>("not in order", &[main.clone(), boot.clone()]);
    show::<0x8000>("a record twice", &[boot.clone(), record(0x1003, b"\x44"), main.clone()]);
    show::<0x8000>("an empty line", &[boot.clone(), "\n".into(), main]);
    let parts: Vec<String> = (0..3).map(|part| record(0x2000 + 6 * part, &[1, 2, 3, 4, 5, 6].map(|octet| part as u8 * 6 + octet))).collect();
    show::<64>("three records in one region", &parts);
    show::<16>("three records in regions of 16", &parts);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
in order
  1000: 01 02 03 04
  8000: A1 A2 A3 A4 A5 A6
  image of 28678 octets, header "\0HDR"
not in order
  1000: A1 A2 A3 A4
  8000: A5 A6 01 02 03 04
  image of 28678 octets, header "\0HDR"
a record twice
  1000: 01 02 03 04
  8000: 44 A1 A2 A3 A4 A5
  image of 28678 octets, header "\0HDR"
an empty line
  Data length was not as expected
three records in one region
  2000: 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12
  image of 18 octets, header "\0HDR"
  01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12
three records in regions of 16
  2000: 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10
  200C: 11 12
  image of 16 octets, header "\0HDR"
  01 02 03 04 05 06 07 08 09 0A 0B 0C 11 12 0F 10
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "srec-rs 0.1.4: as described"
