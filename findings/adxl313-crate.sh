#!/usr/bin/env bash
# The crate adxl313 0.2.4, a driver for the accelerometer of that name, never starts it, reads other registers for the acceleration, and gives about a sixtieth of it.
#
# Expected (Analog Devices ADXL313 data sheet, "Serial communications, SPI") The first octet is 1 for reading in bit 7, 1 for several octets in bit 6, and the
#           register in bits 5 to 0: the acceleration, registers 32h to 37h, is read with F2h. ("Register 0x2D, POWER_CTL") Bit 3 is 1 for measuring, bit 2 for sleep.
#           ("Register 0x32 to 0x37", table 1) The data are 10 bits with the sign extended, in the range of 0.5 g 1024 for 1 g.
# Seen:     start_measuring() clears bits 3 and 2 and sets none. accel_raw() sends E4h, the number of the register times two, which is 24h to 29h: thresholds and
#           times, which stay as they were set. accel_norm() takes 32767 for the end of the range: where 256 is read, which is 0.25 g, it gives
#           0.004.
# So:       start with power_control() and measuring true; read the registers 32h to 37h with the bus, and divide by 1024.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "motion"
version = "1.0.0"
edition = "2021"
[dependencies]
adxl313 = "=0.2.4"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use adxl313::{Accelerometer, Adxl313, RawAccelerometer, SleepModeFrequencyReadings};
use embedded_hal::blocking::spi::{Transfer, Write};
use embedded_hal::digital::v2::OutputPin;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// the registers of a chip
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 64]>>);

impl Write<u8> for Chip {
    type Error = Infallible;
    fn write(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        self.0.borrow_mut()[(octets[0] & 63) as usize] = octets[1];
        Ok(())
    }
}

impl Transfer<u8> for Chip {
    type Error = Infallible;
    fn transfer<'w>(&mut self, octets: &'w mut [u8]) -> Result<&'w [u8], Infallible> {
        let first = octets[0];
        if octets.len() > 2 {
            println!("  {first:02X}h sent, {} octets from register {:02X}h", octets.len() - 1, first & 63);
        }
        for n in 1..octets.len() {
            octets[n] = self.0.borrow()[(first & 63) as usize + n - 1];
        }
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

fn main() {
    let registers = Rc::new(RefCell::new([0u8; 64]));
    registers.borrow_mut()[..3].copy_from_slice(&[0xad, 0x1d, 0xcb]);
    let mut chip = Adxl313::new(Chip(registers.clone()), Select).unwrap();
    println!("new: POWER_CTL {:08b}", registers.borrow()[0x2d]);
    chip.start_measuring().unwrap();
    println!("start_measuring: POWER_CTL {:08b}", registers.borrow()[0x2d]);
    chip.power_control(true, false, false, true, false, SleepModeFrequencyReadings::_8_HZ).unwrap();
    println!("power_control, measuring: POWER_CTL {:08b}", registers.borrow()[0x2d]);
    chip.start_measuring().unwrap();
    println!("start_measuring: POWER_CTL {:08b}", registers.borrow()[0x2d]);

    chip.activity_threshold(12).unwrap();
    chip.inactivity_time(5).unwrap();
    // 0.25 g, 0 and -0.25 g
    for (n, value) in [256i16, 0, -256].iter().enumerate() {
        registers.borrow_mut()[0x32 + 2 * n..0x34 + 2 * n].copy_from_slice(&value.to_le_bytes());
    }
    println!("0.25 g, 0 and -0.25 g");
    let raw = chip.accel_raw().unwrap();
    println!("  accel_raw: {}, {}, {}", raw.x, raw.y, raw.z);
    println!("the same numbers where it reads");
    for (n, value) in [256i16, 0, -256].iter().enumerate() {
        registers.borrow_mut()[0x24 + 2 * n..0x26 + 2 * n].copy_from_slice(&value.to_le_bytes());
    }
    let raw = chip.accel_raw().unwrap();
    println!("  accel_raw: {}, {}, {}", raw.x, raw.y, raw.z);
    let norm = chip.accel_norm().unwrap();
    println!("  accel_norm: {:.4}, {:.4}, {:.4}", norm.x, norm.y, norm.z);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
new: POWER_CTL 01000011
start_measuring: POWER_CTL 01000011
power_control, measuring: POWER_CTL 01001000
start_measuring: POWER_CTL 01000000
0.25 g, 0 and -0.25 g
  E4h sent, 6 octets from register 24h
  accel_raw: 12, 5, 0
the same numbers where it reads
  E4h sent, 6 octets from register 24h
  accel_raw: 256, 0, -256
  E4h sent, 6 octets from register 24h
  accel_norm: 0.0040, 0.0000, -0.0040
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "adxl313 0.2.4: as described"
