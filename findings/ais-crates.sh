#!/usr/bin/env bash
# The crates nmea-parser 0.11.0 and ais 0.12.0, which read what receivers of ships' positions and of satellites write, take fields from other
# bits: each is right where the other is not, except for unknown positions.
#
# Expected (ITU-R M.1371-5, annex 8) Message 27: the speed is in bits 79 to 84 and the course in 85 to 93, from 0; a position of 181 and 91 degrees, in
#           tenths of a minute, is not available. Messages 1 to 3: the code of the rate of turn is 4.733 times the square root of degrees per minute, so
#           20 is 17.9; 1 means no special manoeuvre. Message 18: unit, display, DSC, band, message 22, mode and RAIM in bits 141 to 147. Message
#           4: year 0, hour 24 are not available. Message 21: off position in bit 259. Message 15: two spare bits before the second station, which is asked
#           for one message. Message 20: increment of 11 bits. Message 5 is of class A, its time of arrival has no year, and hour 24 is not available.
#           (IEC 61162-1) GSV ends with the signal, after as many satellites as there are. ALM: satellites 01 to 32, decimal. ZDA: the zone is what is added
#           to local time for UTC, so -01 is east.
# Seen:     nmea-parser gives a ship of message 27 15 knots and course 3150, from its latitude, and both crates 181 degrees east, 91 degrees north
#           if nothing is known. nmea-parser turns 31 times too fast, sees special manoeuvres always, the display of class B in the bit of
#           the unit, RAIM in it too, and rejects a base station without time. A buoy is off position if it is over 31 m wide to starboard. Message 5 is of
#           class B, arriving in the year 2000, at 23:59 if the hour is unknown. Of GSV, the signal is a satellite, and satellite 15 of ALM is 21.
#           ais gives the second station of message 15 as another ship, asked for message 17.
# So:       a buoy that drifts is reported in place, and positions from space come with invented speeds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "ship"
version = "1.0.0"
edition = "2021"
[dependencies]
ais = "=0.12.0"
nmea-parser = "=0.11.0"
TOML
cat >src/main.rs <<'RUST'
use ais::messages::AisMessage;
use ais::sentence::AisFragments;
use nmea_parser::{NmeaParser, ParsedMessage};

/// A VDM sentence of fields of (value, bits).
fn sentence(fields: &[(i64, u32)]) -> String {
    let mut bits: Vec<bool> = Vec::new();
    for (value, size) in fields {
        bits.extend((0..*size).rev().map(|bit| value >> bit.min(63) & 1 == 1));
    }
    let fill = (6 - bits.len() % 6) % 6;
    bits.resize(bits.len() + fill, false);
    let letter = |six: &[bool]| {
        let value = six.iter().fold(0, |value, bit| value * 2 + u8::from(*bit));
        char::from(if value < 40 { value + 48 } else { value + 56 })
    };
    checked(&format!("!AIVDM,1,1,,A,{},{fill}", bits.chunks(6).map(letter).collect::<String>()))
}

fn checked(text: &str) -> String {
    format!("{text}*{:02X}", text.bytes().skip(1).fold(0, |sum, octet| sum ^ octet))
}

fn read(text: &str) -> String {
    match NmeaParser::new().parse_sentence(text) {
        Ok(ParsedMessage::VesselDynamicData(found)) => format!(
            "{:?} knots, course {:.0?}, {:.2?} north, {:.2?} east, turn {:.1?}, manoeuvre {:?}, RAIM {}, display {:?}, DSC {:?}",
            found.sog_knots, found.cog, found.latitude, found.longitude, found.rot, found.special_manoeuvre, found.raim_flag, found.class_b_display, found.class_b_dsc
        ),
        Ok(ParsedMessage::VesselStaticData(found)) => format!("{:?}, arrival {:?}", found.ais_type, found.eta),
        Ok(ParsedMessage::BaseStationReport(found)) => format!("{:?}, {:?} north", found.timestamp, found.latitude),
        Ok(ParsedMessage::AidToNavigationReport(found)) => format!("off position {}", found.off_position_indicator),
        Ok(ParsedMessage::Interrogation(found)) => format!("{} {} {:?}, {:?} {:?}", found.mmsi1, found.type1_1, found.type1_2, found.mmsi2, found.type2_1),
        Ok(ParsedMessage::DataLinkManagementMessage(found)) => format!("increment {}", found.increment1),
        Ok(ParsedMessage::Gsv(found)) => found.iter().map(|one| format!("satellite {} at {:?} degrees", one.prn_number, one.elevation)).collect::<Vec<_>>().join(", "),
        Ok(ParsedMessage::Alm(found)) => format!("satellite {:?}", found.prn),
        Ok(ParsedMessage::Zda(found)) => format!("{:?}", found.timezone_local),
        Ok(found) => format!("{found:?}"),
        Err(_) => "an error".into(),
    }
}

