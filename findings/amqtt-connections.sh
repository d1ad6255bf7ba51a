#!/usr/bin/env bash
# The broker of PyPI amqtt 0.12.1 serves two clients with one client identifier, and does not lower the QoS of a subscription.
#
# Expected (MQTT 3.1.1): a second connection with the same client identifier ends the first one (3.1.4, [MQTT-3.1.4-2]); a SUBSCRIBE with a
#           filter that is already subscribed replaces the subscription and so its maximum QoS (3.8.4, [MQTT-3.8.4-3]).
# Seen:     the first of two connections with one identifier stays open and answers PINGREQ. After a second SUBSCRIBE with QoS 0, which SUBACK
#           grants as QoS 0, messages still arrive at QoS 1. mosquitto 2.0.11 and aedes 1.2.0 do as expected.
# So:       two devices with one identifier by mistake work here, and disconnect each other at any other broker.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q amqtt==0.12.1

cat >broker.py <<'PY'
import asyncio, logging, sys
from amqtt.broker import Broker
logging.disable(logging.CRITICAL)

async def run():
    await Broker({
        'listeners': {'default': {'type': 'tcp', 'bind': f'127.0.0.1:{sys.argv[1]}'}},
        'plugins': {'amqtt.plugins.authentication.AnonymousAuthPlugin': {'allow_anonymous': True}},
    }).start()
    await asyncio.sleep(60)

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

port = free_port()
broker = subprocess.Popen(['venv/bin/python', 'broker.py', str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    await_port(port)
    first, second = Client(port, b'same'), Client(port, b'same')
    for name, client in (('first', first), ('second', second)):
        client.send(0xC0)
        answer = client.await_packet(13)
        print('one identifier,', name, 'connection:', 'PINGRESP' if isinstance(answer, tuple) else answer)

    subscriber, publisher = Client(port, b'subscriber'), Client(port, b'publisher')
    subscriber.subscribe((b'a', 1))
    subscriber.subscribe((b'a', 0))
    publisher.publish(b'a', 1)
    print('subscribed with QoS 1, then with QoS 0: delivered at QoS', subscriber.delivered(b'a'))
finally:
    broker.terminate()
    broker.wait()
PY
timeout 90 python3 try.py | tee seen
cat >expected <<'TEXT'
one identifier, first connection: PINGRESP
one identifier, second connection: PINGRESP
subscribed with QoS 1, then with QoS 0: delivered at QoS [1]
TEXT
diff expected seen
echo "as described"
