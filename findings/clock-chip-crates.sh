#!/usr/bin/env bash
# Two crates for clock chips, pcf85063a 0.1.1 and pcf8563 0.2.1: the first switches the clock output off, or to another frequency, whichever is set, and does
# not reset the chip; both read the years from 2080 on as those from 2000 on.
#
# Expected (NXP PCF85063A data sheet, register Control_2, COF) Bits 2 to 0 of Control_2 are the frequency of the output: 000 is 32768 Hz (after a reset), 001 16384,
#           101 1024, 110 1 Hz, 111 none. (8.2.1.3) For a software reset, 01011000 (58h) is written to Control_1. (Register Years; NXP PCF8563 data sheet, 8.4.7) The
#           year is 00 to 99, in binary-coded decimals, tens in bits 7 to 4.
# Seen:     write_clock_output_frequency() inverts the three bits before it adds the new ones, instead of clearing them: from 000 everything becomes 111, from
#           110 (1 Hz) the bits 001 remain, so that 32768 Hz is 16384. reset() sets bit 4 of Control_1 alone, and 10h is written;
#           perform_software_reset() is right. Of the tens, three bits are read: 2085 is written rightly, and read as 2005.
# So:       write Control_2 with write_register(), call perform_software_reset(), and take the year from the register.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "clocks"
version = "1.0.0"
edition = "2021"
[dependencies]
pcf85063a = "=0.1.1"
pcf8563 = "=0.2.1"
embedded-hal = "1"
embedded-hal-async = "1"
time = { version = "0.3", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use embedded_hal::i2c::{ErrorType, Operation};
use pcf85063a::{OutputFrequency, PCF85063};
use pcf8563::PCF8563;
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use time::{Date, Month, PrimitiveDateTime, Time};

// the registers of a chip
#[derive(Clone)]
struct Chip(Rc<RefCell<[u8; 32]>>);

impl Chip {
    fn run(&mut self, operations: &mut [Operation<'_>]) {
        let mut registers = self.0.borrow_mut();
        let mut at = 0;
        for operation in operations {
            match operation {
                Operation::Write(octets) => {
                    at = octets[0] as usize;
                    registers[at..at + octets.len() - 1].copy_from_slice(&octets[1..]);
                }
                Operation::Read(octets) => octets.copy_from_slice(&registers[at..at + octets.len()]),
            }
        }
    }
}

impl ErrorType for Chip {
    type Error = Infallible;
}

impl embedded_hal::i2c::I2c for Chip {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), Infallible> {
        self.run(operations);
        Ok(())
    }
}

impl embedded_hal_async::i2c::I2c for Chip {
    async fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), Infallible> {
        self.run(operations);
        Ok(())
    }
}

// nothing here waits
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!(),
    }
}

fn main() {
    let registers = Rc::new(RefCell::new([0u8; 32]));
    let mut clock = PCF85063::new(Chip(registers.clone()));
    for before in [OutputFrequency::Hz32768, OutputFrequency::Hz1, OutputFrequency::Hz0] {
        for wanted in [OutputFrequency::Hz32768, OutputFrequency::Hz1024, OutputFrequency::Hz1, OutputFrequency::Hz0] {
            registers.borrow_mut()[1] = before.bits();
            now(clock.write_clock_output_frequency(wanted)).unwrap();
            let value = registers.borrow()[1];
            println!("from {before:?} to {wanted:?}: Control_2 is {value:03b}, read as {:?}", now(clock.read_clock_output_frequency()).unwrap());
        }
    }
    registers.borrow_mut()[0] = 0;
    now(clock.reset()).unwrap();
    println!("reset: {:02x}h is written", registers.borrow()[0]);
    registers.borrow_mut()[0] = 0;
    now(clock.perform_software_reset()).unwrap();
    println!("software reset: {:02x}h is written", registers.borrow()[0]);

    for year in [2026, 2079, 2080, 2085] {
        let noon = PrimitiveDateTime::new(Date::from_calendar_date(year, Month::May, 4).unwrap(), Time::from_hms(12, 0, 0).unwrap());
        now(clock.set_datetime(&noon)).unwrap();
        let read = now(clock.get_datetime()).unwrap();
        println!("pcf85063a: {year} is register {:02x}, and read as {}", registers.borrow()[10], read.year());
    }
    let mut clock = PCF8563::new(Chip(registers.clone()));
    for year in [26, 79, 80, 85] {
        let noon = pcf8563::DateTime { year, month: 5, weekday: 0, day: 4, hours: 12, minutes: 0, seconds: 0 };
        clock.set_datetime(&noon).unwrap();
        let read = clock.get_datetime().unwrap().year;
        println!("pcf8563: {year} is register {:02x}, and read as {read}", registers.borrow()[8]);
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
from Hz32768 to Hz32768: Control_2 is 111, read as Hz0
from Hz32768 to Hz1024: Control_2 is 111, read as Hz0
from Hz32768 to Hz1: Control_2 is 111, read as Hz0
from Hz32768 to Hz0: Control_2 is 111, read as Hz0
from Hz1 to Hz32768: Control_2 is 001, read as Hz16384
from Hz1 to Hz1024: Control_2 is 101, read as Hz1024
from Hz1 to Hz1: Control_2 is 111, read as Hz0
from Hz1 to Hz0: Control_2 is 111, read as Hz0
from Hz0 to Hz32768: Control_2 is 000, read as Hz32768
from Hz0 to Hz1024: Control_2 is 101, read as Hz1024
from Hz0 to Hz1: Control_2 is 110, read as Hz1
from Hz0 to Hz0: Control_2 is 111, read as Hz0
reset: 10h is written
software reset: 58h is written
pcf85063a: 2026 is register 26, and read as 2026
pcf85063a: 2079 is register 79, and read as 2079
pcf85063a: 2080 is register 80, and read as 2000
pcf85063a: 2085 is register 85, and read as 2005
pcf8563: 26 is register 26, and read as 26
pcf8563: 79 is register 79, and read as 79
pcf8563: 80 is register 80, and read as 0
pcf8563: 85 is register 85, and read as 5
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "pcf85063a 0.1.1 and pcf8563 0.2.1: as described"
