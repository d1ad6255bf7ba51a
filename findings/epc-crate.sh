#!/usr/bin/env bash
# The crate gs1 0.1.8, which decodes the EPC of RFID tags, reads another shipment for company prefixes of six digits and no item for those of twelve.
#
# Expected (GS1 EPC Tag Data Standard 1.13, 14.6.1, SGTIN-96) With partition 0, the company prefix has 12 digits and the item, with the indicator, one.
#           (14.6.2, SSCC-96) With partition 6, 20 bits for the company prefix are followed by 38 bits for the serial reference of 11 digits; an SSCC has
#           18 digits. (6.3.5, GRAI) Company prefix and asset type are padded with zeros to 12 digits together, and the type is empty for a
#           prefix of 12. (Annex A) Of the characters of serial numbers, only " % & / < > ? are written as escape triplets in a URI.
# Seen:     a GTIN of a company with 12 digits is an error. An SSCC with 6 digits is read with 48 bits: 12345678901 is 12641975194624, and the bar code has
#           21 digits. Asset 0614141.01234 is 614141.1234, and an empty type 0. Serial number A-1.2_3 is A%2D1%2E2%5F3.
# So:       the number on the label and that of the tag are different for the same pallet, or the tag is not read at all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "tags"
version = "1.0.0"
edition = "2021"
[dependencies]
gs1 = "=0.1.8"
TOML
cat >src/main.rs <<'RUST'
use gs1::epc::{decode_binary, EPCValue};
use gs1::GS1;

/// The octets of fields of (value, bits), filled with zeros up to a multiple of 16 bits.
fn tag(fields: &[(u64, u32)]) -> Vec<u8> {
    let mut bits: Vec<u8> = fields.iter().flat_map(|(value, size)| (0..*size).rev().map(move |bit| (value >> bit & 1) as u8)).collect();
    bits.resize(bits.len().div_ceil(16) * 16, 0);
    bits.chunks(8).map(|octet| octet.iter().fold(0, |value, bit| value << 1 | bit)).collect()
}

fn show(name: &str, fields: &[(u64, u32)]) {
    match decode_binary(&tag(fields)) {
        Ok(found) => {
            let barcode = match found.get_value() {
                EPCValue::SGTIN96(value) => value.to_gs1(),
                EPCValue::SGTIN198(value) => value.to_gs1(),
                EPCValue::SSCC96(value) => value.to_gs1(),
                _ => String::new(),
            };
            println!("{name} | {} | {barcode}", found.to_uri());
        }
        Err(error) => println!("{name} | an error, {error}"),
    }
}

fn main() {
    show("SGTIN-96 of 0614141.812345.6789", &[(0x30, 8), (3, 3), (5, 3), (614141, 24), (812345, 20), (6789, 38)]);
    show("SGTIN-96 of 06141411234.81.6789", &[(0x30, 8), (3, 3), (1, 3), (6141411234, 37), (81, 7), (6789, 38)]);
    show("SGTIN-96 of 061414112345.8.6789", &[(0x30, 8), (3, 3), (0, 3), (61414112345, 40), (8, 4), (6789, 38)]);
    show("SSCC-96 of 0614141.1234567890", &[(0x31, 8), (0, 3), (5, 3), (614141, 24), (1234567890, 34), (0, 24)]);
    show("SSCC-96 of 061414.12345678901", &[(0x31, 8), (0, 3), (6, 3), (61414, 20), (12345678901, 38), (0, 24)]);
    show("GRAI-96 of 0614141.01234.5678", &[(0x33, 8), (0, 3), (5, 3), (614141, 24), (1234, 20), (5678, 38)]);
    show("GRAI-96 of 061414112345..5678", &[(0x33, 8), (0, 3), (0, 3), (61414112345, 40), (0, 4), (5678, 38)]);
    for serial in ["32a%2Fb", "A-1.2_3", "(7)*+,:;='!"] {
        let text = serial.replace("%2F", "/");
        let mut fields = vec![(0x36, 8), (3, 3), (5, 3), (614141, 24), (812345, 20)];
        fields.extend((0..20).map(|index| (u64::from(*text.as_bytes().get(index).unwrap_or(&0)), 7)));
        show(&format!("SGTIN-198 of 0614141.812345.{serial}"), &fields);
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
SGTIN-96 of 0614141.812345.6789 | urn:epc:id:sgtin:0614141.812345.6789 | (01) 80614141123458 (21) 6789
SGTIN-96 of 06141411234.81.6789 | urn:epc:id:sgtin:06141411234.81.6789 | (01) 80614141123410 (21) 6789
SGTIN-96 of 061414112345.8.6789 | an error, cannot parse integer from empty string
SSCC-96 of 0614141.1234567890 | urn:epc:id:sscc:0614141.1234567890 | (00) 106141412345678908
SSCC-96 of 061414.12345678901 | urn:epc:id:sscc:061414.12641975194624 | (00) 106141426419751946241
GRAI-96 of 0614141.01234.5678 | urn:epc:id:grai:614141.1234.5678 | 
GRAI-96 of 061414112345..5678 | urn:epc:id:grai:61414112345.0.5678 | 
SGTIN-198 of 0614141.812345.32a%2Fb | urn:epc:id:sgtin:0614141.812345.32a%2Fb | (01) 80614141123458 (21) 32a/b
SGTIN-198 of 0614141.812345.A-1.2_3 | urn:epc:id:sgtin:0614141.812345.A%2D1%2E2%5F3 | (01) 80614141123458 (21) A-1.2_3
SGTIN-198 of 0614141.812345.(7)*+,:;='! | urn:epc:id:sgtin:0614141.812345.%287%29%2A%2B%2C%3A%3B%3D%27%21 | (01) 80614141123458 (21) (7)*+,:;='!
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "gs1 0.1.8: as described"
