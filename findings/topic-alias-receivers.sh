#!/usr/bin/env bash
# PyPI paho-mqtt 2.2.0 hands messages with a topic alias on without a topic, past the callbacks of their filters, and PyPI aiomqtt 2.5.1, which is built on it, ends its
# connection at the first one, beside PyPI gmqtt 0.8.0.
#
# Expected (MQTT 5.0): a client that sends Topic Alias Maximum 5 in CONNECT accepts the aliases 1 to 5 (3.1.2.11.5, [MQTT-3.1.2-26]). A PUBLISH with a topic
#           and an alias sets the mapping, one with an empty topic and the alias has that topic (3.3.2.3.4). The receiver treats both in the same way.
# Seen:     both packages let the program set TopicAliasMaximum among the properties for CONNECT, and send it. The broker sends "one" with the topic t/a and the alias 1, then "two" and
#           "three" with an empty topic and the alias. paho-mqtt calls the callback that was added for t/# with "one", and on_message with the topic '' for the others; all
#           are acknowledged. aiomqtt hands on "one", raises MqttError from ValueError (invalid topic) at "two", which it does not acknowledge, and is
#           disconnected. gmqtt hands all on with t/a.
# So:       with a broker that uses aliases, a program sees only the first message of each topic in its callbacks, and in a session that is kept, the
#           message that ends the connection of aiomqtt comes again each time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q paho-mqtt==2.2.0 aiomqtt==2.5.1 gmqtt==0.8.0

cat >paho_client.py <<'PY'
import sys
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='c', protocol=paho.MQTTv5)
client.on_message = lambda _client, _data, message: print(f'on_message {message.topic!r} {message.payload.decode()}', flush=True)
client.message_callback_add('t/#', lambda _client, _data, message: print(f'callback of t/# {message.topic!r} {message.payload.decode()}', flush=True))
client.on_connect = lambda *_: client.subscribe('t/#', 1)
properties = Properties(PacketTypes.CONNECT)
properties.TopicAliasMaximum = 5
client.connect('127.0.0.1', int(sys.argv[1]), properties=properties)
client.loop_forever()
PY
cat >aiomqtt_client.py <<'PY'
import asyncio, logging, sys
import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
logging.disable(logging.CRITICAL)
async def run():
    properties = Properties(PacketTypes.CONNECT)
    properties.TopicAliasMaximum = 5
    try:
        async with aiomqtt.Client('127.0.0.1', int(sys.argv[1]), identifier='c', protocol=aiomqtt.ProtocolVersion.V5, properties=properties) as client:
            await client.subscribe('t/#', 1)
            async for message in client.messages:
                print(f"message '{message.topic}' {message.payload.decode()}", flush=True)
    except aiomqtt.MqttError as error:
        print(type(error).__name__, 'from', repr(error.__cause__), flush=True)
asyncio.run(run())
PY
cat >gmqtt_client.py <<'PY'
import asyncio, logging, sys
from gmqtt import Client
logging.disable(logging.CRITICAL)
async def run():
    client = Client('c', topic_alias_maximum=5)
    async def receive(_client, topic, payload, _qos, _properties):
        print(f'message {topic!r} {payload.decode()}', flush=True)
        return 0
    client.on_message = receive
    client.on_connect = lambda *_: client.subscribe('t/#', qos=1)
    await client.connect('127.0.0.1', int(sys.argv[1]))
    await asyncio.sleep(600)
asyncio.run(run())
PY
cat >try.py <<'PY'
"""Plays a broker that uses a topic alias, and prints what the client acknowledges and says."""
import socket, subprocess, sys

listener = socket.create_server(('127.0.0.1', 0))
listener.settimeout(120)
client = subprocess.Popen([*sys.argv[1:], str(listener.getsockname()[1])], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
connection = listener.accept()[0]
connection.settimeout(120)
stream = connection.makefile('rb')

def read():
    """The next packet, or (0, b'') at the end of the connection."""
    try:
        head = stream.read(1)
        return (head[0], stream.read(stream.read(1)[0])) if head else (0, b'')
    except ConnectionError:
        return 0, b''

body = read()[1]
assert b'\x22\0\5' in body[11:11 + body[10]], 'CONNECT has Topic Alias Maximum 5'
connection.sendall(b'\x20\3\0\0\0')
connection.sendall(b'\x90\4' + read()[1][:2] + b'\0\1')
acknowledged = 0
for number, (topic, payload) in enumerate((('t/a', 'one'), ('', 'two'), ('', 'three')), 1):
    body = len(topic).to_bytes(2, 'big') + topic.encode() + number.to_bytes(2, 'big') + b'\3\x23\0\1' + payload.encode()
    try:
        connection.sendall(bytes([0x32, len(body)]) + body)
    except ConnectionError:
        break
    head, body = read()
    if head != 0x40:
        break
    acknowledged += 1
try:
    client.wait(3)
except subprocess.TimeoutExpired:
    client.kill()
print('acknowledged', acknowledged, '|', '; '.join(client.stdout.read().splitlines()))
PY
for client in gmqtt paho aiomqtt; do
  echo "$client | $(timeout 300 python3 try.py env/bin/python "${client}_client.py")"
done | tee seen
cat >expected <<'TEXT'
gmqtt | acknowledged 3 | message 't/a' one; message 't/a' two; message 't/a' three
paho | acknowledged 3 | callback of t/# 't/a' one; on_message '' two; on_message '' three
aiomqtt | acknowledged 1 | message 't/a' one; MqttError from ValueError('Invalid topic: ')
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "paho-mqtt 2.2.0, aiomqtt 2.5.1: as described"
