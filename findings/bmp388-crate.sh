#!/usr/bin/env bash
# The crate bmp388 0.1.0, a driver for the barometer of that name, sets a weaker filter than it is told, or none, and reads the mode of the chip from other bits.
#
# Expected (Bosch BMP388 data sheet BST-BMP388-DS001, 4.3, CONFIG) Bits 3 to 1 of the register 1F are the filter: 000 none, 001 coefficient 1, 010 3, 011 7, 100 15,
#           101 31, 110 63, 111 127; bit 0 is reserved. (PWR_CTRL) Bits 5 and 4 of the register 1B are the mode, 00 sleep, 01 forced, 11 normal, bits 1 and 0
#           switch the thermometer and the barometer on. The registers of calibration and the formulas are right here.
# Seen:     set_filter() puts the number of the filter into bits 2 to 0: c1 is no filter, c3 and c7 are 1, c15 and c31 are 3, c63 and c127 are 7; filter()
#           reads in the same way, so that it confirms what was set, and shows what another program set as twice as much or more. power_control() reads
#           the mode from bits 1 and 0: with both sensors on it is always normal, with one forced, with none sleep.
# So:       for the filter, give the one whose number is twice that which is wanted (c3 for 1, c15 for 3, c63 for 7); more than 7 cannot be set. Wait for the end of a
#           forced measurement with status(), not with power_control().
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "barometer"
version = "1.0.0"
edition = "2021"
[dependencies]
bmp388 = "=0.1.0"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use bmp388::{Filter, PowerControl, PowerMode, BMP388};
use embedded_hal::blocking::i2c::WriteRead;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// the registers of a chip: the first octet is the register, others are written, and then it reads from there
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 256]>>);

impl WriteRead for Chip {
    type Error = Infallible;
    fn write_read(&mut self, _: u8, octets: &[u8], answer: &mut [u8]) -> Result<(), Infallible> {
        let mut registers = self.0.borrow_mut();
        let from = octets[0] as usize;
        registers[from..from + octets.len() - 1].copy_from_slice(&octets[1..]);
        answer.copy_from_slice(&registers[from..from + answer.len()]);
        Ok(())
    }
}

fn main() {
    let registers = Rc::new(RefCell::new([0u8; 256]));
    registers.borrow_mut()[0] = 0x50;
    let mut chip = BMP388::new::<Infallible>(Chip(registers.clone())).unwrap();
    let coefficients = [0, 1, 3, 7, 15, 31, 63, 127];
    for filter in [Filter::c0, Filter::c1, Filter::c3, Filter::c7, Filter::c15, Filter::c31, Filter::c63, Filter::c127] {
        chip.set_filter(filter).unwrap();
        let config = registers.borrow()[0x1f];
        println!(
            "set {filter:?}: register 1F is {config:08b}, of which bits 3 to 1 are the coefficient {}; read {:?}",
            coefficients[(config >> 1 & 7) as usize],
            chip.filter().unwrap()
        );
    }
    for config in [0b0010u8, 0b0100, 0b0110, 0b1000] {
        registers.borrow_mut()[0x1f] = config;
        println!("register 1F {config:08b} is coefficient {}, read as {:?}", coefficients[(config >> 1) as usize], chip.filter().unwrap());
    }
    for (pressure, temperature) in [(true, true), (true, false), (false, true), (false, false)] {
        for mode in [PowerMode::Sleep, PowerMode::Forced, PowerMode::Normal] {
            chip.set_power_control(PowerControl { pressure_enable: pressure, temperature_enable: temperature, mode }).unwrap();
            let value = registers.borrow()[0x1b];
            println!("set {mode:?}, pressure {pressure}, temperature {temperature}: register 1B is {value:08b}, read as {:?}", chip.power_control().unwrap().mode);
        }
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
set c0: register 1F is 00000000, of which bits 3 to 1 are the coefficient 0; read c0
set c1: register 1F is 00000001, of which bits 3 to 1 are the coefficient 0; read c1
set c3: register 1F is 00000010, of which bits 3 to 1 are the coefficient 1; read c3
set c7: register 1F is 00000011, of which bits 3 to 1 are the coefficient 1; read c7
set c15: register 1F is 00000100, of which bits 3 to 1 are the coefficient 3; read c15
set c31: register 1F is 00000101, of which bits 3 to 1 are the coefficient 3; read c31
set c63: register 1F is 00000110, of which bits 3 to 1 are the coefficient 7; read c63
set c127: register 1F is 00000111, of which bits 3 to 1 are the coefficient 7; read c127
register 1F 00000010 is coefficient 1, read as c3
register 1F 00000100 is coefficient 3, read as c15
register 1F 00000110 is coefficient 7, read as c63
register 1F 00001000 is coefficient 15, read as c127
set Sleep, pressure true, temperature true: register 1B is 00000011, read as Normal
set Forced, pressure true, temperature true: register 1B is 00010011, read as Normal
set Normal, pressure true, temperature true: register 1B is 00110011, read as Normal
set Sleep, pressure true, temperature false: register 1B is 00000001, read as Forced
set Forced, pressure true, temperature false: register 1B is 00010001, read as Forced
set Normal, pressure true, temperature false: register 1B is 00110001, read as Forced
set Sleep, pressure false, temperature true: register 1B is 00000010, read as Forced
set Forced, pressure false, temperature true: register 1B is 00010010, read as Forced
set Normal, pressure false, temperature true: register 1B is 00110010, read as Forced
set Sleep, pressure false, temperature false: register 1B is 00000000, read as Sleep
set Forced, pressure false, temperature false: register 1B is 00010000, read as Sleep
set Normal, pressure false, temperature false: register 1B is 00110000, read as Sleep
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "bmp388 0.1.0: as described"