fn other(text: &str) -> String {
    match ais::AisParser::new().parse(text.as_bytes(), true) {
        Ok(AisFragments::Complete(found)) => match found.message.unwrap() {
            AisMessage::LongRangeAisBroadcastMessage(found) => {
                format!("{:?} knots, course {:?}, {:.2?} north, {:.2?} east", found.speed_over_ground, found.course_over_ground, found.latitude, found.longitude)
            }
            AisMessage::PositionReport(found) => format!("turn {:.1?}, manoeuvre {:?}", found.rate_of_turn.and_then(|turn| turn.rate()), found.maneuver_indicator),
            AisMessage::StandardClassBPositionReport(found) => format!("RAIM {}, display {}, DSC {}", found.raim, found.has_display, found.has_dsc),
            AisMessage::StaticAndVoyageRelatedData(found) => format!("arrival {:?} {:?} {} {:?}", found.eta_month_utc, found.eta_day_utc, found.eta_hour_utc, found.eta_minute_utc),
            AisMessage::BaseStationReport(found) => format!("{:?}, {:?} north", found.year, found.latitude),
            AisMessage::AidToNavigationReport(found) => format!("off position {}", found.off_position),
            AisMessage::Interrogation(found) => {
                let station = |one: &ais::messages::interrogation::Station| format!("{} {:?}", one.mmsi, one.messages.iter().map(|message| message.message_type).collect::<Vec<_>>());
                found.stations.iter().map(station).collect::<Vec<_>>().join(", ")
            }
            AisMessage::DataLinkManagementMessage(found) => format!("increment {}", found.reservations[0].increment),
            found => format!("{found:?}"),
        },
        Ok(_) => "incomplete".into(),
        Err(_) => "an error".into(),
    }
}

fn show(name: &str, text: &str) {
    println!("{name}\n  nmea-parser {}\n  ais {}", read(text), other(text));
}

const MMSI: (i64, u32) = (244123456, 30);

