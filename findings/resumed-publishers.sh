#!/usr/bin/env bash
# Publishers that go on in the wrong way after a reconnect: libmosquitto 2.0.11, here in mosquitto_pub (Debian 12), PyPI paho-mqtt 2.2.0 and gmqtt 0.8.0 at MQTT 5.0 and
# amqtt 0.12.1 at 3.1.1, beside PyPI ohmqtt 1.2.1.
#
# Expected (MQTT 5.0): a sender answers a PUBREC with a reason code below 0x80 with PUBREL; from 0x80 on, the exchange is over and the identifier is free
#           (4.3.3, [MQTT-4.3.3-4]; 4.9). If Session Present is 1, a client sends its unacknowledged PUBLISH and PUBREL packets again, with their identifiers (4.4,
#           [MQTT-4.4.0-1]), the PUBLISH with DUP 1 (3.3.1.1, [MQTT-3.3.1-1]). If it is 0, a client that has a session discards it (3.2.2.1.1, [MQTT-3.2.2-5]): what
#           it sends then begins anew, without DUP, and without PUBREL for a PUBLISH that this server has not seen. (MQTT 3.1.1) 4.4 is the same for Session Present 1.
# Seen:     three messages of QoS 2: the broker does not answer one, sends PUBREC for two, and, in 5.0, PUBREC 0x97 (quota exceeded) for three; then the connection breaks.
#           paho-mqtt answers 0x97 with PUBREL, and sends this PUBREL again in the next connection. With Session Present 0, paho-mqtt and mosquitto_pub send the same packets
#           as with 1: one with DUP, and PUBREL for two. gmqtt repeats one without DUP. amqtt repeats
#           one and three, and no PUBREL for two. ohmqtt does as expected, and drops its messages with Session Present 0, as gmqtt does.
# So:       a broker that was started anew without its sessions gets a PUBREL in place of the message, answers PUBCOMP, and the message is lost, although
#           mosquitto_pub and paho-mqtt report it as published. A broker that keeps its sessions waits for the PUBREL of amqtt, and holds the message back.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W mosquitto-clients >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto-clients >/dev/null 2>&1
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto-clients libmosquitto1)
[[ $version == *"mosquitto-clients 2.0.11-"* && $version == *"libmosquitto1 2.0.11-"* ]] || { echo "this needs mosquitto-clients and libmosquitto1 2.0.11"; exit 1; }
python3 -m venv env
env/bin/pip install -q paho-mqtt==2.2.0 gmqtt==0.8.0 amqtt==0.12.1 ohmqtt==1.2.1

# Each client keeps its session, publishes one, two, three at QoS 2 and connects again if the connection breaks.
cat >paho_mqtt.py <<'PY'
import sys
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='c', protocol=paho.MQTTv5)
properties = Properties(PacketTypes.CONNECT)
properties.SessionExpiryInterval = 3600
client.connect('127.0.0.1', int(sys.argv[1]), clean_start=False, properties=properties)
for payload in 'one', 'two', 'three':
    client.publish('t', payload, 2)
client.loop_forever()
PY
cat >gmqtt_client.py <<'PY'
import asyncio, logging, sys
from gmqtt import Client
logging.disable(logging.CRITICAL)
async def run():
    client = Client('c', clean_session=False, session_expiry_interval=3600)
    client.set_config({'reconnect_retries': 10, 'reconnect_delay': 1})
    await client.connect('127.0.0.1', int(sys.argv[1]))
    for payload in 'one', 'two', 'three':
        client.publish('t', payload, qos=2)
    await asyncio.sleep(600)
asyncio.run(run())
PY
cat >ohmqtt_client.py <<'PY'
import sys, time
from ohmqtt import Client
from ohmqtt.property import MQTTConnectProps
with Client() as client:
    client.connect(f'mqtt://127.0.0.1:{sys.argv[1]}', client_id='c', reconnect_delay=1, keepalive_interval=60, connect_properties=MQTTConnectProps(SessionExpiryInterval=3600))
    client.wait_for_connect(60)
    for payload in b'one', b'two', b'three':
        client.publish('t', payload, qos=2)
    time.sleep(600)
PY
cat >amqtt_client.py <<'PY'
import asyncio, logging, sys
from amqtt.client import MQTTClient
logging.disable(logging.CRITICAL)
async def run():
    client = MQTTClient('c', config={'auto_reconnect': True, 'reconnect_retries': 10, 'reconnect_max_interval': 1, 'keep_alive': 600})
    await client.connect(f'mqtt://127.0.0.1:{sys.argv[1]}/', cleansession=False)
    tasks = [asyncio.ensure_future(client.publish('t', payload, qos=2)) for payload in (b'one', b'two', b'three')]
    await asyncio.sleep(600)
