#!/usr/bin/env bash
# The crate ublox 0.10.0, which reads the messages of u-blox receivers of GPS, places them ten times too far from the centre of the earth, adds tenths of a
# millimetre as tenths of a metre, knows no negative turn or acceleration, and writes powers of two as powers of ten.
#
# Expected (u-blox 8 / u-blox M8 Receiver description including protocol specification, UBX-13003221). UBX-NAV-HPPOSECEF (01 13): ecefX in cm, ecefXHp in 0.1 mm.
#           UBX-NAV-HPPOSLLH (01 14): hMSL in mm, hMSLHp in 0.1 mm. UBX-ESF-MEAS (10 02): 24 bits of data, for gyroscopes signed in 2^-12 degrees a second, for
#           accelerometers signed in 2^-10 m/s2, for the temperature signed in 0.01 degrees; for wheels, bit 23 says backward and the others are a count. UBX-TIM-TOS (0D
#           12): intOscOffset in 2^-8 ppb. UBX-MGA-GPS-EPH (13 00): e in 2^-33, sqrtA in 2^-19, toe in 2^4 s. UBX-MGA-GLO-EPH (13 06): x in 2^-11 km, dx in 2^-20 km/s.
# Seen:     PositionECEF multiplies by 10e-2, so 3980000 m are 39800000. PositionLLA adds 0.5 mm to 7 m as 0.5 m. A turn of -10 degrees a second is 10, -9.5 m/s2 are
#           9.5, -5 degrees Celsius 5, and wheels that count 5 backward give -8388603. The scales are written as 2e-8, 2e-33, 2e4 and so on: an offset of 1 is 0.00000512, the
#           eccentricity 0.01 is 1.7e-25, and the time 482400 s is 603000000. Other values of these messages are right.
# So:       a rover with centimetres of precision jumps by half a metre at each reading, and a car that brakes is one that accelerates.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "receiver"
version = "1.0.0"
edition = "2021"
[dependencies]
ublox = "=0.10.0"
TOML
cat >src/main.rs <<'RUST'
use ublox::proto23::PacketRef;
use ublox::{ParserBuilder, PositionECEF, PositionLLA, UbxPacket};

fn show(name: &str, class: [u8; 2], payload: &[u8], task: fn(PacketRef) -> String) {
    let mut packet = vec![0xb5, 0x62, class[0], class[1]];
    packet.extend((payload.len() as u16).to_le_bytes());
    packet.extend(payload);
    let (mut first, mut second) = (0u8, 0u8);
    for octet in &packet[2..] {
        first = first.wrapping_add(*octet);
        second = second.wrapping_add(first);
    }
    packet.extend([first, second]);
    let mut parser = ParserBuilder::new().with_fixed_buffer::<1024>();
    let mut packets = parser.consume_ubx(&packet);
    match packets.next() {
        Some(Ok(UbxPacket::Proto23(found))) => println!("{name} | {}", task(found)),
        other => println!("{name} | {other:?}"),
    }
}

fn payload(size: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut payload = vec![0; size];
    for (offset, octets) in fields {
        payload[*offset..*offset + octets.len()].copy_from_slice(octets);
    }
    payload
}

