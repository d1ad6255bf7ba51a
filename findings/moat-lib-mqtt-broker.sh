#!/usr/bin/env bash
# The broker of PyPI moat-lib-mqtt 0.8.7, AsyncMQTTBroker, drops properties of MQTT 5.0, wills and shared subscriptions, and answers otherwise
# than it acts.
#
# Expected (MQTT 5.0), and done by mosquitto 2.0.11: Session Present is 0 after Clean Start (3.2.2.1.1, [MQTT-3.2.2-2]); a client without identifier
#           is told the assigned one (3.2.2.3.7, [MQTT-3.2.2-16]); CONNECT may have Request Response Information (3.1.2.11.6); messages are not sent
#           above the granted QoS (3.8.4, [MQTT-3.8.4-8]); content type, response topic, correlation data and all User Properties are sent on
#           (3.3.2.3, [MQTT-3.3.2-15] to [MQTT-3.3.2-20]); RETAIN is 0 for a subscription that exists (3.3.1.3, [MQTT-3.3.1-12]); the will is
#           published (3.1.2.5, [MQTT-3.1.2-8]); $share/g/s matches s (4.8.2); the earlier of two connections of a client is closed (3.1.4,
#           [MQTT-3.1.4-3]).
# Seen:     none of these. Of two User Properties with one name, only the last arrives. The CONNECT closes the connection without a packet. The
#           SUBACK grants QoS 0 and messages arrive at QoS 1; that of $share/g/s is a success, and no message arrives. The package describes the
#           broker as one for light use and without a broad feature set.
# So:       requests and responses over this broker have no response topic, a client that checks Session Present disconnects, and tests that run
#           on it pass or fail for other reasons than with the broker of the installation.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
python3 -m venv env
env/bin/pip install -q moat-lib-mqtt==0.8.7

cat >broker.py <<'PY'
import logging, sys
import anyio
from moat.lib.mqtt import async_broker
logging.disable(logging.CRITICAL)
anyio.run(async_broker.AsyncMQTTBroker(('127.0.0.1', int(sys.argv[1]))).serve)
PY
cat >try.py <<'PY'
"""Connects to the broker at a port, one conversation a question, and prints the answers."""
import socket, sys

PORT = int(sys.argv[1])

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

def packet(head, body):
    assert len(body) < 128
    return bytes([head, len(body)]) + body

