#!/usr/bin/env bash
# The crate ina260 0.3.1, a driver for the power meter of that name, has no sign for currents between 0 and -1 A, and 300 W are 44 W, where it divides values
# into whole ones and the rest.
#
# Expected (Texas Instruments INA260 data sheet SBOS656, register maps, 01h to 03h) The current is a number of 16 bits with sign, in 1.25 mA, the voltage one in 1.25 mV,
#           up to 36 V, the power one in 10 mW. (Features and electrical characteristics) The chip measures up to 15 A and 36 V, which is 540 W. (ina260, documentation) The
#           functions with _split give whole units and tenths of a thousandth.
# Seen:     current_split() of -0.25 A and of 0.25 A are both (0, 25000); from -1 A on the sign is that of the whole amperes. power_split() counts the watts in 8
#           bits: from 256 W on it is 256 less. The rest is in hundredths of a thousandth, not tenths: 0.25 is 25000. current(), voltage() and power()
#           are right.
# So:       a battery that is slowly discharged is charged. Use the functions without _split, and divide afterwards.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "battery"
version = "1.0.0"
edition = "2021"
[dependencies]
ina260 = "=0.3.1"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::blocking::i2c::{Write, WriteRead};
use ina260::INA260;
use std::convert::Infallible;

// a meter whose registers all have the same value
struct Chip(u16);

impl Write for Chip {
    type Error = Infallible;
    fn write(&mut self, _: u8, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

impl WriteRead for Chip {
    type Error = Infallible;
    fn write_read(&mut self, _: u8, _: &[u8], answer: &mut [u8]) -> Result<(), Infallible> {
        answer.copy_from_slice(&self.0.to_be_bytes());
        Ok(())
    }
}

fn main() {
    for milliamperes in [15000, 1250, 250, 0, -5, -250, -995, -1000, -1250, -15000] {
        let value = milliamperes * 100 / 125;
        let mut chip = INA260::new(Chip(value as i16 as u16), 0x40).unwrap();
        println!("{milliamperes} mA: current {}, split {:?}", chip.current().unwrap(), chip.current_split().unwrap());
    }
    for milliwatts in [250u32, 100_000, 255_990, 256_000, 300_000, 540_000] {
        let mut chip = INA260::new(Chip((milliwatts / 10) as u16), 0x40).unwrap();
        println!("{milliwatts} mW: power {}, split {:?}", chip.power().unwrap(), chip.power_split().unwrap());
    }
    let mut chip = INA260::new(Chip((12_250u32 * 100 / 125) as u16), 0x40).unwrap();
    println!("12250 mV: voltage {}, split {:?}", chip.voltage().unwrap(), chip.voltage_split().unwrap());
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
15000 mA: current 15000000, split (15, 0)
1250 mA: current 1250000, split (1, 25000)
250 mA: current 250000, split (0, 25000)
0 mA: current 0, split (0, 0)
-5 mA: current -5000, split (0, 500)
-250 mA: current -250000, split (0, 25000)
-995 mA: current -995000, split (0, 99500)
-1000 mA: current -1000000, split (-1, 0)
-1250 mA: current -1250000, split (-1, 25000)
-15000 mA: current -15000000, split (-15, 0)
250 mW: power 250, split (0, 25000)
100000 mW: power 100000, split (100, 0)
255990 mW: power 255990, split (255, 99000)
256000 mW: power 256000, split (0, 0)
300000 mW: power 300000, split (44, 0)
540000 mW: power 540000, split (28, 0)
12250 mV: voltage 12250000, split (12, 25000)
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "ina260 0.3.1: as described"
