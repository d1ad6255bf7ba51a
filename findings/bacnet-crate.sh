#!/usr/bin/env bash
# The crate bacnet-rs 0.3.2, which reads and writes messages of building automation (BACnet), writes to another property or element than asked for, cuts the
# written value 1.0, and has checksums of its own on the serial line.
#
# Expected (ANSI/ASHRAE 135). Unsigned and signed numbers have the smallest number of octets (20.2.4, 20.2.5). WriteProperty (21): the property identifier and
#           the index are unsigned numbers of any size; the value ends with the closing tag 3F, and is inside of it as its tags say, so 3F may be in it. AtomicReadFile (21): an object identifier
#           with an application tag, then streamAccess 0E with the position and the count, with application tags, 0F. (Annex G, G.1 and G.2) The checksum of the header of
#           an MS/TP frame has the polynomial x^8 + x^7 + 1, that of the data x^16 + x^12 + x^5 + 1: the header 00 10 05 00 00 has 8C, the data 01 22 30 have 10 BD.
# Seen:     property 512 is written as 0 and 4200 as 104, the index 256 as 0, which is the size of the array, and 300 as 44. A request to write 1.0 is read as the single octet 44
#           without a priority; all numbers from 0.5 to 2 begin with 3F. A property above 255 in a request is an error. 70000 has seven octets, four of them zeros. AtomicReadFile is 0C,
#           1E, 0E, 09 with four octets where its tag says one. An error code of 300 is 44. The polynomial of the header is another one, and the data have that of Modbus, so frames
#           of others are an error, and others reject its own.
# So:       a program that sets the limit of element 256 sets the size of the array, and a device that is set to 1.0 gets half a number.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "building"
version = "1.0.0"
edition = "2021"
[dependencies]
bacnet-rs = { version = "=0.3.2", default-features = false, features = ["std"] }
TOML
cat >src/main.rs <<'RUST'
use bacnet_rs::app::Apdu;
use bacnet_rs::datalink::mstp::{MstpFrame, MstpFrameType};
use bacnet_rs::encoding::{decode_unsigned, encode_real};
use bacnet_rs::object::{ObjectIdentifier, ObjectType};
use bacnet_rs::property::{encode_property_value, PropertyValue};
use bacnet_rs::service::{AtomicReadFileRequest, WritePropertyRequest};

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ")
}

fn octets(text: &str) -> Vec<u8> {
    text.split(' ').map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect()
}

fn main() {
    let output = ObjectIdentifier::new(ObjectType::AnalogOutput, 1);
    let mut value = Vec::new();
    encode_real(&mut value, 21.5).unwrap();
    for property in [85, 512, 4200] {
        let mut written = Vec::new();
        WritePropertyRequest::new(output, property, value.clone()).encode(&mut written).unwrap();
        println!("write property {property} | {}", hex(&written));
    }
    for index in [1, 256, 300] {
        let mut written = Vec::new();
        WritePropertyRequest::with_array_index(output, 87, index, value.clone()).encode(&mut written).unwrap();
        println!("write element {index} | {}", hex(&written));
    }
    for (name, request) in [
        ("21.5", "0c 00 40 00 01 19 55 3e 44 41 ac 00 00 3f 49 08"),
        ("1.0", "0c 00 40 00 01 19 55 3e 44 3f 80 00 00 3f 49 08"),
        ("21.5 to property 512", "0c 00 40 00 01 1a 02 00 3e 44 41 ac 00 00 3f 49 08"),
        ("21.5 to element 256", "0c 00 40 00 01 19 57 2a 01 00 3e 44 41 ac 00 00 3f 49 08"),
    ] {
        match WritePropertyRequest::decode(&octets(request)) {
            Ok(found) => println!("request with {name} | property {} value {} priority {:?}", found.property_identifier, hex(&found.property_value), found.priority),
            Err(error) => println!("request with {name} | error {error:?}"),
        }
    }
    for number in [65_535, 70_000, 16_777_215, 16_777_216, 4_294_967_296] {
        let mut written = Vec::new();
        encode_property_value(&PropertyValue::Unsigned(number), &mut written).unwrap();
        println!("unsigned {number} | {} | {:?}", hex(&written), decode_unsigned(&written).map(|found| found.0));
    }
    for number in [-32_768, -70_000] {
        let mut written = Vec::new();
        encode_property_value(&PropertyValue::Signed(number), &mut written).unwrap();
        println!("signed {number} | {}", hex(&written));
    }
    let mut written = Vec::new();
    AtomicReadFileRequest::new_stream_access(ObjectIdentifier::new(ObjectType::File, 1), 0, 27).encode(&mut written).unwrap();
    println!("AtomicReadFile, right c4 02 80 00 01 0e 31 00 21 1b 0f | {}", hex(&written));
    println!("error 300 | {:?}", Apdu::decode(&octets("50 01 0f 91 02 92 01 2c")).unwrap());

    println!("token, right 55 ff 00 10 05 00 00 8c | {}", hex(&MstpFrame::token(0x10, 0x05).unwrap().encode()));
    println!("token of another | {:?}", MstpFrame::decode(&octets("55 ff 00 10 05 00 00 8c")).map(|found| found.destination));
    let frame = MstpFrame::new(MstpFrameType::BacnetDataNotExpectingReply, 0x10, 0x05, octets("01 22 30")).unwrap().encode();
    println!("data 01 22 30, right 10 bd | {}", hex(&frame[frame.len() - 2..]));
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
write property 85 | 0c 00 40 00 01 19 55 3e 44 41 ac 00 00 3f
write property 512 | 0c 00 40 00 01 19 00 3e 44 41 ac 00 00 3f
write property 4200 | 0c 00 40 00 01 19 68 3e 44 41 ac 00 00 3f
write element 1 | 0c 00 40 00 01 19 57 29 01 3e 44 41 ac 00 00 3f
write element 256 | 0c 00 40 00 01 19 57 29 00 3e 44 41 ac 00 00 3f
write element 300 | 0c 00 40 00 01 19 57 29 2c 3e 44 41 ac 00 00 3f
request with 21.5 | property 85 value 44 41 ac 00 00 priority Some(8)
request with 1.0 | property 85 value 44 priority None
request with 21.5 to property 512 | error InvalidTag
request with 21.5 to element 256 | error InvalidTag
unsigned 65535 | 22 ff ff | Ok(65535)
unsigned 70000 | 25 07 00 00 00 00 01 11 70 | Err(InvalidLength)
unsigned 16777215 | 25 07 00 00 00 00 ff ff ff | Err(InvalidLength)
unsigned 16777216 | 24 01 00 00 00 | Ok(16777216)
unsigned 4294967296 | 25 08 00 00 00 01 00 00 00 00 | Err(InvalidLength)
signed -32768 | 32 80 00
signed -70000 | 35 07 ff ff ff ff fe ee 90
AtomicReadFile, right c4 02 80 00 01 0e 31 00 21 1b 0f | 0c 02 80 00 01 1e 0e 09 00 00 00 00 19 00 00 00 1b 0f 1f
error 300 | Error { invoke_id: 1, service_choice: WriteProperty, error_class: 2, error_code: 44 }
token, right 55 ff 00 10 05 00 00 8c | 55 ff 00 10 05 00 00 9a
token of another | Err(CrcError)
data 01 22 30, right 10 bd | c7 4b
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "bacnet-rs 0.3.2: as described"
