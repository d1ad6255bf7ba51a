#!/usr/bin/env bash
# The crate rmqtt-codec 0.3.1, the codec of the broker RMQTT, writes a CONNECT of MQTT 3.1 that brokers refuse, beside mqtt-proto 0.4.0, mqute-codec 0.4.1 and mosquitto 2.0.11.
#
# Expected: CONNECT has the protocol name MQIsdp and the version 3 (MQTT 3.1, section 3.1), or MQTT and the level 4 (MQTT 3.1.1, 3.1.2.1 and 3.1.2.2). The password of
#           MQTT 3.1.1 is 0 to 65535 octets of any kind (3.1.3.5).
# Seen:     rmqtt-codec writes the CONNECT of 3.1 that it read with MQIsdp and 4, a pair of neither version. mqute-codec rejects the password 00 ff of 3.1.1.
#           The other results are right.
# So:       a program that sends on what a client of 3.1 sent cannot connect with it, though it works for 3.1.1.
# Each codec reads a packet and writes it again.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
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
mqtt-proto = "=0.4.0"
mqute-codec = "=0.4.1"
rmqtt-codec = "=0.3.1"
tokio-util = { version = "=0.7.20", features = ["codec"] }
TOML
cat >src/main.rs <<'RUST'
//! Each codec reads a packet and writes it again.

use bytes::BytesMut;

fn proto(packet: &[u8]) -> Result<Vec<u8>, String> {
    let read = mqtt_proto::v3::Packet::decode(packet).map_err(|error| format!("{error:?}"))?.ok_or("incomplete")?;
    Ok(read.encode().map_err(|error| format!("{error:?}"))?.as_ref().to_vec())
}

fn mqute(packet: &[u8]) -> Result<Vec<u8>, String> {
    use mqute_codec::protocol::{v3, v4};
    let raw = || mqute_codec::codec::PacketCodec::new(None, None).try_decode(&mut BytesMut::from(packet)).unwrap();
    let mut written = BytesMut::new();
    if packet[3] == 6 {
        v3::Packet::decode(raw()).and_then(|read| read.encode(&mut written)).map_err(|error| format!("{error:?}"))?;
    } else {
        v4::Packet::decode(raw()).and_then(|read| read.encode(&mut written)).map_err(|error| format!("{error:?}"))?;
    }
    Ok(written.to_vec())
}

fn rmqtt(packet: &[u8]) -> Result<Vec<u8>, String> {
    use tokio_util::codec::{Decoder, Encoder};
    let mut codec = rmqtt_codec::v3::Codec::new(0);
    let (read, _) = codec.decode(&mut BytesMut::from(packet)).map_err(|error| format!("{error:?}"))?.ok_or("incomplete")?;
    let mut written = BytesMut::new();
    codec.encode(read, &mut written).map_err(|error| format!("{error:?}"))?;
    Ok(written.to_vec())
}

fn main() {
    let cases: [(&str, &[u8]); 4] = [
        ("3.1, without user name", b"\x10\x0f\0\x06MQIsdp\x03\x02\0\x3c\0\x01c"),
        ("3.1, with a will", b"\x10\x15\0\x06MQIsdp\x03\x0e\0\x3c\0\x01c\0\x01w\0\x01x"),
        ("3.1.1, without user name", b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c"),
        ("3.1.1, password 00 ff", b"\x10\x14\0\x04MQTT\x04\xc2\0\x3c\0\x01c\0\x01u\0\x02\0\xff"),
    ];
    let codecs: [(&str, fn(&[u8]) -> Result<Vec<u8>, String>); 3] = [("mqtt-proto", proto), ("mqute-codec", mqute), ("rmqtt-codec", rmqtt)];
    for (name, packet) in cases {
        let results = codecs.map(|(codec, again)| match again(packet) {
            Err(error) => format!("{codec} {error}"),
            Ok(written) if written == packet => format!("{codec} right"),
            Ok(written) => format!("{codec} {}", written.iter().map(|octet| format!("{octet:02x}")).collect::<String>()),
        });
        println!("CONNECT of {name}: {}", results.join(", "));
    }
}
RUST
cat >try.py <<'PY'
import socket, subprocess, sys, time

with socket.create_server(('127.0.0.1', 0)) as free:
    port = free.getsockname()[1]
with open('broker.conf', 'w') as file:
    file.write(f'listener {port} 127.0.0.1\nallow_anonymous true\n')
broker = subprocess.Popen([sys.argv[1], '-c', 'broker.conf'], stderr=subprocess.DEVNULL)
for level in (3, 4):
    for _ in range(100):
        try:
            connection = socket.create_connection(('127.0.0.1', port), timeout=5)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.sendall(b'\x10\x0f\0\x06MQIsdp' + bytes([level]) + b'\x02\0\x3c\0\x01c')
    try:
        answer = connection.recv(4)
    except ConnectionResetError:
        answer = b''
    print(f'mosquitto, MQIsdp with level {level}:', answer.hex() or 'closed')
broker.kill()
PY
cargo build --quiet
{ "${CARGO_TARGET_DIR:-target}/debug/codecs"; python3 try.py "$mosquitto"; } | tee seen

cat >expected <<'TEXT'
CONNECT of 3.1, without user name: mqtt-proto right, mqute-codec right, rmqtt-codec 100f00064d51497364700402003c000163
CONNECT of 3.1, with a will: mqtt-proto right, mqute-codec right, rmqtt-codec 101500064d5149736470040e003c000163000177000178
CONNECT of 3.1.1, without user name: mqtt-proto right, mqute-codec right, rmqtt-codec right
CONNECT of 3.1.1, password 00 ff: mqtt-proto right, mqute-codec InvalidUtf8, rmqtt-codec right
mosquitto, MQIsdp with level 3: 20020000
mosquitto, MQIsdp with level 4: 20020001
TEXT
diff expected seen || { echo "a codec behaves differently now"; exit 1; }
echo "as described"
