#!/usr/bin/env bash
# The crate mcp346x 0.1.0, a driver for the converters MCP3461, MCP3462 and MCP3464, sets no mode, mixes the input with the one before, asks for the clock from outside
# where it is told the inner one, and gives counts as volts.
#
# Expected (Microchip MCP3461/2/4 data sheet DS20006180, "Command byte") Bits 7 and 6 are the address of the chip, others are not for it; bits 1 and 0 are 10 for writing
#           from the register in bits 5 to 2 on. ("CONFIG3", 4h) CONV_MODE is in bits 7 and 6: 11 for continuous conversion. ("CONFIG0", 1h) CLK_SEL, bits 5 and 4, is 10 or 11 for
#           the clock within, 00 or 01 for one from outside. ("MUX", 6h) VIN+ is in bits 7 to 4, VIN- in bits 3 to 0. ("ADCDATA") The result is in
#           parts of the reference.
# Seen:     into_continuous_mode() sends the octet 00, which is for a chip of address 00, and no register is written; scan and one-shot send 02 and 03.
#           set_clock_source(Internal) writes 01. set_mux_input() keeps the old bits of the input it sets, and clears those of the other: after CH2, CH1 is CH3,
#           and VIN- is CH0. measure() makes 16384 counts 16384 V. Errors of the bus while reading are dropped.
# So:       write the registers yourself, and multiply what measure() gives by the reference and divide by 32768.
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
mcp346x = "=0.1.0"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::blocking::spi::Transfer;
use embedded_hal::digital::v2::OutputPin;
use mcp346x::{Channel, ClockSource, Input, MCP346x};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// the registers of a chip of address 01, which has a result of 16384 counts, half of the reference
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 16]>>);

impl Transfer<u8> for Chip {
    type Error = Infallible;
    fn transfer<'w>(&mut self, octets: &'w mut [u8]) -> Result<&'w [u8], Infallible> {
        let command = octets[0];
        let register = (command >> 2 & 15) as usize;
        if command >> 6 != 1 {
            println!("  sent {octets:02X?}, not for this chip");
        } else if command & 3 == 2 {
            println!("  sent {octets:02X?}, register {register}: {:08b}", octets[1]);
            self.0.borrow_mut()[register] = octets[1];
        } else if command & 3 == 1 {
            octets[0] = 0x13;
            if register == 0 {
                octets[1..].copy_from_slice(&16384u16.to_be_bytes());
            } else {
                octets[1] = self.0.borrow()[register];
            }
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
    // after a reset: CONFIG0 C0, CONFIG3 00, IRQ 73, MUX 01
    let registers = Rc::new(RefCell::new([0u8; 16]));
    registers.borrow_mut()[1..7].copy_from_slice(&[0xc0, 0x0c, 0x8b, 0, 0x73, 1]);
    println!("continuous");
    let mut converter = MCP346x::new(Chip(registers.clone()), Select, 1).into_continuous_mode().unwrap();
    println!("clock within");
    converter.set_clock_source(ClockSource::Internal).unwrap();
    println!("VIN+ at CH2");
    converter.set_mux_input(Input::VInPlus, Channel::CH2).unwrap();
    println!("VIN+ at CH1");
    converter.set_mux_input(Input::VInPlus, Channel::CH1).unwrap();
    println!("VIN- at AGND");
    converter.set_mux_input(Input::VInMinus, Channel::AGND).unwrap();
    println!("half of the reference: {} V", converter.measure().unwrap().as_volts());
    println!("CONFIG3 {:08b}", registers.borrow()[4]);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
continuous
  sent [00], not for this chip
clock within
  sent [46, D0], register 1: 11010000
VIN+ at CH2
  sent [5A, 20], register 6: 00100000
VIN+ at CH1
  sent [5A, 30], register 6: 00110000
VIN- at AGND
  sent [5A, 08], register 6: 00001000
half of the reference: 16384 V
CONFIG3 00000000
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "mcp346x 0.1.0: as described"
