#!/usr/bin/env bash
# The broker of PyPI mqttd 0.5.3 sends packets that no client can read, and keeps neither wills nor sessions, beside mosquitto 2.0.11.
#
# Expected (MQTT 3.1.1 and 5.0): a PUBLISH of QoS 1 or 2 has a packet identifier after the topic (3.3.2.2), and, in 5.0, a length of properties (3.3.2.3).
#           RETAIN is 1 for a new subscription and 0 for one that exists (3.3.1.3). UNSUBSCRIBE is answered (3.10.4) and ends the messages. u/# matches u
#           (4.7.1.2). The will of a connection that breaks is published (3.1.2.5). A session with Clean Start or Clean Session 0, in 5.0 also with a
#           Session Expiry Interval, is kept (3.1.2.4, 3.1.2.11.2). The first of two connections with one client identifier is closed (3.1.4). In
#           5.0, properties such as the response topic are sent on (3.3.2.3).
# Seen:     none of these, apart from UNSUBACK in 3.1.1. Messages of QoS 1 and 2 have no packet identifier, retained messages in 5.0 no length of properties.
#           RETAIN is 0 for new subscriptions, and 1 for those that exist in 3.1.1. The README lists QoS, wills, sessions and these properties.
# So:       only QoS 0 without retained messages works, and tests that run on it say nothing about the broker of the installation.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
python3 -m venv env
env/bin/pip install -q mqttd==0.5.3

cat >broker.py <<'PY'
import sys
from mqttd import MQTTApp
MQTTApp(host='127.0.0.1', port=int(sys.argv[1])).run()
PY
cat >try.py <<'PY'
"""Asks the broker at a port one question a line, in MQTT 3.1.1 or 5.0, with packets below 128 bytes, and prints the packets that come."""
import socket, sys, time

PORT, VERSION = int(sys.argv[1]), int(sys.argv[2])
NONE = b'\0' if VERSION == 5 else b''

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

class Client:
    def __init__(self, name, clean=True, properties=b'', will=None):
        self.socket, self.buffer = socket.create_connection(('127.0.0.1', PORT)), b''
        rest = NONE + text(will) + text('gone') if will else b''
        properties = bytes([len(properties)]) + properties if VERSION == 5 else b''
        self.send(0x10, text('MQTT') + bytes([VERSION, (2 if clean else 0) | (4 if will else 0), 0, 60]) + properties + text(name) + rest)
        self.session_present = self.packets(1)[0][1][0]

    def send(self, head, body):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def packets(self, count=9, seconds=1):
        """The next packets, until a second of silence or the count."""
        found = []
        while len(found) < count:
            while len(self.buffer) < 2 or len(self.buffer) < 2 + self.buffer[1]:
                self.socket.settimeout(seconds)
                try:
                    more = self.socket.recv(65536)
                except TimeoutError:
                    return found
                except ConnectionError:
                    more = b''
                if not more:
                    return found + ['closed']
                self.buffer += more
            size = 2 + self.buffer[1]
            found.append((self.buffer[0], self.buffer[2:size]))
            self.buffer = self.buffer[size:]
        return found

    def subscribe(self, topic_filter, qos=0):
        self.send(0x82, b'\0\1' + NONE + text(topic_filter) + bytes([qos]))
        while self.packets(1)[0][0] != 0x90:
            pass

    def publish(self, topic, payload, qos=0, retain=False, properties=NONE):
        self.send(0x30 | qos << 1 | retain, text(topic) + (b'\0\7' if qos else b'') + properties + payload.encode())
        if qos:
            self.packets(1)

def show(packets):
    return ' '.join(packet if isinstance(packet, str) else f'{packet[0]:02x}:{packet[1].hex()}' for packet in packets) or 'nothing'

publisher = Client('publisher')
subscriber = Client('a')
subscriber.subscribe('q', 1)
publisher.publish('q', 'x', 1)
print('QoS 1:', show(subscriber.packets(1)))

publisher.publish('r', 'kept', 0, True)
subscriber = Client('b')
subscriber.send(0x82, b'\0\1' + NONE + text('r') + b'\0')
print('retained, new subscription:', show(packet for packet in subscriber.packets() if packet[0] != 0x90))
publisher.publish('r', 'new', 0, True)
print('retained, existing subscription:', show(subscriber.packets()))

