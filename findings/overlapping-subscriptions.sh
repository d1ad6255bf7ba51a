#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) and npm aedes 1.2.0 do not deliver at the highest QoS of the matching subscriptions; aedes also exceeds it.
#
# Expected (MQTT 3.1.1): if several subscriptions of a client match, the broker delivers at the maximum QoS of them, and may deliver further
#           copies for the others (3.3.5, [MQTT-3.3.5-1]); never above the granted QoS (3.8.4, [MQTT-3.8.4-6]). MQTT 5.0 says the same in 3.3.4.
# Seen:     a message of QoS 2 to `o/a`. mosquitto delivers one copy, at the QoS of the most specific filter: the exact name, then `+`, then `#`,
#           in either order of subscribing; so `o/#` of QoS 2 and `o/a` of QoS 0 give QoS 0. aedes delivers one copy at QoS 0 in three of
#           five cases, and at QoS 2 to a client with QoS 0 and 1 only. PyPI amqtt 0.12.1 delivers a copy for each subscription, as allowed.
#           Reported upstream: eclipse-mosquitto/mosquitto, issue 3319 (closed as completed); moscajs/aedes, issue 1074 (open).
# So:       a program that records `plant/#` at QoS 2 and also watches `plant/state` at QoS 0 over the same connection can lose states.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
npm init -y >/dev/null
npm install --no-audit --no-fund aedes@1.2.0 >/dev/null 2>&1
python3 -m venv venv
venv/bin/pip install -q amqtt==0.12.1

cat >aedes.js <<'JS'
require('aedes').Aedes.createBroker().then((broker) => require('net').createServer(broker.handle).listen(+process.argv[2], '127.0.0.1'));
JS
cat >amqtt_broker.py <<'PY'
import asyncio, logging, sys
from amqtt.broker import Broker
logging.disable(logging.CRITICAL)

async def run():
    await Broker({
        'listeners': {'default': {'type': 'tcp', 'bind': f'127.0.0.1:{sys.argv[1]}'}},
        'plugins': {'amqtt.plugins.authentication.AnonymousAuthPlugin': {'allow_anonymous': True}},
    }).start()
    await asyncio.sleep(120)

asyncio.run(run())
PY
cat >try.py <<'PY'
import socket, struct, subprocess, sys, time

def string(text):
    return struct.pack('>H', len(text)) + text

def packet(head, body):
    return bytes([head, len(body)]) + body

class Client:
    """MQTT 3.1.1 over raw bytes, for packets below 128 bytes."""
    def __init__(self, port, name):
        self.socket = socket.create_connection(('127.0.0.1', port))
        self.socket.settimeout(1)
        self.send(0x10, string(b'MQTT') + bytes([4, 2, 0, 60]) + string(name))
        self.await_packet(2)

    def send(self, head, body=b''):
        self.socket.sendall(packet(head, body))

    def receive(self):
        """The next packet, 'closed', or None after a second of silence."""
        try:
            head = self.socket.recv(2)
            if len(head) < 2:
                return 'closed'
            body = b''
            while len(body) < head[1]:
                body += self.socket.recv(head[1] - len(body))
            return head[0], body
        except socket.timeout:
            return None
        except OSError:
            return 'closed'

    def await_packet(self, kind):
        while (found := self.receive()) and found != 'closed':
            if found[0] >> 4 == kind:
                return found
        return found

    def subscribe(self, *filters):
        self.send(0x82, b'\0\1' + b''.join(string(name) + bytes([qos]) for name, qos in filters))
        self.await_packet(9)

    def publish(self, topic, qos):
        self.send(0x30 | qos << 1, string(topic) + (b'\0\7' if qos else b'') + b'x')
        if qos == 2:
            self.await_packet(5)
            self.send(0x62, b'\0\7')

    def delivered(self, topic):
        """QoS of each PUBLISH with this topic, until a second of silence; all are acknowledged."""
        found = []
        while (item := self.receive()) and item != 'closed':
            head, body = item
            qos, length = head >> 1 & 3, struct.unpack('>H', body[:2])[0]
            if head >> 4 == 3 and body[2:2 + length] == topic:
                found.append(qos)
            if head >> 4 == 3 and qos:
                self.send(0x40 if qos == 1 else 0x50, body[2 + length:4 + length])
            elif head >> 4 == 6:
                self.send(0x70, body)
        return found

def await_port(port):
    for _ in range(100):
        try:
            return socket.create_connection(('127.0.0.1', port)).close()
        except OSError:
            time.sleep(0.1)
    sys.exit('the broker does not listen')

def free_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]

cases = [
    [(b'o/a', 0), (b'o/#', 2)],
    [(b'o/#', 2), (b'o/a', 0)],
    [(b'o/+', 1), (b'o/#', 2)],
    [(b'o/#', 0), (b'o/+', 2)],
    [(b'o/+', 0), (b'o/#', 1)],
]
brokers = {
    'mosquitto': [sys.argv[1], '-p'],
    'aedes': ['node', 'aedes.js'],
    'amqtt': ['venv/bin/python', 'amqtt_broker.py'],
}
for name, command in brokers.items():
    port = free_port()
    broker = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(port)
        for number, filters in enumerate(cases):
            subscriber, publisher = Client(port, b's%d' % number), Client(port, b'p%d' % number)
            for item in filters:
                subscriber.subscribe(item)
            publisher.publish(b'o/a', 2)
            described = ', '.join(f'{topic.decode()} QoS {qos}' for topic, qos in filters)
            print(name, '|', described, '| delivered at QoS', sorted(subscriber.delivered(b'o/a')), flush=True)
            subscriber.send(0xE0)
            publisher.send(0xE0)
    finally:
        broker.terminate()
        broker.wait()
PY
timeout 120 python3 try.py "$mosquitto" | tee seen
cat >expected <<'TEXT'
mosquitto | o/a QoS 0, o/# QoS 2 | delivered at QoS [0]
mosquitto | o/# QoS 2, o/a QoS 0 | delivered at QoS [0]
mosquitto | o/+ QoS 1, o/# QoS 2 | delivered at QoS [1]
mosquitto | o/# QoS 0, o/+ QoS 2 | delivered at QoS [2]
mosquitto | o/+ QoS 0, o/# QoS 1 | delivered at QoS [0]
aedes | o/a QoS 0, o/# QoS 2 | delivered at QoS [0]
aedes | o/# QoS 2, o/a QoS 0 | delivered at QoS [0]
aedes | o/+ QoS 1, o/# QoS 2 | delivered at QoS [2]
aedes | o/# QoS 0, o/+ QoS 2 | delivered at QoS [0]
aedes | o/+ QoS 0, o/# QoS 1 | delivered at QoS [2]
amqtt | o/a QoS 0, o/# QoS 2 | delivered at QoS [0, 2]
amqtt | o/# QoS 2, o/a QoS 0 | delivered at QoS [0, 2]
amqtt | o/+ QoS 1, o/# QoS 2 | delivered at QoS [1, 2]
amqtt | o/# QoS 0, o/+ QoS 2 | delivered at QoS [0, 2]
amqtt | o/+ QoS 0, o/# QoS 1 | delivered at QoS [0, 1]
TEXT
diff expected seen
echo "as described"
