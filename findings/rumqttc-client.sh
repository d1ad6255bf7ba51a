#!/usr/bin/env bash
# The client of the crate rumqttc 0.25.1 at MQTT 5.0 and 3.1.1: topic aliases, refused messages of QoS 2, sessions and DISCONNECT.
#
# Expected (MQTT 5.0): a PUBLISH without a topic has the topic of its alias (3.3.2.3.4). A client may send one more message of QoS 1 or 2 after each PUBACK, PUBCOMP,
#           and PUBREC of 0x80 or more, whatever the reason code of the first two (4.9). In a DISCONNECT of one octet that octet is the reason code (3.14.2.2.1).
#           A client with an authentication method gets AUTH and answers it (4.12). A message that is sent again has DUP ([MQTT-3.3.1-1]). Until PUBREL, a
#           second PUBLISH of QoS 2 with the same packet identifier is not delivered, and a PUBREL is answered with PUBCOMP (4.3.3), in a resumed session, too,
#           since the session has the identifiers of QoS 2 messages that were received and not completed (4.1). The last three are in MQTT 3.1.1 as well.
# Seen:     none of these. The message with an alias arrives with an empty topic, though the client set Topic Alias Maximum. Each PUBREC 0x97 and each PUBCOMP 0x92
#           counts as unacknowledged for good: at a Receive Maximum of 2, two of four messages leave. The reason of the short DISCONNECT, which mosquitto
#           sends, is lost, and AUTH ends the connection with "invalid packet type". DUP is 0. The repeated message is delivered twice. The PUBREL of the
#           resumed session is an error, "Unsolicited", after which the client connects again and gets the same PUBREL.
# So:       a client whose messages an access rule denies stops sending after as many as the Receive Maximum, without an error, and one that lost its
#           connection between PUBREC and PUBREL reconnects over and over until the session expires.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "client"
version = "0.1.0"
edition = "2021"

[profile.dev]
debug = 0

[dependencies]
rumqttc = { version = "=0.25.1", default-features = false }
tokio = { version = "=1.54.1", features = ["rt", "time"] }
TOML
cat >src/main.rs <<'RUST'
use std::time::Duration;

