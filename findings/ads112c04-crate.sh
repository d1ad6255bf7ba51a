#!/usr/bin/env bash
# The crate ads112c04 0.1.0, a driver for the converter of that name, takes "not ready" for "ready", sends the current for resistance thermometers to the next pin,
# and doubles voltages where the amplifier is bypassed.
#
# Expected (Texas Instruments ADS112C04 data sheet, "Register map", CONFIG2) DRDY is 1 when a new result is ready, and 0 until then; reading the result sets
#           it to 0. (CONFIG3) I1MUX and I2MUX are 000 for off, 001 AIN0, 010 AIN1, 011 AIN2, 100 AIN3, 101 REFP, 110 REFN. ("Bypassing the PGA", CONFIG0)
#           With the amplifier bypassed, which it is to be for single-ended inputs near ground, the gains 1, 2 and 4 remain.
# Seen:     data_ready() is true while DRDY is 0: read_single_shot() reads before the end of the conversion, and gets the result of the last one. Ain0 is 000,
#           which is off, Ain1 is 001, which is AIN0, and so on to NoConnection, which is REFN; no value is AIN0 by its name, and
#           off is Ain0. raw_to_voltage_mv() leaves the gain out when the amplifier is bypassed, so that 512 mV at a gain of 2 are 1024.
# So:       wait for the pin DRDY or the data rate, take Config3::from_raw, and give pga_bypassed as false at all times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "converter"
version = "1.0.0"
edition = "2021"
[dependencies]
ads112c04 = "=0.1.0"
embedded-hal = "1"
TOML
cat >src/main.rs <<'RUST'
use ads112c04::{raw_to_voltage_mv, Ads112c04, Config2, Config3, Gain, IdacRouting};
use embedded_hal::i2c::{ErrorType, I2c, Operation};
use std::convert::Infallible;

// a converter whose result is ready at the third look
#[derive(Default)]
struct Chip {
    registers: [u8; 4],
    command: u8,
    looks: u8,
    result: i16,
    next: i16,
}

impl ErrorType for Chip {
    type Error = Infallible;
}

impl I2c for Chip {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), Infallible> {
        for operation in operations {
            match operation {
                Operation::Write(octets) => {
                    self.command = octets[0];
                    match self.command >> 4 {
                        // START/SYNC
                        0 if self.command >> 1 == 4 => {
                            self.looks = 0;
                            self.registers[2] &= 0x7f;
                        }
                        4 => self.registers[(self.command >> 2 & 3) as usize] = octets[1],
                        _ => (),
                    }
                }
                Operation::Read(octets) if self.command >> 4 == 1 => {
                    octets.copy_from_slice(&self.result.to_be_bytes());
                    self.registers[2] &= 0x7f;
                }
                Operation::Read(octets) => {
                    let register = (self.command >> 2 & 3) as usize;
                    if register == 2 {
                        self.looks += 1;
                        if self.looks == 3 {
                            self.registers[2] |= 0x80;
                            self.result = self.next;
                        }
                    }
                    octets[0] = self.registers[register];
                }
            }
        }
        Ok(())
    }
}

fn main() {
    for value in [0x00, 0x80] {
        println!("CONFIG2 {value:02X}: ready {}", Config2::from_bits_truncate(value).data_ready());
    }
    let mut converter = Ads112c04::new(Chip { result: 111, next: 222, ..Chip::default() }, 0x40);
    println!("the last result is 111, the next 222: read {}", converter.read_single_shot().unwrap());

    let pins = ["off", "AIN0", "AIN1", "AIN2", "AIN3", "REFP", "REFN", "reserved"];
    for routing in [IdacRouting::Ain0, IdacRouting::Ain1, IdacRouting::Ain2, IdacRouting::Ain3, IdacRouting::Refp, IdacRouting::Refn, IdacRouting::NoConnection] {
        let value = Config3::default().with_idac1_routing(routing).with_idac2_routing(IdacRouting::Ain0).raw();
        println!("{routing:?}: CONFIG3 is {value:08b}, the current goes to {}", pins[(value >> 5) as usize]);
    }
    println!("CONFIG3 after a reset: {:?}, {:?}", Config3::from_raw(0).idac1_routing(), Config3::from_raw(0).idac2_routing());

    for (gain, times) in [(Gain::X1, 1), (Gain::X2, 2), (Gain::X4, 4)] {
        let raw = (512.0 * f64::from(times) / 2048.0 * 32768.0) as i16;
        println!(
            "512 mV at a gain of {times}: {} with the amplifier, {} without it",
            raw_to_voltage_mv(raw, 2048, gain, false),
            raw_to_voltage_mv(raw, 2048, gain, true)
        );
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
CONFIG2 00: ready true
CONFIG2 80: ready false
the last result is 111, the next 222: read 111
Ain0: CONFIG3 is 00000000, the current goes to off
Ain1: CONFIG3 is 00100000, the current goes to AIN0
Ain2: CONFIG3 is 01000000, the current goes to AIN1
Ain3: CONFIG3 is 01100000, the current goes to AIN2
Refp: CONFIG3 is 10000000, the current goes to AIN3
Refn: CONFIG3 is 10100000, the current goes to REFP
NoConnection: CONFIG3 is 11000000, the current goes to REFN
CONFIG3 after a reset: Ain0, Ain0
512 mV at a gain of 1: 512 with the amplifier, 512 without it
512 mV at a gain of 2: 512 with the amplifier, 1024 without it
512 mV at a gain of 4: 511.98438 with the amplifier, 2047.9375 without it
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "ads112c04 0.1.0: as described"