subscriber = Client('c')
subscriber.subscribe('s')
subscriber.send(0xa2, b'\0\2' + NONE + text('s'))
print('UNSUBSCRIBE:', show(subscriber.packets(1)))
publisher.publish('s', 'x')
print('message after it:', show(subscriber.packets()))

subscriber = Client('d')
subscriber.subscribe('u/#')
publisher.publish('u', 'x')
print('u/# and u:', show(subscriber.packets()))

subscriber = Client('e')
subscriber.subscribe('w')
dying = Client('f', will='w')
dying.socket.close()
print('will:', show(subscriber.packets(1, 2)))

EXPIRY = b'\x11\0\0\0\x64'
leaving = Client('g', False, EXPIRY)
leaving.subscribe('k', 1)
leaving.send(0xe0, b'')
leaving.socket.close()
time.sleep(0.5)
print('Session Present:', Client('g', False, EXPIRY).session_present)

first = Client('h')
second = Client('h')
first.send(0xc0, b'')
print('first of two connections:', 'closed' if 'closed' in first.packets() else 'open')

if VERSION == 5:
    subscriber = Client('i')
    subscriber.subscribe('p')
    publisher.publish('p', 'x', properties=bytes([4]) + b'\x08' + text('r'))
    print('response topic:', show(subscriber.packets()))
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "${@:2}" "$port" >/dev/null 2>&1 &
  broker=$!
  for _ in $(seq 100); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
    sleep 0.2
  done
  for version in 4 5; do
    timeout 120 python3 try.py "$port" "$version" | sed "s/^/$1, level $version | /"
  done
  kill "$broker"
}
{ run mosquitto "$mosquitto" -p; run mqttd env/bin/python broker.py; } | tee seen
cat >expected <<'TEXT'
mosquitto, level 4 | QoS 1: 32:000171000178
mosquitto, level 4 | retained, new subscription: 31:0001726b657074
mosquitto, level 4 | retained, existing subscription: 30:0001726e6577
mosquitto, level 4 | UNSUBSCRIBE: b0:0002
mosquitto, level 4 | message after it: nothing
mosquitto, level 4 | u/# and u: 30:00017578
mosquitto, level 4 | will: 30:000177676f6e65
mosquitto, level 4 | Session Present: 1
mosquitto, level 4 | first of two connections: closed
mosquitto, level 5 | QoS 1: 32:00017100010078
mosquitto, level 5 | retained, new subscription: 31:000172006b657074
mosquitto, level 5 | retained, existing subscription: 30:000172006e6577
mosquitto, level 5 | UNSUBSCRIBE: b0:00020000
mosquitto, level 5 | message after it: nothing
mosquitto, level 5 | u/# and u: 30:0001750078
mosquitto, level 5 | will: 30:00017700676f6e65
mosquitto, level 5 | Session Present: 1
mosquitto, level 5 | first of two connections: closed
mosquitto, level 5 | response topic: 30:000170040800017278
mqttd, level 4 | QoS 1: 32:00017178
mqttd, level 4 | retained, new subscription: 30:0001726b657074
mqttd, level 4 | retained, existing subscription: 31:0001726e6577
mqttd, level 4 | UNSUBSCRIBE: b0:0002
mqttd, level 4 | message after it: nothing
mqttd, level 4 | u/# and u: nothing
mqttd, level 4 | will: nothing
mqttd, level 4 | Session Present: 0
mqttd, level 4 | first of two connections: open
mqttd, level 5 | QoS 1: 32:0001710078
mqttd, level 5 | retained, new subscription: 30:0001726b657074
mqttd, level 5 | retained, existing subscription: 30:000172006e6577
mqttd, level 5 | UNSUBSCRIBE: nothing
mqttd, level 5 | message after it: 30:0001730078
mqttd, level 5 | u/# and u: nothing
mqttd, level 5 | will: nothing
mqttd, level 5 | Session Present: 0
mqttd, level 5 | first of two connections: open
mqttd, level 5 | response topic: 30:0001700078
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mqttd 0.5.3: as described"
