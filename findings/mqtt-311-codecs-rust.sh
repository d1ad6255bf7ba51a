#!/usr/bin/env bash
# Codecs for MQTT 3.1.1 that misread or rewrite packets: crates mqtt-format 0.4.0, mqtt-proto 0.4.0, mqtt-protocol 0.12.0, mqtt-tiny 0.4.0 and mqttrs 0.4.1.
#
# Expected (MQTT 3.1.1): the remaining length has up to four octets, the lowest seven bits first (2.2.3). A packet identifier is any number of 16 bits but 0 (2.3.1). PUBREL
#           has the flags 0010 (2.2.2, [MQTT-3.6.1-1]). SUBACK is a packet identifier and a code for each filter, 0x00, 0x01, 0x02 or 0x80 (3.9.2, 3.9.3). The
#           will's QoS has two bits in the flags of CONNECT (3.1.2.6), and the password is binary (3.1.3.5). MQTT 3.1 has the protocol name MQIsdp and the
#           level 3 (MQTT 3.1, section 3.1). So a packet that was read and written again is the same.
# Seen:     mqtt-format reads nothing with a remaining length of 128 or more, rejects the packet identifier 65535, writes a will of QoS 0 as one of QoS 1, and each
#           SUBACK with a remaining length of 3, which is too short for two filters. mqtt-proto writes the failure of SUBACK as 0x03, though it reads 0x80.
#           mqtt-tiny has the remaining length's octets in the reverse order: a PUBLISH of 128 is an error, one of 300 is written as 82 2c; it writes PUBREL with
#           the flags 0000, and reads no SUBACK. mqtt-protocol rejects passwords that are not UTF-8. mqttrs writes the CONNECT of 3.1, which it read, with the level
#           4 and "MQisdp" behind a length of 4. The other results are right; mqtt-format and mqtt-tiny are for 3.1.1 only, so their error at 3.1 is, too.
# So:       a device with mqtt-tiny works with small messages, and at one of 300 octets its broker waits for 5,634; a broker with mqtt-proto answers a refused
#           subscription with a code that clients do not know.
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
futures = "=0.3.34"
mqtt-format = "=0.4.0"
mqtt-proto = "=0.4.0"
mqtt-protocol = "=0.12.0"
mqtt-tiny = { version = "=0.4.0", default-features = false, features = ["std"] }
mqttrs = "=0.4.1"
TOML
cat >src/main.rs <<'RUST'
//! Each codec reads a packet and writes it again.

fn format(packet: &[u8]) -> Option<Vec<u8>> {
    let (_, read) = mqtt_format::v3::packet::mpacket(packet).ok()?;
    let mut written = futures::io::Cursor::new(vec![]);
    futures::executor::block_on(read.write_to(std::pin::Pin::new(&mut written))).ok()?;
    Some(written.into_inner())
}

fn proto(packet: &[u8]) -> Option<Vec<u8>> {
    let read = mqtt_proto::v3::Packet::decode(packet).ok()??;
    Some(read.encode().ok()?.as_ref().to_vec())
}

fn protocol(packet: &[u8]) -> Option<Vec<u8>> {
    use mqtt::{Decodable, Encodable};
    let mut written = vec![];
    mqtt::packet::VariablePacket::decode(&mut &packet[..]).ok()?.encode(&mut written).ok()?;
    Some(written)
}

fn tiny(packet: &[u8]) -> Option<Vec<u8>> {
    use mqtt_tiny::packets::TryFromIterator;
    type Packet = mqtt_tiny::packets::packet::Packet<Vec<Vec<u8>>, Vec<(Vec<u8>, u8)>, Vec<u8>>;
    Some(Packet::try_from_iter(packet.iter().copied()).ok()?.into_iter().collect())
}

fn mqttrs(packet: &[u8]) -> Option<Vec<u8>> {
    let mut written = vec![0; packet.len() + 100];
    let read = mqttrs::decode_slice(packet).ok()??;
    let length = mqttrs::encode_slice(&read, &mut written).ok()?;
    written.truncate(length);
    Some(written)
}

fn publish(length: usize) -> Vec<u8> {
    let mut packet = match length {
        0..=127 => vec![0x30, length as u8],
        _ => vec![0x30, length as u8 | 128, (length >> 7) as u8],
    };
    packet.extend([0, 1, b't']);
    packet.resize(packet.len() + length - 3, b'x');
    packet
}

