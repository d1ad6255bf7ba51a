#!/usr/bin/env bash
# Codecs of brokers for MQTT 5.0 that misread or rewrite packets: crates mqtt-codec-kit 1.0.5 (mesquitte), mqtt-proto 0.4.0, mqute-codec 0.4.1 and rmqtt-codec 0.3.1 (RMQTT).
#
# Expected (MQTT 5.0): a PUBLISH has a subscription identifier for each matching subscription that has one (3.3.4), may have an alias and an empty topic (3.3.2.3.4), and
#           a message expiry of four octets without a minimum (3.3.2.3.3). A password may come without a user name, and is binary (3.1.2.9, 3.1.3.6). PUBACK and PUBREL
#           may end behind the reason code, or behind the packet identifier if the code is 0x00 (3.4.2.1, 3.6.2.1), and DISCONNECT behind the code (3.14.2.2.1).
#           AUTH may have a remaining length of 0 (3.15.2.1). UNSUBACK has a code for each filter, among them 0x11 and 0x87 (3.11.3). The remaining length is the
#           number of octets that follow (2.1.4).
# Seen:     mqtt-proto rejects two subscription identifiers, mqtt-codec-kit keeps the last and still counts the octets of the first. mqtt-codec-kit and mqute-codec
#           reject aliases with an empty topic, rmqtt-codec an expiry of 0. mqute-codec reads a password without a user name as none and writes its flag without
#           the password, mqtt-codec-kit rejects one that is not UTF-8. mqute-codec rejects PUBACK, PUBREL and DISCONNECT that end behind the code. mqtt-codec-kit
#           leaves out the properties of a PUBACK with 0x00 and writes the remaining length of before, so the next packets become part of this one; the same
#           with PUBACK and DISCONNECT without properties; and it writes UNSUBACK with the ordinal numbers of the codes, 0x87 as 0x04.
#           The other differences are the same packet in a longer or shorter form.
# So:       a program with mqute-codec fails at each acknowledgement that carries a reason and no properties, and one with mqtt-codec-kit that sends on a PUBACK with
#           a user property loses the packets behind it.
# Each codec reads a packet and writes it again: "right" is the same packet, perhaps with properties in another order, else what was written.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "codecs"
version = "0.1.0"
edition = "2021"

[profile.dev]
debug = 0

[dependencies]
bytes = "=1.12.2"
mqtt-codec-kit = { version = "=1.0.5", features = ["v5"] }
mqtt-proto = "=0.4.0"
mqute-codec = "=0.4.1"
rmqtt-codec = "=0.3.1"
tokio-util = { version = "=0.7.20", features = ["codec"] }
TOML
cat >src/main.rs <<'RUST'
//! Each codec reads a packet and writes it again.

use bytes::BytesMut;

fn kit(packet: &[u8]) -> Option<Vec<u8>> {
    use mqtt_codec_kit::common::{Decodable, Encodable};
    let mut written = vec![];
    mqtt_codec_kit::v5::packet::VariablePacket::decode(&mut &packet[..]).ok()?.encode(&mut written).ok()?;
    Some(written)
}

fn proto(packet: &[u8]) -> Option<Vec<u8>> {
    let read = mqtt_proto::v5::Packet::decode(packet).ok()??;
    Some(read.encode().ok()?.as_ref().to_vec())
}

fn mqute(packet: &[u8]) -> Option<Vec<u8>> {
    let raw = mqute_codec::codec::PacketCodec::new(None, None).try_decode(&mut BytesMut::from(packet)).ok()?;
    let mut written = BytesMut::new();
    mqute_codec::protocol::v5::Packet::decode(raw).ok()?.encode(&mut written).ok()?;
    Some(written.to_vec())
}

fn rmqtt(packet: &[u8]) -> Option<Vec<u8>> {
    use tokio_util::codec::{Decoder, Encoder};
    let mut codec = rmqtt_codec::v5::Codec::new(0, 0);
    let (read, _) = codec.decode(&mut BytesMut::from(packet)).ok()??;
    let mut written = BytesMut::new();
    codec.encode(read, &mut written).ok()?;
    Some(written.to_vec())
}

/// The octets in order, since properties may be written in another order.
fn sorted(packet: &[u8]) -> Vec<u8> {
    let mut octets = packet.to_vec();
    octets.sort();
    octets
}

