#!/usr/bin/env bash
# The crate rx8900 0.1.2, a driver for Epson's clock chip of that name, switches an alarm off when it is to be on, and says of one that is on that it is off.
#
# Expected (Epson RX8900 application manual, "Alarm interrupt function", alarm registers) Bit 7 of the registers 08h to 0Ah is AE: where it is 0, the
#           minute, the hour or the day is compared with the time, where it is 1, it is left out.
# Seen:     set_min_alarm(), set_hour_alarm() and set_day_alarm() write 1 for enabled and 0 for not, and the functions that ask for it say the reverse in the same way;
#           so what is set is read back. set_week_alarm() writes 0, which is on, and week_alarm_enabled() is false then.
# So:       an alarm for 06:30 every day, set as enabled, is never raised; give false for the parts that should count and true for the others.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "alarm"
version = "1.0.0"
edition = "2021"
[dependencies]
rx8900 = "=0.1.2"
chrono = { version = "0.4", default-features = false }
embedded-hal = "0.2"
heapless = "0.8"
TOML
cat >src/main.rs <<'RUST'
use chrono::Weekday;
use embedded_hal::blocking::i2c::{Read, Write, WriteRead};
use heapless::Vec;
use rx8900::Rx8900;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

// the registers of a chip
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 32]>>);

impl Write for Chip {
    type Error = Infallible;
    fn write(&mut self, _: u8, octets: &[u8]) -> Result<(), Infallible> {
        let from = octets[0] as usize;
        self.0.borrow_mut()[from..from + octets.len() - 1].copy_from_slice(&octets[1..]);
        Ok(())
    }
}

impl Read for Chip {
    type Error = Infallible;
    fn read(&mut self, _: u8, _: &mut [u8]) -> Result<(), Infallible> {
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

fn main() {
    let registers = Rc::new(RefCell::new([0u8; 32]));
    let mut clock = Rx8900::new(Chip(registers.clone()));
    let of = |register: usize| {
        let value = registers.borrow()[register];
        format!("{value:08b}, {}", if value >> 7 == 0 { "compared" } else { "left out" })
    };
    for enabled in [true, false] {
        clock.set_min_alarm(30, enabled).unwrap();
        println!("minute 30, enabled {enabled}: {}; asked, {} and {}", of(8), clock.min_alarm().unwrap(), clock.min_alarm_enabled().unwrap());
        clock.set_hour_alarm(6, enabled).unwrap();
        println!("hour 6, enabled {enabled}: {}; asked, {} and {}", of(9), clock.hour_alarm().unwrap(), clock.hour_alarm_enabled().unwrap());
        clock.set_day_alarm(4, enabled).unwrap();
        println!("day 4, enabled {enabled}: {}; asked, {}", of(10), clock.day_alarm_enabled().unwrap());
    }
    let mut days = Vec::new();
    days.push(Weekday::Mon).unwrap();
    days.push(Weekday::Fri).unwrap();
    clock.set_week_alarm(&days).unwrap();
    println!("Monday and Friday: {}; asked, {:?} and {}", of(10), clock.week_alarm().unwrap(), clock.week_alarm_enabled().unwrap());
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
minute 30, enabled true: 10110000, left out; asked, 30 and true
hour 6, enabled true: 10000110, left out; asked, 6 and true
day 4, enabled true: 10000100, left out; asked, true
minute 30, enabled false: 00110000, compared; asked, 30 and false
hour 6, enabled false: 00000110, compared; asked, 6 and false
day 4, enabled false: 00000100, compared; asked, false
Monday and Friday: 00100010, compared; asked, [Mon, Fri] and false
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "rx8900 0.1.2: as described"
