#!/usr/bin/env bash
# The broker of npm iobroker.mqtt 8.1.0, ioBroker's MQTT adapter in server mode, uses one packet identifier for several messages, reads filters as parts of names
# and gives payloads back in another notation.
#
# Expected (MQTT 3.1.1): a PUBLISH of QoS 1 or 2 gets a packet identifier that is not in use, and client and server assign theirs independently (2.3.1,
#           [MQTT-2.3.1-2], [MQTT-2.3.1-4]). Each PUBREL is answered with PUBCOMP (4.3.3, [MQTT-4.3.3-2]). The messages of QoS 1 that wait are part of the session
#           (3.1.2.4). A message has the lower of the granted and the published QoS (3.8.4, [MQTT-3.8.4-6]). UNSUBSCRIBE ends the messages (3.10.4,
#           [MQTT-3.10.4-2]). kitchen/+ matches names of two levels that begin with kitchen/ (4.7.1.3), and all characters but / and the wildcards stand for
#           themselves (4.7.1). The payload is opaque to the broker (1.2, 3.3.3). A second connection with the identifier disconnects the first one (3.1.4,
#           [MQTT-3.1.4-2]), whose will is published (3.1.2.5).
# Seen:     three messages in flight have the packet identifier 1. A client that sends a QoS 2 message under an identifier that the broker uses itself at that
#           time gets no PUBREC, gets a PUBCOMP for its PUBREL, and the message is lost. A PUBREL that comes again has no answer. Of three messages for a client that is
#           away, the last is kept. A message of QoS 0 arrives at QoS 2. After UNSUBSCRIBE, un/1 still arrives, as it did before. kitchen/+ gets house/kitchen/t, a/+/c
#           gets a/b/cd, +/lamp gets a/lamps; dev.one/t and dev/one/t are one name. "0x10" arrives as 0, "007" as 7, "1,5" as 1.5, {"val":21.5} as 21.5, an
#           empty payload as NaN, octets that are no text as others. A connection that was taken over stays open and its will is not published.
#           The README says that values are stored, that messages have the retain flag and that the adapter only simulates a broker.
# So:       a controller with several messages in flight acknowledges all of them with the first PUBACK, and an identifier such as 0x10 or 007 arrives as a number.
# The broker runs with the settings of its own io-package.json, without the resending of all states at connections and subscriptions, on objects in memory.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" || true; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --omit=dev --omit=optional iobroker.mqtt@8.1.0 >/dev/null 2>&1

cat >broker.js <<'JS'
const Server = require('iobroker.mqtt/build/lib/MQTTServer.js').default;
const settings = require('iobroker.mqtt/io-package.json').native;
const objects = {};
const name = (id) => id.startsWith('mqtt.0.') ? id : `mqtt.0.${id}`;
const nothing = () => {};
const adapter = {
  namespace: 'mqtt.0',
  config: {...settings, type: 'server', bind: '127.0.0.1', port: process.argv[2], publishAllOnStart: false, publishOnSubscribe: false},
  log: {debug: nothing, info: nothing, warn: nothing, error: nothing},
  setTimeout, clearTimeout,
  getForeignObject: (id, done) => done(null, objects[id]),
  getObject: (id, done) => done(null, objects[name(id)]),
  getForeignObjectAsync: async (id) => objects[id],
  getObjectAsync: async (id) => objects[name(id)],
  setForeignObject: async (id, object, done) => { objects[id] = structuredClone({...object, _id: id}); if (done) done(null); },
  setForeignObjectAsync: async (id, object) => adapter.setForeignObject(id, object),
  setObject: async (id, object, done) => adapter.setForeignObject(name(id), object, done),
  setObjectAsync: async (id, object) => adapter.setForeignObject(name(id), object),
  extendObject: async (id, part) => Object.assign(objects[id] ??= {}, part),
  // States with ack, which the broker writes, are not sent again by the adapter: the setting sendAckToo is false.
  setForeignStateAsync: async () => {}, setState: async () => {}, setStateAsync: async () => {}, getStatesAsync: async () => ({}),
};
new Server(adapter, {});
JS
cat >try.py <<'PY'
"""Asks the broker at a port one question a line, with packets below 128 bytes, and prints the answers."""
import socket, sys, time

PORT = int(sys.argv[1])
count = 0

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

class Client:
    def __init__(self, name=None, clean=True, will=None):
        global count
        count += 1
        for _ in range(300):
            try:
                self.socket = socket.create_connection(('127.0.0.1', PORT))
                break
            except ConnectionRefusedError:
                time.sleep(0.2)
        self.buffer = b''
        will = text(will) + text('gone') if will else b''
        self.send(0x10, text('MQTT') + bytes([4, (2 if clean else 0) | (4 if will else 0), 0, 60]) + text(name or f'client{count}') + will)
        self.wait(2)

    def send(self, head, body=b''):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def receive(self, seconds):
        """The next packet, None after so many seconds, or 'closed'."""
        end = time.monotonic() + seconds
        while len(self.buffer) < 2 or len(self.buffer) < 2 + self.buffer[1]:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not more:
                return 'closed'
            self.buffer += more
        size = 2 + self.buffer[1]
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found[0], found[2:]

    def packets(self, seconds, kinds):
        """The packets of some kinds that arrive within so many seconds."""
        end, found = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0 and (packet := self.receive(left)) and packet != 'closed':
            if packet[0] >> 4 in kinds:
                found.append(packet)
        return found

    def wait(self, kind):
        while (found := self.receive(30)) and found != 'closed' and found[0] >> 4 != kind:
            pass
        return found[1] if found else sys.exit(f'no packet of type {kind}')

    def subscribe(self, topic_filter, qos=0):
        self.send(0x82, b'\x10\0' + text(topic_filter) + bytes([qos]))
        self.wait(9)

    def publish(self, topic, payload=b'x', qos=1):
        self.send(0x30 | qos << 1, text(topic) + (b'\x20\0' if qos else b'') + payload)
        if qos:
            self.wait(4)

    def messages(self, seconds=2):
        """Topic, QoS, packet identifier and payload of the messages that arrive the first time within so many seconds; none is acknowledged."""
        found = []
        for head, body in self.packets(seconds, [3]):
            qos, end = head >> 1 & 3, 2 + int.from_bytes(body[:2], 'big')
            identifier, payload = (body[end:end + 2], body[end + 2:]) if qos else (b'', body[end:])
            if not head & 8:
                found.append((body[2:end].decode(), qos, int.from_bytes(identifier, 'big'), payload))
        return found

    def close(self):
        self.send(0xe0)
        self.socket.close()
        time.sleep(0.5)

