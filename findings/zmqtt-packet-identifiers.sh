#!/usr/bin/env bash
# PyPI zmqtt 0.2.5 resumes a session and begins again with packet identifier 1, which the session has in use, so a broker gives its subscribers the old message in place of
# the new one, beside PyPI paho-mqtt 2.2.0.
#
# Expected (MQTT 3.1.1 and 5.0): a client that comes back with Clean Session or Clean Start 0, and is told Session Present 1, sends its unacknowledged PUBLISH and PUBREL packets again with
#           their identifiers (4.4, [MQTT-4.4.0-1]). A new PUBLISH of QoS 1 or 2 gets an identifier that is not in use (2.3.1, [MQTT-2.3.1-2] of 3.1.1; 2.2.1,
#           [MQTT-2.2.1-3] of 5.0); with QoS 2 it is in use until PUBCOMP (2.3.1, [MQTT-2.3.1-3]). Until PUBREL, a receiver treats a PUBLISH with the same
#           identifier as a repetition (4.3.3).
# Seen:     the client publishes "one" at QoS 2 to npm aedes 1.2.0, and its connection breaks before PUBREC arrives. paho-mqtt sends "one" again, with DUP, and
#           "two" under another identifier, and both arrive. publish() of zmqtt raises MQTTDisconnectedError for "one". After the reconnect with Session Present 1, zmqtt sends "two" under
#           the identifier 1; aedes takes it for a repetition, and PUBREL delivers "one". publish() of "two" raises nothing, and "two" never arrives.
# So:       a program that catches the error and goes on with the next command, as after "open" with "shut", opens the valve and gets the confirmation for "shut".
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" || true; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts aedes@1.2.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q zmqtt==0.2.5 paho-mqtt==2.2.0

cat >broker.js <<'JS'
require('aedes').Aedes.createBroker().then((broker) => require('net').createServer(broker.handle).listen(+process.argv[2], '127.0.0.1'));
JS
# Each client connects with the session of its name, publishes "one" and, when it is connected again, "two".
cat >zmqtt_client.py <<'PY'
import asyncio, logging, sys
from zmqtt import QoS, ReconnectConfig, create_client
logging.disable(logging.CRITICAL)
async def run():
    options = dict(port=int(sys.argv[1]), client_id='zmqtt', clean_session=False, version='3.1.1', reconnect=ReconnectConfig(initial_delay=1))
    async with create_client('127.0.0.1', **options) as client:
        async with client.subscribe('own', qos=QoS(0)):
            for payload in 'one', 'two':
                try:
                    await client.publish('valve', payload, qos=QoS(2))
                    print('published', payload, flush=True)
                except Exception as error:
                    print(type(error).__name__, 'for', payload, flush=True)
                await asyncio.sleep(5)
asyncio.run(run())
PY
cat >paho_client.py <<'PY'
import sys, threading, time
from paho.mqtt import client as paho
client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='paho', protocol=paho.MQTTv311, clean_session=False)
subscribed, published = threading.Event(), {}
client.on_connect = lambda *_: client.subscribe('own', 0)
client.on_subscribe = lambda *_: subscribed.set()
client.on_publish = lambda _client, _data, identifier, _code, _properties: print('published', published.get(identifier), flush=True)
client.connect('127.0.0.1', int(sys.argv[1]))
client.loop_start()
subscribed.wait(60)
for payload in 'one', 'two':
    published[client.publish('valve', payload, 2).mid] = payload
    time.sleep(8)
PY
cat >try.py <<'PY'
"""Runs a client on a broker, through a proxy that ends the first connection in place of passing PUBREC on, and prints what is sent and delivered."""
import socket, subprocess, sys, threading, time

BROKER = int(sys.argv[1])
sent, delivered = [], []

def packets(connection):
    stream = connection.makefile('rb')
    while head := stream.read(1):
        length = stream.read(1)
        yield head + length + stream.read(length[0])

def forward(source, target, each):
    try:
        for packet in packets(source):
            if each(packet) is False:
                break
            target.sendall(packet)
    except OSError:
        pass
    for connection in source, target:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

def client_sends(packet):
    if packet[0] >> 4 == 3 and packet[0] & 6:
        sent.append(f'PUBLISH {packet[11:].decode()} under {int.from_bytes(packet[9:11], "big")}' + (' DUP' if packet[0] & 8 else ''))
    if packet[0] >> 4 == 6:
        sent.append(f'PUBREL {int.from_bytes(packet[2:4], "big")}')

def serve(listener):
    first = True
    while True:
        client, broker = listener.accept()[0], socket.create_connection(('127.0.0.1', BROKER))
        def broker_sends(packet, cut=first):
            if packet[0] >> 4 == 2:
                sent.append(f'(Session Present {packet[2]})')
            return not (cut and packet[0] >> 4 == 5)
        first = False
        threading.Thread(target=forward, args=(client, broker, client_sends), daemon=True).start()
        threading.Thread(target=forward, args=(broker, client, broker_sends), daemon=True).start()

def watch():
    for packet in packets(watcher):
        if packet[0] >> 4 == 9:
            ready.set()
        if packet[0] >> 4 == 3:
            delivered.append(packet[4 + packet[3]:].decode())

for _ in range(300):
    try:
        watcher = socket.create_connection(('127.0.0.1', BROKER))
        break
    except ConnectionRefusedError:
        time.sleep(0.2)
ready = threading.Event()
threading.Thread(target=watch, daemon=True).start()
watcher.sendall(b'\x10\x13\0\4MQTT\4\2\0\0\0\7watcher' + b'\x82\x0a\0\1\0\5valve\0')
assert ready.wait(60)
listener = socket.create_server(('127.0.0.1', 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
said = subprocess.run([*sys.argv[2:], str(listener.getsockname()[1])], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=200).stdout.split('\n')
time.sleep(1)
print('sent:', ', '.join(sent))
print('said:', ', '.join(filter(None, said)))
print('delivered:', *delivered)
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
node broker.js "$port" &
broker=$!
for client in paho zmqtt; do
  timeout 300 python3 try.py "$port" env/bin/python "${client}_client.py" | sed "s/^/$client | /"
done | tee seen
cat >expected <<'TEXT'
paho | sent: (Session Present 0), PUBLISH one under 2, (Session Present 1), PUBLISH one under 2 DUP, PUBREL 2, PUBLISH two under 4, PUBREL 4
paho | said: published one, published two
paho | delivered: one two
zmqtt | sent: (Session Present 0), PUBLISH one under 1, (Session Present 1), PUBLISH two under 1, PUBREL 1
zmqtt | said: MQTTDisconnectedError for one, published two
zmqtt | delivered: one
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "zmqtt 0.2.5: as described"
