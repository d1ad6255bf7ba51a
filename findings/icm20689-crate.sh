#!/usr/bin/env bash
# The crate icm20689 0.1.1, another driver for that motion sensor, sets the range of rotation one bit too low: by default, all rates are four times as high.
#
# Expected (TDK InvenSense ICM-20689 data sheet DS-000143, register 27, GYRO_CONFIG) FS_SEL, bits 4 and 3, is the range: 00 for 250 degrees a second, 01 500, 10 1000, 11 2000.
#           (Register 28) ACCEL_FS_SEL has the same place.
# Seen:     set_gyro_range() moves the number by two bits and not three: 2000 is set as 500, 1000 as 500, 500 as 250, and the rates are computed for
#           what was asked, so that they are four times, twice and twice as high. The range of 250 and those of the acceleration are right.
# So:       use the range of 250, or divide by 4, 2 and 2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "gyroscope"
version = "1.0.0"
edition = "2021"
[dependencies]
icm20689 = "=0.1.1"
embedded-hal = { version = "0.2", features = ["unproven"] }
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::blocking::delay::DelayMs;
use embedded_hal::blocking::spi::{Transfer, Write};
use embedded_hal::digital::v2::OutputPin;
use icm20689::{AccelRange, Builder, GyroRange};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// a chip which rotates by 100 degrees a second and has 1 g, around and along all axes, and says so in the ranges that are set
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 128]>>);

impl Write<u8> for Chip {
    type Error = Infallible;
    fn write(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        if octets[0] == 27 {
            println!("  GYRO_CONFIG set to {:08b}, range {}", octets[1], 250 << (octets[1] >> 3 & 3));
        }
        // a reset is over at once
        self.0.borrow_mut()[octets[0] as usize] = if octets[0] == 0x6b { octets[1] & 0x7f } else { octets[1] };
        Ok(())
    }
}

impl Transfer<u8> for Chip {
    type Error = Infallible;
    fn transfer<'w>(&mut self, octets: &'w mut [u8]) -> Result<&'w [u8], Infallible> {
        let mut registers = self.0.borrow_mut();
        let rotation = (100 * 32768 / (250 << (registers[27] >> 3 & 3))) as i16;
        let acceleration = (32768 / (2 << (registers[28] >> 3 & 3))) as i16;
        for axis in 0..3 {
            registers[0x43 + 2 * axis..0x45 + 2 * axis].copy_from_slice(&rotation.to_be_bytes());
            registers[0x3b + 2 * axis..0x3d + 2 * axis].copy_from_slice(&acceleration.to_be_bytes());
        }
        let from = (octets[0] & 0x7f) as usize;
        let length = octets.len() - 1;
        octets[1..].copy_from_slice(&registers[from..from + length]);
        Ok(octets)
    }
}

struct Select;

impl OutputPin for Select {
    type Error = Infallible;
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Clock;

impl DelayMs<u8> for Clock {
    fn delay_ms(&mut self, _: u8) {}
}

fn main() {
    let registers = Rc::new(RefCell::new([0u8; 128]));
    registers.borrow_mut()[0x75] = 0x98;
    let mut sensor = Builder::new_spi(Chip(registers.clone()), Select);
    println!("setup");
    sensor.setup(&mut Clock).unwrap();
    println!("  degrees a second: {:.1}", sensor.get_scaled_gyro().unwrap()[0].to_degrees());
    for range in [GyroRange::Range_250dps, GyroRange::Range_500dps, GyroRange::Range_1000dps, GyroRange::Range_2000dps] {
        println!("{range:?}");
        sensor.set_gyro_range(range).unwrap();
        println!("  degrees a second: {:.1}", sensor.get_scaled_gyro().unwrap()[0].to_degrees());
    }
    for range in [AccelRange::Range_2g, AccelRange::Range_16g] {
        sensor.set_accel_range(range).unwrap();
        println!("{range:?}: {:.3} m/s2", sensor.get_scaled_accel().unwrap()[2]);
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
setup
  GYRO_CONFIG set to 00001100, range 500
  degrees a second: 400.0
Range_250dps
  GYRO_CONFIG set to 00000000, range 250
  degrees a second: 100.0
Range_500dps
  GYRO_CONFIG set to 00000100, range 250
  degrees a second: 200.0
Range_1000dps
  GYRO_CONFIG set to 00001000, range 500
  degrees a second: 200.0
Range_2000dps
  GYRO_CONFIG set to 00001100, range 500
  degrees a second: 400.0
Range_2g: 9.807 m/s2
Range_16g: 9.807 m/s2
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "icm20689 0.1.1: as described"
