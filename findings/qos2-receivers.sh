#!/usr/bin/env bash
# Clients that deliver a QoS 2 message twice if it is sent twice: libmosquitto 2.0.11, here in mosquitto_sub (Debian 12), which also exchanges all later messages
# under that packet identifier with the ones before, and PyPI gmqtt 0.8.0, beside PyPI paho-mqtt 2.2.0.
#
# Expected (MQTT 5.0 and 3.1.1): a sender that comes back sends a PUBLISH again that has no PUBREC yet, with its packet identifier and DUP (4.4,
#           [MQTT-4.4.0-1]). Until the receiver has PUBREL, it answers each further PUBLISH with this identifier with PUBREC and does not deliver it again. After it has sent
#           PUBCOMP, a PUBLISH with this identifier is a new message (4.3.3; [MQTT-4.3.3-10] and [MQTT-4.3.3-12] of 5.0, [MQTT-4.3.3-2] of 3.1.1).
# Seen:     the broker sends "first" under the identifier 7, does not get PUBREC, since the connection breaks, and sends it again in the next connection. Then follow
#           "second" and "third", each under 7 after the exchange before was completed. paho-mqtt delivers first, second, third. mosquitto_sub
#           answers in the right way, but puts both copies of "first" on its list and delivers at each PUBREL the oldest one with the identifier: first, first,
#           second, so it prints "second" when it gets "third". It does the same in 3.1.1 if the copy comes over the same connection. gmqtt delivers at each PUBLISH:
#           first, first, second, third.
# So:       a valve that is switched at QoS 2, so that no command comes twice, is switched twice after a bad connection. A program with libmosquitto then lags one
#           command behind under this identifier for as long as the session lasts: after "open" and "shut" it does "open".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W mosquitto-clients >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto-clients >/dev/null 2>&1
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto-clients libmosquitto1)
[[ $version == *"mosquitto-clients 2.0.11-"*"libmosquitto1 2.0.11-"* || $version == *"libmosquitto1 2.0.11-"*"mosquitto-clients 2.0.11-"* ]] || { echo "this needs mosquitto-clients 2.0.11"; exit 1; }
python3 -m venv env
env/bin/pip install -q paho-mqtt==2.2.0 gmqtt==0.8.0

# Each client keeps its session, subscribes to # at QoS 2, connects again if the connection breaks, and prints "message PAYLOAD".
cat >paho_mqtt.py <<'PY'
import sys
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
five = sys.argv[2] == '5'
client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='c', protocol=paho.MQTTv5 if five else paho.MQTTv311, clean_session=None if five else False)
client.on_message = lambda _client, _data, message: print('message', message.payload.decode(), flush=True)
client.on_connect = lambda *_: client.subscribe('#', 2)
options = {}
if five:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    options = {'clean_start': False, 'properties': properties}
client.connect('127.0.0.1', int(sys.argv[1]), **options)
client.loop_forever()
PY
cat >gmqtt_client.py <<'PY'
import asyncio, logging, sys
from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv311, MQTTv50
logging.disable(logging.CRITICAL)
five = sys.argv[2] == '5'
async def run():
    client = Client('c', clean_session=False, **({'session_expiry_interval': 3600} if five else {}))
    async def receive(_client, topic, payload, qos, properties):
        print('message', payload.decode(), flush=True)
        return 0
    client.on_message = receive
    client.on_connect = lambda *_: client.subscribe('#', qos=2)
    client.set_config({'reconnect_retries': 10, 'reconnect_delay': 1})
    await client.connect('127.0.0.1', int(sys.argv[1]), version=MQTTv50 if five else MQTTv311)
    await asyncio.sleep(600)
asyncio.run(run())
PY
cat >try.py <<'PY'
"""Plays a broker that sends a message twice, over two connections or over one, and prints what the client delivers after each step."""
import socket, subprocess, sys, threading, time

version, again, *command = sys.argv[1:]
none = b'\0' if version == '5' else b''
listener = socket.create_server(('127.0.0.1', 0))
listener.settimeout(120)
client = subprocess.Popen([word.replace('PORT', str(listener.getsockname()[1])) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
delivered = []
threading.Thread(target=lambda: delivered.extend(line.split()[1] for line in iter(client.stdout.readline, '') if line.startswith('message ')), daemon=True).start()

class Connection:
    def __init__(self, present):
        self.socket = listener.accept()[0]
        self.socket.settimeout(120)
        self.stream = self.socket.makefile('rb')
        self.wait(1)
        self.socket.sendall(bytes([0x20, 2 + len(none), present, 0]) + none)
        self.wait(8)

    def wait(self, kind):
        """The next packet of this type; a SUBSCRIBE on the way is answered."""
        while head := self.stream.read(1):
            body = self.stream.read(self.stream.read(1)[0])
            if head[0] >> 4 == 8:
                self.socket.sendall(bytes([0x90, 3 + len(none)]) + body[:2] + none + b'\2')
            if head[0] >> 4 == kind:
                return body
        sys.exit(f'no packet of type {kind}')

    def publish(self, payload, repeated=False):
        body = b'\0\1t\0\7' + none + payload.encode()
        self.socket.sendall(bytes([0x3c if repeated else 0x34, len(body)]) + body)
        self.wait(5)

    def release(self):
        self.socket.sendall(b'\x62\2\0\7')
        self.wait(7)

connection = Connection(0)
connection.publish('first')
if again == 'reconnect':
    connection.socket.close()
    connection.stream.close()
    connection = Connection(1)
connection.publish('first', True)
connection.release()
time.sleep(2)
steps = [' '.join(delivered)]
for payload in 'second', 'third':
    count = len(delivered)
    connection.publish(payload)
    connection.release()
    time.sleep(2)
    steps.append(f'at {payload}: ' + ' '.join(delivered[count:]))
client.kill()
print(', '.join(steps))
PY
run() {
  for version in 5 311; do
    for again in reconnect same; do
      # In 5.0, nothing is sent again over the same connection (4.4, [MQTT-4.4.0-1]).
      [ $version$again != 5same ] || continue
      expiry=()
      [ $version != 5 ] || expiry=(-x 3600)
      case $1 in
        mosquitto_sub) command=(mosquitto_sub -h 127.0.0.1 -p PORT -V $version -i c -c "${expiry[@]}" -q 2 -t '#' -F 'message %p') ;;
        *) command=(env/bin/python "$1.py" PORT $version) ;;
      esac
      echo "$1, $version, $again: $(timeout 300 python3 try.py $version $again "${command[@]}")"
    done
  done
}
for client in paho_mqtt mosquitto_sub gmqtt_client; do
  run $client
done | tee seen
cat >expected <<'TEXT'
paho_mqtt, 5, reconnect: first, at second: second, at third: third
paho_mqtt, 311, reconnect: first, at second: second, at third: third
paho_mqtt, 311, same: first, at second: second, at third: third
mosquitto_sub, 5, reconnect: first, at second: first, at third: second
mosquitto_sub, 311, reconnect: first, at second: first, at third: second
mosquitto_sub, 311, same: first, at second: first, at third: second
gmqtt_client, 5, reconnect: first first, at second: second, at third: third
gmqtt_client, 311, reconnect: first first, at second: second, at third: third
gmqtt_client, 311, same: first first, at second: second, at third: third
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "libmosquitto 2.0.11, gmqtt 0.8.0: as described"
