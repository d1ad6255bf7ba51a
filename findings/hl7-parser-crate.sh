#!/usr/bin/env bash
# The crate hl7-parser 0.3.0, which reads messages of hospitals (HL7 version 2), moves all fields of the header of version 2.7, moves times by an hour, and
# shows components as repetitions.
#
# Expected (HL7 version 2.7, chapter 2). Since 2.7, MSH-2 may have a fifth character, for truncation: MSH|^~\&#|LAB (2.5.4 and MSH-2 in the definition of the segment); MSH-3
#           is the application that sends. Components are separated by the second of the delimiters, repetitions by the third (2.5.4). \Xdd\ is data in hexadecimal
#           (2.7.5), \H\ and \N\ begin and end highlighting (2.7.3), so they are no text. (Chapter 2A, DTM) The sign is that of the whole offset, +ZZZZ or -ZZZZ in hours and minutes.
# Seen:     with ^~\&#, # is MSH-3, and each later field is the one before it. DOE^JOHN&P is shown as DOE~JOHN&P; the raw value is right. \X41\ is X41, only 0A and 0D are
#           known, and \H\alarm\N\ is HalarmN. 10:00-0330 is 12:30 UTC in place of 13:30, and -0030 is east. A time with the offset 5:30 is written as +0508 and 5:45 as
#           +05140, since the seconds modulo 256 are written as minutes.
# So:       messages of 2.7 are sent to an application of the name #, and times from Newfoundland and India are wrong by an hour or invalid.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "messages"
version = "1.0.0"
edition = "2021"
[dependencies]
chrono = { version = "=0.4.41", default-features = false }
hl7-parser = { version = "=0.3.0", features = ["chrono"] }
TOML
cat >src/main.rs <<'RUST'
use chrono::{DateTime, FixedOffset, TimeZone, Utc};
use hl7_parser::datetime::{parse_timestamp, TimeStamp};
use hl7_parser::Message;

fn main() {
    for characters in [r"^~\&", r"^~\&#"] {
        let text = format!("MSH|{characters}|LAB|HOSP|EHR|CLINIC|20261130100000||ORU^R01^ORU_R01|MSG00001|P|2.7\rPID|1||12345||DOE^JOHN&P~ROE^JANE");
        let message = Message::parse(&text).unwrap();
        let field = |name: &str| message.query(name).map(|found| found.raw_value().to_string()).unwrap_or_default();
        println!("MSH|{characters}| | MSH.2 {} MSH.3 {} MSH.4 {} MSH.9 {} MSH.9.2 {} MSH.12 {}", field("MSH.2"), field("MSH.3"), field("MSH.4"), field("MSH.9"), field("MSH.9.2"), field("MSH.12"));
        if characters.len() == 4 {
            let name = message.segment("PID").unwrap().field(5).unwrap();
            println!("PID-5 | raw {}, shown {}", name.raw_value(), name.display(&message.separators));
        }
    }
    let separators = hl7_parser::message::Separators::default();
    for text in [r"12\T\16", r"a\X0D\b", r"\X41\", r"\X0D0A\", r"\H\alarm\N\"] {
        println!("{text} | {:?}", separators.decode(text).to_string());
    }
    for text in ["20261130100000+0100", "20261130100000-0300", "20261130100000-0330", "20261130100000-0030"] {
        let found: DateTime<Utc> = parse_timestamp(text, false).unwrap().try_into().unwrap();
        println!("{text} | {}", found.format("%H:%M UTC"));
    }
    for minutes in [60, 330, 345, -210, -180] {
        let time = FixedOffset::east_opt(minutes * 60).unwrap().with_ymd_and_hms(2026, 11, 30, 10, 0, 0).unwrap();
        println!("offset of {minutes} minutes | {}", TimeStamp::from(time));
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
MSH|^~\&| | MSH.2 ^~\& MSH.3 LAB MSH.4 HOSP MSH.9 ORU^R01^ORU_R01 MSH.9.2 R01 MSH.12 2.7
PID-5 | raw DOE^JOHN&P~ROE^JANE, shown DOE~JOHN&P~ROE~JANE
MSH|^~\&#| | MSH.2 ^~\& MSH.3 # MSH.4 LAB MSH.9  MSH.9.2  MSH.12 P
12\T\16 | "12&16"
a\X0D\b | "a\rb"
\X41\ | "X41"
\X0D0A\ | "X0D0A"
\H\alarm\N\ | "HalarmN"
20261130100000+0100 | 09:00 UTC
20261130100000-0300 | 13:00 UTC
20261130100000-0330 | 12:30 UTC
20261130100000-0030 | 09:30 UTC
offset of 60 minutes | 20261130100000.0000+0100
offset of 330 minutes | 20261130100000.0000+0508
offset of 345 minutes | 20261130100000.0000+05140
offset of -210 minutes | 20261130100000.0000-03248
offset of -180 minutes | 20261130100000.0000-0300
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "hl7-parser 0.3.0: as described"