class Client:
    def __init__(self, name, properties=b'', flags=2, will=b''):
        self.socket = socket.create_connection(('127.0.0.1', PORT))
        self.socket.settimeout(2)
        self.stream = self.socket.makefile('rb')
        self.send(packet(0x10, text('MQTT') + bytes([5, flags, 0, 0, len(properties)]) + properties + text(name) + will))
        self.connack = self.receive()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The head and the body of the next packet, or what happened instead."""
        try:
            head = self.stream.read(1)
            if not head:
                return None, 'closed'
            return head[0], self.stream.read(self.stream.read(1)[0])
        except TimeoutError:
            return None, 'nothing'
        except ConnectionError:
            return None, 'closed'

    def subscribe(self, topic_filter, options):
        self.send(packet(0x82, b'\0\1\0' + text(topic_filter) + bytes([options])))
        return self.receive()[1]

    def publish(self, topic, payload='x', properties=b'', flags=0):
        identifier = b'\0\1' if flags & 6 else b''
        self.send(packet(0x30 | flags, text(topic) + identifier + bytes([len(properties)]) + properties + payload.encode()))

SIZES = {0x01: 1, 0x02: 4, 0x0b: 1, 0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2a: 1}

def properties(data):
    """The properties that data begins with, as a list of pairs of identifier and bytes."""
    rest, found = data[1:1 + data[0]], []
    while rest:
        identifier, size = rest[0], SIZES.get(rest[0])
        if size is None:
            size = 2 + int.from_bytes(rest[1:3], 'big')
            if identifier == 0x26:
                size += 2 + int.from_bytes(rest[1 + size:3 + size], 'big')
        found.append((identifier, rest[1:1 + size]))
        rest = rest[1 + size:]
    return found

def show(answer):
    head, body = answer
    return body if head is None else f'{head:02x} {body.hex()}'

print('Session Present after Clean Start:', Client('a').connack[1][0])

print('Assigned Client Identifier:', 'given' if any(identifier == 0x12 for identifier, _ in properties(Client('').connack[1][2:])) else 'none')

head, body = Client('b', b'\x19\1').connack
print('CONNECT with Request Response Information:', 'accepted' if head == 0x20 and body[1] == 0 else body)

subscriber = Client('c')
granted = subscriber.subscribe('q', 1)[-1]
Client('d').publish('q', flags=2)
head, body = subscriber.receive()
print('QoS granted and QoS of the message:', granted, head >> 1 & 3)

subscriber = Client('e')
subscriber.subscribe('p', 0)
sent = {'payload format': b'\1\1', 'content type': b'\3' + text('text/plain'), 'response topic': b'\x08' + text('r'), 'correlation data': b'\x09' + text('id'),
        'user property k=1': b'\x26' + text('k') + text('1'), 'user property k=2': b'\x26' + text('k') + text('2')}
Client('f').publish('p', properties=b''.join(sent.values()))
received = properties(subscriber.receive()[1][3:])
for name, part in sent.items():
    print(name + ':', 'kept' if (part[0], part[1:]) in received else 'lost')

subscriber = Client('g')
subscriber.subscribe('r', 0)
Client('h').publish('r', flags=1)
head, body = subscriber.receive()
print('RETAIN to a subscriber of before:', head & 1 if head else body)

subscriber = Client('i')
subscriber.subscribe('w', 0)
dying = Client('j', flags=6, will=b'\0' + text('w') + text('gone'))
dying.stream.close()
dying.socket.close()
print('will:', show(subscriber.receive()))

subscriber = Client('k')
print('SUBACK of $share/g/s:', f"{subscriber.subscribe('$share/g/s', 0)[-1]:02x}")
Client('l').publish('s')
print('message of the shared subscription:', show(subscriber.receive()))

first = Client('m')
Client('m')
print('first of two connections with one client identifier:', show(first.receive()))
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$@" "$port" >/dev/null 2>&1 &
  broker=$!
  for _ in $(seq 100); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
    sleep 0.2
  done
  python3 try.py "$port"
  kill "$broker"
}
run "$mosquitto" -p >mosquitto.txt
run env/bin/python broker.py >moat.txt
{ sed 's/^/mosquitto | /' mosquitto.txt; sed 's/^/moat | /' moat.txt; } | tee seen
cat >expected <<'TEXT'
mosquitto | Session Present after Clean Start: 0
mosquitto | Assigned Client Identifier: given
mosquitto | CONNECT with Request Response Information: accepted
mosquitto | QoS granted and QoS of the message: 1 1
mosquitto | payload format: kept
mosquitto | content type: kept
mosquitto | response topic: kept
mosquitto | correlation data: kept
mosquitto | user property k=1: kept
mosquitto | user property k=2: kept
mosquitto | RETAIN to a subscriber of before: 0
mosquitto | will: 30 00017700676f6e65
mosquitto | SUBACK of $share/g/s: 00
mosquitto | message of the shared subscription: 30 0001730078
mosquitto | first of two connections with one client identifier: closed
moat | Session Present after Clean Start: 1
moat | Assigned Client Identifier: none
moat | CONNECT with Request Response Information: closed
moat | QoS granted and QoS of the message: 0 1
moat | payload format: kept
moat | content type: lost
moat | response topic: lost
moat | correlation data: lost
moat | user property k=1: lost
moat | user property k=2: kept
moat | RETAIN to a subscriber of before: 1
moat | will: nothing
moat | SUBACK of $share/g/s: 00
moat | message of the shared subscription: nothing
moat | first of two connections with one client identifier: nothing
TEXT
diff expected seen
echo "as described"