fn main() {
    let cases: [(&str, &[u8]); 12] = [
        ("PUBLISH, two subscription identifiers", b"\x30\x09\0\x01t\x04\x0b\x01\x0b\x02x"),
        ("PUBLISH, alias without topic", b"\x30\x07\0\0\x03\x23\0\x01x"),
        ("PUBLISH, expiry 0", b"\x30\x0a\0\x01t\x05\x02\0\0\0\0x"),
        ("CONNECT, password without user name", b"\x10\x12\0\x04MQTT\x05\x42\0\x3c\0\0\x01c\0\x02\0\xff"),
        ("PUBACK, reason 10 without properties", b"\x40\x03\0\x01\x10"),
        ("PUBACK, reason 00 without properties", b"\x40\x03\0\x01\0"),
        ("PUBREL, reason 92 without properties", b"\x62\x03\0\x01\x92"),
        ("PUBACK, reason 00 with a user property", b"\x40\x0b\0\x01\0\x07\x26\0\x01a\0\x01b"),
        ("UNSUBACK, reasons 00 11 87", b"\xb0\x06\0\x01\0\0\x11\x87"),
        ("DISCONNECT, reason 04 without properties", b"\xe0\x01\x04"),
        ("DISCONNECT, reason 04, property length 0", b"\xe0\x02\x04\0"),
        ("AUTH of remaining length 0", b"\xf0\0"),
    ];
    let codecs: [(&str, fn(&[u8]) -> Option<Vec<u8>>); 4] =
        [("mqtt-codec-kit", kit), ("mqtt-proto", proto), ("mqute-codec", mqute), ("rmqtt-codec", rmqtt)];
    for (name, packet) in cases {
        let results = codecs.map(|(codec, again)| match again(packet) {
            None => format!("{codec} error"),
            Some(written) if sorted(&written) == sorted(packet) => format!("{codec} right"),
            Some(written) => {
                let hex: Vec<String> = written.iter().map(|octet| format!("{octet:02x}")).collect();
                format!("{codec} {}", hex.join(""))
            }
        });
        println!("{name}: {}", results.join(", "));
    }
}
RUST
cargo run --quiet 2>cargo.log | tee seen || { cat cargo.log; exit 1; }

cat >expected <<'TEXT'
PUBLISH, two subscription identifiers: mqtt-codec-kit 3009000174040b0278, mqtt-proto error, mqute-codec right, rmqtt-codec right
PUBLISH, alias without topic: mqtt-codec-kit error, mqtt-proto right, mqute-codec error, rmqtt-codec right
PUBLISH, expiry 0: mqtt-codec-kit right, mqtt-proto right, mqute-codec right, rmqtt-codec error
CONNECT, password without user name: mqtt-codec-kit error, mqtt-proto right, mqute-codec 100e00044d5154540542003c00000163, rmqtt-codec right
PUBACK, reason 10 without properties: mqtt-codec-kit right, mqtt-proto right, mqute-codec error, rmqtt-codec 400400011000
PUBACK, reason 00 without properties: mqtt-codec-kit 40030001, mqtt-proto 40020001, mqute-codec error, rmqtt-codec 400400010000
PUBREL, reason 92 without properties: mqtt-codec-kit right, mqtt-proto right, mqute-codec error, rmqtt-codec 620400019200
PUBACK, reason 00 with a user property: mqtt-codec-kit 400b0001, mqtt-proto right, mqute-codec right, rmqtt-codec right
UNSUBACK, reasons 00 11 87: mqtt-codec-kit b006000100000104, mqtt-proto right, mqute-codec right, rmqtt-codec right
DISCONNECT, reason 04 without properties: mqtt-codec-kit right, mqtt-proto right, mqute-codec error, rmqtt-codec e0020400
DISCONNECT, reason 04, property length 0: mqtt-codec-kit e00204, mqtt-proto e00104, mqute-codec right, rmqtt-codec right
AUTH of remaining length 0: mqtt-codec-kit f00000, mqtt-proto right, mqute-codec right, rmqtt-codec f0020000
TEXT
diff expected seen || { echo "a codec behaves differently now"; exit 1; }
echo "as described"
