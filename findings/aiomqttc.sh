#!/usr/bin/env bash
# PyPI aiomqttc 1.0.7, an MQTT 3.1.1 client for MicroPython and Python, connects under another name, without a will, or not for long, depending on
# valid options, beside PyPI paho-mqtt 2.2.0.
#
# Expected (MQTT 3.1.1): a client identifier has 1 to 23 or more characters (3.1.3.1, [MQTT-3.1.3-5]). A will message has zero or more octets (3.1.3.3). A
#           keep alive of 0 turns the mechanism off (3.1.2.10). The return code 80 in SUBACK means failure (3.9.3).
# Seen:     for the client identifier "a" aiomqttc sends one of its own making, with 14 characters here; "ab" is sent as it is. A will with an empty message is
#           left out of CONNECT without an error, one with a message is there. With keep alive 0 it sends PINGREQ every second and ends its connection
#           within 5 seconds, though the broker answers each; with 60 it is connected. After SUBACK 80, the subscription is "confirmed" as after 00.
#           paho-mqtt sends the identifier and the will, and is connected with keep alive 0.
# So:       a session for "a" is never found again, a status that a will should remove stays, and a subscription that the broker denied looks fine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q aiomqttc==1.0.7 paho-mqtt==2.2.0

cat >try.py <<'PY'
import asyncio, contextlib, io, socket, threading, time

class Broker:
    """Answers CONNECT, PINGREQ and SUBSCRIBE, the latter with a given return code, and keeps what CONNECT had."""
    def __init__(self, code=0):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port, self.code, self.pings = self.listener.getsockname()[1], code, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        connection = self.listener.accept()[0]
        stream = connection.makefile('rb')
        with contextlib.suppress(OSError):
            while head := stream.read(1):
                body = stream.read(stream.read(1)[0])
                kind = head[0] >> 4
                if kind == 1:
                    length = int.from_bytes(body[10:12], 'big')
                    self.identifier, self.will = body[12:12 + length].decode(), bool(body[7] & 4)
                    connection.sendall(b'\x20\2\0\0')
                elif kind == 8:
                    connection.sendall(b'\x90\3' + body[:2] + bytes([self.code]))
                elif kind == 12:
                    self.pings += 1
                    connection.sendall(b'\xd0\0')

async def with_aiomqttc(broker, seconds=1.0, subscribe=False, **options):
    import aiomqttc
    with contextlib.redirect_stdout(io.StringIO()):
        client = aiomqttc.MQTTClient(server='127.0.0.1', port=broker.port, **options)
        await client.connect()
        if subscribe:
            await client.subscribe('t', 1)
        await asyncio.sleep(seconds)
        connected = client.connected
        await client.disconnect()
        return connected, client.subscriptions

def aiomqttc(broker, **options):
    return asyncio.run(with_aiomqttc(broker, **options))

def paho_mqtt(broker, seconds=1.0, client_id='', keepalive=60, will_topic=None, will_message=None):
    import paho.mqtt.client as paho
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id)
    if will_topic:
        client.will_set(will_topic, will_message)
    client.connect('127.0.0.1', broker.port, keepalive)
    client.loop_start()
    time.sleep(seconds)
    connected = client.is_connected()
    client.disconnect()
    client.loop_stop()
    return connected, None

for client in paho_mqtt, aiomqttc:
    name = client.__name__
    for identifier in 'ab', 'a':
        broker = Broker()
        client(broker, client_id=identifier)
        print(f'{name} | client identifier {identifier} | sends', 'it' if broker.identifier == identifier else f'{len(broker.identifier)} characters')
    for message in b'gone', b'':
        broker = Broker()
        client(broker, client_id='client', will_topic='t', will_message=message)
        print(f'{name} | will message {message} | CONNECT has a will: {broker.will}')
    for keepalive in 60, 0:
        broker = Broker()
        connected, _ = client(broker, seconds=5, client_id='client', keepalive=keepalive)
        print(f'{name} | keep alive {keepalive} | connected after 5 s: {connected}, sent PINGREQ: {broker.pings > 0}')
for code in 0x00, 0x80:
    _, subscriptions = aiomqttc(Broker(code), client_id='client', subscribe=True)
    print(f'aiomqttc | SUBACK {code:02x} | confirmed: {subscriptions["t"]["confirmed"]}')
PY
timeout 120 env/bin/python try.py | tee seen
cat >expected <<'TEXT'
paho_mqtt | client identifier ab | sends it
paho_mqtt | client identifier a | sends it
paho_mqtt | will message b'gone' | CONNECT has a will: True
paho_mqtt | will message b'' | CONNECT has a will: True
paho_mqtt | keep alive 60 | connected after 5 s: True, sent PINGREQ: False
paho_mqtt | keep alive 0 | connected after 5 s: True, sent PINGREQ: False
aiomqttc | client identifier ab | sends it
aiomqttc | client identifier a | sends 14 characters
aiomqttc | will message b'gone' | CONNECT has a will: True
aiomqttc | will message b'' | CONNECT has a will: False
aiomqttc | keep alive 60 | connected after 5 s: True, sent PINGREQ: False
aiomqttc | keep alive 0 | connected after 5 s: False, sent PINGREQ: True
aiomqttc | SUBACK 00 | confirmed: True
aiomqttc | SUBACK 80 | confirmed: True
TEXT
diff expected seen
echo "as described"