fn main() {
    let found = payload(28, &[(8, &398_000_000i32.to_le_bytes()), (12, &31_000_000i32.to_le_bytes()), (16, &495_000_000i32.to_le_bytes()), (20, &[5])]);
    show("NAV-HPPOSECEF, 3980000.0005 310000 4950000 m", [0x01, 0x13], &found, |found| match found {
        PacketRef::NavHpPosEcef(found) => format!("{:?}", PositionECEF::from(&found)),
        other => format!("{other:?}"),
    });
    for tenths in [0i8, 5, -9] {
        let found = payload(36, &[(8, &45_000_000i32.to_le_bytes()), (12, &525_000_000i32.to_le_bytes()), (20, &7_000i32.to_le_bytes()), (27, &tenths.to_le_bytes())]);
        show(&format!("NAV-HPPOSLLH, 7 m and {tenths} tenths of a millimetre"), [0x01, 0x14], &found, |found| match found {
            PacketRef::NavHpPosLlh(found) => format!("{:.4} m", PositionLLA::from(&found).alt),
            other => format!("{other:?}"),
        });
    }
    for (name, kind, value) in [
        ("gyroscope, 10", 14u32, 40960),
        ("gyroscope, -10", 14, -40960),
        ("accelerometer, 9.5", 16, 9728),
        ("accelerometer, -9.5", 16, -9728),
        ("temperature, 25", 12, 2500),
        ("temperature, -5", 12, -500),
        ("speed, -2", 11, -2000),
        ("wheel, 5 forward", 8, 5),
        ("wheel, 5 backward", 8, 0x80_0005),
    ] {
        let found = payload(12, &[(4, &(1u16 << 11).to_le_bytes()), (8, &(kind << 24 | value as u32 & 0xff_ffff).to_le_bytes())]);
        show(&format!("ESF-MEAS, {name}"), [0x10, 0x02], &found, |found| match found {
            PacketRef::EsfMeas(found) => format!("{:?}", found.data().map(|found| found.value()).collect::<Vec<_>>()),
            other => format!("{other:?}"),
        });
    }
    let found = payload(56, &[(40, &256i32.to_le_bytes()), (44, &2560u32.to_le_bytes())]);
    show("TIM-TOS, offset 1, uncertainty 10", [0x0d, 0x12], &found, |found| match found {
        PacketRef::TimTos(found) => format!("{:e} and {:e}", found.int_osc_offset(), found.int_osc_uncertainty()),
        other => format!("{other:?}"),
    });
    let found = payload(68, &[(0, &[1]), (2, &[5]), (32, &85_899_346u32.to_le_bytes()), (36, &2_702_023_066u32.to_le_bytes()), (40, &30_150u16.to_le_bytes())]);
    show("MGA-GPS-EPH, e 0.01, root of the axis 5153.7, time 482400", [0x13, 0x00], &found, |found| match found {
        PacketRef::MgaGpsEph(found) => format!("{:.3e}, {:.3e}, {}", found.e(), found.sqrt_a(), found.toe()),
        other => format!("{other:?}"),
    });
    let found = payload(48, &[(0, &[3]), (8, &20_480_000i32.to_le_bytes()), (20, &3_145_728i32.to_le_bytes())]);
    show("MGA-GLO-EPH, x 10000 km, 3 km/s", [0x13, 0x06], &found, |found| match found {
        PacketRef::MgaGloEph(found) => format!("{:e}, {:e}", found.x_km(), found.dx_km_s()),
        other => format!("{other:?}"),
    });
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
NAV-HPPOSECEF, 3980000.0005 310000 4950000 m | PositionECEF { x: 39800000.005, y: 3100000.0, z: 49500000.0 }
NAV-HPPOSLLH, 7 m and 0 tenths of a millimetre | 7.0000 m
NAV-HPPOSLLH, 7 m and 5 tenths of a millimetre | 7.5000 m
NAV-HPPOSLLH, 7 m and -9 tenths of a millimetre | 6.1000 m
ESF-MEAS, gyroscope, 10 | [Value(10.0)]
ESF-MEAS, gyroscope, -10 | [Value(10.0)]
ESF-MEAS, accelerometer, 9.5 | [Value(9.5)]
ESF-MEAS, accelerometer, -9.5 | [Value(9.5)]
ESF-MEAS, temperature, 25 | [Value(25.0)]
ESF-MEAS, temperature, -5 | [Value(5.0)]
ESF-MEAS, speed, -2 | [Value(-2.0)]
ESF-MEAS, wheel, 5 forward | [Tick(5)]
ESF-MEAS, wheel, 5 backward | [Tick(-8388603)]
TIM-TOS, offset 1, uncertainty 10 | 5.12e-6 and 5.12e-5
MGA-GPS-EPH, e 0.01, root of the axis 5153.7, time 482400 | 1.718e-25, 5.404e-10, 603000000
MGA-GLO-EPH, x 10000 km, 3 km/s | 4.096e-4, 6.291455999999999e-14
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "ublox 0.10.0: as described"
