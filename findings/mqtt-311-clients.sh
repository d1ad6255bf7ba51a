#!/usr/bin/env bash
# Clients for MQTT 3.1.1 that break QoS 2 and hand messages to the wrong handlers: npm mqtts 1.5.0, PyPI aio-mqtt-mod 0.4.0 and, in the second
# point, npm @sap/xb-msg-mqtt-v311 0.9.17, beside npm mqtt 5.16.0.
#
# Expected (MQTT 3.1.1): the receiver of QoS 2 answers each PUBREL with PUBCOMP, and does not deliver a PUBLISH twice that comes again before PUBREL
#           (4.3.3, [MQTT-4.3.3-2]); the sender repeats both after a reconnect (4.4, [MQTT-4.4.0-1]). A packet identifier is not 0 (2.3.1,
#           [MQTT-2.3.1-1]). The filter a/# matches a and a/x, but not ab/c (4.7.1.2); c/+/d matches c/x/d only (4.7.1.3). The filters #, a//b
#           and those with spaces are valid (4.7.1.2, 4.7.3).
# Seen:     the broker sends a QoS 2 message, again with DUP, PUBREL, and PUBREL again. mqtts delivers the message twice and ignores the second PUBREL.
#           aio-mqtt-mod never sends PUBCOMP, so mosquitto 2.0.11 gives it 20 of 50 messages and no more. Each 65536th identifier of mqtts is 0, and
#           publish rejects. listen('a/#') of mqtts gets no message, listen('a') each topic that begins with a. The handler of a/# in
#           xb-msg-mqtt-v311 also gets ab/c, that of e.f/+ also exf/g, since a dot in a filter matches any character. aio-mqtt-mod raises ValueError
#           for four valid filters.
# So:       a command of QoS 2 is carried out twice after a bad connection, or the queue of the session stands still without an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mqtts@1.5.0 mqtt@5.16.0 @sap/xb-msg-mqtt-v311@0.9.17 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q aio-mqtt-mod==0.4.0

# Each client connects, subscribes to # at QoS 2, says "message TOPIC" for each, and "handler FILTER TOPIC" for the filters of its handlers.
cat >mqtts.js <<'JS'
const {MqttClient, TcpTransport} = require('mqtts');
const {generateIdentifier} = require('mqtts/dist/mqtt.packet');
const client = new MqttClient({transport: new TcpTransport({host: '127.0.0.1', port: +process.argv[2]})});
client.on('message', ({topic}) => console.log('message', topic));
for (const filter of ['a/#', 'a', 'c/+/d', 'e.f/+']) client.listen(filter, ({topic}) => console.log('handler', filter, topic));
client.on('message', async ({topic}) => {
  if (topic !== 'end') return;
  while (generateIdentifier() < 65535);
  await client.publish({topic: 't', payload: '', qosLevel: 1}).then(() => console.log('published'), (error) => console.log('rejected:', error.message));
  process.exit();
});
client.connect({clientId: 'c'}).then(() => client.subscribe({topic: '#', qosLevel: 2}));
JS
cat >mqtt.js <<'JS'
const client = require('mqtt').connect({host: '127.0.0.1', port: +process.argv[2], protocolVersion: 4, clientId: 'c'});
client.on('message', (topic) => { console.log('message', topic); if (topic === 'end') process.exit(); });
client.on('connect', () => client.subscribe('#', {qos: 2}));
JS
cat >sap.js <<'JS'
const {Client} = require('@sap/xb-msg-mqtt-v311');
const client = new Client({net: {host: '127.0.0.1', port: +process.argv[2]}, mqtt: {clientID: 'c'}});
client.on('error', () => {});
client.on('connected', () => {
  for (const filter of ['a/#', 'a', 'c/+/d', 'e.f/+']) client.subscribe([filter], 2, (topic) => console.log('handler', filter, topic), () => {});
  client.subscribe(['#'], 2, (topic) => { console.log('message', topic); if (topic === 'end') setTimeout(() => process.exit(), 200); }, () => {});
});
client.connect();
JS
cat >aio.py <<'PY'
import asyncio, sys
from aio_mqtt import Client, PublishableMessage, QOSLevel

async def receive(client, count, wait):
    received = []
    async def read():
        async for message in client.delivered_messages('#'):
            received.append(message.topic_name)
            if count == 1:
                print('message', message.topic_name)
    reader = asyncio.ensure_future(read())
    await client.subscribe(('+/#' if count == 1 else 'queue', QOSLevel.QOS_2))
    if count > 1:
        sender = Client(client_id_prefix='sender')
        await sender.connect('127.0.0.1', int(sys.argv[1]))
        for _ in range(count):
            await sender.publish(PublishableMessage('queue', 'x', QOSLevel.QOS_2))
    for _ in range(wait * 10):
        await asyncio.sleep(0.1)
        if len(received) == count > 1 or 'end' in received:
            break
    if count > 1:
        print('received', len(received), 'of', count)
    reader.cancel()

