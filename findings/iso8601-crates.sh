#!/usr/bin/env bash
# Two crates that read times and durations of ISO 8601: iso8601 0.6.6 moves each date of a week by a day and knows no Sunday, and reads PT1.5H as nothing;
# iso8601-duration 0.2.0 adds years and months as seconds of the first one, and counts in 24 bits.
#
# Expected: (RFC 3339, Appendix A, date-wday) day 1 of a week is Monday, 7 is Sunday, so 2026-W49-1 is 30 November 2026. (ISO 8601:2004, 4.2.2.4 and 4.4.3.2) The
#           smallest unit of a time or a duration may have a decimal fraction: 10:30.5 is half a minute after 10:30, PT1.5H is 90 minutes. (XML Schema Part 2, second
#           edition, Appendix E, "Adding durations to dateTimes") Years and months are added to those of the date, and a day that does not exist becomes the last of
#           the month: the example there is 2000-01-12T12:13:14Z and P1Y3M5DT7H10M3.3S, 2001-04-17T19:23:17.3Z.
# Seen:     iso8601: 2026-W49-1 is a Tuesday, 1 December, and 2026-W49-7 is no date. Its own test says that 2023-W06-2, a Tuesday, is 8 February, a Wednesday. PT1.5H is a
#           duration of 0, P1DT1.5H one day, PT1H30.5M one hour, without an error; 10:30.5 is half a second after. Other forms are right.
#           iso8601-duration: a year from 1 March 2000 is 2 March 2001, as 2000 had 366 days, and a month from 31 January is 3 March. 16777217 seconds are 16777216, and 12345 days
#           4 hours and a second lose the second. The example of XML Schema is three days and 12 ms late.
# So:       a report that runs on Mondays runs on Tuesdays, one for Sundays never, and a valve that is to open for an hour and a half does not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "times"
version = "1.0.0"
edition = "2021"
[dependencies]
chrono = { version = "=0.4.41", default-features = false, features = ["alloc"] }
iso8601 = { version = "=0.6.6", features = ["chrono"] }
iso8601-duration = { version = "=0.2.0", features = ["chrono"] }
TOML
cat >src/main.rs <<'RUST'
use chrono::{DateTime, FixedOffset};

fn main() {
    for text in ["2026-11-30", "2026-W49-1", "2026-W49-2", "2026-W49-6", "2026-W49-7", "2023-W06-2", "2026-334"] {
        let found = iso8601::date(text).unwrap().into_naive().map(|date| date.format("%a %Y-%m-%d").to_string());
        println!("{text} | {found:?}");
    }
    for text in ["10:30:15.5", "10:30.5", "10:30,25", "10:30"] {
        println!("{text} | {:?}", iso8601::time(text).unwrap().into_naive());
    }
    for text in ["PT1H30M", "PT1H30M0.5S", "PT1.5H", "PT0,5H", "P1DT1.5H", "PT1H30.5M", "P1W"] {
        println!("{text} | {:?}", iso8601::duration(text).map(core::time::Duration::from));
    }

    for (from, duration) in [
        ("2001-03-01T00:00:00Z", "P1Y"),
        ("2000-03-01T00:00:00Z", "P1Y"),
        ("2026-01-31T00:00:00Z", "P1M"),
        ("2026-11-30T12:00:00Z", "P1M"),
        ("2000-01-12T12:13:14Z", "P1Y3M5DT7H10M3.3S"),
    ] {
        let start: DateTime<FixedOffset> = from.parse().unwrap();
        println!("{from} and {duration} | {}", (start + iso8601_duration::Duration::parse(duration).unwrap()).to_rfc3339());
    }
    for text in ["PT16777215S", "PT16777217S", "P12345DT4H1S", "PT1.5H", "P1W"] {
        println!("{text} | {:?}", iso8601_duration::Duration::parse(text).unwrap().to_std());
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
2026-11-30 | Some("Mon 2026-11-30")
2026-W49-1 | Some("Tue 2026-12-01")
2026-W49-2 | Some("Wed 2026-12-02")
2026-W49-6 | Some("Sun 2026-12-06")
2026-W49-7 | None
2023-W06-2 | Some("Wed 2023-02-08")
2026-334 | Some("Mon 2026-11-30")
10:30:15.5 | Some(10:30:15.500)
10:30.5 | Some(10:30:00.500)
10:30,25 | Some(10:30:00.250)
10:30 | Some(10:30:00)
PT1H30M | Ok(5400s)
PT1H30M0.5S | Ok(5400.5s)
PT1.5H | Ok(0ns)
PT0,5H | Ok(0ns)
P1DT1.5H | Ok(86400s)
PT1H30.5M | Ok(3600s)
P1W | Ok(604800s)
2001-03-01T00:00:00Z and P1Y | 2002-03-01T00:00:00+00:00
2000-03-01T00:00:00Z and P1Y | 2001-03-02T00:00:00+00:00
2026-01-31T00:00:00Z and P1M | 2026-03-03T00:00:00+00:00
2026-11-30T12:00:00Z and P1M | 2026-12-30T12:00:00+00:00
2000-01-12T12:13:14Z and P1Y3M5DT7H10M3.3S | 2001-04-20T19:23:17.312500+00:00
PT16777215S | Some(16777215s)
PT16777217S | Some(16777216s)
P12345DT4H1S | Some(1066622400s)
PT1.5H | Some(5400s)
P1W | Some(604800s)
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "iso8601 0.6.6, iso8601-duration 0.2.0: as described"
