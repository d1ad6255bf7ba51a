#!/usr/bin/env bash
# The crate mqtt-sn 0.2.2, messages of MQTT-SN 1.2 for gateways and devices in Rust: wrong acknowledgements, text only, long messages as others.
#
# Expected (MQTT-SN 1.2): SUBACK has 8 octets (5.4.16), UNSUBACK 4, without a return code (5.4.18). The length of a message has one octet, or three of which the first
#           is 0x01 (5.2.1). The data of PUBLISH is the payload of MQTT, any octets (5.3.2, 5.4.12). The wireless node id of a forwarded message is the address of the
#           sender, any octets (5.5).
# Seen:     the 8 octets of SUBACK are written with a length of 7. UNSUBACK is written with 5 octets, and one of 4 octets is incomplete. A PUBLISH of 269 octets is
#           read as SEARCHGW with a radius of 13. Payloads and node ids that are not UTF-8 are errors. The package calls itself a partial implementation and
#           has no DISCONNECT, wills or QoS 2; the other messages are right.
# So:       clients reject both acknowledgements and repeat their requests, measurements in binary and nodes with addresses above 127 do not get through, and a long
#           message is answered as a search for gateways.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "messages"
version = "0.1.0"
edition = "2021"

[profile.dev]
debug = 0

[dependencies]
byte = "=0.2.7"
mqtt-sn = "=0.2.2"
TOML
cat >src/main.rs <<'RUST'
use byte::BytesExt;
use mqtt_sn::{Flags, ForwardedMessage, Message, Publish, ReturnCode, SubAck, UnsubAck};

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ")
}

fn write(name: &str, message: Message) {
    let mut buffer = [0; 64];
    let mut length = 0;
    buffer.write(&mut length, message).unwrap();
    println!("{name} written: {}", hex(&buffer[..length]));
}

fn read(name: &str, octets: &[u8]) {
    let shown = hex(&octets[..octets.len().min(12)]);
    match octets.read::<Message>(&mut 0) {
        Ok(message) => println!("{name} {shown}: {message:?}"),
        Err(error) => println!("{name} {shown}: {error:?}"),
    }
}

fn forwarded(octets: &[u8]) {
    match octets.read::<ForwardedMessage>(&mut 0) {
        Ok(message) => println!("forwarded {}: node {:?}", hex(octets), message.wireless_node_id.as_bytes()),
        Err(error) => println!("forwarded {}: {error:?}", hex(octets)),
    }
}

fn main() {
    let mut flags = Flags::default();
    flags.set_qos(1);
    write("SUBACK", SubAck { flags, msg_id: 2, topic_id: 1, code: ReturnCode::Accepted }.into());
    write("UNSUBACK", UnsubAck { msg_id: 2, code: ReturnCode::Accepted }.into());
    write("PUBLISH", Publish { flags, topic_id: 1, msg_id: 2, data: "21".into() }.into());

    read("SUBACK", &[8, 0x13, 0x20, 0, 1, 0, 2, 3]);
    read("UNSUBACK", &[4, 0x15, 0, 2]);
    read("PUBLISH", &[9, 0x0c, 0, 0, 1, 0, 0, b'2', b'1']);
    read("PUBLISH", &[9, 0x0c, 0, 0, 1, 0, 0, 0, 0xd2]);
    let mut long = vec![1, 1, 0x0d, 0x0c, 0, 0, 1, 0, 0];
    long.resize(0x10d, b'x');
    read("PUBLISH of 269 octets", &long);
    read("DISCONNECT", &[2, 0x18]);

    forwarded(&[4, 0xfe, 0, 0x41, 2, 0x17]);
    forwarded(&[4, 0xfe, 0, 0xc8, 2, 0x17]);
}
RUST
cargo run --quiet 2>cargo.log | tee seen || { cat cargo.log; exit 1; }

cat >expected <<'TEXT'
SUBACK written: 07 13 20 00 01 00 02 00
UNSUBACK written: 05 15 00 02 00
PUBLISH written: 09 0c 20 00 01 00 02 32 31
SUBACK 08 13 20 00 01 00 02 03: SubAck(SubAck { flags: Flags(32), msg_id: 2, topic_id: 1, code: Rejected(NotSupported) })
UNSUBACK 04 15 00 02: Incomplete
PUBLISH 09 0c 00 00 01 00 00 32 31: Publish(Publish { flags: Flags(0), topic_id: 1, msg_id: 0, data: PublishData("21") })
PUBLISH 09 0c 00 00 01 00 00 00 d2: BadInput { err: "UTF8 Error" }
PUBLISH of 269 octets 01 01 0d 0c 00 00 01 00 00 78 78 78: SearchGw(SearchGw { radius: 13 })
DISCONNECT 02 18: BadInput { err: "Recieved a message with unknown type" }
forwarded 04 fe 00 41 02 17: node [65]
forwarded 04 fe 00 c8 02 17: BadInput { err: "UTF8 Error" }
TEXT
diff expected seen || { echo "mqtt-sn behaves differently now"; exit 1; }
echo "as described"