publisher = Client()
subscriber = Client('flight')
subscriber.subscribe('f/+', 1)
for topic in 'f/1', 'f/2', 'f/3':
    publisher.publish(topic)
print('identifiers of three messages in flight:', *[identifier for _, _, identifier, _ in subscriber.messages()])

watcher = Client()
watcher.subscribe('command')
sender = Client()
sender.subscribe('held', 1)
publisher.publish('held')
identifier = sender.messages()[0][2].to_bytes(2, 'big')
for own in b'\x30\0', identifier:
    sender.send(0x34, text('command') + own + b'go')
    answers = sender.packets(1, [5])
    sender.send(0x62, own)
    answers += sender.packets(1, [7])
    arrived = len(watcher.messages(1))
    print('QoS 2 under an identifier', 'of its own:' if own == b'\x30\0' else "that the broker uses:", *[f'{head:02x}' for head, _ in answers], 'and', arrived, 'message')
sender.send(0x62, b'\x30\0')
print('PUBREL again:', *[f'{head:02x}' for head, _ in sender.packets(2, [7])] or ['no answer'])

away = Client('away', clean=False)
away.subscribe('queue', 1)
away.close()
for payload in b'one', b'two', b'three':
    publisher.publish('queue', payload)
    time.sleep(0.1)
print('queued of one, two, three:', *[payload.decode() for *_, payload in Client('away', clean=False).messages(3)])

subscriber = Client()
subscriber.subscribe('zero', 2)
publisher.publish('zero', qos=0)
print('published at QoS 0, granted 2, arrives at QoS', subscriber.messages()[0][1])

subscriber = Client()
subscriber.subscribe('un/+')
publisher.publish('un/1')
first = len(subscriber.messages())
subscriber.send(0xa2, b'\x11\0' + text('un/+'))
subscriber.wait(11)
publisher.publish('un/1')
print('un/1 before and after UNSUBSCRIBE:', first, len(subscriber.messages()))

for topic_filter, topics in ('kitchen/+', 'kitchen/t house/kitchen/t mykitchen/t'), ('a/+/c', 'a/b/c a/b/cd a/b/c/d'), ('+/lamp', 'a/lamp a/lamps'), ('dev.one/t', 'dev.one/t dev/one/t'), ('+/+', 'm/n m/n/o'):
    subscriber = Client()
    subscriber.subscribe(topic_filter)
    for topic in topics.split():
        publisher.publish(topic, topic.encode())
    print(topic_filter, 'gets', *[payload.decode() for *_, payload in subscriber.messages()])

subscriber = Client()
subscriber.subscribe('payload/#')
for number, payload in enumerate([b'on', b'0x10', b'007', b'1,5', b'1.50', b'12345678901234567890', b'{"val":21.5}', b'', b'\xff\xfe']):
    publisher.publish(f'payload/{number}', payload)
    print('payload', payload, 'arrives as', subscriber.messages(1)[0][3])

watcher = Client()
watcher.subscribe('will')
former = Client('twin', will='will')
second = Client('twin')
print('taken over:', 'closed' if former.receive(2) == 'closed' else 'open,', len(watcher.messages(1)), 'wills')
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
node broker.js "$port" >/dev/null 2>&1 &
server=$!
timeout 300 python3 try.py "$port" | tee seen
cat >expected <<'TEXT'
identifiers of three messages in flight: 1 1 1
QoS 2 under an identifier of its own: 50 70 and 1 message
QoS 2 under an identifier that the broker uses: 70 and 0 message
PUBREL again: no answer
queued of one, two, three: three
published at QoS 0, granted 2, arrives at QoS 2
un/1 before and after UNSUBSCRIBE: 1 1
kitchen/+ gets kitchen/t house/kitchen/t mykitchen/t
a/+/c gets a/b/c a/b/cd a/b/c/d
+/lamp gets a/lamp a/lamps
dev.one/t gets dev.one/t dev/one/t
+/+ gets m/n
payload b'on' arrives as b'on'
payload b'0x10' arrives as b'0'
payload b'007' arrives as b'7'
payload b'1,5' arrives as b'1.5'
payload b'1.50' arrives as b'1.5'
payload b'12345678901234567890' arrives as b'12345678901234567000'
payload b'{"val":21.5}' arrives as b'21.5'
payload b'' arrives as b'NaN'
payload b'\xff\xfe' arrives as b'\xef\xbf\xbd\xef\xbf\xbd'
taken over: open, 0 wills
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "iobroker.mqtt 8.1.0: as described"
