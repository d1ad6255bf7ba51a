#!/usr/bin/env bash
# PyPI mqtt-spb-wrapper 2.1.2 names the metrics of data otherwise than those of the birth, and publishes the state of a host below a group.
#
# Expected (Sparkplug 3.0): the birth has all metrics of later data, under the same names (tck-id-operational-behavior-data-publish-nbirth). The state of
#           a host is JSON, retained, on spBv1.0/STATE/HOST (tck-id-host-topic-phid-birth-topic, -birth-payload, tck-id-payloads-state-will-message-retain).
# Seen:     data.set_value('x', 1) is DATA/x in the NBIRTH and x in NDATA; the metric for rebirths is CMD/Node Control/Rebirth. MqttSpbEntityScada publishes the text ONLINE to spBv1.0/g/STATE/h; the will,
#           OFFLINE, is not retained, and after disconnect() the retained message is still ONLINE.
# So:       a host that goes by the birth ignores the data, or requests a rebirth for each message. A node that waits for its host finds no state under the
#           specified topic, and under the other one a host that is gone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q mqtt-spb-wrapper==2.1.2

cat >try.py <<'PY'
from mqtt_spb_wrapper import MqttSpbEntityEdgeNode, MqttSpbEntityScada
from mqtt_spb_wrapper.spb_protobuf import Payload

class Published:
    def is_published(self):
        return True

class Broker:
    """Stands for the MQTT client, and prints what is published."""
    def publish(self, topic, payload, qos=0, retain=False):
        show('publish', topic, payload, retain)
        return Published()

    def will_set(self, topic, payload, qos=0, retain=False):
        show('will', topic, payload, retain)

    def is_connected(self):
        return True

    def __getattr__(self, name):
        return lambda *arguments: [0]

def show(how, topic, payload, retain):
    if 'STATE' in topic:
        print(how, topic, bytes(payload).decode(), 'retained' if retain else 'not retained')
    elif 'NBIRTH' in topic or 'NDATA' in topic:
        metrics = Payload.FromString(bytes(payload)).metrics
        print(topic, sorted(metric.name for metric in metrics if metric.name != 'bdSeq'))

node = MqttSpbEntityEdgeNode('g', 'n')
node._mqtt = Broker()
node.data.set_value('x', 1)
node.publish_birth()
node.data.set_value('x', 2)
node.publish_data()

class Offline(Broker):
    connected = False
    def connect(self, *arguments):
        self.connected = True
    def is_connected(self):
        return self.connected

host = MqttSpbEntityScada('g', 'h')
host._mqtt = Offline()
host.connect('127.0.0.1', 1)
host.publish_birth()
host.disconnect()
PY
venv/bin/python try.py | tee seen
cat >expected <<'TEXT'
spBv1.0/g/NBIRTH/n ['CMD/Node Control/Rebirth', 'DATA/x']
spBv1.0/g/NDATA/n ['x']
will spBv1.0/g/STATE/h OFFLINE not retained
publish spBv1.0/g/STATE/h ONLINE retained
publish spBv1.0/g/STATE/h OFFLINE not retained
TEXT
diff expected seen
echo "mqtt-spb-wrapper 2.1.2: as described"
