#!/usr/bin/env bash
# Codecs for MQTT 5.0 that misread or rewrite packets: crates gmqtt 0.1.1 (for devices without an allocator), mqtt-v5 0.1.1 and mqttbytes 0.6.0.
#
# Expected (MQTT 5.0): the property length and a subscription identifier are variable byte integers (2.2.2.1, 3.3.2.3.8), and a property length of 0 is
#           written ([MQTT-2.2.2-1]); only PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT and AUTH may leave it out (3.6.2.1, 3.14.2.2.1, 3.15.2.1). A PUBLISH
#           with an alias may have an empty topic (3.3.2.3.4). Behind the will's payload is the user name or nothing (3.1.3), Will Retain is bit 5 and the
#           password flag is bit 6 (3.1.2.7, 3.1.2.9). A password may come without a user name (3.1.2.9) and may be empty (3.1.3.6, 1.5.6).
# Seen:     gmqtt takes the second octet of a property length of 128 for a property; writes a 00 behind the will's payload; drops a password without a user name;
#           writes the password flag without the password if that is empty; writes half of the packet identifier of PUBREL; rejects each DISCONNECT with
#           a reason code only, and AUTH. mqtt-v5 reads subscription identifiers as four octets and waits for more, rejects aliases, and writes Will Retain as
#           the password flag. mqttbytes writes CONNACK without a property length, drops empty passwords, and rejects DISCONNECT, the most frequent form,
#           and AUTH. Where mqtt-v5 writes a property length of 0 that could be left out, and mqttbytes leaves it out of PUBREL, that is the same packet.
# So:       a broker with mqttbytes is one that clients of 5.0 cannot connect to; a device with gmqtt cannot be told why the broker disconnects it; a retained
#           will through mqtt-v5 is a malformed CONNECT.
# Each codec reads a packet and writes it again: "right" is the same packet, else an error or what was written.
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
bytes05 = { package = "bytes", version = "=0.5.6" }
gmqtt = "=0.1.1"
mqtt-v5 = "=0.1.1"
mqttbytes = "=0.6.0"
TOML
cat >src/main.rs <<'RUST'
//! Each codec reads a packet and writes it again.

use bytes::BytesMut;

fn gmqtt(packet: &[u8]) -> Result<Vec<u8>, String> {
    let read = gmqtt::read_packet(packet).map_err(|error| format!("{error:?}"))?;
    let mut written = vec![0; packet.len() + 100];
    let length = gmqtt::write_packet(&read, &mut written).map_err(|error| format!("{error:?}"))?;
    written.truncate(length);
    Ok(written)
}

fn v5(packet: &[u8]) -> Result<Vec<u8>, String> {
    use mqtt_v5::types::ProtocolVersion::V500;
    let mut buffer = bytes05::BytesMut::from(packet);
    let read = mqtt_v5::decoder::decode_mqtt(&mut buffer, V500).map_err(|error| format!("{error:?}"))?.ok_or("incomplete")?;
    let mut written = bytes05::BytesMut::new();
    mqtt_v5::encoder::encode_mqtt(&read, &mut written, V500);
    Ok(written.to_vec())
}

fn mqttbytes(packet: &[u8]) -> Result<Vec<u8>, String> {
    use mqttbytes::v5::Packet::*;
    let mut written = BytesMut::new();
    match mqttbytes::v5::read(&mut BytesMut::from(packet), 1 << 20).map_err(|error| format!("{error:?}"))? {
        Connect(read) => read.write(&mut written),
        ConnAck(read) => read.write(&mut written),
        Publish(read) => read.write(&mut written),
        PubAck(read) => read.write(&mut written),
        PubRel(read) => read.write(&mut written),
        Disconnect(read) => read.write(&mut written),
        other => panic!("{other:?}"),
    }
    .map_err(|error| format!("{error:?}"))?;
    Ok(written.to_vec())
}

fn main() {
    let long = [b"\x30\x86\x01\0\x01t\x80\x01\x26\0\x01k\0\x7a", [b'v'; 122].as_slice(), b"x"].concat();
    let cases: [(&str, &[u8]); 12] = [
        ("PUBLISH, 128 octets of properties", &long),
        ("PUBLISH, subscription identifier 5", b"\x30\x07\0\x01t\x02\x0b\x05x"),
        ("PUBLISH, alias without topic", b"\x30\x07\0\0\x03\x23\0\x01x"),
        ("CONNECT, will of QoS 1", b"\x10\x15\0\x04MQTT\x05\x0e\0\x3c\0\0\x01c\0\0\x01w\0\x01x"),
        ("CONNECT, will of QoS 2, retained", b"\x10\x15\0\x04MQTT\x05\x36\0\x3c\0\0\x01c\0\0\x01w\0\x01x"),
        ("CONNECT, password without user name", b"\x10\x12\0\x04MQTT\x05\x42\0\x3c\0\0\x01c\0\x02pw"),
        ("CONNECT, user name with empty password", b"\x10\x13\0\x04MQTT\x05\xc2\0\x3c\0\0\x01c\0\x01u\0\0"),
        ("CONNACK without properties", b"\x20\x03\0\0\0"),
        ("PUBREL, property length 0", b"\x62\x04\0\x01\0\0"),
        ("DISCONNECT of remaining length 0", b"\xe0\0"),
        ("DISCONNECT, reason 8e without properties", b"\xe0\x01\x8e"),
        ("AUTH of remaining length 0", b"\xf0\0"),
    ];
    let codecs: [(&str, fn(&[u8]) -> Result<Vec<u8>, String>); 3] = [("gmqtt", gmqtt), ("mqtt-v5", v5), ("mqttbytes", mqttbytes)];
    for (name, packet) in cases {
        let results = codecs.map(|(codec, again)| match again(packet) {
            Err(error) => format!("{codec} {error}"),
            Ok(written) if written == packet => format!("{codec} right"),
            Ok(written) => {
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
PUBLISH, 128 octets of properties: gmqtt InvalidPropertyByte(0), mqtt-v5 right, mqttbytes right
PUBLISH, subscription identifier 5: gmqtt right, mqtt-v5 incomplete, mqttbytes right
PUBLISH, alias without topic: gmqtt right, mqtt-v5 InvalidTopic(EmptyTopic), mqttbytes right
CONNECT, will of QoS 1: gmqtt 101500044d515454050e003c0000016300017700017800, mqtt-v5 right, mqttbytes right
CONNECT, will of QoS 2, retained: gmqtt 101500044d5154540536003c0000016300017700017800, mqtt-v5 101500044d5154540556003c0000016300000177000178, mqttbytes right
CONNECT, password without user name: gmqtt 100e00044d5154540502003c00000163, mqtt-v5 right, mqttbytes right
CONNECT, user name with empty password: gmqtt 101100044d51545405c2003c00000163000175, mqtt-v5 right, mqttbytes 101100044d5154540582003c00000163000175
CONNACK without properties: gmqtt right, mqtt-v5 right, mqttbytes 20020000
PUBREL, property length 0: gmqtt 620200, mqtt-v5 right, mqttbytes 62020001
DISCONNECT of remaining length 0: gmqtt right, mqtt-v5 e0020000, mqttbytes PayloadRequired
DISCONNECT, reason 8e without properties: gmqtt MalformedPacket, mqtt-v5 e0028e00, mqttbytes InsufficientBytes(1)
AUTH of remaining length 0: gmqtt InvalidHeader, mqtt-v5 f0020000, mqttbytes InvalidPacketType(15)
TEXT
diff expected seen || { echo "a codec behaves differently now"; exit 1; }
echo "as described"
