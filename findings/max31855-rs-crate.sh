#!/usr/bin/env bash
# The crate max31855-rs 0.1.0, a driver for the thermocouple converter MAX31855, leaves out the sign, so that -1 degree is 2047; the older max31855 0.1.0 is right.
#
# Expected (Maxim/Analog Devices MAX31855 data sheet 19-5793, tables 2, 4 and 5) Bits 31 to 18 are the temperature of the thermocouple, a number of 14 bits with sign
#           in quarters of a degree: 3FFF is -0.25, 3C18 is -250. Bits 15 to 4 are that of the chip, 12 bits with sign in sixteenths: FFF is -0.0625,
#           C90 is -55.
# Seen:     the highest bit of both is cut off: -0.25 is 2047.75, -250 is 1798, and the chip at -0.0625 is at 127.9375, at -55 it is at 73. From zero up, all is
#           right, and so are the faults.
# So:       a cold store of -20 degrees is a furnace of 2028 in a room of 108. Take the sign from bit 31 and bit 15 of raw(), or use the other crate.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "furnace"
version = "1.0.0"
edition = "2021"
[dependencies]
max31855 = "=0.1.0"
max31855-rs = "=0.1.0"
embedded-hal = "1"
embedded-hal-02 = { package = "embedded-hal", version = "0.2", features = ["unproven"] }
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use embedded_hal_02::blocking::spi::Transfer;
use embedded_hal_02::digital::v2::OutputPin;
use max31855::{Max31855, Unit};
use std::convert::Infallible;

// a converter which has one answer; the second driver wants the pin for itself
struct Chip(u32);

impl ErrorType for Chip {
    type Error = Infallible;
}

impl SpiDevice for Chip {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        for operation in operations {
            if let Operation::Read(octets) = operation {
                octets.copy_from_slice(&self.0.to_be_bytes()[..octets.len()]);
            }
        }
        Ok(())
    }
}

impl Transfer<u8> for Chip {
    type Error = Infallible;
    fn transfer<'w>(&mut self, octets: &'w mut [u8]) -> Result<&'w [u8], Infallible> {
        octets.copy_from_slice(&self.0.to_be_bytes()[..octets.len()]);
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
    for (thermocouple, chip) in [(1600.0, 127.0), (1000.0, 100.5625), (100.75, 25.0), (0.0, 0.0), (-0.25, -0.0625), (-1.0, -1.0), (-20.0, -20.0), (-250.0, -55.0)] {
        let value = ((thermocouple * 4.0) as i32 as u32 & 0x3fff) << 18 | ((chip * 16.0) as i32 as u32 & 0xfff) << 4;
        println!("thermocouple {thermocouple}, chip {chip}: {value:08X}");
        let data = max31855_rs::Max31855::new(Chip(value)).read().unwrap();
        println!("  max31855-rs  {}, {}", data.thermo_temperature(), data.ambient_temperature());
        match Chip(value).read_all(&mut Select, Unit::Celsius) {
            Ok(data) => println!("  max31855     {}, {}", data.thermocouple, data.internal),
            Err(_) => println!("  max31855     an error"),
        }
    }
    // bit 16, and bit 0 for an open one
    let data = max31855_rs::Max31855::new(Chip(0x0001_0001)).read().unwrap();
    println!("open thermocouple: fault {}, open {}, to ground {}, to supply {}", data.fault(), data.oc_bit(), data.scg_bit(), data.scv_bit());
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
thermocouple 1600, chip 127: 64007F00
  max31855-rs  1600, 127
  max31855     1600, 127
thermocouple 1000, chip 100.5625: 3E806490
  max31855-rs  1000, 100.5625
  max31855     1000, 100.5625
thermocouple 100.75, chip 25: 064C1900
  max31855-rs  100.75, 25
  max31855     100.75, 25
thermocouple 0, chip 0: 00000000
  max31855-rs  0, 0
  max31855     0, 0
thermocouple -0.25, chip -0.0625: FFFCFFF0
  max31855-rs  2047.75, 127.9375
  max31855     -0.25, -0.0625
thermocouple -1, chip -1: FFF0FF00
  max31855-rs  2047, 127
  max31855     -1, -1
thermocouple -20, chip -20: FEC0EC00
  max31855-rs  2028, 108
  max31855     -20, -20
thermocouple -250, chip -55: F060C900
  max31855-rs  1798, 73
  max31855     -250, -55
open thermocouple: fault true, open true, to ground false, to supply false
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "max31855-rs 0.1.0: as described"
