#!/usr/bin/env bash
# The crate ms5837 0.2.1, a driver for the depth and pressure sensor of diving robots, makes 19.8 degrees 198, and gives pressures of 15 digits.
#
# Expected (TE Connectivity MS5837-30BA data sheet, "Pressure and temperature calculation") TEMP is in hundredths of a degree. P is (D1 x SENS / 2^21 - OFF) / 2^13, in
#           tenths of a millibar. In the example, with C1 to C6 34982, 36352, 20328, 22354, 26646 and 26146, D1 4958179 and D2 6815414, TEMP is 1981, 19.81
#           degrees, and P 39998, 3999.8 mbar. Both are corrected further by temperature (second order). ("Conversion sequence") A result that is read before
#           the end of its conversion is 0; at the ratio of 4096, a conversion takes about 9 ms.
# Seen:     the temperature is divided by 10 and not 100. The pressure is (D1 x SENS - OFF) / 10, without the two divisions. There is no further correction,
#           and the result is read right after the conversion was begun: the driver, which knows no clock, has no wait and none is passed in.
# So:       no number of it is usable as it is: divide the temperature by 10, wait in the bus after the commands 40h to 58h, and compute the pressure yourself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "dive"
version = "1.0.0"
edition = "2021"
[dependencies]
ms5837 = "=0.2.1"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::blocking::i2c::WriteRead;
use ms5837::OverSamplingRatio;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

struct Chip {
    memory: [u16; 7],
    pressure: u32,
    temperature: u32,
    last: u8,
    commands: Rc<RefCell<Vec<u8>>>,
}

impl WriteRead for Chip {
    type Error = Infallible;
    fn write_read(&mut self, _: u8, octets: &[u8], answer: &mut [u8]) -> Result<(), Infallible> {
        let command = octets[0];
        match command {
            0xa0..=0xac => answer.copy_from_slice(&self.memory[(command - 0xa0) as usize / 2].to_be_bytes()),
            0 => {
                let value = if self.last < 0x50 { self.pressure } else { self.temperature };
                answer.copy_from_slice(&value.to_be_bytes()[1..]);
                self.commands.borrow_mut().push(command);
            }
            0x40..=0x5f => {
                self.last = command;
                self.commands.borrow_mut().push(command);
            }
            _ => (),
        }
        Ok(())
    }
}

fn main() {
    for (name, pressure, temperature) in [("the example", 4958179, 6815414), ("a higher pressure", 5958179, 6815414), ("a lower temperature", 4958179, 6500000)] {
        // the first four bits of the memory are a checksum, of which there are 16
        for checksum in 0..16 {
            let commands = Rc::new(RefCell::new(Vec::new()));
            let chip = Chip {
                memory: [checksum << 12, 34982, 36352, 20328, 22354, 26646, 26146],
                pressure,
                temperature,
                last: 0,
                commands: commands.clone(),
            };
            let Ok(mut sensor) = ms5837::new(chip).init() else { continue };
            let read = sensor.read_temperature_and_pressure(OverSamplingRatio::R4096).unwrap();
            println!("{name}: {:?}", read);
            println!("  temperature alone {:?}", sensor.read_temperature(OverSamplingRatio::R4096).unwrap());
            println!("  commands {:02X?}", commands.borrow());
        }
        // the data sheet, without the second order
        let difference = i64::from(temperature) - 26646 * 256;
        let hundredths = 2000 + difference * 26146 / 8388608;
        let offset = 36352 * 65536 + 22354 * difference / 128;
        let sensitivity = 34982 * 32768 + 20328 * difference / 256;
        let tenths = (i64::from(pressure) * sensitivity / 2097152 - offset) / 8192;
        println!("  by the data sheet: TEMP {hundredths}, P {tenths}");
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
the example: TemperaturePressure { temperature: 198.2, pressure: 568116200000000.0 }
  temperature alone 198.2
  commands [58, 00, 48, 00, 58, 00]
  by the data sheet: TEMP 1982, P 39998
a higher pressure: TemperaturePressure { temperature: 198.2, pressure: 682697900000000.0 }
  temperature alone 198.2
  commands [58, 00, 48, 00, 58, 00]
  by the data sheet: TEMP 1982, P 106693
a lower temperature: TemperaturePressure { temperature: 99.9, pressure: 555698070000000.0 }
  temperature alone 99.9
  commands [58, 00, 48, 00, 58, 00]
  by the data sheet: TEMP 999, P 39494
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "ms5837 0.2.1: as described"
