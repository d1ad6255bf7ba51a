#!/usr/bin/env bash
# Three libraries for Sparkplug nodes pair their births and deaths wrongly.
#
# Expected (Sparkplug 3.0): the will of CONNECT is the NDEATH, with will QoS 1 (tck-id-payloads-ndeath-will-message-qos). Its bdSeq is that of the
#           NBIRTH (tck-id-payloads-nbirth-bdseq-repeat) and increases with every CONNECT (tck-id-topics-nbirth-bdseq-increment); a published NDEATH
#           has the bdSeq of its NBIRTH (tck-id-payloads-ndeath-bdseq). Before DISCONNECT of MQTT 3.1.1, a node publishes NDEATH.
# Seen:     PyPI pysparkplug 0.6.1: disconnect() publishes an NDEATH with the bdSeq of the next session; the will has QoS 0.
#           PyPI mqtt-spb-wrapper 2.1.2: the NBIRTH has a bdSeq one above that of the will.
#           npm sparkplug-client 3.2.4: after a reconnect, will and NBIRTH have bdSeq 0 again; the will has QoS 0; stop() sends DISCONNECT
#           without NDEATH, unless the option publishDeath is set.
# So:       a host that compares bdSeq ignores the death of the first after disconnect() and that of the second after a lost connection, and shows
#           the node as online. A late will of the third counts as the death of the new session.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv spark
python3 -m venv wrapper
spark/bin/pip install -q pysparkplug==0.6.1
wrapper/bin/pip install -q mqtt-spb-wrapper==2.1.2
npm init -y >/dev/null
npm install --no-audit --no-fund sparkplug-client@3.2.4 >/dev/null 2>&1

cat >peer.py <<'PY'
"""Accepts connections of MQTT 3.1.1 until one ends with DISCONNECT, and prints wills, births and deaths. Closes the first one after its
birth if asked to."""
import socket, struct, sys
from pysparkplug._protobuf import Payload

def read(stream, count):
    data = b''
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            sys.exit('closed without DISCONNECT')
        data += more
    return data

def packet(stream):
    head, length, shift = read(stream, 1)[0], 0, 0
    while True:
        byte = read(stream, 1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return head, read(stream, length)

def field(data):
    length = struct.unpack('>H', data[:2])[0]
    return data[2:2 + length], data[2 + length:]

def bd_seq(payload):
    metrics = Payload.FromString(payload).metrics
    return [metric.long_value for metric in metrics if metric.name == 'bdSeq'][0]

listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], file=open('port.new', 'w'))
import os
os.rename('port.new', 'port')
is_to_be_closed = sys.argv[1] == 'close'
while True:
    stream, _ = listener.accept()
    while True:
        head, body = packet(stream)
        kind = head >> 4
        if kind == 1:
            flags, rest = body[7], body[10:]
            _, rest = field(rest)
            topic, rest = field(rest)
            will, _ = field(rest)
            print('will', topic.decode().split('/')[2], 'QoS', flags >> 3 & 3, 'bdSeq', bd_seq(will), flush=True)
            stream.sendall(bytes([0x20, 2, 0, 0]))
        elif kind == 3:
            topic, payload = field(body)
            name = topic.decode().split('/')[2]
            if name in ('NBIRTH', 'NDEATH'):
                print(name, 'bdSeq', bd_seq(payload), flush=True)
            if name == 'NBIRTH' and is_to_be_closed:
                is_to_be_closed = False
                break
        elif kind == 8:
            stream.sendall(bytes([0x90, 3]) + body[:2] + bytes([0]))
        elif kind == 12:
            stream.sendall(bytes([0xd0, 0]))
        elif kind == 14:
            print('DISCONNECT', flush=True)
            sys.exit()
    stream.close()
PY
cat >node.py <<'PY'
import sys, time
from pysparkplug import DataType, EdgeNode, Metric
node = EdgeNode('g', 'n', [Metric(timestamp=1, name='x', datatype=DataType.INT32, value=1)])
node.connect('127.0.0.1', port=int(sys.argv[1]))
while not node._connected or node._bd_seq_metric.value == 0:
    time.sleep(0.05)
node.disconnect()
PY
cat >wrapper.py <<'PY'
import sys
from mqtt_spb_wrapper import MqttSpbEntityEdgeNode
node = MqttSpbEntityEdgeNode('g', 'n')
node.data.set_value('x', 1)
assert node.connect('127.0.0.1', int(sys.argv[1]))
node.publish_birth()
node.disconnect()
PY
cat >client.js <<'JS'
const client = require('sparkplug-client').newClient({
  serverUrl: 'mqtt://127.0.0.1:' + process.argv[2], username: '', password: '', groupId: 'g', edgeNode: 'n', clientId: 'c',
});
let births = 0;
client.on('birth', () => {
  client.publishNodeBirth({timestamp: 1, metrics: [{name: 'x', type: 'Int32', value: 1}]});
  births += 1;
  if (births === 2) client.stop();
});
client.on('error', error => { throw error; });
JS

try() {
  echo "$1"
  rm -f port
  spark/bin/python peer.py "$2" & peer=$!
  until [ -e port ]; do sleep 0.1; done
  "${@:3}" "$(cat port)" >/dev/null 2>&1 &
  wait "$peer"
}
{
  try 'pysparkplug 0.6.1' keep timeout 30 spark/bin/python node.py
  try 'mqtt-spb-wrapper 2.1.2' keep timeout 30 wrapper/bin/python wrapper.py
  try 'sparkplug-client 3.2.4' close timeout 30 node client.js
} | tee seen
cat >expected <<'TEXT'
pysparkplug 0.6.1
will NDEATH QoS 0 bdSeq 0
NBIRTH bdSeq 0
NDEATH bdSeq 1
DISCONNECT
mqtt-spb-wrapper 2.1.2
will NDEATH QoS 1 bdSeq 0
NBIRTH bdSeq 1
NDEATH bdSeq 1
DISCONNECT
sparkplug-client 3.2.4
will NDEATH QoS 0 bdSeq 0
NBIRTH bdSeq 0
will NDEATH QoS 0 bdSeq 0
NBIRTH bdSeq 0
DISCONNECT
TEXT
diff expected seen
echo "pysparkplug 0.6.1, mqtt-spb-wrapper 2.1.2, sparkplug-client 3.2.4: as described"
