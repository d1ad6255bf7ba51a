#!/usr/bin/env bash
# The crate vedirect 0.2.0, with which Rust programs read Victron's battery monitors and solar chargers by cable, reads a battery of 12 V as one of 1228 V, and
# no charger without a load output.
#
# Expected (Victron, VE.Direct Protocol, field descriptions) V is in millivolts for all devices, H19, H20 and H22 in 0.01 kWh; IL and LOAD are sent by chargers
#           with a load output. OR has a bit for each reason, of which several may be set. (Message format) A block ends with a checksum, which is any
#           octet and makes the sum of the block 0 modulo 256; the next block begins with a carriage return and a line feed. (Victron, MPPT Solar Charger Error
#           Codes) 27 is a short circuit. The octets of a serial line arrive in pieces of any size.
# Seen:     V of a battery monitor is divided by 10: 12282 is 1228.2 V, while that of a charger is right. 144 (1.44 kWh) is yield_total 144, of a type named
#           KiloWattHours. A block without IL or LOAD, and one with two reasons for being off, gives none; error 27 is NoError. The checksum is not looked at:
#           a block in which a digit was changed on the line is given as right. If it is a carriage return or comes in a later piece than its label, the block
#           after it is lost.
# So:       divide the voltage of a monitor by 100 and yields by 100, look at the checksum before you feed a block, and feed whole blocks; for chargers
#           without a load output, add the two fields.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "battery"
version = "1.0.0"
edition = "2021"
[dependencies]
vedirect = "=0.2.0"
TOML
cat >src/main.rs <<'RUST'
use vedirect::{Bmv700, Events, Parser, VEError, MPPT};

#[derive(Default)]
struct Seen(Vec<String>);

impl Events<Bmv700> for Seen {
    fn on_complete_block(&mut self, block: Bmv700) {
        self.0.push(format!("{} V, {} W, {:?} %", block.voltage, block.power, block.soc.unwrap()));
    }
    fn on_parse_error(&mut self, error: VEError, _: &[u8]) {
        self.0.push(error.to_string());
    }
}

impl Events<MPPT> for Seen {
    fn on_complete_block(&mut self, block: MPPT) {
        self.0.push(format!("{} V, yield {} and {}, {:?}, {:?}", block.channel1_voltage, block.yield_total, block.yield_today, block.error_code, block.off_reason));
    }
    fn on_missing_field(&mut self, label: String) {
        self.0.push(format!("no field {label}"));
    }
    fn on_mapping_error(&mut self, error: VEError) {
        self.0.push(error.to_string());
    }
    fn on_parse_error(&mut self, error: VEError, _: &[u8]) {
        self.0.push(error.to_string());
    }
}

/// The block with its checksum.
fn block(fields: &str) -> Vec<u8> {
    let mut octets: Vec<u8> = fields.split_whitespace().flat_map(|field| format!("\r\n{}", field.replace('=', "\t")).into_bytes()).collect();
    octets.extend(b"\r\nChecksum\t");
    let sum = octets.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet));
    octets.push(sum.wrapping_neg());
    octets
}

fn monitor(name: &str, pieces: &[&[u8]]) {
    let mut seen = Seen::default();
    let mut parser = Parser::<Bmv700, _>::new(&mut seen);
    for piece in pieces {
        let _ = parser.feed(piece);
    }
    println!("monitor, {name}: {}", seen.0.join("; "));
}

fn charger(name: &str, fields: &str) {
    let mut seen = Seen::default();
    let _ = Parser::<MPPT, _>::new(&mut seen).feed(&block(fields));
    println!("charger, {name}: {}", seen.0.join("; "));
}

fn main() {
    let fields = "V=12282 I=-2288 P=-28 CE=-74900 SOC=916 TTG=10350";
    let first = block(fields);
    monitor("as sent", &[&first]);
    let mut changed = first.clone();
    changed[4] = b'9';
    monitor("a digit changed", &[&changed]);
    monitor("two blocks", &[&first, &first]);
    let (label, checksum) = first.split_at(first.len() - 1);
    monitor("two blocks, checksum in a piece of its own", &[label, checksum, &first]);
    let blocks = (0..1000).flat_map(|watt| (0..1000).map(move |minutes| block(&format!("V=12282 P={watt} CE=-74900 SOC=916 TTG={minutes}"))));
    let ending = blocks.into_iter().find(|block| block.ends_with(b"\r")).unwrap();
    monitor("two blocks, checksum a carriage return", &[&ending, &first]);

    let fields = "PID=0xA053 FW=159 SER#=HQ2132QY2KR V=12540 I=40 VPV=18540 PPV=5 CS=3 MPPT=2 OR=0x00000000 ERR=0 LOAD=ON IL=300 H19=144 H20=1 H21=6 H22=4 H23=14 HSDS=16";
    charger("as sent", fields);
    charger("without a load output", &fields.replace("LOAD=ON IL=300 ", ""));
    charger("off by a switch", &fields.replace("OR=0x00000000", "OR=0x00000002"));
    charger("off by a switch and without light", &fields.replace("OR=0x00000000", "OR=0x00000003"));
    charger("short circuit", &fields.replace("ERR=0", "ERR=27"));
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
monitor, as sent: 1228.2 V, -28 W, 91.6 %
monitor, a digit changed: 9228.2 V, -28 W, 91.6 %
monitor, two blocks: 1228.2 V, -28 W, 91.6 %; 1228.2 V, -28 W, 91.6 %
monitor, two blocks, checksum in a piece of its own: 1228.2 V, -28 W, 91.6 %; error parsing data: Illegal field start
monitor, two blocks, checksum a carriage return: 1228.2 V, 100 W, 91.6 %; error parsing data: Illegal field start
charger, as sent: 12.54 V, yield 144 and 1, NoError, None
charger, without a load output: no field IL
charger, off by a switch: 12.54 V, yield 144 and 1, NoError, SwitchedOffPowerSwitch
charger, off by a switch and without light: Unknown enum code
charger, short circuit: 12.54 V, yield 144 and 1, NoError, None
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "vedirect 0.2.0: as described"
