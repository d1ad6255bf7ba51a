#!/usr/bin/env bash
# The crate coapum-senml 0.1.0, of a CoAP library of that name, writes and reads SenML with neither base names nor base times, in CBOR that no other
# program knows; sindit-senml 0.3.0, which is right in all this, caps large whole numbers when it writes them.
#
# Expected (RFC 8428, 4.1 and 4.6) The members bn, bt, bu, bv and bs of a record are for it and those after it: the name is bn and n together, the time bt and t,
#           the unit bu if there is no u. (4.3, Table 1) In JSON, vd is base64url without padding. (6) In CBOR, the labels of the members are integers,
#           -2 for bn, 0 for n, 2 for v. (5) Numbers are JSON numbers: 1e20 may be 100000000000000000000.
# Seen:     coapum-senml has no members bn, bt, bu, bv or bs: when reading, it drops them without an error, and normalize() gives t without unit or time
#           for the device urn:dev:1:, and no record at all where the base name is the name. Its builder writes the base name as the name of a record of its
#           own, so that another reader finds a value of 0 for it, and temperature without its device. A record whose name ends in / is dropped
#           if it is the first, and its value, time and unit are added to the others. vd is written with + / and =, and one with - or _ is dropped. CBOR
#           has the labels as text, and integers are an error. sindit-senml writes 1e20 as 9223372036854775807.
# So:       data of several devices gets mixed under the same names, without times, and nothing tells. Write resolved records (names and times in full, in
#           JSON, no binary data) with coapum-senml, and read with another crate.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "measurements"
version = "1.0.0"
edition = "2021"
[dependencies]
coapum-senml = "=0.1.0"
sindit-senml = "=0.3.0"
serde_json = "1"
TOML
cat >src/main.rs <<'RUST'
use coapum_senml::{SenMLBuilder, SenMLPack};
use sindit_senml::parse_json;