/// Runs a client that publishes messages of a QoS, and prints what arrives and what fails.
macro_rules! client {
    ($name:ident, $library:path, $qos:path, $options:expr) => {
        async fn $name(port: u16, case: &str) {
            use $library as mqtt;
            use $qos as QoS;
            let options: fn(&mut mqtt::MqttOptions, &str) = $options;
            let mut settings = mqtt::MqttOptions::new("client", "127.0.0.1", port);
            options(&mut settings, case);
            let (client, mut events) = mqtt::AsyncClient::new(settings, 10);
            let (count, qos) = match case {
                "again" => (1, QoS::AtLeastOnce),
                "puback 97" => (4, QoS::AtLeastOnce),
                "pubrec 00" | "pubrec 97" | "pubcomp 92" => (4, QoS::ExactlyOnce),
                _ => (0, QoS::AtMostOnce),
            };
            for _ in 0..count {
                client.publish("t", qos, false, "x").await.unwrap();
            }
            loop {
                match events.poll().await {
                    Ok(mqtt::Event::Incoming(mqtt::Incoming::Publish(message))) => println!("message on {:?}", message.topic),
                    Ok(_) => {}
                    Err(error) => {
                        println!("{error:?}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
    };
}

client!(five, rumqttc::v5, rumqttc::v5::mqttbytes::QoS, |options, case| {
    options.set_clean_start(false).set_session_expiry_interval(Some(3600)).set_topic_alias_max(Some(5));
    if case == "auth" {
        options.set_authentication_method(Some("SCRAM-SHA-256".into()));
    }
});
client!(four, rumqttc, rumqttc::QoS, |options, _| {
    options.set_clean_session(false);
});

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (port, version, case) = (arguments[1].parse().unwrap(), &arguments[2], &arguments[3]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match version.as_str() {
            "5.0" => five(port, case).await,
            _ => four(port, case).await,
        }
    })
}
RUST
cat >try.py <<'PY'
"""Plays a server for one case after another, and says what the client sends and what it reports."""
import socket, subprocess, sys, time

class Server:
    def __init__(self, listener, version):
        self.listener, self.five = listener, version == '5.0'

    def accept(self, present=0, properties=b''):
        self.socket, _ = self.listener.accept()
        self.socket.settimeout(5)
        assert self.packet()[0] == 0x10
        rest = bytes([len(properties)]) + properties if self.five else b''
        self.socket.sendall(bytes([0x20, 2 + len(rest), present, 0]) + rest)

    def packet(self):
        try:
            head = self.socket.recv(2, socket.MSG_WAITALL)
            return head + self.socket.recv(head[1], socket.MSG_WAITALL) if len(head) == 2 else None
        except OSError:
            return None

    def publish(self, dup=0):
        body = b'\0\1t' + b'\0\5' + (b'\0' if self.five else b'') + b'x'
        self.socket.sendall(bytes([0x34 | dup << 3, len(body)]) + body)

    def say(self, label):
        packet = self.packet()
        print(f'  {label}:', packet.hex(' ') if packet else 'none')

def alias(server):
    server.accept()
    server.socket.sendall(b'\x30\x0a\0\3a/b\3\x23\0\1' + b'1')
    server.socket.sendall(b'\x30\7\0\0\3\x23\0\1' + b'2')

def disconnect(packet):
    def case(server):
        server.accept()
        server.socket.sendall(packet)
        time.sleep(0.3)
        server.socket.close()
    return case

def flow(first, second=None):
    """The client has 4 messages and the server a Receive Maximum of 2: how many of them arrive?"""
    def case(server):
        server.accept(properties=b'\x21\0\2')
        server.socket.settimeout(2)
        count = 0
        while packet := server.packet():
            publish = packet[0] >> 4 == 3
            count += publish
            identifier = packet[5:7] if publish else packet[2:4]
            head, *reason = first if publish else second
            server.socket.sendall(bytes([head, 2 + len(reason)]) + identifier + bytes(reason))
        print(f'  {count} of 4 messages')
    return case

def again(server):
    server.accept()
    server.say('PUBLISH')
    server.socket.close()
    server.accept(present=1)
    server.say('PUBLISH after the reconnect')

def twice(server):
    server.accept()
    server.publish()
    server.say('answer')
    server.publish(dup=1)
    server.say('answer')

def release(server):
    server.accept()
    server.publish()
    server.say('answer')
    server.socket.close()
    for _ in range(2):
        server.accept(present=1)
        server.socket.sendall(b'\x62\2\0\5')
        server.say('answer to PUBREL')

def auth(server):
    server.socket, _ = server.listener.accept()
    server.socket.settimeout(5)
    server.packet()
    server.socket.sendall(b'\xf0\x12\x18\x10\x15\0\x0d' + b'SCRAM-SHA-256')
    server.say('answer to AUTH')

cases = [
    ('5.0', 'alias', alias),
    ('5.0', 'disconnect of two octets', disconnect(b'\xe0\2\x8e\0')),
    ('5.0', 'disconnect of one octet', disconnect(b'\xe0\1\x8e')),
    ('5.0', 'puback 97', flow([0x40, 0x97])),
    ('5.0', 'pubrec 00', flow([0x50], [0x70])),
    ('5.0', 'pubrec 97', flow([0x50, 0x97])),
    ('5.0', 'pubcomp 92', flow([0x50], [0x70, 0x92])),
    ('5.0', 'auth', auth),
    ('5.0', 'again', again), ('3.1.1', 'again', again),
    ('5.0', 'twice', twice), ('3.1.1', 'twice', twice),
    ('5.0', 'release', release), ('3.1.1', 'release', release),
]
for version, name, case in cases:
    print(f'{version} {name}', flush=True)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = str(listener.getsockname()[1])
        client = subprocess.Popen([sys.argv[1], port, version, name], stdout=subprocess.PIPE, text=True)
        server = Server(listener, version)
        case(server)
        time.sleep(0.7)
        client.kill()
        lines = client.communicate()[0].splitlines()
    # What follows the first lines are further attempts to connect.
    for line in lines[:3 if name == 'release' else 2 if name in ('alias', 'twice') else 1]:
        print(f'  client: {line}')
PY
cargo build --quiet
python3 try.py "${CARGO_TARGET_DIR:-target}/debug/client" | tee seen

cat >expected <<'TEXT'
5.0 alias
  client: message on b"a/b"
  client: message on b""
5.0 disconnect of two octets
  client: MqttState(ServerDisconnect { reason_code: SessionTakenOver, reason_string: None })
5.0 disconnect of one octet
  client: MqttState(ConnectionAborted)
5.0 puback 97
  4 of 4 messages
5.0 pubrec 00
  4 of 4 messages
5.0 pubrec 97
  2 of 4 messages
5.0 pubcomp 92
  2 of 4 messages
5.0 auth
  answer to AUTH: none
  client: MqttState(Deserialization(InvalidPacketType(15)))
5.0 again
  PUBLISH: 32 07 00 01 74 00 01 00 78
  PUBLISH after the reconnect: 32 07 00 01 74 00 01 00 78
  client: MqttState(ConnectionAborted)
3.1.1 again
  PUBLISH: 32 06 00 01 74 00 01 78
  PUBLISH after the reconnect: 32 06 00 01 74 00 01 78
  client: MqttState(ConnectionAborted)
5.0 twice
  answer: 50 02 00 05
  answer: 50 02 00 05
  client: message on b"t"
  client: message on b"t"
3.1.1 twice
  answer: 50 02 00 05
  answer: 50 02 00 05
  client: message on "t"
  client: message on "t"
5.0 release
  answer: 50 02 00 05
  answer to PUBREL: none
  answer to PUBREL: none
  client: message on b"t"
  client: MqttState(ConnectionAborted)
  client: MqttState(Unsolicited(5))
3.1.1 release
  answer: 50 02 00 05
  answer to PUBREL: none
  answer to PUBREL: none
  client: message on "t"
  client: MqttState(ConnectionAborted)
  client: MqttState(Unsolicited(5))
TEXT
diff expected seen || { echo "rumqttc behaves differently now"; exit 1; }
echo "as described"
