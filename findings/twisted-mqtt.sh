#!/usr/bin/env bash
# PyPI twisted-mqtt 0.3.11, a client for MQTT 3.1.1, writes a PUBCOMP with reserved bits set, for which brokers close the connection, and a password with
# another length than it states.
#
# Expected (MQTT 3.1.1): the flags of PUBCOMP are 0 (2.2.2, table 2.2), and a receiver of other flags closes the connection ([MQTT-2.2.2-2]). Each PUBREL is
#           answered with PUBCOMP (4.3.3, [MQTT-4.3.3-2]), also one that comes again because the first PUBCOMP was lost. A password is 0 to 65535 octets
#           behind their number in two octets (3.1.3.5).
# Seen:     the octet of PUBCOMP is 72. npm aedes 1.2.0 closes the connection at the first message of QoS 2 that it delivers, with "Invalid header flag
#           bits"; mosquitto 2.0.11 overlooks them. A second PUBREL gets no answer. For the password "bär" the stated length is 3 and two octets follow, since
#           letters outside of ASCII are left out, so the packet ends before the password does; a CONNECT with "bar" is right.
# So:       with one broker all is well, with another a client that subscribes at QoS 2 loses its connection with each message.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts aedes@1.2.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q twisted-mqtt==0.3.11

cat >aedes.js <<'JS'
require('aedes').Aedes.createBroker().then((broker) => {
  broker.on('clientError', (client, error) => console.log('aedes:', error.message));
  require('net').createServer(broker.handle).listen(+process.argv[2], '127.0.0.1');
});
JS
cat >client.py <<'PY'
"""Subscribes at QoS 2, says what arrives, publishes two messages if told to, and ends after some seconds or a message "end"."""
import sys
import mqtt
from mqtt.client.factory import MQTTFactory
from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString, connectProtocol
port, publishes, options = int(sys.argv[1]), int(sys.argv[2]), {'username': 'user', 'password': sys.argv[3]} if len(sys.argv) > 3 else {}

class Address:
    host = '127.0.0.1'

Address.port = port
client = MQTTFactory(profile=MQTTFactory.SUBSCRIBER | MQTTFactory.PUBLISHER).buildProtocol(Address())

def stop():
    if reactor.running:
        reactor.stop()

def received(topic, payload, qos, dup, retain, identifier):
    print('message', topic, payload.decode(), flush=True)
    if topic == 'end':
        stop()

def lost(reason):
    print('connection closed', flush=True)
    stop()

def publish(granted):
    for number in range(publishes):
        client.publish(topic='a', qos=2, message=f'm{number}').addErrback(lambda _: None)

client.onPublish, client.onDisconnection = received, lost
connected = connectProtocol(clientFromString(reactor, f'tcp:127.0.0.1:{port}'), client)
connected.addCallback(lambda _: client.connect('c', keepalive=0, version=mqtt.v311, cleanStart=True, **options))
connected.addCallback(lambda _: client.subscribe([('#', 2)]))
connected.addCallback(publish)
connected.addErrback(lambda _: stop())
reactor.callLater(5, stop)
reactor.run()
PY
cat >peer.py <<'PY'
"""A broker that sends a message of QoS 2 and PUBREL twice, or shows CONNECT if a password is given."""
import socket, subprocess, sys, threading, time
password = sys.argv[1:]
listener = socket.create_server(('127.0.0.1', 0))
command = ['env/bin/python', 'client.py', str(listener.getsockname()[1]), '0', *password]
client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
connection = listener.accept()[0]
connection.settimeout(10)
stream = connection.makefile('rb')

def packet():
    head, length = stream.read(1), stream.read(1)
    return head + length + stream.read(length[0])

found = packet()
if password:
    print(f'CONNECT with password {password[0]}: remaining length {found[1]}, ends with', found[found.index(b'user') + 4:].hex(' '))
    client.kill()
    sys.exit()
connection.sendall(b'\x20\2\0\0')
connection.sendall(b'\x90\3' + packet()[2:4] + b'\2')
connection.sendall(b'\x34\6\0\1q\0\7x')
print('PUBREC', packet().hex(' '))
for number in 'first', 'second':
    connection.sendall(b'\x62\2\0\7')
    connection.settimeout(2)
    try:
        print(f'{number} PUBREL is answered with', packet().hex(' '))
    except OSError:
        print(f'{number} PUBREL is not answered')
client.kill()
PY
run() {
  python3 peer.py
  python3 peer.py bar
  python3 peer.py bär
  for name in mosquitto aedes; do
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    if [ "$name" = mosquitto ]; then "$mosquitto" -p "$port" >/dev/null 2>&1 & else node aedes.js "$port" & fi
    broker=$!
    sleep 3
    echo "with $name:"
    env/bin/python client.py "$port" 2 2>/dev/null
    kill "$broker"
  done
}
run | tee seen
cat >expected <<'TEXT'
PUBREC 50 02 00 07
first PUBREL is answered with 72 02 00 07
second PUBREL is not answered
CONNECT with password bar: remaining length 24, ends with 00 03 62 61 72
CONNECT with password bär: remaining length 23, ends with 00 03 62 72
with mosquitto:
message a m0
message a m1
with aedes:
message a m0
aedes: Invalid header flag bits, must be 0x0 for pubcomp packet
connection closed
TEXT
diff expected seen
echo "as described"
