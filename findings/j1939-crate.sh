#!/usr/bin/env bash
# The crate j1939 0.3.0, which reads what engines of trucks and tractors send on the CAN bus, gives the lowest value where a measurement is high, and the
# highest possible one of an octet for ordinary pressures.
#
# Expected (SAE J1939-71, 5.1.4 and 5.2, ranges and parameters; J1939DA) SPN 91, accelerator pedal: 0.4 % a bit from 0. SPN 513, torque: 1 % a bit from
#           -125. SPN 100, oil pressure: 4 kPa a bit; SPN 102, boost pressure: 2 kPa a bit. SPN 110, coolant: 1 degree a bit from -40, up to 210. SPN
#           173 and 176, exhaust gas and oil of the turbocharger: 0.03125 degrees a bit from -273, an unsigned number up to FAFF. SPN 101, crankcase
#           pressure: 1/128 kPa a bit from -250, unsigned. SPN 917, distance: 5 m a bit. FE, and FE00 to FEFF, say that the sensor is in error.
# Seen:     exhaust gas is right up to 750 degrees and -273 degrees above, a crankcase pressure -250 kPa from 6 kPa on, since 16 bits are taken as a signed
#           number. All oil pressures above 255 kPa are 255, all coolant above 127 degrees 127. A pedal at half is 0 and a floored one 125: it is read as a
#           torque. Negative torque, with which an engine brakes, is 0. Distances lose their last digits. Sensors in error are 127 and -273 degrees.
# So:       an alarm for high exhaust temperature, boost or crankcase pressure never comes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "truck"
version = "1.0.0"
edition = "2021"
[dependencies]
j1939 = "=0.3.0"
TOML
cat >src/main.rs <<'RUST'
use j1939::spn::{
    ElectronicEngineController1Message, ElectronicEngineController2Message, EngineFluidLevelPressure1Message, EngineTemperature1Message, HighResolutionVehicleDistanceMessage, InletExhaustConditions1Message,
};

fn main() {
    for (torque, raw) in [(50, 175), (0, 125), (-25, 100)] {
        let found = ElectronicEngineController1Message::from_pdu(&[0xf0, raw, raw, 0, 0, 0xff, 0xff, 0xff]);
        println!("EEC1, torque {torque} % | {:?}", found.actual_engine);
    }
    for (pedal, raw) in [(100, 250), (50, 125), (10, 25)] {
        let found = ElectronicEngineController2Message::from_pdu(&[0xff, raw, 60, raw, 0xff, 0xff, 0xff, 0xff]);
        println!("EEC2, accelerator pedal {pedal} %, load 60 % | {:?}, {:?}", found.accelerator_pedal_position1, found.percent_load_at_current_speed);
    }
    for (pressure, crankcase) in [(200u16, -2i32), (252, 5), (400, 7), (600, 100)] {
        let raw = ((crankcase + 250) * 128) as u16;
        let found = EngineFluidLevelPressure1Message::from_pdu(&[(pressure / 4) as u8, 0xff, 0xff, (pressure / 4) as u8, raw.to_le_bytes()[0], raw.to_le_bytes()[1], (pressure / 4 * 2) as u8, 0xff]);
        println!("EFL/P1, oil {pressure} kPa, crankcase {crankcase} kPa | {:?}, {:?}", found.engine_oil_pressure, found.crankcase_pressure);
    }
    for (coolant, oil) in [(90i32, 110i32), (130, 740), (150, 800)] {
        let raw = ((oil + 273) * 32) as u16;
        let found = EngineTemperature1Message::from_pdu(&[(coolant + 40) as u8, 0xff, 0xff, 0xff, raw.to_le_bytes()[0], raw.to_le_bytes()[1], 0xff, 0xff]);
        println!("ET1, coolant {coolant} degrees, turbocharger {oil} degrees | {:?}, {:?}", found.engine_coolant_temperature, found.turbo_oil_temperature);
    }
    let found = EngineTemperature1Message::from_pdu(&[0xfe, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff]);
    println!("ET1, coolant and oil sensors in error | {:?}, {:?}", found.engine_coolant_temperature, found.engine_oil_temperature);
    for (boost, exhaust) in [(150u16, 400i32), (300, 700), (300, 800)] {
        let raw = ((exhaust + 273) * 32) as u16;
        let found = InletExhaustConditions1Message::from_pdu(&[0xff, (boost / 2) as u8, 0xff, 0xff, 0xff, raw.to_le_bytes()[0], raw.to_le_bytes()[1], 0xff]);
        println!("IC1, boost {boost} kPa, exhaust {exhaust} degrees | {:?}, {:?}", found.boost_pressure, found.exhaust_gas_temperature);
    }
    for distance in [80_000_005u32, 500_000_005] {
        let raw = (distance / 5).to_le_bytes();
        let found = HighResolutionVehicleDistanceMessage::from_pdu(&[raw[0], raw[1], raw[2], raw[3], 0xff, 0xff, 0xff, 0xff]);
        println!("VDHR, {distance} m | {:?}", found.total_vehicle_distance_m);
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
EEC1, torque 50 % | Some(50)
EEC1, torque 0 % | Some(0)
EEC1, torque -25 % | Some(0)
EEC2, accelerator pedal 100 %, load 60 % | Some(125), Some(60)
EEC2, accelerator pedal 50 %, load 60 % | Some(0), Some(60)
EEC2, accelerator pedal 10 %, load 60 % | Some(0), Some(60)
EFL/P1, oil 200 kPa, crankcase -2 kPa | Some(200), Some(-2)
EFL/P1, oil 252 kPa, crankcase 5 kPa | Some(252), Some(5)
EFL/P1, oil 400 kPa, crankcase 7 kPa | Some(255), Some(-250)
EFL/P1, oil 600 kPa, crankcase 100 kPa | Some(255), Some(-250)
ET1, coolant 90 degrees, turbocharger 110 degrees | Some(90), Some(110)
ET1, coolant 130 degrees, turbocharger 740 degrees | Some(127), Some(740)
ET1, coolant 150 degrees, turbocharger 800 degrees | Some(127), Some(-273)
ET1, coolant and oil sensors in error | Some(127), Some(-273)
IC1, boost 150 kPa, exhaust 400 degrees | Some(150), Some(400)
IC1, boost 300 kPa, exhaust 700 degrees | Some(255), Some(700)
IC1, boost 300 kPa, exhaust 800 degrees | Some(255), Some(-273)
VDHR, 80000005 m | Some(80000008)
VDHR, 500000005 m | Some(500000000)
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "j1939 0.3.0: as described"
