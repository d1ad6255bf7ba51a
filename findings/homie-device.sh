#!/usr/bin/env bash
# PyPI Homie4 0.4.0, for devices of the Homie convention, publishes events as retained messages, ignores broadcasts, and names its extensions
# otherwise than the convention.
#
# Expected (Homie 4.0.0): messages of a property whose $retained is false are not retained (property attributes). $extensions is required, and lists
#           identifiers such as org.homie.legacy-stats:0.1.1:[4.x] (device attributes, extensions), empty if there are none. A
#           broadcast is a message to $broadcast/ and a level below the base topic, homie/$broadcast/alert (broadcast channel).
# Seen:     the value of a property with retained=False is retained, while $retained is false. $extensions is "stats,firmware,meta", and missing
#           if there are none. The device subscribes to homie/ID/$broadcast/#, so a broadcast does not arrive, and a message to that topic is not
#           handed to broadcast_handler either. The state, the other attributes and set messages are as expected.
# So:       a controller that starts sees the last push of each doorbell as a new one, and a broadcast alarm is not heard.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
python3 -m venv env
env/bin/pip install -q Homie4==0.4.0 paho-mqtt==2.2.0

cat >device.py <<'PY'
"""Two devices: `bell` with an event and a switch, and `plain` without extensions. Prints what they receive until a set message comes."""
import logging, sys, threading
from homie.device_base import Device_Base
from homie.node.node_base import Node_Base
from homie.node.property.property_boolean import Property_Boolean
from homie.node.property.property_string import Property_String

logging.disable(logging.CRITICAL)
done = threading.Event()

class Device(Device_Base):
    def broadcast_handler(self, topic, payload):
        print('device received broadcast', payload, flush=True)

def switch(value):
    print('device received set', value, flush=True)
    done.set()

settings = {'MQTT_BROKER': '127.0.0.1', 'MQTT_PORT': int(sys.argv[1])}
bell = Device('bell', 'Bell', mqtt_settings=dict(settings))
node = Node_Base(bell, 'door', 'Door', 'bell')
bell.add_node(node)
event = Property_String(node, 'event', 'Event', settable=False, retained=False, value='pressed')
node.add_property(event)
node.add_property(Property_Boolean(node, 'light', 'Light', retained=True, value=False, set_value=switch))
bell.start()
Device('plain', 'Plain', mqtt_settings=dict(settings), extensions=[]).start()
done.wait(30)
PY
cat >watch.py <<'PY'
"""Waits for the devices, then prints retained messages, and sends broadcasts and a set message."""
import sys, threading
import paho.mqtt.client as mqtt

retained, ready, states = {}, threading.Event(), set()

def receive(client, userdata, message):
    if message.topic.endswith('/$state') and message.payload == b'ready':
        states.add(message.topic)
        if len(states) == 2:
            ready.set()

def collect(client, userdata, message):
    if message.retain:
        retained[message.topic] = message.payload.decode()
    if message.topic == 'end':
        ready.set()

def connect(handler):
    ready.clear()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = handler
    client.connect('127.0.0.1', int(sys.argv[1]))
    client.loop_start()
    client.subscribe([('homie/#', 1), ('end', 1)])
    return client

connect(receive)
assert ready.wait(30)
client = connect(collect)
client.publish('end', '', 1)
assert ready.wait(30)
for topic in ('homie/bell/door/event', 'homie/bell/door/event/$retained', 'homie/bell/door/light', 'homie/bell/door/light/$retained', 'homie/bell/$homie',
              'homie/bell/$extensions', 'homie/plain/$extensions'):
    print('retained', topic, '|', retained.get(topic, 'none'), flush=True)
for topic in ('homie/$broadcast/alert', 'homie/bell/$broadcast/alert', 'homie/bell/door/light/set'):
    client.publish(topic, 'true', 1).wait_for_publish(30)
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$mosquitto" -p "$port" >/dev/null 2>&1 &
broker=$!
for _ in $(seq 100); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
  sleep 0.1
done
timeout 60 env/bin/python -W ignore device.py "$port" >device.txt 2>/dev/null &
device=$!
timeout 60 env/bin/python watch.py "$port" >watch.txt
wait "$device"
kill "$broker"
cat watch.txt device.txt | tee seen
cat >expected <<'TEXT'
retained homie/bell/door/event | pressed
retained homie/bell/door/event/$retained | false
retained homie/bell/door/light | false
retained homie/bell/door/light/$retained | true
retained homie/bell/$homie | 4.0.0
retained homie/bell/$extensions | stats,firmware,meta
retained homie/plain/$extensions | none
device received set True
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "Homie4 0.4.0: as described"