async def run():
    client = Client(client_id_prefix='receiver')
    await client.connect('127.0.0.1', int(sys.argv[1]))
    for topic_filter in '#', '$SYS/#', 'a//b', 'hall 1/#':
        try:
            await asyncio.wait_for(client.subscribe((topic_filter, QOSLevel.QOS_0)), 2)
        except ValueError as error:
            print('rejected:', topic_filter, '-', error)
    await receive(client, *map(int, sys.argv[2:]))

asyncio.run(run())
PY
cat >try.py <<'PY'
"""Runs a client against a broker that repeats what it sends at QoS 2, and prints what the client says and sends."""
import socket, subprocess, sys, threading, time

NAMES = {5: 'PUBREC', 7: 'PUBCOMP'}

def publish(topic, qos=0, identifier=b'', flags=0):
    body = len(topic).to_bytes(2, 'big') + topic.encode() + identifier
    return bytes([0x30 | qos << 1 | flags, len(body)]) + body

def serve(connection, sent):
    stream = connection.makefile('rb')
    subscribed = threading.Event()
    def repeat():
        subscribed.wait()
        while subscribed.is_set():
            subscribed.clear()
            time.sleep(0.5)
        for packet in publish('q', 2, b'\0\7'), publish('q', 2, b'\0\7', 8), b'\x62\2\0\7', b'\x62\2\0\7':
            sent.append('PUBLISH:' if packet[0] >> 4 == 3 else 'PUBREL:')
            connection.sendall(packet)
            time.sleep(1)
        for topic in 'a', 'a/x', 'ab/c', 'c/x/d', 'c/x/d/e', 'e.f/g', 'exf/g', 'end':
            connection.sendall(publish(topic))
    threading.Thread(target=repeat, daemon=True).start()
    while head := stream.read(1):
        length = stream.read(1)[0]
        body = stream.read(length)
        kind = head[0] >> 4
        if kind == 1:
            connection.sendall(b'\x20\2\0\0')
        elif kind == 8:
            connection.sendall(b'\x90\3' + body[:2] + b'\2')
            subscribed.set()
        elif kind in NAMES:
            sent.append(NAMES[kind])

listener = socket.create_server(('127.0.0.1', 0))
sent = []
threading.Thread(target=lambda: serve(listener.accept()[0], sent), daemon=True).start()
name, *command = sys.argv[1:]
said = subprocess.run([*command[:2], str(listener.getsockname()[1]), *command[2:]], capture_output=True, text=True, timeout=60).stdout.split('\n')
said = [line for line in said if line]
print(name, 'delivers q', said.count('message q'), 'times and answers', *sent)
for filter in 'a/#', 'a', 'c/+/d', 'e.f/+':
    topics = [line.split()[2] for line in said if line.startswith(f'handler {filter} ')]
    if any(line.startswith('handler') for line in said):
        print(name, filter, 'gets', *topics)
for line in said:
    if line.startswith(('rejected', 'published')):
        print(name, line)
PY
run() {
  python3 try.py mqtt node mqtt.js
  python3 try.py mqtts node mqtts.js
  python3 try.py xb-msg-mqtt node sap.js
  python3 try.py aio-mqtt-mod env/bin/python aio.py 1 8
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$mosquitto" -p "$port" >/dev/null 2>&1 &
  broker=$!
  sleep 1
  echo aio-mqtt-mod with mosquitto: "$(env/bin/python aio.py "$port" 50 8 | tail -1)"
  kill "$broker"
}
run | tee seen
cat >expected <<'TEXT'
mqtt delivers q 1 times and answers PUBLISH: PUBREC PUBLISH: PUBREC PUBREL: PUBCOMP PUBREL: PUBCOMP
mqtts delivers q 2 times and answers PUBLISH: PUBREC PUBLISH: PUBREC PUBREL: PUBCOMP PUBCOMP PUBREL:
mqtts a/# gets
mqtts a gets a a/x ab/c
mqtts c/+/d gets c/x/d c/x/d/e
mqtts e.f/+ gets e.f/g
mqtts rejected: Expected identifier for QoS != 0
xb-msg-mqtt delivers q 1 times and answers PUBLISH: PUBREC PUBLISH: PUBREC PUBREL: PUBCOMP PUBREL: PUBCOMP
xb-msg-mqtt a/# gets a a/x ab/c
xb-msg-mqtt a gets a
xb-msg-mqtt c/+/d gets c/x/d
xb-msg-mqtt e.f/+ gets e.f/g exf/g
aio-mqtt-mod delivers q 1 times and answers PUBLISH: PUBREC PUBLISH: PUBREC PUBREL: PUBREL:
aio-mqtt-mod rejected: # - Invalid topic filter
aio-mqtt-mod rejected: $SYS/# - Invalid topic filter
aio-mqtt-mod rejected: a//b - Invalid topic filter
aio-mqtt-mod rejected: hall 1/# - Invalid topic filter
aio-mqtt-mod with mosquitto: received 20 of 50
TEXT
diff expected seen
echo "as described"
