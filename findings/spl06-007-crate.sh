#!/usr/bin/env bash
# The crate spl06-007 0.3.3, a driver for the barometer SPL06, doubles both readings from an oversampling of 16 on: 10.5 degrees become -80.5.
#
# Expected (Goertek SPL06-007 data sheet, "Interrupt and FIFO configuration", 09h, and "Compensation scale factors") From 16 times on, the shift bit is set, and the
#           result is divided by the factor given for that: 253952 for 16, 516096 for 32 and so on. With c0 203, c1 -260 and a result of 0.35 times the
#           factor, the temperature is 203/2 - 260 x 0.35, 10.5 degrees.
# Seen:     set_temperature_config() and set_pressure_config() set the shift bit, and the result is multiplied by two besides before it is divided by the
#           factor for shifted ones. Up to 8 times, which is what new() sets, both are right.
# So:       keep the oversampling at 8 or lower.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "oversampling"
version = "1.0.0"
edition = "2021"
[dependencies]
spl06-007 = "=0.3.3"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::blocking::i2c::{Read, Write, WriteRead};
use spl06_007::{Barometer, SampleRate};
use std::convert::Infallible;

// the registers of a chip whose results are 0.35 and 0.1 times the factor of what is set
struct Chip([u8; 64]);

const FACTORS: [f64; 8] = [524288.0, 1572864.0, 3670016.0, 7864320.0, 253952.0, 516096.0, 1040384.0, 2088960.0];

impl Write for Chip {
    type Error = Infallible;
    fn write(&mut self, _: u8, octets: &[u8]) -> Result<(), Infallible> {
        self.0[octets[0] as usize] = octets[1];
        Ok(())
    }
}

impl Read for Chip {
    type Error = Infallible;
    fn read(&mut self, _: u8, _: &mut [u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

impl WriteRead for Chip {
    type Error = Infallible;
    fn write_read(&mut self, _: u8, octets: &[u8], answer: &mut [u8]) -> Result<(), Infallible> {
        let pressure = (0.1 * FACTORS[(self.0[6] & 7) as usize]) as u32;
        let temperature = (0.35 * FACTORS[(self.0[7] & 7) as usize]) as u32;
        self.0[..3].copy_from_slice(&pressure.to_be_bytes()[1..]);
        self.0[3..6].copy_from_slice(&temperature.to_be_bytes()[1..]);
        // everything is ready
        self.0[8] = 0xf0;
        let from = octets[0] as usize;
        answer.copy_from_slice(&self.0[from..from + answer.len()]);
        Ok(())
    }
}

fn main() {
    let mut chip = Chip([0; 64]);
    // c0 203, c1 -260, c00 100000, c10 -50000, the others 0
    chip.0[0x10..0x18].copy_from_slice(&[0x0c, 0xbe, 0xfc, 0x18, 0x6a, 0x0f, 0x3c, 0xb0]);
    let mut barometer = Barometer::new(&mut chip).unwrap();
    println!("by the data sheet: {:.1} degrees, {:.1} hPa", 203.0 / 2.0 - 260.0 * 0.35, (100000.0 - 50000.0 * 0.1) / 100.0);
    println!("new: {:.1} degrees, {:.1} hPa", barometer.get_temperature().unwrap(), barometer.get_pressure().unwrap());
    for rate in [SampleRate::One, SampleRate::Eight, SampleRate::Sixteen, SampleRate::SixtyFour] {
        barometer.set_temperature_config(SampleRate::One, rate).unwrap();
        barometer.set_pressure_config(SampleRate::One, rate).unwrap();
        println!("{rate:?}: {:.1} degrees, {:.1} hPa", barometer.get_temperature().unwrap(), barometer.get_pressure().unwrap());
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
by the data sheet: 10.5 degrees, 950.0 hPa
new: 10.5 degrees, 950.0 hPa
One: 10.5 degrees, 950.0 hPa
Eight: 10.5 degrees, 950.0 hPa
Sixteen: -80.5 degrees, 900.0 hPa
SixtyFour: -80.5 degrees, 900.0 hPa
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "spl06-007 0.3.3: as described"
