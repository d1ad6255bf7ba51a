#!/usr/bin/env bash
# rumqttd 0.20.0 on its port for MQTT 5.0, as PyPI iotcore 0.4.0 has it inside: SUBACK, UNSUBACK and CONNACK grant what the broker does not do.
#
# Expected (MQTT 5.0), and done by mosquitto 2.0.11: the session is kept for the Session Expiry Interval (3.1.2.11.2), which is 0 if it is absent; Retain
#           Handling 2 sends no retained messages, and 0 sends them at each SUBSCRIBE (3.8.3.1, 3.8.4); No Local and Retain As Published
#           are obeyed (3.8.3.1, [MQTT-3.8.3-3]); a message has the smaller of the published and the granted QoS (3.8.4, [MQTT-3.8.4-8]); a SUBSCRIBE
#           replaces the subscription and its identifier (3.8.4, [MQTT-3.8.4-3]); after UNSUBACK no more messages are added (3.10.4, [MQTT-3.10.4-2]);
#           Receive Maximum and Maximum Packet Size of the client are not exceeded (3.1.2.11.3 and 3.1.2.11.4, [MQTT-3.1.2-24]); the will is published
#           after DISCONNECT 0x04 and not after 0x00 (3.14.4), also if the property length is left out (3.14.2.2.1); resent messages have DUP (3.3.1.1,
#           [MQTT-3.3.1-1]); Message Expiry Interval is reduced by the time that the message waited (3.3.2.3.3, [MQTT-3.3.2-6]).
# Seen:     none of these. A session is kept if Clean Start was 0, and not if it was 1, whatever the interval. A message of QoS 0 arrives at QoS 1 or 2
#           if that was granted. The shared subscription goes on after UNSUBACK 0x00. No will is published after 0x04 with a property length of 0, and one
#           is after 0x00 without property length, for which the connection stays open. Each client that gets a retained message shortens its life by
#           its whole age once more: one that was to live for 30 s is gone after nine subscriptions in 8 s.
# So:       a device that asks for a session of an hour loses the messages of each interruption, and a retained message with an expiry disappears
#           the sooner, the more subscribers read it. A client with a small buffer gets all messages at once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
python3 -m venv env
env/bin/pip install -q iotcore==0.4.0

cat >broker.py <<'PY'
import sys
from iotcore import Broker
with open('rumqttd.toml', 'w') as file:
    file.write(f'''
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10
[v5.1]
name = "v5"
listen = "127.0.0.1:{sys.argv[1]}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 100
''')
Broker(config_path='rumqttd.toml').run_forever()
PY
cat >try.py <<'PY'
"""Asks the broker at a port one question a line, with packets below 128 bytes, and prints the answers."""
import socket, sys, time

PORT = int(sys.argv[1])
SIZES = {0x01: 1, 0x02: 4, 0x23: 2}
count = 0

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

def four(identifier, value):
    return bytes([identifier]) + value.to_bytes(4, 'big')

def fresh():
    global count
    count += 1
    return f'client{count}'

class Client:
    def __init__(self, name=None, properties=b'', clean=True, will=None):
        self.socket = socket.create_connection(('127.0.0.1', PORT))
        self.buffer, self.identifier = b'', 0
        flags = (2 if clean else 0) | (4 if will else 0)
        rest = b'\0' + text(will) + text('gone') if will else b''
        self.send(0x10, text('MQTT') + bytes([5, flags, 0, 60, len(properties)]) + properties + text(name or fresh()) + rest)
        self.session_present = self.wait(2)[0] & 1

    def send(self, head, body):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while len(self.buffer) < 2 or len(self.buffer) < 2 + self.buffer[1]:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not more:
                return None
            self.buffer += more
        size = 2 + self.buffer[1]
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found[0], found[2:]

    def wait(self, kind):
        while True:
            found = self.receive(5)
            if found is None:
                sys.exit(f'no packet of type {kind}')
            if found[0] >> 4 == kind:
                return found[1]

    def next_identifier(self):
        self.identifier += 1
        return self.identifier.to_bytes(2, 'big')

    def subscribe(self, topic_filter, options, properties=b''):
        self.send(0x82, self.next_identifier() + bytes([len(properties)]) + properties + text(topic_filter) + bytes([options]))
        assert self.wait(9)[-1] == options & 3

    def unsubscribe(self, topic_filter):
        self.send(0xa2, self.next_identifier() + b'\0' + text(topic_filter))
        assert self.wait(11)[-1] == 0

    def publish(self, topic, payload, qos, retain=False, properties=b''):
        identifier = self.next_identifier() if qos else b''
        self.send(0x30 | qos << 1 | retain, text(topic) + identifier + bytes([len(properties)]) + properties + payload.encode())
        if qos:
            self.wait(4)

    def messages(self, acknowledge=True, seconds=1):
        """The messages until a second of silence: payload, QoS, flags, and properties by identifier."""
        found = []
        while packet := self.receive(seconds):
            head, body = packet
            if head >> 4 != 3:
                continue
            qos, start = head >> 1 & 3, 2 + int.from_bytes(body[:2], 'big')
            if qos:
                if acknowledge:
                    self.send(0x40 if qos == 1 else 0x50, body[start:start + 2])
                start += 2
            end, properties = start + 1 + body[start], {}
            start += 1
            while start < end:
                size = SIZES.get(body[start], 1)
                properties[body[start]] = int.from_bytes(body[start + 1:start + 1 + size], 'big')
                start += 1 + size
            found.append((body[end:].decode(), qos, bool(head & 8), bool(head & 1), properties))
        return found

    def disconnect(self, body=b''):
        self.send(0xe0, body)
        self.socket.shutdown(socket.SHUT_WR)
        time.sleep(0.3)
        self.socket.close()

