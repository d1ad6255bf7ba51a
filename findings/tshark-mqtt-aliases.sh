#!/usr/bin/env bash
# tshark 4.0.17 (Debian 12), the program of Wireshark for the terminal, shows MQTT 5.0 messages under the topics of other ones: it mixes the aliases of both directions, and with two passes it uses
# the last topic of an alias for all messages.
#
# Expected (MQTT 5.0): the aliases of the client and those of the server are independent of each other, and a PUBLISH with a topic and an alias sets the alias from then on
#           (3.3.2.3.4). Correlation data are binary (3.3.2.3.6), so a zero byte is one of its bytes.
# Seen:     a message of the client with alias 1 gets the topic that the server set for its alias 1. With -2 (two passes, as Wireshark does it when it shows or
#           filters a capture again) a message with the topic a/old has a second topic a/new, which was set later, and one with the alias has a/new alone. A
#           filter for a topic finds wrong messages, or too few. Correlation data end at the zero byte.
# So:       whoever looks for the message that opened a valve finds another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W tshark >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tshark >/dev/null 2>&1
[[ $(dpkg-query -W -f '${Version}' tshark) == 4.0.17-* ]] || { echo "this needs tshark 4.0.17"; exit 1; }

cat >capture.py <<'PY'
"""Writes connections between a client (10.0.0.1) and a broker (10.0.0.2) as captures, one packet of MQTT in each frame."""
import struct

def text(value):
    return struct.pack('>H', len(value)) + value

def packet(head, body):
    return bytes([head, len(body)]) + body

def publish(topic, properties):
    return packet(0x30, text(topic) + bytes([len(properties)]) + properties + b'x')

def alias(topic, number=1):
    return publish(topic, b'\x23' + struct.pack('>H', number))

def write(name, messages):
    start = [(0, packet(0x10, text(b'MQTT') + b'\5\2\0\0\3\x22\0\1' + text(b'c'))), (1, packet(0x20, b'\0\0\3\x22\0\1'))]
    sequence = [1, 1]
    with open(name, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))  # 101: frames begin with IP
        for second, (sender, data) in enumerate(start + messages):
            hosts, ports = (b'\x0a\0\0\1', b'\x0a\0\0\2'), (50000, 1883)
            tcp = struct.pack('>HHIIBBHHH', ports[sender], ports[1 - sender], sequence[sender], sequence[1 - sender], 0x50, 0x18, 65535, 0, 0)
            ip = struct.pack('>BBHHHBBH', 0x45, 0, 40 + len(data), 1, 0, 64, 6, 0) + hosts[sender] + hosts[1 - sender]
            sequence[sender] += len(data)
            file.write(struct.pack('<IIII', second, 0, 40 + len(data), 40 + len(data)) + ip + tcp + data)

write('both.pcap', [(0, alias(b'from/client')), (1, alias(b'from/broker')), (0, alias(b'')), (1, alias(b''))])
write('changed.pcap', [(0, alias(b'a/old')), (0, alias(b'')), (0, alias(b'a/new')), (0, alias(b''))])
write('correlation.pcap', [(0, publish(b't', b'\x09' + text(value))) for value in (b'AB', b'A\0B', b'A\0C')])
PY
python3 capture.py

show() {
  echo "$*"
  tshark "$@" -T fields -E 'separator=|' -e frame.number -e ip.src -e mqtt.topic -e mqtt.prop_string 2>/dev/null
}
{
  show -r both.pcap -Y 'mqtt.msgtype == 3'
  show -r both.pcap -Y 'mqtt.topic == "from/client"'
  show -r changed.pcap -Y 'mqtt.msgtype == 3'
  show -2 -r changed.pcap -Y 'mqtt.msgtype == 3'
  show -2 -r changed.pcap -Y 'mqtt.topic == "a/new"'
  show -r correlation.pcap -Y 'mqtt.msgtype == 3'
} | tee seen
cat >expected <<'TEXT'
-r both.pcap -Y mqtt.msgtype == 3
3|10.0.0.1|from/client|
4|10.0.0.2|from/broker|
5|10.0.0.1|from/broker|
6|10.0.0.2|from/broker|
-r both.pcap -Y mqtt.topic == "from/client"
3|10.0.0.1|from/client|
-r changed.pcap -Y mqtt.msgtype == 3
3|10.0.0.1|a/old|
4|10.0.0.1|a/old|
5|10.0.0.1|a/new|
6|10.0.0.1|a/new|
-2 -r changed.pcap -Y mqtt.msgtype == 3
3|10.0.0.1|a/old,a/new|
4|10.0.0.1|a/new|
5|10.0.0.1|a/new,a/new|
6|10.0.0.1|a/new|
-2 -r changed.pcap -Y mqtt.topic == "a/new"
3|10.0.0.1|a/old,a/new|
4|10.0.0.1|a/new|
5|10.0.0.1|a/new,a/new|
6|10.0.0.1|a/new|
-r correlation.pcap -Y mqtt.msgtype == 3
3|10.0.0.1|t|AB
4|10.0.0.1|t|A
5|10.0.0.1|t|A
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "tshark 4.0.17: as described"
