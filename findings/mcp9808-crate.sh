#!/usr/bin/env bash
# The crate mcp9808 0.4.0, a driver for Microchip's thermometer of that name, has no temperatures below zero, and writes every register one octet short.
#
# Expected (Microchip MCP9808 data sheet DS25095, 5.1.3.1 and register 5-4) The temperature is a number of 13 bits, two's complement, of which
#           the lowest bit is 1/16 degree: 1FFF is -0.0625, and 1E6C is -25.25. (Register 5-3) So are the limits for alerts, in quarters of a degree.
#           (Registers 5-2, 5-3 and 5-7) The configuration and the limits have 16 bits, two octets after the pointer, the resolution has 8.
# Seen:     get_celsius() and get_milli_celsius() have no sign (the equation 5-1 of the data sheet has the amount below zero, without its sign), and add the fraction
#           which belongs to the next lower degree: -1 is 1, -0.25, which is -1 and 0.75, is 1.75, -25.25 is 26.75. set_celsius(-5) is a limit of -256 degrees,
#           set_milli_celsius(-5000) one of -245. write_register() sends the pointer and the first octet, so that the second of the limits and of the configuration
#           (alerts) stays out, and of the resolution nothing but the pointer is sent. All is right from zero up when reading.
# So:       a freezer is a warm room, and no alert is ever set. Read with get_raw_value() and extend the sign of its lower 13 bits, and write with the bus
#           itself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "freezer"
version = "1.0.0"
edition = "2021"
[dependencies]
mcp9808 = "=0.4.0"
embedded-hal = "1"
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use mcp9808::reg_conf::{AlertControl, Configuration};
use mcp9808::reg_res::{Resolution, ResolutionVal};
use mcp9808::reg_temp_generic::{ReadableTempRegister, WritableTempRegister};
use mcp9808::MCP9808;

// a thermometer whose registers all have the same value, and which tells what is written
struct Bus(u16);

#[derive(Debug)]
struct Never;

impl embedded_hal::i2c::Error for Never {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for Bus {
    type Error = Never;
}

impl I2c for Bus {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), Never> {
        let reads = operations.iter().any(|o| matches!(o, Operation::Read(_)));
        for operation in operations {
            match operation {
                Operation::Write(octets) if !reads => println!("  written {octets:02X?}"),
                Operation::Write(_) => (),
                Operation::Read(octets) => {
                    let value = self.0.to_be_bytes();
                    let length = octets.len();
                    octets.copy_from_slice(&value[2 - length..]);
                }
            }
        }
        Ok(())
    }
}

fn main() {
    for sixteenths in [404i16, 400, 4, 0, -1, -4, -16, -80, -404] {
        // bit 13 to 15 are the alerts, here none
        let value = sixteenths as u16 & 0x1fff;
        let mut chip = MCP9808::new(Bus(value));
        let read = chip.read_temperature().unwrap();
        println!(
            "{:>8}: register {value:04X}, read as {} and {} thousandths",
            f32::from(sixteenths) / 16.0,
            read.get_celsius(ResolutionVal::Deg_0_0625C),
            read.get_milli_celsius(ResolutionVal::Deg_0_125C)
        );
    }
    let mut chip = MCP9808::new(Bus(0));
    for degrees in [90.25f32, -5.0] {
        println!("lower limit {degrees}");
        let mut limit = chip.read_alert_lower().unwrap();
        limit.set_celsius(degrees);
        println!("  register {:04X}", limit.get_raw_value());
        chip.write_register(limit).unwrap();
        limit.set_milli_celsius((degrees * 1000.0) as i32);
        println!("  register {:04X} from thousandths", limit.get_raw_value());
    }
    println!("alerts on");
    let mut configuration = chip.read_configuration().unwrap();
    configuration.set_alert_control(AlertControl::Enabled);
    chip.write_register(configuration).unwrap();
    println!("resolution 0.0625");
    let mut resolution = chip.read_resolution().unwrap();
    resolution.set_resolution(ResolutionVal::Deg_0_0625C);
    chip.write_register(resolution).unwrap();
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
   25.25: register 0194, read as 25.25 and 25250 thousandths
      25: register 0190, read as 25 and 25000 thousandths
    0.25: register 0004, read as 0.25 and 250 thousandths
       0: register 0000, read as 0 and 0 thousandths
 -0.0625: register 1FFF, read as 1.9375 and 1875 thousandths
   -0.25: register 1FFC, read as 1.75 and 1750 thousandths
      -1: register 1FF0, read as 1 and 1000 thousandths
      -5: register 1FB0, read as 5 and 5000 thousandths
  -25.25: register 1E6C, read as 26.75 and 26750 thousandths
lower limit 90.25
  register 05A4
  written [03, 05]
  register 05A4 from thousandths
lower limit -5
  register 1000
  written [03, 10]
  register 10B0 from thousandths
alerts on
  written [01, 00]
resolution 0.0625
  written [08]
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "mcp9808 0.4.0: as described"
