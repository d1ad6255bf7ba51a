#!/usr/bin/env bash
# The crate nxp-pcf8523 2.0.0, a driver for the clock chip PCF8523, is a day ahead for the whole of each February with 29 days.
#
# Expected (POSIX.1-2017, 4.16 Seconds Since the Epoch) The leap day counts for the days after it: 1 February 2024 is 31 days after 1 January, 1 March 60.
#           (NXP PCF8523 data sheet, 8.6.4, register Days) Years that can be divided by four are leap years, from 00 on.
# Seen:     timestamp() adds the leap day from 1 February on: 1 to 29 February 2024 are those of 2 February to 1 March, and 29 February and 1 March are the same day.
#           In all other months, and in years without a leap day, it is right.
# So:       in February 2028, take 86400 seconds from it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "february"
version = "1.0.0"
edition = "2021"
[dependencies]
nxp-pcf8523 = "=2.0.0"
TOML
cat >src/main.rs <<'RUST'
use nxp_pcf8523::datetime::Pcf8523DateTime;
use std::process::Command;

fn main() {
    for (year, month, day) in [(23, 2, 1), (23, 2, 28), (24, 1, 31), (24, 2, 1), (24, 2, 15), (24, 2, 28), (24, 2, 29), (24, 3, 1), (24, 12, 31), (25, 2, 1), (28, 2, 1), (28, 3, 1)] {
        let timestamp = Pcf8523DateTime::new(12, 0, 0, month, day, year).unwrap().timestamp();
        let date = Command::new("date").args(["-u", "-d", &format!("@{timestamp}"), "+%Y-%m-%d %H:%M:%S"]).output().unwrap();
        println!("20{year}-{month:02}-{day:02} 12:00:00 is {timestamp}, {}", String::from_utf8(date.stdout).unwrap().trim());
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
2023-02-01 12:00:00 is 1675252800, 2023-02-01 12:00:00
2023-02-28 12:00:00 is 1677585600, 2023-02-28 12:00:00
2024-01-31 12:00:00 is 1706702400, 2024-01-31 12:00:00
2024-02-01 12:00:00 is 1706875200, 2024-02-02 12:00:00
2024-02-15 12:00:00 is 1708084800, 2024-02-16 12:00:00
2024-02-28 12:00:00 is 1709208000, 2024-02-29 12:00:00
2024-02-29 12:00:00 is 1709294400, 2024-03-01 12:00:00
2024-03-01 12:00:00 is 1709294400, 2024-03-01 12:00:00
2024-12-31 12:00:00 is 1735646400, 2024-12-31 12:00:00
2025-02-01 12:00:00 is 1738411200, 2025-02-01 12:00:00
2028-02-01 12:00:00 is 1833105600, 2028-02-02 12:00:00
2028-03-01 12:00:00 is 1835524800, 2028-03-01 12:00:00
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "nxp-pcf8523 2.0.0: as described"
