#!/usr/bin/env bash
# The crate embedded-drivers 0.0.2, which has drivers for thermometers and barometers, reads frost with the LM75 as more than 200 degrees, and heat with the BMP180 as
# less than absolute zero.
#
# Expected (NXP LM75A and TI LM75 data sheets, temperature register) The number has a sign, two's complement: FF80 is -0.5, C900 is -55. (Bosch BMP180 data sheet
#           BST-BMP180-DS000, 3.5) UT, the temperature as measured, is MSB x 256 + LSB, without a sign; with the calibration of the example there, 27898 is
#           15.0 degrees, and 32768 is 51.2. The chip measures up to 85 degrees.
# Seen:     LM75: the number is taken without a sign, so that -0.5 is 255.5 and -55 is 201. BMP180: UT is taken with a sign: above 51 degrees, in the example, it is
#           -347 to -333, and the pressure is wrong with it. From zero up, the LM75 is right, and below 51 degrees the BMP180.
# So:       take 256 from all that the LM75 has above 127. A BMP180 in the sun or next to a motor is to be read with another crate.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "sun"
version = "1.0.0"
edition = "2021"
[dependencies]
embedded-drivers = "=0.0.2"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use embedded_drivers::bmp180::BMP180;
use embedded_drivers::lm75::LM75;
use embedded_hal::blocking::delay::DelayMs;
use embedded_hal::blocking::i2c::{Read, Write, WriteRead};
use std::convert::Infallible;

// the registers of a chip
#[derive(Clone)]
struct Chip([u8; 256]);

impl Write for Chip {
    type Error = Infallible;
    fn write(&mut self, _: u8, _: &[u8]) -> Result<(), Infallible> {
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
        let from = octets[0] as usize;
        answer.copy_from_slice(&self.0[from..from + answer.len()]);
        Ok(())
    }
}

struct Clock;

impl DelayMs<u8> for Clock {
    fn delay_ms(&mut self, _: u8) {}
}

fn main() {
    let mut chip = Chip([0; 256]);
    for degrees in [125.0f32, 25.5, 0.5, 0.0, -0.5, -1.0, -25.5, -55.0] {
        let value = (degrees * 256.0) as i16;
        chip.0[..2].copy_from_slice(&value.to_be_bytes());
        println!("LM75 at {degrees} ({value:04X}): {}", LM75::new(chip.clone()).measure().unwrap());
    }

    // the calibration of the example in section 3.5
    let calibration: [i32; 11] = [408, -72, -14383, 32741, 32757, 23153, 6190, 4, -32768, -8711, 2868];
    for (n, value) in calibration.iter().enumerate() {
        chip.0[0xaa + 2 * n..0xac + 2 * n].copy_from_slice(&(*value as u16).to_be_bytes());
    }
    for measured in [27898u16, 32767, 32768, 35000] {
        chip.0[0xf6..0xf8].copy_from_slice(&measured.to_be_bytes());
        let mut sensor = BMP180::new(chip.clone());
        sensor.init();
        // the data sheet
        let x1 = (f64::from(measured) - 23153.0) * 32757.0 / 32768.0;
        let x2 = -8711.0 * 2048.0 / (x1 + 2868.0);
        println!("BMP180, UT {measured}: {:.1}; by the data sheet {:.1}", sensor.get_temperature(&mut Clock), (x1 + x2 + 8.0) / 160.0);
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
LM75 at 125 (7D00): 125
LM75 at 25.5 (1980): 25.5
LM75 at 0.5 (0080): 0.5
LM75 at 0 (0000): 0
LM75 at -0.5 (FF80): 255.5
LM75 at -1 (FF00): 255
LM75 at -25.5 (E680): 230.5
LM75 at -55 (C900): 201
BMP180, UT 27898: 15.0; by the data sheet 15.0
BMP180, UT 32767: 51.1; by the data sheet 51.2
BMP180, UT 32768: -347.3; by the data sheet 51.2
BMP180, UT 35000: -333.2; by the data sheet 66.5
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "embedded-drivers 0.0.2: as described"