asyncio.run(run())
PY
cat >try.py <<'PY'
"""Plays a broker that answers three messages differently, closes the connection, and prints what the client sends in the next one."""
import socket, subprocess, sys

version, present, *command = sys.argv[1:]
five = version == '5'
listener = socket.create_server(('127.0.0.1', 0))
listener.settimeout(120)
client = subprocess.Popen([word.replace('PORT', str(listener.getsockname()[1])) for word in command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if command[0] == 'mosquitto_pub':
    client.stdin.write(b'one\ntwo\nthree\n')
    client.stdin.flush()
payloads = {}

class Connection:
    def __init__(self, present):
        self.socket = listener.accept()[0]
        self.stream = self.socket.makefile('rb')
        self.socket.settimeout(120)
        self.read()
        self.socket.sendall(bytes([0x20, 3, present, 0, 0]) if five else bytes([0x20, 2, present, 0]))

    def read(self):
        """The next PUBLISH or PUBREL in words, '' for another packet, or None after silence."""
        try:
            head = self.stream.read(1)
        except TimeoutError:
            return None
        if not head:
            return None
        body = self.stream.read(self.stream.read(1)[0])
        if head[0] >> 4 == 3:
            payload = body[6:].decode() if five else body[5:].decode()
            payloads[body[3:5]] = payload
            return 'PUBLISH ' + payload + (' DUP' if head[0] & 8 else '')
        return 'PUBREL ' + payloads[body[:2]] if head[0] >> 4 == 6 else ''

    def packets(self, seconds):
        self.socket.settimeout(seconds)
        found = []
        while (packet := self.read()) is not None:
            found.append(packet)
        return ', '.join(filter(None, found)) or 'nothing'

connection = Connection(0)
while len(payloads) < 3:
    connection.read()
identifiers = {payload: identifier for identifier, payload in payloads.items()}
connection.socket.sendall(b'\x50\2' + identifiers['two'])
if five:
    connection.socket.sendall(b'\x50\3' + identifiers['three'] + b'\x97')
print(f'Session Present {present}: first', connection.packets(3), end='; ')
connection.stream.close()
connection.socket.close()
print('then', Connection(int(present)).packets(6))
client.kill()
PY
for present in 1 0; do
  echo "ohmqtt, 5.0, $(timeout 300 python3 try.py 5 $present env/bin/python ohmqtt_client.py PORT)"
  echo "mosquitto_pub, 5.0, $(timeout 300 python3 try.py 5 $present mosquitto_pub -h 127.0.0.1 -p PORT -V 5 -i c -c -x 3600 -q 2 -t t -l)"
  echo "paho-mqtt, 5.0, $(timeout 300 python3 try.py 5 $present env/bin/python paho_mqtt.py PORT)"
  echo "gmqtt, 5.0, $(timeout 300 python3 try.py 5 $present env/bin/python gmqtt_client.py PORT)"
  [ $present = 0 ] || echo "amqtt, 3.1.1, $(timeout 300 python3 try.py 311 $present env/bin/python amqtt_client.py PORT)"
done | tee seen
cat >expected <<'TEXT'
ohmqtt, 5.0, Session Present 1: first PUBREL two; then PUBLISH one DUP, PUBREL two
mosquitto_pub, 5.0, Session Present 1: first PUBREL two; then PUBLISH one DUP, PUBREL two
paho-mqtt, 5.0, Session Present 1: first PUBREL two, PUBREL three; then PUBLISH one DUP, PUBREL two, PUBREL three
gmqtt, 5.0, Session Present 1: first PUBREL two; then PUBLISH one, PUBREL two
amqtt, 3.1.1, Session Present 1: first PUBREL two; then PUBLISH one DUP, PUBLISH three DUP
ohmqtt, 5.0, Session Present 0: first PUBREL two; then nothing
mosquitto_pub, 5.0, Session Present 0: first PUBREL two; then PUBLISH one DUP, PUBREL two
paho-mqtt, 5.0, Session Present 0: first PUBREL two, PUBREL three; then PUBLISH one DUP, PUBREL two, PUBREL three
gmqtt, 5.0, Session Present 0: first PUBREL two; then nothing
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto 2.0.11, paho-mqtt 2.2.0, gmqtt 0.8.0, amqtt 0.12.1: as described"
