#!/usr/bin/env bash
# The crate ds18b20 0.1.1, a driver for the thermometer of that name, makes frost 4096 degrees hotter, and any temperature at a resolution
# of 9, 10 or 11 bits up to eight times as high.
#
# Expected (Maxim/Analog Devices DS18B20 data sheet 19-7487, "Operation - Measuring Temperature", figure 4 and table 1) The temperature is a number of 16 bits
#           with its sign extended, in sixteenths of a degree: 0191 is 25.0625, FFF8 is -0.5, FC90 is -55. At 11, 10 and 9 bits the lowest one,
#           two or three bits are undefined; the others stand where they are, so that 0190 is 25 degrees at every resolution.
# Seen:     the number is taken without a sign, so that -0.5 is 4095.5 and -55 is 4041, and it is divided by 8 at 11 bits, 4 at 10 and 2 at 9: 25 degrees are
#           50, 100 and 200. At 12 bits, from zero up, all is right; the limits of alarms are signed.
# So:       leave the resolution at 12 bits, and take 4096 from all that is above 125. At 9 to 11 bits, multiply by 2, 4 or 8 and divide by 16 before.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "frost"
version = "1.0.0"
edition = "2021"
[dependencies]
ds18b20 = "=0.1.1"
one-wire-bus = "=0.1.1"
embedded-hal = { version = "0.2", features = ["unproven"] }
TOML
cat >src/main.rs <<'RUST'
use ds18b20::{Ds18b20, SensorData};
use embedded_hal::blocking::delay::DelayUs;
use embedded_hal::digital::v2::{InputPin, OutputPin};
use one_wire_bus::{Address, OneWire};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// one thermometer at the wire; time is what the driver has waited, in microseconds
#[derive(Default)]
struct Chip {
    now: u64,
    low_since: Option<u64>,
    // the chip itself holds the wire low in this time
    held: (u64, u64),
    heard: Vec<bool>,
    sent: Option<usize>,
    scratchpad: [u8; 9],
}

impl Chip {
    fn release(&mut self) {
        let Some(since) = self.low_since.take() else { return };
        if self.now - since >= 480 {
            // a reset, which is answered by presence
            self.held = (self.now + 30, self.now + 200);
            self.heard.clear();
            self.sent = None;
        } else if let Some(bit) = self.sent {
            if bit < 72 && self.scratchpad[bit / 8] >> (bit % 8) & 1 == 0 {
                self.held = (since, since + 30);
            }
            self.sent = Some(bit + 1);
        } else {
            self.heard.push(self.now - since < 15);
            // MATCH ROM, an address and READ SCRATCHPAD
            if self.heard.len() == 80 && octet(&self.heard[72..]) == 0xbe {
                self.sent = Some(0);
            }
        }
    }
}

fn octet(bits: &[bool]) -> u8 {
    bits.iter().rev().fold(0, |octet, bit| octet << 1 | u8::from(*bit))
}

#[derive(Clone)]
struct Wire(Rc<RefCell<Chip>>);

impl OutputPin for Wire {
    type Error = Infallible;
    fn set_low(&mut self) -> Result<(), Infallible> {
        let mut chip = self.0.borrow_mut();
        chip.low_since = Some(chip.now);
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().release();
        Ok(())
    }
}

impl InputPin for Wire {
    type Error = Infallible;
    fn is_high(&self) -> Result<bool, Infallible> {
        let chip = self.0.borrow();
        Ok(chip.low_since.is_none() && !(chip.held.0..chip.held.1).contains(&chip.now))
    }
    fn is_low(&self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}

impl DelayUs<u16> for Wire {
    fn delay_us(&mut self, microseconds: u16) {
        self.0.borrow_mut().now += u64::from(microseconds);
    }
}

fn read(temperature: u16, resolution: u8) -> SensorData {
    let [low, high] = temperature.to_le_bytes();
    // alarms above 30 and below -10 degrees
    let mut scratchpad = [low, high, 30, -10i8 as u8, resolution, 0xff, 0, 0x10, 0];
    scratchpad[8] = one_wire_bus::crc::crc8(&scratchpad[..8]);
    let mut delay = Wire(Rc::new(RefCell::new(Chip { scratchpad, ..Chip::default() })));
    let mut bus = OneWire::new(delay.clone()).unwrap();
    let sensor = Ds18b20::new::<Infallible>(Address(0xd100_0000_0123_4528)).unwrap();
    sensor.read_data(&mut bus, &mut delay).unwrap()
}

fn main() {
    // table 1 of the data sheet
    for (value, degrees) in [
        (0x07d0, 125.0),
        (0x0191, 25.0625),
        (0x00a2, 10.125),
        (0x0008, 0.5),
        (0x0000, 0.0),
        (0xfff8, -0.5),
        (0xff5e, -10.125),
        (0xfe6f, -25.0625),
        (0xfc90, -55.0),
    ] {
        let data = read(value, 0x7f);
        println!("{degrees:>8} ({value:04X}) is read as {}, with alarms at {} and {}", data.temperature, data.alarm_temp_low, data.alarm_temp_high);
    }
    for (resolution, register) in [(12, 0x7f), (11, 0x5f), (10, 0x3f), (9, 0x1f)] {
        println!("25 degrees (0190) at {resolution} bits are read as {}", read(0x190, register).temperature);
    }
    println!("-5 degrees (FFB0) at 9 bits are read as {}", read(0xffb0, 0x1f).temperature);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
     125 (07D0) is read as 125, with alarms at -10 and 30
 25.0625 (0191) is read as 25.0625, with alarms at -10 and 30
  10.125 (00A2) is read as 10.125, with alarms at -10 and 30
     0.5 (0008) is read as 0.5, with alarms at -10 and 30
       0 (0000) is read as 0, with alarms at -10 and 30
    -0.5 (FFF8) is read as 4095.5, with alarms at -10 and 30
 -10.125 (FF5E) is read as 4085.875, with alarms at -10 and 30
-25.0625 (FE6F) is read as 4070.9375, with alarms at -10 and 30
     -55 (FC90) is read as 4041, with alarms at -10 and 30
25 degrees (0190) at 12 bits are read as 25
25 degrees (0190) at 11 bits are read as 50
25 degrees (0190) at 10 bits are read as 100
25 degrees (0190) at 9 bits are read as 200
-5 degrees (FFB0) at 9 bits are read as 32728
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "ds18b20 0.1.1: as described"