fn main() {
    let long = |lon, lat, speed, course| sentence(&[(27, 6), (0, 2), MMSI, (1, 1), (0, 1), (0, 4), (lon, 18), (lat, 17), (speed, 6), (course, 9), (0, 1), (0, 1)]);
    show("27, 52.5 N 4.5 E, 12 knots, course 90", &long(2700, 31500, 12, 90));
    show("27, nothing known", &long(181 * 600, 91 * 600, 63, 511));
    let class_a = |turn, special| sentence(&[(1, 6), (0, 2), MMSI, (0, 4), (turn, 8), (100, 10), (1, 1), (2700000, 28), (31500000, 27), (900, 12), (90, 9), (30, 6), (special, 2), (0, 3), (0, 1), (0, 19)]);
    show("1, turn code 20, not engaged in a special manoeuvre", &class_a(20, 1));
    show("1, turn code 126, engaged", &class_a(126, 2));
    let class_b = |unit, display, dsc, band, msg22, mode, raim| sentence(&[(18, 6), (0, 2), MMSI, (0, 8), (100, 10), (1, 1), (2700000, 28), (31500000, 27), (900, 12), (90, 9), (30, 6), (0, 2), (unit, 1), (display, 1), (dsc, 1), (band, 1), (msg22, 1), (mode, 1), (raim, 1), (0, 1), (0, 19)]);
    show("18, CS unit without display, with DSC", &class_b(1, 0, 1, 1, 1, 0, 0));
    show("18, SOTDMA, RAIM in use", &class_b(0, 1, 1, 1, 1, 0, 1));
    let base = |year, month, day, hour, minute, second| sentence(&[(4, 6), (0, 2), (2241234, 30), (year, 14), (month, 4), (day, 5), (hour, 5), (minute, 6), (second, 6), (1, 1), (2700000, 28), (31500000, 27), (7, 4), (0, 1), (0, 9), (0, 1), (0, 19)]);
    show("4, at a time", &base(2026, 11, 30, 12, 0, 0));
    show("4, no time", &base(0, 0, 0, 24, 60, 60));
    let aid = |starboard, off| sentence(&[(21, 6), (0, 2), (992441234, 30), (14, 5), (0, 120), (1, 1), (2700000, 28), (31500000, 27), (0, 9), (0, 9), (1, 6), (starboard, 6), (1, 4), (30, 6), (off, 1), (0, 8), (0, 1), (0, 1), (0, 1), (0, 1)]);
    show("21, off position", &aid(1, 1));
    show("21, 40 m to starboard, on position", &aid(40, 0));
    let ask = |second, third: i64| sentence(&[(15, 6), (0, 2), (2241234, 30), (0, 2), MMSI, (3, 6), (0, 12), (0, 2), (second, 6), (0, 12), (0, 2), (244000001, 30), (third, 6), (0, 12), (0, 2)]);
    show("15, 3 and 5 of one ship, 5 of another", &ask(5, 5));
    show("15, 3 of one ship, 5 of another", &ask(0, 5));
    show("20, increment 1125", &sentence(&[(20, 6), (0, 2), (2241234, 30), (0, 2), (100, 12), (5, 4), (7, 3), (1125, 11)]));
    let voyage = |month, day, hour, minute| sentence(&[(5, 6), (0, 2), MMSI, (0, 2), (9074729, 30), (0, 42), (0, 120), (70, 8), (0, 30), (1, 4), (month, 4), (day, 5), (hour, 5), (minute, 6), (65, 8), (0, 120), (0, 2)]);
    show("5, 30 November 12:00", &voyage(11, 30, 12, 0));
    show("5, 30 November, no hour", &voyage(11, 30, 24, 60));
    for text in ["$GPGSV,1,1,01,05,30,120,40,7", "$GPALM,1,1,15,1159,00,441d,4e,16be,fd5e,a10c9f,4a2da4,686e81,58cbe1,0a4,001", "$GPZDA,120000.00,30,11,2026,-01,00"] {
        println!("{text}\n  nmea-parser {}", read(&checked(text)));
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
27, 52.5 N 4.5 E, 12 knots, course 90
  nmea-parser Some(15.0) knots, course Some(3150), Some(52.50) north, Some(4.50) east, turn None, manoeuvre None, RAIM false, display None, DSC None
  ais Some(12.0) knots, course Some(90.0), Some(52.50) north, Some(4.50) east
27, nothing known
  nmea-parser Some(26.0) knots, course Some(5460), Some(91.00) north, Some(181.00) east, turn None, manoeuvre None, RAIM false, display None, DSC None
  ais None knots, course None, Some(91.00) north, Some(181.00) east
1, turn code 20, not engaged in a special manoeuvre
  nmea-parser Some(10.0) knots, course Some(90), Some(52.50) north, Some(4.50) east, turn Some(563.8), manoeuvre Some(true), RAIM false, display None, DSC None
  ais turn Some(17.9), manoeuvre Some(NoSpecialManeuver)
1, turn code 126, engaged
  nmea-parser Some(10.0) knots, course Some(90), Some(52.50) north, Some(4.50) east, turn Some(22376.6), manoeuvre Some(true), RAIM false, display None, DSC None
  ais turn Some(708.7), manoeuvre Some(SpecialManeuver)
18, CS unit without display, with DSC
  nmea-parser Some(10.0) knots, course Some(90), Some(52.50) north, Some(4.50) east, turn None, manoeuvre None, RAIM true, display Some(true), DSC Some(false)
  ais RAIM false, display false, DSC true
18, SOTDMA, RAIM in use
  nmea-parser Some(10.0) knots, course Some(90), Some(52.50) north, Some(4.50) east, turn None, manoeuvre None, RAIM false, display Some(false), DSC Some(true)
  ais RAIM true, display true, DSC true
4, at a time
  nmea-parser Some(2026-11-30T12:00:00Z), Some(52.5) north
  ais Some(2026), Some(52.5) north
4, no time
  nmea-parser an error
  ais None, Some(52.5) north
21, off position
  nmea-parser off position false
  ais off position true
21, 40 m to starboard, on position
  nmea-parser off position true
  ais off position false
15, 3 and 5 of one ship, 5 of another
  nmea-parser 244123456 3 Some(5), Some(244000001) Some(5)
  ais 244123456 [3, 5], 61000000 [17]
15, 3 of one ship, 5 of another
  nmea-parser 244123456 3 None, Some(244000001) None
  ais 244123456 [3], 61000000 [17]
20, increment 1125
  nmea-parser increment 101
  ais increment 1125
5, 30 November 12:00
  nmea-parser ClassB, arrival Some(2000-11-30T12:00:30Z)
  ais arrival Some(11) Some(30) 12 Some(0)
5, 30 November, no hour
  nmea-parser ClassB, arrival Some(2000-11-30T23:59:30Z)
  ais arrival Some(11) Some(30) 24 None
$GPGSV,1,1,01,05,30,120,40,7
  nmea-parser satellite 5 at Some(30.0) degrees, satellite 7 at None degrees
$GPALM,1,1,15,1159,00,441d,4e,16be,fd5e,a10c9f,4a2da4,686e81,58cbe1,0a4,001
  nmea-parser satellite Some(21)
$GPZDA,120000.00,30,11,2026,-01,00
  nmea-parser Some(-01:00)
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "ais 0.12.0, nmea-parser 0.11.0: as described"