fn connect(name: &str, level: u8, flags: u8, rest: &[u8]) -> Vec<u8> {
    let mut body = vec![0, name.len() as u8];
    body.extend(name.bytes().chain([level, flags, 0, 60, 0, 1, b'c']).chain(rest.iter().copied()));
    [&[0x10, body.len() as u8], &body[..]].concat()
}

fn main() {
    let cases = [
        ("PUBLISH, remaining length 127", publish(127)),
        ("PUBLISH, remaining length 128", publish(128)),
        ("PUBLISH, remaining length 129", publish(129)),
        ("PUBLISH, remaining length 300", publish(300)),
        ("PUBREL", vec![0x62, 2, 0, 1]),
        ("PUBACK", vec![0x40, 2, 0, 1]),
        ("PUBACK, packet identifier 65535", vec![0x40, 2, 0xff, 0xff]),
        ("SUBACK, QoS 1", vec![0x90, 3, 0, 1, 1]),
        ("SUBACK, QoS 0 and 1", vec![0x90, 4, 0, 1, 0, 1]),
        ("SUBACK, failure", vec![0x90, 3, 0, 1, 0x80]),
        ("CONNECT, will of QoS 0", connect("MQTT", 4, 0x06, b"\0\x01w\0\x01x")),
        ("CONNECT, will of QoS 2", connect("MQTT", 4, 0x16, b"\0\x01w\0\x01x")),
        ("CONNECT, password 00 ff", connect("MQTT", 4, 0xc2, b"\0\x01u\0\x02\x00\xff")),
        ("CONNECT of MQTT 3.1", connect("MQIsdp", 3, 0x02, b"")),
    ];
    let codecs: [(&str, fn(&[u8]) -> Option<Vec<u8>>); 5] =
        [("mqtt-format", format), ("mqtt-proto", proto), ("mqtt-protocol", protocol), ("mqtt-tiny", tiny), ("mqttrs", mqttrs)];
    for (name, packet) in cases {
        let results = codecs.map(|(codec, again)| match again(&packet) {
            None => format!("{codec} error"),
            Some(written) if written == packet => format!("{codec} right"),
            Some(written) => {
                let hex: Vec<String> = written.iter().take(18).map(|octet| format!("{octet:02x}")).collect();
                format!("{codec} {}", hex.join(""))
            }
        });
        println!("{name}: {}", results.join(", "));
    }
}
RUST
cargo run --quiet 2>cargo.log | tee seen || { cat cargo.log; exit 1; }

cat >expected <<'TEXT'
PUBLISH, remaining length 127: mqtt-format right, mqtt-proto right, mqtt-protocol right, mqtt-tiny right, mqttrs right
PUBLISH, remaining length 128: mqtt-format error, mqtt-proto right, mqtt-protocol right, mqtt-tiny error, mqttrs right
PUBLISH, remaining length 129: mqtt-format error, mqtt-proto right, mqtt-protocol right, mqtt-tiny right, mqttrs right
PUBLISH, remaining length 300: mqtt-format error, mqtt-proto right, mqtt-protocol right, mqtt-tiny 30822c000174787878787878787878787878, mqttrs right
PUBREL: mqtt-format right, mqtt-proto right, mqtt-protocol right, mqtt-tiny 60020001, mqttrs right
PUBACK: mqtt-format right, mqtt-proto right, mqtt-protocol right, mqtt-tiny right, mqttrs right
PUBACK, packet identifier 65535: mqtt-format error, mqtt-proto right, mqtt-protocol right, mqtt-tiny right, mqttrs right
SUBACK, QoS 1: mqtt-format right, mqtt-proto right, mqtt-protocol right, mqtt-tiny error, mqttrs right
SUBACK, QoS 0 and 1: mqtt-format 900300010001, mqtt-proto right, mqtt-protocol right, mqtt-tiny error, mqttrs right
SUBACK, failure: mqtt-format right, mqtt-proto 9003000103, mqtt-protocol right, mqtt-tiny error, mqttrs right
CONNECT, will of QoS 0: mqtt-format 101300044d515454040e003c000163000177, mqtt-proto right, mqtt-protocol right, mqtt-tiny right, mqttrs right
CONNECT, will of QoS 2: mqtt-format right, mqtt-proto right, mqtt-protocol right, mqtt-tiny right, mqttrs right
CONNECT, password 00 ff: mqtt-format right, mqtt-proto right, mqtt-protocol error, mqtt-tiny right, mqttrs right
CONNECT of MQTT 3.1: mqtt-format error, mqtt-proto right, mqtt-protocol right, mqtt-tiny error, mqttrs 100d00044d51697364700402003c00
TEXT
diff expected seen || { echo "a codec behaves differently now"; exit 1; }
echo "as described"
