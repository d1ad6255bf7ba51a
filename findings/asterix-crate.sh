#!/usr/bin/env bash
# The crate asterix 0.4.0, which reads and writes ASTERIX, the format of radars and airport surveillance, gives other values for eleven items of the
# categories 034 and 048, and shifts the rest of a record.
#
# Expected (EUROCONTROL, ASTERIX part 4, category 048) I048/210: standard deviations in units of 1/128 NM. I048/240: 8 characters. I048/090: units of a
#           quarter of a flight level. I048/250: each register has 7 octets and its number. I048/130: the range difference RPD and the azimuth
#           difference APD have a bit each, and these and the amplitudes are in two's complement, as the speed of I048/120 is, in which raw speeds
#           are repeated. (Part 2b, category 034) I034/120: latitude, longitude and height in two's complement, high octet first.
#           I034/090: errors in two's complement. I034/060: two bits for the map, so that the subfield is an octet. I034/000: types 1 to 7. (Part 1)
#           The length counts category and length once a block.
# Seen:     a deviation of half a mile is 8192 NM. The eighth character of a name is lost; written, it makes the item nine octets. Level 100.75 is 100.
#           Two registers, RPD or APD alone, or the map of the primary radar are errors, or everything behind is read an octet further: track 5 is
#           1280. Two raw speeds are read as one. A radar in Chile is at 326 degrees north and 290 degrees east, 11 km high; -50 m/s are 974 m/s.
#           Of two records, the written length is 3 octets too large.
# So:       south and west of Greenwich, and as soon as a plot has one of two differences, positions are others.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "radar"
version = "1.0.0"
edition = "2021"
[dependencies]
asterix = "=0.4.0"
deku = "=0.16.0"
TOML
cat >src/main.rs <<'RUST'
use asterix::data_item::{AircraftIdentification, DataSourceIdentifier, FlightLevelInBinaryRepresentation};
use asterix::{AsterixMessage, AsterixPacket, Cat48};
use deku::prelude::*;

/// A data block of one record of items, each with its field reference number.
fn block(category: u8, items: &[(u8, &[u8])]) -> Vec<u8> {
    let octets = usize::from(items.last().unwrap().0 - 1) / 7 + 1;
    let mut bytes: Vec<u8> = (0..octets).map(|index| u8::from(index + 1 < octets)).collect();
    for (number, data) in items {
        bytes[usize::from(number - 1) / 7] |= 0x80 >> ((number - 1) % 7);
        bytes.extend_from_slice(data);
    }
    let length = (bytes.len() + 3) as u16;
    [&[category], &length.to_be_bytes()[..], &bytes].concat()
}

fn read<T>(bytes: &[u8], category: fn(AsterixMessage) -> T) -> Result<T, &'static str> {
    let (_, mut packet) = AsterixPacket::from_bytes((bytes, 0)).map_err(|_| "an error")?;
    Ok(category(packet.messages.remove(0)))
}

fn cat48(items: &[(u8, &[u8])], show: fn(Cat48) -> String) {
    let found = read(&block(48, items), |message| match message {
        AsterixMessage::Cat48(record) => record,
        AsterixMessage::Cat34(_) => unreachable!(),
    });
    println!("{}", found.map_or_else(str::to_string, show));
}

fn cat34(items: &[(u8, &[u8])], show: fn(asterix::Cat34) -> String) {
    let found = read(&block(34, items), |message| match message {
        AsterixMessage::Cat34(record) => record,
        AsterixMessage::Cat48(_) => unreachable!(),
    });
    println!("{}", found.map_or_else(str::to_string, show));
}

