#!/usr/bin/env bash
# The broker npm mosca 2.8.3 at MQTT 3.1.1 raises the QoS of messages, sends retained ones as new ones, queues messages after UNSUBSCRIBE, and repeats what was delivered.
#
# Expected (MQTT 3.1.1): a message has the lower one of its own QoS and the subscription's ([MQTT-3.8.4-6]), a new subscription to the same filter replaces
#           the old one ([MQTT-3.8.4-3]), RETAIN is set for a new subscription ([MQTT-3.3.1-8]), nothing is added after UNSUBSCRIBE ([MQTT-3.10.4-2]). A
#           wildcard at the start does not match topics with $ at the start, and only these ([MQTT-4.7.2-1]). /a matches +/+, a level can be empty
#           (4.7.1). The will of a connection that is taken over is published ([MQTT-3.1.2-8]). Packet identifiers are not 0 ([MQTT-2.3.1-1]). By its
#           README, mosca does "MQTT 3.1 and 3.1.1", QoS 0 and 1, and keeps QoS 1 packets of clients that are offline.
# Seen:     QoS 0 arrives at QoS 1, and QoS 1 at QoS 1 where QoS 0 was granted. RETAIN is 0. A message to a subscription of QoS 0 is delivered, and again after each
#           reconnect, at QoS 1. + matches $state, but not the empty level, and # misses topics with $SYS in the middle. No will at a takeover. The
#           65,536th message has the identifier 0.
# So:       a light that unsubscribed from "switch" is switched when it connects again. jsonschema has this version because mosca does not start with later ones.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" || true; wait; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mosca@2.8.3 jsonschema@1.2.0 >/dev/null 2>&1

cat >broker.js <<'JS'
const mosca = require('mosca');
const server = new mosca.Server({ port: Number(process.argv[2]), host: '127.0.0.1', persistence: { factory: mosca.persistence.Memory } });
server.on('ready', () => console.log('ready'));
JS
cat >try.py <<'PY'
import socket, sys

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

class Client:
    """A client of MQTT 3.1.1 at the level of its packets."""
    def __init__(self, name, clean=True, will=None):
        self.socket = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 120)
        self.stream = self.socket.makefile('rb')
        self.send(0x10, text('MQTT') + bytes([4, 2 * clean + (4 if will else 0), 0, 0]) + text(name) + (text(will) + text('gone') if will else b''))
        self.packet(2)

    def send(self, head, body):
        self.socket.sendall(bytes([head, len(body)]) + body)

    def packet(self, kind):
        while True:
            head, size = self.stream.read(2)
            body = self.stream.read(size)
            if head >> 4 == kind:
                return head, body

    def subscribe(self, topic, qos, wait=True):
        self.send(0x82, b'\0\1' + text(topic) + bytes([qos]))
        if wait:  # SUBACK can come after retained messages
            self.packet(9)

    def publish(self, topic, payload, qos=1, retain=0):
        self.send(0x30 | qos << 1 | retain, text(topic) + b'\0\1' * qos + payload.encode())
        if qos:
            self.packet(4)

    def message(self):
        head, body = self.packet(3)
        size = int.from_bytes(body[:2], 'big')
        topic, rest = body[2:2 + size].decode(), body[2 + size:]
        self.last = head >> 1 & 3, rest[:2].hex(), head & 1
        if head & 6:
            self.send(0x40, rest[:2])
        return topic

    def end(self):
        self.send(0xe0, b'')
        while self.stream.read(100):
            pass
        self.socket.close()

helper = Client('helper')
helper.publish('kept', 'old', 1, 1)
client = Client('a')
client.subscribe('kept', 0, False)
client.message()
print(f'QoS 1, retained, subscribed at QoS 0: QoS {client.last[0]}, RETAIN {client.last[2]}')
helper.publish('kept', '', 0, 1)
client = Client('b')
client.subscribe('live', 1)
helper.publish('live', 'x', 0)
client.message()
print(f'QoS 0, subscribed at QoS 1: QoS {client.last[0]}')
client.subscribe('live', 0)
helper.publish('live', 'x', 1)
client.message()
print(f'QoS 1, subscribed again at QoS 0: QoS {client.last[0]}')

for topic_filter in '#', '+', '+/+', 'a/+', '+/a', '+/#', 'a/+/b':
    client = Client('c')
    client.subscribe(topic_filter, 0)
    client.subscribe('the/last/topic/of/all', 0)
    for topic in 'a', 'a/', '/a', 'a//b', '$state', '$state/a', 'a/$SYS':
        helper.publish(topic, 'x', 0)
    helper.publish('the/last/topic/of/all', '', 0)
    found = []
    while (topic := client.message()) != 'the/last/topic/of/all':
        found.append(topic)
    print(f'filter {topic_filter} gets {" ".join(found) or "nothing"}')
    client.end()

def session():
    return Client('d', False)

client = session()
client.subscribe('on', 0)
client.subscribe('off', 1)
helper.publish('on', 'x')
print(f'session, connected: {client.message()} (QoS {client.last[0]})')
for turn in 1, 2:
    client.end()
    client = session()
    print(f'session, reconnect {turn}: {client.message()} (QoS {client.last[0]})')
    helper.publish('on', 'x')
    client.message()
client.send(0xa2, b'\0\2' + text('off'))
client.packet(11)
client.send(0xa2, b'\0\2' + text('on'))
client.packet(11)
client.end()
client = session()
client.end()
helper.publish('off', 'x')
client = session()
topic = client.message()
while topic != 'off':
    topic = client.message()
print(f'session, after UNSUBSCRIBE: {topic}')

witness = Client('e')
witness.subscribe('will/+', 0)
Client('f', True, 'will/broken').socket.shutdown(2)
print(f'connection breaks: {witness.message()}')
first = Client('g', True, 'will/taken')
Client('g')
while first.stream.read(100):
    pass
helper.publish('will/none', 'x', 0)
print(f'connection is taken over: {witness.message()}')

client = Client('h')
client.subscribe('many', 0)
client.subscribe('last', 1)
one = b'\x30\7' + text('many') + b'x'
for _ in range(257):
    helper.socket.sendall(one * 255)
    for _ in range(255):
        client.message()
helper.publish('last', 'x')
client.message()
print(f'message 65,536 of a connection: identifier {client.last[1]}')
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkfifo log
node broker.js "$port" >log 2>&1 &
broker=$!
read -r line <log
timeout 300 python3 try.py "$port" | tee seen
cat >expected <<'TEXT'
QoS 1, retained, subscribed at QoS 0: QoS 1, RETAIN 0
QoS 0, subscribed at QoS 1: QoS 1
QoS 1, subscribed again at QoS 0: QoS 1
filter # gets a a/ /a a//b $state $state/a
filter + gets a $state
filter +/+ gets $state/a
filter a/+ gets a/$SYS
filter +/a gets $state/a
filter +/# gets a a/ a//b $state $state/a
filter a/+/b gets nothing
session, connected: on (QoS 0)
session, reconnect 1: on (QoS 1)
session, reconnect 2: on (QoS 1)
session, after UNSUBSCRIBE: off
connection breaks: will/broken
connection is taken over: will/none
message 65,536 of a connection: identifier 0000
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
