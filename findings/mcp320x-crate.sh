#!/usr/bin/env bash
# The crate mcp320x 0.1.1, a driver for the converters MCP3204 and MCP3208, cuts off the two highest of their twelve bits, so that a voltage that rises begins
# again at 0 three times, and reads channels 0 to 3 for 4 to 7.
#
# Expected (Microchip MCP3204/3208 data sheet DS21298, 5.0 and figure 6-1) The result has 12 bits, 0 to 4095 for 0 V to the reference: after the start bit, the bit for single-ended
#           inputs and the channel, D2 to D0, of which D2 is the last bit of the first octet, the answer's second octet has the bits 11 to 8 in its lower half, the third the bits 7 to 0.
# Seen:     of the answer, 10 bits are kept, as for the MCP3008: 1023 is 1023, 1024 is 0, 2048 is 0, 4095 is 1023. D2 is put at the place of
#           the bit for single-ended inputs, where there is a 1 already: CH4 asks for channel 0, CH7 for channel 3. (The crate wants a nightly compiler.)
# So:       nothing can be told from a reading but for voltages below a quarter of the reference. Read the three octets with the bus.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "voltage"
version = "1.0.0"
edition = "2021"
[dependencies]
mcp320x = "=0.1.1"
embedded-hal = { version = "0.2", features = ["unproven"] }
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::blocking::spi::Transfer;
use embedded_hal::digital::v2::OutputPin;
use mcp320x::{Channels8, Mcp320X};
use std::convert::Infallible;

// a converter with the same voltage at all channels, which says what it was asked for
struct Chip(u16);

impl Transfer<u8> for Chip {
    type Error = Infallible;
    fn transfer<'w>(&mut self, octets: &'w mut [u8]) -> Result<&'w [u8], Infallible> {
        // 00000 1 single D2, D1 D0 and anything
        let channel = (octets[0] & 1) << 2 | octets[1] >> 6;
        print!("channel {channel}, start {}, single {}: ", octets[0] >> 2, octets[0] >> 1 & 1);
        // three bits are not driven, the next is 0
        octets.copy_from_slice(&[0xff, 0xe0 | (self.0 >> 8) as u8, self.0 as u8]);
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
    for (channel, value) in [(Channels8::CH0, 0), (Channels8::CH0, 1023), (Channels8::CH3, 1024), (Channels8::CH4, 2048), (Channels8::CH7, 3000), (Channels8::CH7, 4095)] {
        let mut converter = Mcp320X::new(Chip(value), Select);
        println!("{value} is {}", converter.read_channel(channel).unwrap());
    }
}
RUST
RUSTC_BOOTSTRAP=1 cargo run -q | tee seen
cat >expected <<'TEXT'
channel 0, start 1, single 1: 0 is 0
channel 0, start 1, single 1: 1023 is 1023
channel 3, start 1, single 1: 1024 is 0
channel 0, start 1, single 1: 2048 is 0
channel 3, start 1, single 1: 3000 is 952
channel 3, start 1, single 1: 4095 is 1023
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "mcp320x 0.1.1: as described"
