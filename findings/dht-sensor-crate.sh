#!/usr/bin/env bash
# The crate dht-sensor 0.3.0, by which many Rust programs read the thermometers DHT11 and DHT22, takes frost for warmth with the DHT11, and drops its tenths.
#
# Expected (Aosong/ASAIR DHT11 product manual, "Temperature and humidity data format" and its examples) The answer is 40 bits: humidity whole and tenths, temperature
#           whole and tenths, checksum. Below zero the highest bit of the tenths of the temperature is 1: -10.1 is 00001010 10000001. (DHT22/AM2302 manual) There
#           it is the highest bit of 16 bits, which are in tenths.
# Seen:     dht11::blocking::read takes the sign from the octet of the whole degrees, where it never is, and the two octets of tenths are not looked at: -10.1 is
#           10, 21.9 is 21, -0.5 is 0, and 45.9 % are 45. dht22 is right.
# So:       a DHT11 in a cold room shows thawing where there is frost, with a right checksum. Read the DHT11 with another crate, or use a DHT22.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "thaw"
version = "1.0.0"
edition = "2021"
[dependencies]
dht-sensor = "=0.3.0"
embedded-hal = "1"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// the wire of a sensor; time is what the driver has waited, in nanoseconds
#[derive(Clone)]
struct Wire(Rc<RefCell<(u64, u64, [u8; 5])>>);

impl Wire {
    fn new(data: [u8; 4]) -> Wire {
        let sum = data.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet));
        Wire(Rc::new(RefCell::new((0, 0, [data[0], data[1], data[2], data[3], sum]))))
    }
    // 30 us high, 80 low, 80 high, then for each bit 50 low and 26 or 70 high, and 50 low
    fn level(&self) -> bool {
        let (now, released, data) = *self.0.borrow();
        let mut left = (now - released) / 1000;
        let bits = (0..40).flat_map(|n| [50, if data[n / 8] >> (7 - n % 8) & 1 == 1 { 70 } else { 26 }]);
        let mut high = true;
        for length in [30, 80, 80].into_iter().chain(bits).chain([50]) {
            if left < length {
                return high;
            }
            left -= length;
            high = !high;
        }
        true
    }
}

impl ErrorType for Wire {
    type Error = Infallible;
}

impl OutputPin for Wire {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        let mut state = self.0.borrow_mut();
        state.1 = state.0;
        Ok(())
    }
}

impl InputPin for Wire {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.level())
    }
    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.level())
    }
}

impl DelayNs for Wire {
    fn delay_ns(&mut self, nanoseconds: u32) {
        self.0.borrow_mut().0 += u64::from(nanoseconds);
    }
}

fn main() {
    for (temperature, octets) in [
        ("24.0", [45, 9, 24, 0]),
        ("21.9", [45, 9, 21, 9]),
        ("0.5", [45, 9, 0, 5]),
        ("-0.5", [45, 9, 0, 0x85]),
        ("-10.1", [45, 9, 10, 0x81]),
        ("-20.0", [45, 9, 20, 0x80]),
    ] {
        let mut wire = Wire::new(octets);
        println!("DHT11 at {temperature} and 45.9 %: {:?}", dht_sensor::dht11::blocking::read(&mut wire.clone(), &mut wire).unwrap());
    }
    for (temperature, tenths) in [("21.9", 219u16), ("-0.5", 0x8005), ("-10.1", 0x8065)] {
        let [high, low] = tenths.to_be_bytes();
        let mut wire = Wire::new([1, 203, high, low]);
        println!("DHT22 at {temperature} and 45.9 %: {:?}", dht_sensor::dht22::blocking::read(&mut wire.clone(), &mut wire).unwrap());
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
DHT11 at 24.0 and 45.9 %: Reading { temperature: 24, relative_humidity: 45 }
DHT11 at 21.9 and 45.9 %: Reading { temperature: 21, relative_humidity: 45 }
DHT11 at 0.5 and 45.9 %: Reading { temperature: 0, relative_humidity: 45 }
DHT11 at -0.5 and 45.9 %: Reading { temperature: 0, relative_humidity: 45 }
DHT11 at -10.1 and 45.9 %: Reading { temperature: 10, relative_humidity: 45 }
DHT11 at -20.0 and 45.9 %: Reading { temperature: 20, relative_humidity: 45 }
DHT22 at 21.9 and 45.9 %: Reading { temperature: 21.9, relative_humidity: 45.9 }
DHT22 at -0.5 and 45.9 %: Reading { temperature: -0.5, relative_humidity: 45.9 }
DHT22 at -10.1 and 45.9 %: Reading { temperature: -10.1, relative_humidity: 45.9 }
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "dht-sensor 0.3.0: as described"
