#!/usr/bin/env bash
# The crate icm20689_driver_rs 0.0.2, a driver for the motion sensor ICM-20689, gives eight times the rate of rotation after init(), and another sign at each second
# call.
#
# Expected (TDK InvenSense ICM-20689 data sheet DS-000143, register map) Register 27, GYRO_CONFIG: bits 4 and 3 are the range, 00 for 250 degrees a second to 11 for 2000;
#           bits 1 and 0 are FCHOICE_B. Register 117, WHO_AM_I: 98h. (Gyroscope specifications) The end of the range is 32768.
# Seen:     init() sets the range to 2000 and then the bandwidth: for this GYRO_CONFIG is read, but what was read is dropped, and 0 with FCHOICE_B is
#           written. The chip is in the range of 250, and the driver counts on with 2000. For the same reason whoami() is always 0, and no look is taken
#           at it. read_gyroscope() turns the sign of X and Y in what is stored, so that the second call without a new reading has them turned back.
# So:       call set_gyro_range() after init() and after each change to the widest bandwidth, and read_gyroscope() exactly once after read_sensor().
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "rotation"
version = "1.0.0"
edition = "2021"
[dependencies]
icm20689_driver_rs = "=0.0.2"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::blocking::delay::DelayMs;
use embedded_hal::blocking::i2c::{Read, Write, WriteRead};
use icm20689_driver_rs::{GyroConfig, ICM20689};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// a chip which rotates by 100 degrees a second around all axes, and says so in the range that is set
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 128]>>);

impl Write for Chip {
    type Error = Infallible;
    fn write(&mut self, _: u8, octets: &[u8]) -> Result<(), Infallible> {
        if octets[0] == 27 {
            println!("  GYRO_CONFIG set to {:08b}, range {}", octets[1], 250 << (octets[1] >> 3 & 3));
        }
        self.0.borrow_mut()[octets[0] as usize] = octets[1];
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
        let mut registers = self.0.borrow_mut();
        let range = 250 << (registers[27] >> 3 & 3);
        let raw = (100 * 32768 / range) as i16;
        for axis in 0..3 {
            registers[0x43 + 2 * axis..0x45 + 2 * axis].copy_from_slice(&raw.to_be_bytes());
        }
        let from = octets[0] as usize;
        answer.copy_from_slice(&registers[from..from + answer.len()]);
        Ok(())
    }
}

struct Clock;

impl DelayMs<u16> for Clock {
    fn delay_ms(&mut self, _: u16) {}
}

fn show(sensor: &mut ICM20689<Chip>) {
    let values = sensor.read_gyroscope().values;
    let degrees: Vec<String> = values.iter().map(|v| format!("{:.1}", v.to_degrees())).collect();
    println!("  degrees a second: {}", degrees.join(", "));
}

fn main() {
    let registers = Rc::new(RefCell::new([0u8; 128]));
    registers.borrow_mut()[0x75] = 0x98;
    let mut sensor = ICM20689::new(Chip(registers.clone()), 0x68);
    println!("init");
    sensor.init(&mut Clock).unwrap();
    println!("whoami: {}", sensor.whoami().unwrap());
    println!("first reading");
    sensor.read_sensor().unwrap();
    show(&mut sensor);
    println!("asked again");
    show(&mut sensor);
    println!("range of 2000 set again");
    sensor.set_gyro_range(GyroConfig::GYRO_RANGE_2000DPS).unwrap();
    sensor.read_sensor().unwrap();
    show(&mut sensor);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
init
  GYRO_CONFIG set to 00011000, range 2000
  GYRO_CONFIG set to 00000001, range 250
whoami: 0
first reading
  degrees a second: 800.0, -800.0, 800.0
asked again
  degrees a second: -800.0, 800.0, 800.0
range of 2000 set again
  GYRO_CONFIG set to 00011000, range 2000
  degrees a second: 100.0, -100.0, 100.0
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "icm20689_driver_rs 0.0.2: as described"
