#!/usr/bin/env bash
# Two MQTT clients that keep messages on disk until they are delivered publish a message of QoS 2 twice: PyPI robmqtt 1.0.0 and persistmq 0.1.4; persistmq also mixes topics and loses what is queued at stop().
#
# Expected (MQTT 3.1.1): QoS 2 is exactly once (4.3.3); a client that reconnects to its session sends PUBREL again for what had PUBREC ([MQTT-4.4.0-1]) and must not send
#           the PUBLISH again ([MQTT-4.3.3-1]). The README of robmqtt: unconfirmed messages "are tracked and re-sent". That of persistmq: for "QoS=2 is necessary", a
#           cached message is deleted when the publish was successful, caching in "pickle or leightweight to sqlite"; stop() caches the remaining data.
# Seen:     robmqtt has the message published by paho-mqtt, which sends PUBREL again, and publishes it anew with another identifier. persistmq publishes a message that
#           waited for ten seconds, and then again from its cache. A bulk of messages has the beginning of the topic of its last one, so
#           readings of line1 appear under line2. After stop() nothing is in the cache; cache_type "pickle" makes no pickle files.
# So:       a dose, a step or a payment happens twice after a short break of the network.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for name in robmqtt==1.0.0 persistmq==0.1.4; do
  python3 -m venv "${name%%==*}"
done
robmqtt/bin/pip install -q --disable-pip-version-check robmqtt==1.0.0 paho-mqtt==1.6.1 >/dev/null 2>&1
persistmq/bin/pip install -q --disable-pip-version-check persistmq==0.1.4 paho-mqtt==2.1.0 cbor2==5.7.1 >/dev/null 2>&1

cat >peer.py <<'PY'
"""The broker's side of MQTT 3.1.1 for one client."""
import socket

class Peer:
    def __init__(self, port=0):
        self.server = socket.create_server(('127.0.0.1', port))
        self.port = self.server.getsockname()[1]

    def connect(self, present):
        while True:
            self.connection = self.server.accept()[0]
            self.connection.settimeout(120)
            self.stream = self.connection.makefile('rb')
            try:
                assert self.packet()[0] == 0x10
                return self.connection.sendall(bytes([0x20, 2, present, 0]))
            except (ValueError, ConnectionError):  # robmqtt and paho-mqtt both reconnect, and one of the connections may end at once
                self.end()

    def packet(self):
        head, size = self.stream.read(2)
        if size & 128:
            size += (self.stream.read(1)[0] - 1) * 128
        return head, self.stream.read(size)

    def publish(self):
        """A PUBLISH of QoS 2: DUP, identifier, topic, payload."""
        head, body = self.packet()
        size = int.from_bytes(body[:2], 'big')
        self.identifier = body[2 + size:4 + size]
        return f'PUBLISH{" DUP" if head & 8 else ""} {self.identifier.hex()} {body[2:2 + size].decode()}', body[4 + size:]

    def answer(self, head, identifier=None):
        self.connection.sendall(bytes([head, 2]) + (identifier or self.identifier))

    def end(self):
        self.stream.close()
        self.connection.close()
PY
cat >robmqtt.try <<'PY'
import os, time
import peer
from robmqtt import ProductionMQTTClient

broker = peer.Peer()
client = ProductionMQTTClient(client_id='pump', broker_host='127.0.0.1', broker_port=broker.port, log_level='CRITICAL')
client.connect()
client.start()
broker.connect(0)
while not client.queue_drainer_running:  # the last thing that it does when it is connected
    time.sleep(0.1)
client.publish('dose', 'one', qos=2)
name, payload = broker.publish()
print('robmqtt |', name, payload.decode())
broker.answer(0x50)
head, identifier = broker.packet()
print(f'robmqtt | PUBREL {identifier.hex()}' if head == 0x62 else head, '| the connection breaks')
broker.end()
broker.connect(1)
again = None
while not again:
    try:
        head, body = broker.packet()
    except (ValueError, ConnectionError):
        broker.end()
        broker.connect(1)
        continue
    if head == 0x62:
        broker.answer(0x70, body)
    elif head & 0xf0 == 0x30 and body[6:8] != identifier:
        again = f'PUBLISH{" DUP" if head & 8 else ""} with another identifier {body[2:6].decode()} {body[8:].decode()}'
print('robmqtt |', again, '| in the same session')
os._exit(0)
PY
cat >persistmq.try <<'PY'
import sqlite3, time
from pathlib import Path
import cbor2
import peer
from persistmq.client import PersistClient

start = peer.Peer()
port = start.port
start.server.close()
client = PersistClient(client_id='line', cache_type='pickle', cache_path=Path('cache'), bulk_msg_count=3)
client.connect_async('127.0.0.1', port)
for topic, payload in ('line1/oven/temp', '201'), ('line1/oven/state', 'on'), ('line2/oven/temp', '305'):
    client.publish(topic, payload)
while client.get_status()['cached_items'] < 3:
    time.sleep(0.1)
print('persistmq | no broker, cached 3 |', sorted(one.name for one in Path('cache').iterdir()))
broker = peer.Peer(port)
broker.connect(0)
for _ in range(2):
    name, payload = broker.publish()
    print('persistmq |', name, payload.decode() if len(payload) < 5 else cbor2.loads(payload))
    broker.answer(0x50)
    broker.packet()
    broker.answer(0x70)
client.stop()
broker.end()
broker.server.close()

client = PersistClient(client_id='line', cache_path=Path('other'))
client.connect_async('127.0.0.1', port)
while not Path('other/database.sq3').exists():
    time.sleep(0.1)
time.sleep(1)
for number in range(5):
    client.publish('line1/oven/temp', str(number))
client.stop()
print('persistmq | 5 messages without a broker, then stop() |', sqlite3.connect('other/database.sq3').execute('SELECT count(*) FROM messages').fetchone()[0], 'cached')
PY
{
  PYTHONPATH=. timeout 200 robmqtt/bin/python robmqtt.try 2>robmqtt.log
  PYTHONPATH=. timeout 200 persistmq/bin/python persistmq.try 2>persistmq.log
} | tee seen
cat >expected <<'TEXT'
robmqtt | PUBLISH 0001 dose one
robmqtt | PUBREL 0001 | the connection breaks
robmqtt | PUBLISH with another identifier dose one | in the same session
persistmq | no broker, cached 3 | ['database.sq3']
persistmq | PUBLISH 0001 line1/oven/temp 201
persistmq | PUBLISH 0002 line2/mixed/bulk [{'subtopic': 'oven/temp', 'payload': '201'}, {'subtopic': 'oven/state', 'payload': 'on'}, {'subtopic': 'oven/temp', 'payload': '305'}]
persistmq | 5 messages without a broker, then stop() | 0 cached
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
