#!/usr/bin/env bash
# mosquitto_rr 2.0.11 (Debian 12) prints any message on the response topic as the answer: retained ones, from before the request, and answers with the correlation data of other requests.
#
# Expected (MQTT 5.0): correlation data identifies the request that a response is for (3.3.2.3.6). A message that was published before the subscription has RETAIN 1 (3.3.1.3). mosquitto_rr(1): it publishes a request message
#           and waits for a response, and uses the request-response feature of MQTT 5, which is the default.
# Seen:     a responder answers each request after three seconds, with the correlation data of the request. `mosquitto_rr -D publish correlation-data mine` prints "answer". If a message is retained on the response topic, it prints
#           that one at once, whatever its correlation data, and exits with status 0. If the answer to another request, with other correlation data, is published on the same response topic in between, it prints that one.
# So:       a script that asks for the state of a door on a response topic of its own name prints for ever what the door said once, if a responder retains its answers, and two
#           scripts with one response topic get each other's answers.
set -euo pipefail
work=$(mktemp -d)
jobs=()
trap 'for job in "${jobs[@]}"; do kill "$job" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto mosquitto-clients; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto mosquitto-clients libmosquitto1)
[ "$(grep -c ' 2\.0\.11-' <<<"$version")" = 3 ] || { echo "this needs mosquitto, mosquitto-clients and libmosquitto1 2.0.11"; exit 1; }
python3 -m venv env
env/bin/pip install -q paho-mqtt==2.2.0
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
/usr/sbin/mosquitto -v -p "$port" >broker.log 2>&1 &
jobs+=("$!")
for _ in $(seq 100); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
  sleep 0.2
done
cat >responder.py <<'PY'
"""Answers requests on "ask" after three seconds, with the correlation data of the request."""
import sys, threading
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

def answer(client, _data, message):
    properties = Properties(PacketTypes.PUBLISH)
    if hasattr(message.properties, 'CorrelationData'):
        properties.CorrelationData = message.properties.CorrelationData
    threading.Timer(3, client.publish, (message.properties.ResponseTopic, 'answer'), {'properties': properties}).start()

client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='responder', protocol=paho.MQTTv5)
client.on_message = answer
client.on_connect = lambda *_: client.subscribe('ask', 1)
client.connect('127.0.0.1', int(sys.argv[1]))
client.loop_forever()
PY
env/bin/python responder.py "$port" &
jobs+=("$!")
until grep -q 'Sending SUBACK to responder' broker.log; do sleep 0.2; done
ask() { # response topic
  status=0
  printed=$(mosquitto_rr -V 5 -p "$port" -i "asks-$1" -t ask -e "$1" -m question -D publish correlation-data mine -W 20) || status=$?
  echo "$printed (status $status)"
}
publish() { mosquitto_pub -V 5 -p "$port" -q 1 -D publish correlation-data other "$@"; }
{
  echo "alone: $(ask one)"
  publish -r -t two -m old
  echo "with a retained message: $(ask two)"
  (
    until grep -q "Received PUBLISH from asks-three .*'ask'" broker.log; do sleep 0.05; done
    publish -t three -m "for another request"
  ) &
  jobs+=("$!")
  echo "with the answer to another request: $(ask three)"
} | tee seen
cat >expected <<'TEXT'
alone: answer (status 0)
with a retained message: old (status 0)
with the answer to another request: for another request (status 0)
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto_rr 2.0.11: as described"
