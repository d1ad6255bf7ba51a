#!/usr/bin/env bash
# The crate nmea 0.8.0, which reads sentences of GPS receivers and boats (NMEA 0183), takes errors in metres for degrees, and rejects the position of
# receivers of more than two satellite systems and the depth below a keel.
#
# Expected: (u-blox 8 / u-blox M8 Receiver description including protocol specification, UBX-13003221, NMEA protocol) GBS: fields 2, 3 and 4 are the expected errors of latitude,
#           longitude and altitude in metres. GNS: posMode has a character for each satellite system, such as ANNN. VTG: a field without a value is empty; speed is given in
#           knots and in km/h. (gpsd, "NMEA Revealed") DPT: the offset is positive from the transducer to the water line and negative to the keel. GLL: the last
#           field, the FAA mode, exists since NMEA 2.3.
# Seen:     GBS is an error for all receivers, since fields 2 to 5 are read as a latitude and a longitude with N, S, E and W. GNS with three or more systems is an
#           error, as is DPT with a negative offset and GLL of an older receiver. VTG without knots has no speed, though there are km/h. Beside each, a sentence that is right.
# So:       with a receiver that sends GNS there is no position at all, and no depth on a boat that is set up to show water under its keel.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "sentences"
version = "1.0.0"
edition = "2021"
[dependencies]
nmea = "=0.8.0"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    for text in [
        "GPGBS,235503.00,1.6,1.4,3.2,,,,",
        "GPGBS,235458.00,1.4,1.3,3.1,03,,-21.4,3.8",
        "GPGBS,235458.00,,,,,,,",
        "GNGNS,103600.01,5114.51176,N,00012.29380,W,AN,07,1.18,111.5,45.6,,",
        "GNGNS,103600.01,5114.51176,N,00012.29380,W,AAN,07,1.18,111.5,45.6,,",
        "GNGNS,103600.01,5114.51176,N,00012.29380,W,ANNN,07,1.18,111.5,45.6,,,V",
        "GPVTG,77.52,T,,M,0.1,N,10.0,K,A",
        "GPVTG,77.52,T,,M,,N,10.0,K,A",
        "SDDPT,4.1,0.5",
        "SDDPT,4.1,-0.5",
        "SDDPT,4.1,-0.5,100.0",
        "GPGLL,4916.45,N,12311.12,W,225444.00,A,A",
        "GPGLL,4916.45,N,12311.12,W,225444.00,A",
    ] {
        let checksum = text.bytes().fold(0, |sum, octet| sum ^ octet);
        let sentence = format!("${text}*{checksum:02X}");
        match nmea::parse_str(&sentence) {
            Ok(found) => println!("{text} | {found:?}"),
            Err(error) => println!("{text} | error, {}", format!("{error:?}").split('(').next().unwrap()),
        }
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
GPGBS,235503.00,1.6,1.4,3.2,,,, | error, ParsingError
GPGBS,235458.00,1.4,1.3,3.1,03,,-21.4,3.8 | error, ParsingError
GPGBS,235458.00,,,,,,, | error, ParsingError
GNGNS,103600.01,5114.51176,N,00012.29380,W,AN,07,1.18,111.5,45.6,, | GNS(GnsData { fix_time: Some(10:36:00.010), lat: Some(51.24186266666667), lon: Some(-0.20489666666666664), faa_modes: FaaModes { sys_state0: Autonomous, sys_state1: Some(DataNotValid) }, nsattelites: 7, hdop: Some(1.18), alt: Some(111.5), geoid_separation: Some(45.6), nav_status: None })
GNGNS,103600.01,5114.51176,N,00012.29380,W,AAN,07,1.18,111.5,45.6,, | error, ParsingError
GNGNS,103600.01,5114.51176,N,00012.29380,W,ANNN,07,1.18,111.5,45.6,,,V | error, ParsingError
GPVTG,77.52,T,,M,0.1,N,10.0,K,A | VTG(VtgData { true_course: Some(77.52), speed_over_ground: Some(0.1) })
GPVTG,77.52,T,,M,,N,10.0,K,A | VTG(VtgData { true_course: Some(77.52), speed_over_ground: None })
SDDPT,4.1,0.5 | DPT(DptData { water_depth: Some(4.1), offset: Some(0.5), max_range_scale: None })
SDDPT,4.1,-0.5 | error, ParsingError
SDDPT,4.1,-0.5,100.0 | error, ParsingError
GPGLL,4916.45,N,12311.12,W,225444.00,A,A | GLL(GllData { latitude: Some(49.274166666666666), longitude: Some(-123.18533333333333), fix_time: Some(22:54:44), valid: true, faa_mode: Some(Autonomous) })
GPGLL,4916.45,N,12311.12,W,225444.00,A | error, ParsingError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "nmea 0.8.0: as described"