def payloads(messages):
    return ' '.join(message[0][:5] for message in messages) or 'none'

HOUR = four(0x11, 3600)
publisher = Client()

for name, clean, properties in (('Clean Start 1, session expiry 3600', True, HOUR), ('Clean Start 0, session expiry absent', False, b'')):
    client = fresh()
    Client(client, properties, clean).disconnect()
    print(name + ': Session Present', Client(client, properties, False).session_present)

publisher.publish('retained', 'kept', 1, True)
subscriber = Client()
subscriber.subscribe('retained', 0x21)
print('Retain Handling 2:', payloads(subscriber.messages()))
subscriber.subscribe('retained', 0x01)
print('Retain Handling 0, subscribed again:', payloads(subscriber.messages()))

subscriber = Client()
subscriber.subscribe('flag', 0x09)
publisher.publish('flag', 'x', 1, True)
print('Retain As Published: RETAIN', int(subscriber.messages()[0][3]))

subscriber = Client()
subscriber.subscribe('local', 0x05)
subscriber.publish('local', 'mine', 0)
print('No Local:', payloads(subscriber.messages()))

subscriber = Client()
subscriber.subscribe('low', 1)
publisher.publish('low', 'x', 0)
print('published at QoS 0, granted QoS 1: QoS', subscriber.messages()[0][1])

subscriber = Client()
subscriber.subscribe('number', 0, b'\x0b\x05')
subscriber.subscribe('number', 0)
publisher.publish('number', 'x', 0)
print('subscribed again without an identifier:', subscriber.messages()[0][4].get(0x0b, 'none'))

subscriber = Client()
subscriber.subscribe('$share/group/shared', 0)
subscriber.unsubscribe('$share/group/shared')
publisher.publish('shared', 'x', 0)
print('after UNSUBACK of a shared subscription:', payloads(subscriber.messages()))

subscriber = Client(properties=b'\x21\0\1')
subscriber.subscribe('many', 1)
for payload in '1234':
    publisher.publish('many', payload, 1)
print('Receive Maximum 1, before a PUBACK:', payloads(subscriber.messages(False)))

subscriber = Client(properties=four(0x27, 60))
subscriber.subscribe('big', 0)
publisher.publish('big', 'large' + 'x' * 90, 0)
publisher.publish('big', 'small', 0)
print('Maximum Packet Size 60:', payloads(subscriber.messages()))

subscriber = Client()
subscriber.subscribe('will', 0)
for body in (b'\0', b'\4\0'):
    Client(will='will').disconnect(body)
    print('will after DISCONNECT', body.hex() + ':', payloads(subscriber.messages(seconds=2)))

client = fresh()
subscriber = Client(client, HOUR, False)
subscriber.subscribe('again', 1)
publisher.publish('again', 'x', 1)
subscriber.messages(False)
subscriber.socket.close()
time.sleep(0.5)
print('resent after a reconnect: DUP', int(Client(client, HOUR, False).messages()[0][2]))

publisher.publish('short', 'x', 1, True, four(0x02, 30))
start = time.monotonic()
for number in range(9):
    subscriber = Client()
    subscriber.subscribe('short', 0)
    found = subscriber.messages(seconds=0.3)
    subscriber.disconnect()
    time.sleep(max(start + number + 1 - time.monotonic(), 0))
print('retained message with an expiry of 30 s, ninth subscription after 8 s:', payloads(found))
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$@" "$port" >/dev/null 2>&1 &
  broker=$!
  for _ in $(seq 100); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
    sleep 0.2
  done
  timeout 120 python3 try.py "$port"
  kill "$broker"
}
run "$mosquitto" -p >mosquitto.txt
run env/bin/python broker.py >rumqttd.txt
{ sed 's/^/mosquitto | /' mosquitto.txt; sed 's/^/rumqttd | /' rumqttd.txt; } | tee seen
cat >expected <<'TEXT'
mosquitto | Clean Start 1, session expiry 3600: Session Present 1
mosquitto | Clean Start 0, session expiry absent: Session Present 0
mosquitto | Retain Handling 2: none
mosquitto | Retain Handling 0, subscribed again: kept
mosquitto | Retain As Published: RETAIN 1
mosquitto | No Local: none
mosquitto | published at QoS 0, granted QoS 1: QoS 0
mosquitto | subscribed again without an identifier: none
mosquitto | after UNSUBACK of a shared subscription: none
mosquitto | Receive Maximum 1, before a PUBACK: 1
mosquitto | Maximum Packet Size 60: small
mosquitto | will after DISCONNECT 00: none
mosquitto | will after DISCONNECT 0400: gone
mosquitto | resent after a reconnect: DUP 1
mosquitto | retained message with an expiry of 30 s, ninth subscription after 8 s: x
rumqttd | Clean Start 1, session expiry 3600: Session Present 0
rumqttd | Clean Start 0, session expiry absent: Session Present 1
rumqttd | Retain Handling 2: kept
rumqttd | Retain Handling 0, subscribed again: none
rumqttd | Retain As Published: RETAIN 0
rumqttd | No Local: mine
rumqttd | published at QoS 0, granted QoS 1: QoS 1
rumqttd | subscribed again without an identifier: 5
rumqttd | after UNSUBACK of a shared subscription: x
rumqttd | Receive Maximum 1, before a PUBACK: 1 2 3 4
rumqttd | Maximum Packet Size 60: large small
rumqttd | will after DISCONNECT 00: gone
rumqttd | will after DISCONNECT 0400: none
rumqttd | resent after a reconnect: DUP 0
rumqttd | retained message with an expiry of 30 s, ninth subscription after 8 s: none
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "rumqttd 0.20.0 in iotcore 0.4.0: as described"
