#!/usr/bin/env bash
# The crate ical 0.11.0, which reads and writes calendars (iCalendar), glues words together, loses colons and the eleventh member of a group, and escapes parameters
# with backslashes that others take for text.
#
# Expected (RFC 5545): a folded line continues after CRLF and one blank, and nothing else is removed (3.1). Names of properties are case-insensitive (2, 3.1). What follows
#           the first colon outside of quotation marks is the value (3.1). A parameter with a comma, a colon or a semicolon is in quotation marks; a backslash has no
#           meaning in it (3.2). A parameter such as MEMBER may have any number of values (3.2.11). DTSTAMP must be in UTC (3.8.7.2).
# Seen:     "meeting in the " and "large room" on the next line are "meeting in thelarge room"; so are lines that it folded itself. ":-)" is "-)". A property dtstart is not found as
#           DTSTART. Of MEMBER with eleven values, ten are read, and the last one becomes the beginning of the value. CN="Doe, John" is read as Doe, John and written as
#           CN=Doe\, John, which are two values, also for itself. changed() writes DTSTAMP with TZID.
# So:       a calendar that passes through the program has other texts, and invitations other names, each time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "calendar"
version = "1.0.0"
edition = "2021"
[dependencies]
ical = { version = "=0.11.0", default-features = false, features = ["ical", "generator"] }
TOML
cat >src/main.rs <<'RUST'
use ical::generator::{Emitter, IcalEventBuilder};
use ical::ical_property;
use ical::parser::ical::component::{IcalCalendar, IcalEvent};
use ical::parser::Component;
use ical::property::Property;

fn calendar(lines: &str) -> IcalCalendar {
    let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    ical::IcalParser::new(text.as_bytes()).next().unwrap().unwrap()
}

fn value(event: &IcalEvent, name: &str) -> String {
    event.get_property(name).map_or("nothing".to_string(), |found| format!("{:?}", found.value.clone().unwrap_or_default()))
}

fn main() {
    for (name, lines) in [
        ("SUMMARY", "SUMMARY:meeting in the large room"),
        ("SUMMARY", "SUMMARY:meeting in the \r\n large room"),
        ("SUMMARY", "SUMMARY:meeting in the\r\n  large room"),
        ("SUMMARY", "SUMMARY::-)"),
        ("SUMMARY", "SUMMARY:room: 3"),
        ("DTSTART", "dtstart:20261130T100000Z"),
    ] {
        println!("{lines:?} | {}", value(&calendar(lines).events[0], name));
    }

    let long = "every sensor of the second floor has been moved to the big new hall of the building, see the list";
    let event = IcalEventBuilder::tzid("Europe/Berlin").uid("1").changed("20261130T100000").start("20261130T100000").end("20261130T110000").set(ical_property!("DESCRIPTION", long)).build();
    let text = event.generate();
    println!("written | {}", text.lines().filter(|line| line.starts_with("DTSTAMP") || line.starts_with("DESC") || line.starts_with(' ')).map(|line| format!("{line:?}")).collect::<Vec<_>>().join(" "));
    let inner = text.trim_start_matches("BEGIN:VEVENT\r\n").trim_end_matches("END:VEVENT\r\n").trim_end();
    println!("read again | {}", value(&calendar(inner).events[0], "DESCRIPTION"));

    for count in [10, 11] {
        let members: Vec<String> = (1..=count).map(|number| format!("\"mailto:m{number}@example.com\"")).collect();
        let found = calendar(&format!("ATTENDEE;MEMBER={}:mailto:a@example.com", members.join(",")));
        let found = found.events[0].get_property("ATTENDEE").unwrap();
        println!("{count} members | {} and {:?}", found.params.as_ref().unwrap()[0].1.len(), found.value.as_ref().unwrap());
    }

    let mut line = "ATTENDEE;CN=\"Doe, John\":mailto:doe@example.com".to_string();
    for _ in 0..3 {
        let found = calendar(&line);
        let found = found.events[0].get_property("ATTENDEE").unwrap();
        println!("{line} | {:?}", found.params.as_ref().unwrap()[0].1);
        line = found.generate().trim_end().to_string();
    }
}
RUST
cargo run -q 2>cargo.log | tee seen || { cat cargo.log; exit 1; }
cat >expected <<'TEXT'
"SUMMARY:meeting in the large room" | "meeting in the large room"
"SUMMARY:meeting in the \r\n large room" | "meeting in thelarge room"
"SUMMARY:meeting in the\r\n  large room" | "meeting in the large room"
"SUMMARY::-)" | "-)"
"SUMMARY:room: 3" | "room: 3"
"dtstart:20261130T100000Z" | nothing
written | "DTSTAMP;TZID=Europe/Berlin:20261130T100000" "DESCRIPTION:every sensor of the second floor has been moved to the big new " " hall of the building, see the list"
read again | "every sensor of the second floor has been moved to the big newhall of the building, see the list"
10 members | 10 and "mailto:a@example.com"
11 members | 10 and "\"mailto:m11@example.com\":mailto:a@example.com"
ATTENDEE;CN="Doe, John":mailto:doe@example.com | ["Doe, John"]
ATTENDEE;CN=Doe\, John:mailto:doe@example.com | ["Doe\\", " John"]
ATTENDEE;CN=Doe\, John:mailto:doe@example.com | ["Doe\\", " John"]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "ical 0.11.0: as described"