fn main() {
    print!("048, standard deviations of half a mile and one mile | ");
    cat48(&[(15, &[64, 128, 0, 0])], |record| {
        let quality = record.track_quality.unwrap();
        format!("{} and {} NM", quality.horizontal_stddev, quality.vertical_stddev)
    });
    print!("048, name DLH1234A | ");
    cat48(&[(9, &[0x10, 0xc2, 0x31, 0xcb, 0x3d, 0x01])], |record| record.aircraft_identification.unwrap().identification);
    print!("048, flight level 100.75 | ");
    cat48(&[(6, &[0x01, 0x93])], |record| record.flight_level_in_binary_repre.unwrap().flight_level.to_string());
    print!("048, register 40, then track 5 | ");
    cat48(&[(10, &[1, 0xa1, 2, 3, 4, 5, 6, 7, 0x40]), (11, &[0, 5])], |record| {
        let found = record.mode_smb_data.unwrap();
        format!("{:02x?} register {:x}{:x}, track {}", found.mb_data[0].data, found.bds1, found.bds2, record.track_number.unwrap().number)
    });
    let registers = [2, 0xa1, 2, 3, 4, 5, 6, 7, 0x40, 0xb1, 2, 3, 4, 5, 6, 7, 0x50];
    print!("048, registers 40 and 50, then track 5 | ");
    cat48(&[(10, &registers), (11, &[0, 5])], |record| {
        let found = record.mode_smb_data.unwrap();
        let data: Vec<_> = found.mb_data.iter().map(|item| format!("{:02x?}", item.data)).collect();
        format!("{} register {:x}{:x}, track {}", data.join(" "), found.bds1, found.bds2, record.track_number.unwrap().number)
    });
    print!("048, primary plot -60 dBm, -0.25 NM, -0.17578125 degrees | ");
    cat48(&[(7, &[0b1110, -60_i8 as u8, -64_i8 as u8, -8_i8 as u8])], |record| {
        let plot = record.radar_plot_characteristics.unwrap();
        format!("{} dBm, {} NM, {} degrees", plot.pam.unwrap(), plot.rpd.unwrap(), plot.apd.unwrap())
    });
    print!("048, primary plot 0.25 NM, then track 5 | ");
    cat48(&[(7, &[0b100, 64]), (11, &[0, 5])], |record| record.track_number.unwrap().number.to_string());
    print!("048, primary plot 0.17578125 degrees, then track 5 | ");
    cat48(&[(7, &[0b10, 8]), (11, &[0, 5])], |record| record.track_number.unwrap().number.to_string());
    print!("048, primary plot 0.25 NM, track 5, position 1 NM north, codes 9 and 6 | ");
    cat48(&[(7, &[0b100, 64]), (11, &[0, 5]), (12, &[0, 0, 0, 128]), (16, &[0x13, 0x0c])], |record| {
        let place = record.calculated_position_cartesian_coor.unwrap();
        format!("track {}, {} and {} NM", record.track_number.unwrap().number, place.x, place.y)
    });
    print!("048, Doppler speed -50 m/s | ");
    cat48(&[(20, &[0x80, 0x03, 0xce])], |record| {
        format!("{} m/s", record.radial_doppler_speed.unwrap().calculated_doppler_speed.unwrap().cal)
    });
    print!("048, one raw Doppler speed, then communication and flight status 22 e0 | ");
    cat48(&[(20, &[0x40, 1, 0, 50, 1, 0, 3, 0]), (21, &[0x22, 0xe0])], |record| {
        let status = record.communications_capability_flight_status.unwrap();
        format!("{:?} {:?}", status.com, status.stat)
    });
    print!("048, two raw Doppler speeds, then the same | ");
    cat48(&[(20, &[0x40, 2, 0, 50, 1, 0, 3, 0, 0, 60, 1, 0, 3, 0]), (21, &[0x22, 0xe0])], |record| {
        let status = record.communications_capability_flight_status.unwrap();
        format!("{:?} {:?}", status.com, status.stat)
    });
    print!("034, radar at -33.75, -70.3125 degrees, 300 m | ");
    cat34(&[(11, &[0x01, 0x2c, 0xe8, 0, 0, 0xce, 0, 0])], |record| {
        let place = record.three_d_position_of_data_source.unwrap();
        format!("{}, {} degrees, {} m", place.latitude_in_wgs_84, place.longitude_in_wgs_84, place.height_of_wgs_84)
    });
    print!("034, errors of -0.25 NM and -0.17578125 degrees | ");
    cat34(&[(12, &[0xe0, 0xf8])], |record| {
        let error = record.collimation_error.unwrap();
        format!("{} NM and {} degrees", error.range_error, error.azimuth_error)
    });
    print!("034, map 3 of the primary radar, step 2 of the secondary one | ");
    cat34(&[(7, &[0x18, 0b0000_1000, 0b0100_0000])], |record| {
        let mode = record.system_processing_mode.unwrap();
        format!("{:?}, {:?}", mode.psr.unwrap().stc, mode.ssr.unwrap().red_rad)
    });
    for (number, name) in [(1, "north marker"), (5, "solar storm"), (6, "jamming of the secondary radar")] {
        print!("034, type {number}, {name} | ");
        cat34(&[(2, &[number])], |record| format!("{:?}", record.message_type.unwrap().t));
    }

    let mut packet = AsterixPacket { category: 48, ..AsterixPacket::default() };
    for level in [100, 200] {
        packet.messages.push(AsterixMessage::Cat48(Cat48 {
            data_source_identifier: Some(DataSourceIdentifier { sac: 25, sic: 1 }),
            flight_level_in_binary_repre: Some(FlightLevelInBinaryRepresentation { v: asterix::types::V::CodeValidated, g: asterix::types::G::Default, flight_level: level }),
            ..Cat48::default()
        }));
    }
    packet.finalize().unwrap();
    let written = packet.to_bytes().unwrap();
    println!("written, two records | length field {}, octets {}", u16::from_be_bytes([written[1], written[2]]), written.len());
    let mut packet = AsterixPacket { category: 48, ..AsterixPacket::default() };
    packet.messages.push(AsterixMessage::Cat48(Cat48 {
        aircraft_identification: Some(AircraftIdentification { identification: "DLH1234A".into() }),
        ..Cat48::default()
    }));
    packet.finalize().unwrap();
    println!("written, name DLH1234A | {:02x?}", &packet.to_bytes().unwrap()[3..]);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
048, standard deviations of half a mile and one mile | 8192 and 16384 NM
048, name DLH1234A | DLH1234
048, flight level 100.75 | 100
048, register 40, then track 5 | [a1, 02, 03, 04, 05, 06, 07] register 40, track 5
048, registers 40 and 50, then track 5 | an error
048, primary plot -60 dBm, -0.25 NM, -0.17578125 degrees | 196 dBm, 0.75 NM, 5.4492188 degrees
048, primary plot 0.25 NM, then track 5 | an error
048, primary plot 0.17578125 degrees, then track 5 | an error
048, primary plot 0.25 NM, track 5, position 1 NM north, codes 9 and 6 | track 1280, 0 and -255.85156 NM
048, Doppler speed -50 m/s | 974 m/s
048, one raw Doppler speed, then communication and flight status 22 e0 | CommACommB NoAlertNoSPIAircraftAirborne
048, two raw Doppler speeds, then the same | NoCommunicationsSurveillanceOnly NoAlertNoSPIAircraftAirborne
034, radar at -33.75, -70.3125 degrees, 300 m | 326.25, 289.6875 degrees, 11265 m
034, errors of -0.25 NM and -0.17578125 degrees | 1.75 NM and 5.4492188 degrees
034, map 3 of the primary radar, step 2 of the secondary one | an error
034, type 1, north marker | NorthMarker
034, type 5, solar storm | an error
034, type 6, jamming of the secondary radar | an error
written, two records | length field 16, octets 13
written, name DLH1234A | [01, 40, 10, c2, 31, cb, 3d, 01, 00]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "asterix 0.4.0: as described"
