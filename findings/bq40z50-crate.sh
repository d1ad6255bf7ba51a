#!/usr/bin/env bash
# The crate bq40z50 0.1.4, a driver for the gauge of notebook and drone batteries of that name, makes a discharge of 0.5 A a current of 65 A.
#
# Expected (Smart Battery Data Specification 1.1 and Texas Instruments BQ40Z50 technical reference, Current() 0Ah and AverageCurrent() 0Bh) Both are numbers
#           of 16 bits with sign, in milliamperes: above 0 the battery is charged, below it is discharged.
# Seen:     get_current() and get_average_current() are without sign: FE0C, which is -500 mA, is 65036. Charging currents, voltages, charge and temperature
#           are right.
# So:       take the two as i16 ("as i16") before they are used.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "discharge"
version = "1.0.0"
edition = "2021"
[dependencies]
bq40z50 = "=0.1.4"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use bq40z50::BQ40Z50;
use embedded_hal::blocking::i2c::WriteRead;
use std::convert::Infallible;

// a gauge whose words all have the same value
struct Chip(u16);

impl WriteRead for Chip {
    type Error = Infallible;
    fn write_read(&mut self, _: u8, _: &[u8], answer: &mut [u8]) -> Result<(), Infallible> {
        answer.copy_from_slice(&self.0.to_le_bytes());
        Ok(())
    }
}

fn main() {
    for milliamperes in [3000i16, 1, 0, -1, -500, -12000] {
        let mut gauge = BQ40Z50::new(Chip(milliamperes as u16));
        println!("{milliamperes} mA: current {}, average {}", gauge.get_current().unwrap(), gauge.get_average_current().unwrap());
    }
    println!("14.8 V: {}", BQ40Z50::new(Chip(14800)).get_voltage().unwrap());
    println!("298.2 K: {:.2}", BQ40Z50::new(Chip(2982)).get_temperature().unwrap());
    println!("87 %: {}", BQ40Z50::new(Chip(87)).get_relative_state_of_charge().unwrap());
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
3000 mA: current 3000, average 3000
1 mA: current 1, average 1
0 mA: current 0, average 0
-1 mA: current 65535, average 65535
-500 mA: current 65036, average 65036
-12000 mA: current 53536, average 53536
14.8 V: 14800
298.2 K: 25.05
87 %: 87
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "bq40z50 0.1.4: as described"
