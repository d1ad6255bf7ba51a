#!/usr/bin/env bash
# The crate dps310 0.1.5, a driver for the barometer of that name, sets the bit that a high oversampling needs when the rate is high, and leaves it out when
# the oversampling is.
#
# Expected (Infineon DPS310 data sheet, "Interrupt and FIFO configuration (CFG_REG)") T_SHIFT (bit 3) must be 1 when the oversampling of the temperature is more
#           than 8 times, P_SHIFT (bit 2) when that of the pressure is. ("Compensation scale factors") From 16 times on, the factors are for shifted results.
# Seen:     both bits are set when one of the rates is 16 a second or more, and no look is taken at the oversampling. One measurement a second of 64 samples has no
#           shift, while the result is divided by the factor for shifted ones, 1040384; 32 a second of 1 sample has both. temp_shift() and pres_shift() add the bits.
# So:       with 16 samples or more, call temp_shift(true) and pres_shift(true) on the configuration for those; leave rates of 16 a second and more alone,
#           as the bits cannot be taken back.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "altitude"
version = "1.0.0"
edition = "2021"
[dependencies]
dps310 = "=0.1.5"
embedded-hal = "0.2"
TOML
cat >src/main.rs <<'RUST'
use dps310::{Config, PressureRate, PressureResolution, TemperatureRate, TemperatureResolution, DPS310};
use embedded_hal::blocking::i2c::{Write, WriteRead};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// the registers of a chip
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 128]>>);

impl Write for Chip {
    type Error = Infallible;
    fn write(&mut self, _: u8, octets: &[u8]) -> Result<(), Infallible> {
        self.0.borrow_mut()[octets[0] as usize] = octets[1];
        Ok(())
    }
}

impl WriteRead for Chip {
    type Error = Infallible;
    fn write_read(&mut self, _: u8, octets: &[u8], answer: &mut [u8]) -> Result<(), Infallible> {
        let from = octets[0] as usize;
        answer.copy_from_slice(&self.0.borrow()[from..from + answer.len()]);
        Ok(())
    }
}

fn set(name: &str, config: &Config) {
    let registers = Rc::new(RefCell::new([0u8; 128]));
    registers.borrow_mut()[0x0d] = 0x10;
    DPS310::new(Chip(registers.clone()), 0x77, config).unwrap();
    let registers = registers.borrow();
    let (pressure, temperature, shifts) = (registers[6], registers[7], registers[9]);
    println!("{name}: PRS_CFG {pressure:08b}, TMP_CFG {temperature:08b}, CFG_REG {shifts:08b}");
    println!(
        "  pressure: {} times, shift {}; temperature: {} times, shift {}",
        1u32 << (pressure & 15),
        shifts >> 2 & 1,
        1u32 << (temperature & 15),
        shifts >> 3 & 1
    );
}

fn main() {
    set("1 sample, once a second", Config::new().pres_res(PressureResolution::_1_SAMPLES).temp_res(TemperatureResolution::_1_SAMPLES));
    set("8 samples, once a second", Config::new().pres_res(PressureResolution::_8_SAMPLES).temp_res(TemperatureResolution::_8_SAMPLES));
    set("16 samples, once a second", Config::new().pres_res(PressureResolution::_16_SAMPLES).temp_res(TemperatureResolution::_16_SAMPLES));
    set("64 and 1 samples, once a second", Config::new().pres_res(PressureResolution::_64_SAMPLES).temp_res(TemperatureResolution::_1_SAMPLES));
    set(
        "1 sample, 32 and 1 times a second",
        Config::new().pres_rate(PressureRate::_32_SPS).pres_res(PressureResolution::_1_SAMPLES).temp_rate(TemperatureRate::_1_SPS),
    );
    set("64 and 1 samples, once a second, shift set", Config::new().pres_res(PressureResolution::_64_SAMPLES).pres_shift(true));
    println!("factor of 64 samples: {}", PressureResolution::_64_SAMPLES.get_kP_value());
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
1 sample, once a second: PRS_CFG 00000000, TMP_CFG 00000000, CFG_REG 00000000
  pressure: 1 times, shift 0; temperature: 1 times, shift 0
8 samples, once a second: PRS_CFG 00000011, TMP_CFG 00000011, CFG_REG 00000000
  pressure: 8 times, shift 0; temperature: 8 times, shift 0
16 samples, once a second: PRS_CFG 00000100, TMP_CFG 00000100, CFG_REG 00000000
  pressure: 16 times, shift 0; temperature: 16 times, shift 0
64 and 1 samples, once a second: PRS_CFG 00000110, TMP_CFG 00000000, CFG_REG 00000000
  pressure: 64 times, shift 0; temperature: 1 times, shift 0
1 sample, 32 and 1 times a second: PRS_CFG 01010000, TMP_CFG 00000000, CFG_REG 00001100
  pressure: 1 times, shift 1; temperature: 1 times, shift 1
64 and 1 samples, once a second, shift set: PRS_CFG 00000110, TMP_CFG 00000000, CFG_REG 00000100
  pressure: 64 times, shift 1; temperature: 1 times, shift 0
factor of 64 samples: 1040384
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "dps310 0.1.5: as described"
