#!/usr/bin/env bash
# The MQTT layer of PyPI scapy 2.8.0 (scapy.contrib.mqtt) does not see packets behind a PINGREQ, writes SUBSCRIBE, UNSUBSCRIBE and PUBREL with reserved bits that
# brokers reject, and misreads MQTT 5.0, which it names.
#
# Expected (MQTT 3.1.1): PINGREQ, PINGRESP and DISCONNECT have no more than two octets (3.12, 3.13, 3.14), and the next packet of the connection follows. The
#           flags of SUBSCRIBE, UNSUBSCRIBE and PUBREL are 2 (2.2.2, table 2.2), so they begin with 82, A2 and 62. (MQTT 5.0) The properties of CONNECT, with
#           their length, stand before the client identifier (3.1.2.11, 3.1.3), and an acknowledgement with four octets has a reason code and properties
#           (3.4.2).
# Seen:     of PUBLISH, PINGREQ, PUBLISH, as they are in one TCP segment, the last is not dissected, and the same is true behind PINGRESP; two PUBLISH
#           are. MQTTSubscribe, MQTTUnsubscribe and MQTTPubrel are built with 80, A0 and 60, and mosquitto 2.0.11 closes the connection for such a SUBSCRIBE.
#           Of a CONNECT of protocol level 5, which scapy prints as v5.0, the client identifier is empty and another packet follows; so it is for PUBACK.
# So:       a capture of a client that pings has fewer messages than the client sent, and a test that is built from the layer is not answered.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
python3 -m venv env
env/bin/pip install -q scapy==2.8.0

cat >try.py <<'PY'
import logging, socket, sys
logging.disable(logging.CRITICAL)
from scapy.contrib.mqtt import MQTT, MQTTPubrel, MQTTSubscribe, MQTTTopic, MQTTTopicQOS, MQTTUnsubscribe

def layers(found):
    while found and found.name != 'NoPayload':
        yield found.name.replace('MQTT ', '') + (f' {found.load.hex(" ")}' if found.name == 'Raw' else '')
        found = found.payload

a, b = bytes.fromhex('3004000161 78'), bytes.fromhex('3004000162 79')
segments = {'PUBLISH, PUBLISH': a + b, 'PUBLISH, PINGREQ, PUBLISH': a + b'\xc0\0' + b, 'PINGRESP, PUBLISH': b'\xd0\0' + b}
for title, segment in segments.items():
    print(title, '|', '; '.join(layers(MQTT(segment))))
connect = bytes.fromhex('100e 0004 4d515454 05 02 003c 00 0001 63')
found = MQTT(connect)
print('CONNECT of level 5 |', found.sprintf('%MQTTConnect.protolevel%'), 'client identifier', found.clientId, '|', '; '.join(layers(found)))
print('PUBACK with reason code 10 and no properties |', '; '.join(layers(MQTT(bytes.fromhex('4004 0007 10 00')))))
subscribe = bytes(MQTT() / MQTTSubscribe(msgid=1, topics=[MQTTTopicQOS(topic='a', QOS=0)]))
print('SUBSCRIBE built as', subscribe.hex(' '))
print('UNSUBSCRIBE built as', bytes(MQTT() / MQTTUnsubscribe(msgid=1, topics=[MQTTTopic(topic='a')])).hex(' '))
print('PUBREL built as', bytes(MQTT() / MQTTPubrel(msgid=1)).hex(' '))
for packet in subscribe, b'\x82' + subscribe[1:]:
    with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as connection:
        connection.settimeout(5)
        connection.sendall(bytes.fromhex('100d 0004 4d515454 04 02 003c 0001 63'))
        connection.recv(4)
        connection.sendall(packet)
        try:
            answer = connection.recv(5).hex(' ') or 'closes'
        except ConnectionResetError:
            answer = 'closes'
        print(f'mosquitto to {packet[0]:02x}: {answer}')
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$mosquitto" -p "$port" >/dev/null 2>&1 &
  broker=$!
  sleep 2
  env/bin/python try.py "$port"
  kill "$broker"
}
run | tee seen
cat >expected <<'TEXT'
PUBLISH, PUBLISH | fixed header; publish; fixed header; publish
PUBLISH, PINGREQ, PUBLISH | fixed header; publish; fixed header; Raw 30 04 00 01 62 79
PINGRESP, PUBLISH | fixed header; Raw 30 04 00 01 62 79
CONNECT of level 5 | v5.0 client identifier b'' | fixed header; connect; fixed header
PUBACK with reason code 10 and no properties | fixed header; puback; fixed header
SUBSCRIBE built as 80 06 00 01 00 01 61 00
UNSUBSCRIBE built as a0 05 00 01 00 01 61
PUBREL built as 60 02 00 01
mosquitto to 80: closes
mosquitto to 82: 90 03 00 01 00
TEXT
diff expected seen
echo "as described"
