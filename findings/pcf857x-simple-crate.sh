#!/usr/bin/env bash
# The crate pcf857x-simple 2.0.0, a driver for the port expanders PCF8574 and PCF8575, sets the pins of the other half of the PCF8575, and holds a button down
# for ever once it was read as pressed.
#
# Expected (Texas Instruments PCF8575 data sheet, write and read) The first octet is for P07 to P00, the second for P17 to P10, both when writing and
#           when reading. (PCF8574 and PCF8575 data sheets) An input has to be written as 1, and then it may be pulled low from outside.
#           (pcf857x-simple, documentation) read_pins and read_pin do not change the state which the driver keeps; the example for reading has clear() first.
# Seen:     Pcf8575 writes the upper half first and reads the lower half first: up_pins of P0 sets P10, and after read_pins() both halves change places with
#           each write. read_pins() does change the state: with a button at P0 that is pressed, up_pins of P7 writes P0 as 0, and it reads as pressed when it
#           has been released. After clear() all inputs read as 0.
# So:       exchange the halves for the PCF8575; write the inputs as 1 with each write, as with write(value | inputs), and never clear() before reading.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "button"
version = "1.0.0"
edition = "2021"
[dependencies]
pcf857x-simple = "=2.0.0"
embedded-hal = "1"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::i2c::{ErrorType, I2c, Operation};
use pcf857x_simple::pcf8574::Pcf8574;
use pcf857x_simple::pcf8575::Pcf8575;
use pcf857x_simple::Pin;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// what was written, and what is outside: a pin is 0 where one of them is
#[derive(Clone)]
struct Chip(Rc<RefCell<([u8; 2], [u8; 2])>>);

impl ErrorType for Chip {
    type Error = Infallible;
}

impl I2c for Chip {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), Infallible> {
        let mut chip = self.0.borrow_mut();
        for operation in operations {
            match operation {
                Operation::Write(octets) => {
                    for (n, octet) in octets.iter().enumerate() {
                        chip.0[n] = *octet;
                    }
                }
                Operation::Read(octets) => {
                    for (n, octet) in octets.iter_mut().enumerate() {
                        *octet = chip.0[n] & chip.1[n];
                    }
                }
            }
        }
        Ok(())
    }
}

fn main() {
    let chip = Rc::new(RefCell::new(([0xff; 2], [0xff; 2])));
    let of = |half: usize| format!("{:08b}", chip.borrow().0[half]);
    println!("PCF8575");
    let mut bus = Chip(chip.clone());
    let mut port = Pcf8575::new(&mut bus, 0x20);
    port.clear().unwrap();
    port.up_pins(&[Pin::P0]).unwrap();
    println!("  P0 up: P07 to P00 {}, P17 to P10 {}", of(0), of(1));
    port.up_pins(&[Pin::P17]).unwrap();
    println!("  P17 up: P07 to P00 {}, P17 to P10 {}", of(0), of(1));
    println!("  read as {:016b}", port.read_pins().unwrap());
    port.up_pins(&[]).unwrap();
    println!("  written again: P07 to P00 {}, P17 to P10 {}", of(0), of(1));

    println!("PCF8574, button at P0");
    let mut port = Pcf8574::new(Chip(chip.clone()), 0x20);
    port.write(0x0f).unwrap();
    println!("  P3 to P0 as inputs: {}, P0 is {}", of(0), port.read_pin(Pin::P0).unwrap());
    // pressed
    chip.borrow_mut().1[0] = 0xfe;
    println!("  pressed: P0 is {}, state {:08b}", port.read_pin(Pin::P0).unwrap(), port.get_pins_cache());
    port.up_pins(&[Pin::P7]).unwrap();
    println!("  P7 up: {}", of(0));
    chip.borrow_mut().1[0] = 0xff;
    println!("  released: P0 is {}", port.read_pin(Pin::P0).unwrap());
    port.clear().unwrap();
    println!("  after clear: {:08b}", port.read_pins().unwrap());
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
PCF8575
  P0 up: P07 to P00 00000000, P17 to P10 00000001
  P17 up: P07 to P00 10000000, P17 to P10 00000001
  read as 0000000110000000
  written again: P07 to P00 00000001, P17 to P10 10000000
PCF8574, button at P0
  P3 to P0 as inputs: 00001111, P0 is true
  pressed: P0 is false, state 00001110
  P7 up: 10001110
  released: P0 is false
  after clear: 00000000
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "pcf857x-simple 2.0.0: as described"
