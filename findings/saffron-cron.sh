#!/usr/bin/env bash
# The crate saffron 0.1.0, which reads cron expressions as Quartz and Cloudflare's Cron Triggers have them, starts each range over midnight, the end of the week or
# the year one too early.
#
# Expected (Quartz Scheduler, CronTrigger tutorial, "Notes") A range may overflow, with a larger number on the left: 22-2 is from 10 o'clock at night until 2 o'clock in
#           the morning, NOV-FEB from November to February. The description of the crate says that it follows Quartz. Days of the week are 1 to 7, from Sunday
#           ("Special characters"), so FRI-SUN is Friday, Saturday and Sunday.
# Seen:     22-2 is also true at 21, 50-10 in minute 49, NOV-FEB in October, FRI-SUN on Thursday and 28-3 on the 27th; 23-1 has four hours. Ranges that do not overflow, lists
#           and overflowing ranges with a step are right.
# So:       what runs from Friday to Sunday runs on Thursday as well, and what is to happen from 22 o'clock on, at 21.
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
saffron = "=0.1.0"
TOML
cat >src/main.rs <<'RUST'
use chrono::{DateTime, Datelike, Duration, Timelike, Utc};
use saffron::Cron;
use std::collections::BTreeSet;

/// The values of a field for which an expression is true in the minutes, hours or days from a time on.
fn values(text: &str, step: Duration, count: i32, value: fn(DateTime<Utc>) -> String) -> String {
    let cron: Cron = text.parse().unwrap();
    let mut time: DateTime<Utc> = "2027-02-01T00:00:00Z".parse().unwrap();
    let mut found = BTreeSet::new();
    for _ in 0..count {
        if cron.contains(time) {
            found.insert(value(time));
        }
        time += step;
    }
    found.into_iter().collect::<Vec<_>>().join(" ")
}

fn main() {
    for text in ["50-59,0-2 * * * *", "50-59 * * * *", "57-2 * * * *", "50-2/4 * * * *"] {
        println!("{text} | {}", values(text, Duration::minutes(1), 60, |time| format!("{:02}", time.minute())));
    }
    for text in ["0 22,23,0,1,2 * * *", "0 22-2 * * *", "0 23-1 * * *", "0 22-2/2 * * *"] {
        println!("{text} | {}", values(text, Duration::hours(1), 24, |time| format!("{:02}", time.hour())));
    }
    for text in ["0 0 28-31,1-3 * *", "0 0 28-3 * *"] {
        println!("{text} | {}", values(text, Duration::days(1), 365, |time| format!("{:02}", time.day())));
    }
    for text in ["0 0 1 JAN-FEB,NOV-DEC *", "0 0 1 NOV-FEB *", "0 0 1 11-2 *"] {
        println!("{text} | {}", values(text, Duration::days(1), 365, |time| format!("{:02}", time.month())));
    }
    for text in ["0 0 * * FRI-SAT,SUN", "0 0 * * FRI-SUN", "0 0 * * 6-1", "0 0 * * MON-FRI"] {
        println!("{text} | {}", values(text, Duration::days(1), 7, |time| format!("{}-{}", time.weekday().number_from_monday(), time.weekday())));
    }
}
RUST
cargo run -q 2>cargo.log | tee seen || { cat cargo.log; exit 1; }
cat >expected <<'TEXT'
50-59,0-2 * * * * | 00 01 02 50 51 52 53 54 55 56 57 58 59
50-59 * * * * | 50 51 52 53 54 55 56 57 58 59
57-2 * * * * | 00 01 02 56 57 58 59
50-2/4 * * * * | 02 50 54 58
0 22,23,0,1,2 * * * | 00 01 02 22 23
0 22-2 * * * | 00 01 02 21 22 23
0 23-1 * * * | 00 01 22 23
0 22-2/2 * * * | 00 02 22
0 0 28-31,1-3 * * | 01 02 03 28 29 30 31
0 0 28-3 * * | 01 02 03 27 28 29 30 31
0 0 1 JAN-FEB,NOV-DEC * | 01 02 11 12
0 0 1 NOV-FEB * | 01 02 10 11 12
0 0 1 11-2 * | 01 02 10 11 12
0 0 * * FRI-SAT,SUN | 5-Fri 6-Sat 7-Sun
0 0 * * FRI-SUN | 4-Thu 5-Fri 6-Sat 7-Sun
0 0 * * 6-1 | 4-Thu 5-Fri 6-Sat 7-Sun
0 0 * * MON-FRI | 1-Mon 2-Tue 3-Wed 4-Thu 5-Fri
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "saffron 0.1.0: as described"