fn read(json: &str) {
    println!("{json}");
    match parse_json(json, Some(Default::default())) {
        Ok(records) => records.iter().for_each(|r| println!("  sindit-senml  {}", serde_json::to_string(r).unwrap())),
        Err(e) => println!("  sindit-senml  {e}"),
    }
    match SenMLPack::from_json(json) {
        Ok(pack) => {
            let found = pack.normalize().records;
            if found.is_empty() {
                println!("  coapum-senml  nothing");
            }
            for r in found {
                println!("  coapum-senml  {} {:?} unit {:?} time {:?} sum {:?} data {:?}", r.name, r.value, r.unit, r.time, r.sum, r.data_value);
            }
        }
        Err(e) => println!("  coapum-senml  {e}"),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn main() {
    read(r#"[{"bn":"urn:dev:1:","bt":1700000000,"bu":"Cel","n":"t","v":21.5},{"n":"t","t":60,"v":21.7},{"n":"rh","u":"%RH","t":60,"v":40}]"#);
    read(r#"[{"bn":"urn:dev:1:","bt":1700000000,"v":21.5}]"#);
    read(r#"[{"bn":"urn:dev:1:","bt":1700000000,"bv":20,"bs":1000,"n":"w","v":1.5,"s":5}]"#);
    read(r#"[{"n":"hall/","u":"Cel","t":1700000000,"v":20},{"n":"door","t":1700000060,"v":1.5}]"#);
    read(r#"[{"n":"key","t":1700000000,"vd":"-_8"}]"#);
    read(r#"[{"n":"total","t":1700000000,"v":100000000000000000000}]"#);

    println!("written by coapum-senml, with base name urn:dev:1:, base time 1700000000 and base unit Cel");
    let pack = SenMLBuilder::new().base_name("urn:dev:1:").base_time(1.7e9).base_unit("Cel").add_value("t", 21.5).build();
    read(&pack.to_json().unwrap());
    println!("with the data FB FF");
    read(&SenMLBuilder::new().add_data_value("key", vec![0xfb, 0xff]).build().to_json().unwrap());

    println!("CBOR of t = 21.5");
    let pack = SenMLBuilder::new().add_value("t", 21.5).build();
    println!("  written {}", hex(&pack.to_cbor().unwrap()));
    // [{0: "t", 2: 21.5}]
    let valid = [0x81, 0xa2, 0x00, 0x61, b't', 0x02, 0xf9, 0x4d, 0x60];
    match SenMLPack::from_cbor(&valid) {
        Ok(pack) => println!("  {} is read as {pack:?}", hex(&valid)),
        Err(e) => println!("  {} is {}", hex(&valid), if e.to_string().is_empty() { "nothing" } else { "an error" }),
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
[{"bn":"urn:dev:1:","bt":1700000000,"bu":"Cel","n":"t","v":21.5},{"n":"t","t":60,"v":21.7},{"n":"rh","u":"%RH","t":60,"v":40}]
  sindit-senml  {"n":"urn:dev:1:t","u":"Cel","v":21.5,"t":1700000000}
  sindit-senml  {"n":"urn:dev:1:t","u":"Cel","v":21.7,"t":1700000060}
  sindit-senml  {"n":"urn:dev:1:rh","u":"%RH","v":40,"t":1700000060}
  coapum-senml  t Some(21.5) unit None time None sum None data None
  coapum-senml  t Some(21.7) unit None time Some(60.0) sum None data None
  coapum-senml  rh Some(40.0) unit Some("%RH") time Some(60.0) sum None data None
[{"bn":"urn:dev:1:","bt":1700000000,"v":21.5}]
  sindit-senml  {"n":"urn:dev:1:","v":21.5,"t":1700000000}
  coapum-senml  nothing
[{"bn":"urn:dev:1:","bt":1700000000,"bv":20,"bs":1000,"n":"w","v":1.5,"s":5}]
  sindit-senml  {"n":"urn:dev:1:w","v":21.5,"s":1005.0,"t":1700000000}
  coapum-senml  w Some(1.5) unit None time None sum Some(5.0) data None
[{"n":"hall/","u":"Cel","t":1700000000,"v":20},{"n":"door","t":1700000060,"v":1.5}]
  sindit-senml  {"n":"hall/","u":"Cel","v":20,"t":1700000000}
  sindit-senml  {"n":"door","v":1.5,"t":1700000060}
  coapum-senml  hall/door Some(21.5) unit Some("Cel") time Some(3400000060.0) sum None data None
[{"n":"key","t":1700000000,"vd":"-_8"}]
  sindit-senml  {"n":"key","vd":"-_8","t":1700000000}
  coapum-senml  key None unit None time Some(1700000000.0) sum None data None
[{"n":"total","t":1700000000,"v":100000000000000000000}]
  sindit-senml  {"n":"total","v":9223372036854775807,"t":1700000000}
  coapum-senml  total Some(1e20) unit None time Some(1700000000.0) sum None data None
written by coapum-senml, with base name urn:dev:1:, base time 1700000000 and base unit Cel
[{"n":"urn:dev:1:","u":"Cel","t":1700000000.0},{"n":"t","v":21.5}]
  sindit-senml  {"n":"urn:dev:1:","u":"Cel","v":0,"t":1700000000}
  sindit-senml  {"n":"t","v":21.5,"t":0}
  coapum-senml  urn:dev:1:t Some(21.5) unit Some("Cel") time Some(1700000000.0) sum None data None
with the data FB FF
[{"n":"key","vd":"+/8="}]
  sindit-senml  Invalid base64 value in record at index Invalid symbol 43, offset 0.
  coapum-senml  key None unit None time None sum None data Some([251, 255])
CBOR of t = 21.5
  written 81a2616e61746176f94d60
  81a200617402f94d60 is an error
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "coapum-senml 0.1.0 and sindit-senml 0.3.0: as described"
