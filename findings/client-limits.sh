#!/usr/bin/env bash
# MQTT 5.0 clients that ignore the limits in CONNACK: npm mqtt 5.16.0, PyPI paho-mqtt 2.2.0, gmqtt 0.8.0 and zmqtt 0.2.5, and in one point
# ohmqtt 1.2.1, beside PyPI mqttium 1.2.1 and awscrt 0.38.1, which obey all of them.
#
# Expected (MQTT 5.0): a client does not have more QoS 1 and QoS 2 messages unacknowledged than Receive Maximum (3.3.4, [MQTT-3.3.4-7]); does
#           not exceed Maximum QoS (3.2.2.3.4, [MQTT-3.2.2-11]); does not set RETAIN if Retain Available is 0 (3.2.2.3.5, [MQTT-3.2.2-14]);
#           does not exceed Maximum Packet Size (3.2.2.3.6, [MQTT-3.2.2-15]).
# Seen:     a broker that never acknowledges allows 1 or 2 messages, QoS 0, no retained messages, or packets of 60 bytes; the client is then
#           told to send 5 messages of QoS 1, a QoS 1 message, a retained one, or a payload of 200 bytes. mqtt and paho-mqtt send all of
#           these. gmqtt treats a Receive Maximum of 1 as invalid and as if it were absent; at 2, it sends one message and raises
#           OverflowError at the second. zmqtt ignores Receive Maximum and Maximum Packet Size, ohmqtt Maximum Packet Size.
# So:       the broker disconnects with 0x93, 0x9B, 0x9A or 0x95, or drops messages. mosquitto 2.0.11 allows 20 and answers PUBREC 0x97 to
#           the rest: of 100 messages of QoS 2 that npm mqtt publishes at once, 40 failed with "Quota exceeded" when this was run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund mqtt@5.16.0 >/dev/null 2>&1
python3 -m venv venv
venv/bin/pip install -q paho-mqtt==2.2.0 gmqtt==0.8.0 zmqtt==0.2.5 ohmqtt==1.2.1 mqttium==1.2.1 awscrt==0.38.1

cat >client.js <<'JS'
const {port, count, size, qos, retain, pause} = JSON.parse(process.argv[2]);
const client = require('mqtt').connect({host: '127.0.0.1', port, protocolVersion: 5, clientId: 'c', reconnectPeriod: 0});
client.on('error', () => {});
client.on('connect', () => {
  for (let i = 0; i < count; i++) client.publish('t', 'x'.repeat(size), {qos, retain}, () => {});
  setTimeout(() => process.exit(), pause * 1000);
});
JS
cat >try.py <<'PY'
import asyncio, contextlib, json, logging, os, socket, subprocess, sys, threading, time
logging.disable(logging.CRITICAL)

class Broker:
    """Sends CONNACK with the given properties, reads what follows, and acknowledges nothing."""
    def __init__(self, properties):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.properties, self.publishes = properties, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        stream = self.listener.accept()[0].makefile('rwb', buffering=0)
        while head := stream.read(1):
            length = shift = 0
            while True:
                digit = stream.read(1)[0]
                length |= (digit & 127) << shift
                shift += 7
                if digit < 128:
                    break
            body = b''
            while len(body) < length:
                body += stream.read(length - len(body))
            if head[0] >> 4 == 1:
                stream.write(bytes([0x20, 3 + len(self.properties), 0, 0, len(self.properties)]) + self.properties)
            elif head[0] >> 4 == 3:
                self.publishes.append((head[0] >> 1 & 3, head[0] & 1, length))

PAUSE = 1.0

def paho_mqtt(port, count, size, qos, retain):
    from paho.mqtt import client as paho
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='c', protocol=paho.MQTTv5)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect('127.0.0.1', port)
    client.loop_start()
    connected.wait(5)
    for _ in range(count):
        client.publish('t', b'x' * size, qos=qos, retain=retain)
    time.sleep(PAUSE)
    client.disconnect()
    client.loop_stop()

def gmqtt(port, count, size, qos, retain):
    async def run():
        from gmqtt import Client
        client = Client('c')
        await client.connect('127.0.0.1', port)
        try:
            for _ in range(count):
                client.publish('t', b'x' * size, qos=qos, retain=retain)
        finally:
            await asyncio.sleep(PAUSE)
    asyncio.run(run())

def zmqtt(port, count, size, qos, retain):
    async def run():
        from zmqtt import QoS, create_client
        async with create_client('127.0.0.1', port=port, client_id='c', version='5.0') as client:
            tasks = [asyncio.ensure_future(client.publish('t', b'x' * size, qos=QoS(qos), retain=retain)) for _ in range(count)]
            done, waiting = await asyncio.wait(tasks, timeout=PAUSE)
            for task in waiting:
                task.cancel()
            for task in done:
                task.result()
            await asyncio.sleep(PAUSE)
    asyncio.run(run())

def ohmqtt(port, count, size, qos, retain):
    from ohmqtt import Client
    with Client() as client:
        client.connect(f'mqtt://127.0.0.1:{port}', client_id='c')
        client.wait_for_connect(5)
        for _ in range(count):
            client.publish('t', b'x' * size, qos=qos, retain=retain)
        time.sleep(PAUSE)

def mqttium(port, count, size, qos, retain):
    async def run():
        from mqttium.api import AsyncClient
        from mqttium.enums import MQTTProtocolVersion
        client = AsyncClient('c', protocol=MQTTProtocolVersion.MQTTv5)
        await client.connect('127.0.0.1', port)
        for _ in range(count):
            await client.publish('t', b'x' * size, qos=qos, retain=retain)
        await asyncio.sleep(PAUSE)
        await client.disconnect()
    asyncio.run(run())

def awscrt(port, count, size, qos, retain):
    from awscrt import mqtt5
    connected = threading.Event()
    client = mqtt5.Client(mqtt5.ClientOptions(
        host_name='127.0.0.1', port=port, connect_options=mqtt5.ConnectPacket(client_id='c'),
        on_lifecycle_event_connection_success_fn=lambda _: connected.set()))
    client.start()
    connected.wait(5)
    packet = mqtt5.PublishPacket(topic='t', payload=b'x' * size, qos=mqtt5.QoS(qos), retain=retain)
    sent = [client.publish(packet) for _ in range(count)]
    time.sleep(PAUSE)
    client.stop()
    for outcome in sent:
        if outcome.done():
            outcome.result()

def mqtt(port, count, size, qos, retain):
    options = {'port': port, 'count': count, 'size': size, 'qos': qos, 'retain': retain, 'pause': PAUSE}
    subprocess.run(['node', 'client.js', json.dumps(options)], check=True, timeout=20)

limits = [
    ('Receive Maximum 1', b'\x21\0\1', dict(count=5, size=1, qos=1, retain=False)),
    ('Receive Maximum 2', b'\x21\0\2', dict(count=5, size=1, qos=1, retain=False)),
    ('Maximum QoS 0', b'\x24\0', dict(count=1, size=1, qos=1, retain=False)),
    ('Retain Available 0', b'\x25\0', dict(count=1, size=1, qos=0, retain=True)),
    ('Maximum Packet Size 60', b'\x27\0\0\0\x3c', dict(count=1, size=200, qos=0, retain=False)),
]
for client in (mqtt, paho_mqtt, gmqtt, zmqtt, ohmqtt, mqttium, awscrt):
    for name, properties, work in limits:
        broker = Broker(properties)
        raised = ''
        with open(os.devnull, 'w') as silence, contextlib.redirect_stderr(silence):
            try:
                client(broker.port, **work)
            except Exception as error:
                raised = ', raised ' + type(error).__name__
        print(client.__name__, '|', name, '|', f'{len(broker.publishes)} sent{raised}', flush=True)
sys.stdout.flush()
os._exit(0)
PY
timeout 120 venv/bin/python try.py 2>/dev/null | tee seen
cat >expected <<'TEXT'
mqtt | Receive Maximum 1 | 5 sent
mqtt | Receive Maximum 2 | 5 sent
mqtt | Maximum QoS 0 | 1 sent
mqtt | Retain Available 0 | 1 sent
mqtt | Maximum Packet Size 60 | 1 sent
paho_mqtt | Receive Maximum 1 | 5 sent
paho_mqtt | Receive Maximum 2 | 5 sent
paho_mqtt | Maximum QoS 0 | 1 sent
paho_mqtt | Retain Available 0 | 1 sent
paho_mqtt | Maximum Packet Size 60 | 1 sent
gmqtt | Receive Maximum 1 | 5 sent
gmqtt | Receive Maximum 2 | 1 sent, raised OverflowError
gmqtt | Maximum QoS 0 | 1 sent
gmqtt | Retain Available 0 | 1 sent
gmqtt | Maximum Packet Size 60 | 1 sent
zmqtt | Receive Maximum 1 | 5 sent
zmqtt | Receive Maximum 2 | 5 sent
zmqtt | Maximum QoS 0 | 0 sent, raised MQTTQoSExceededError
zmqtt | Retain Available 0 | 0 sent, raised MQTTRetainNotAvailableError
zmqtt | Maximum Packet Size 60 | 1 sent
ohmqtt | Receive Maximum 1 | 1 sent
ohmqtt | Receive Maximum 2 | 2 sent
ohmqtt | Maximum QoS 0 | 0 sent, raised MQTTError
ohmqtt | Retain Available 0 | 0 sent, raised MQTTError
ohmqtt | Maximum Packet Size 60 | 1 sent
mqttium | Receive Maximum 1 | 1 sent
mqttium | Receive Maximum 2 | 2 sent
mqttium | Maximum QoS 0 | 0 sent, raised ProtocolError
mqttium | Retain Available 0 | 0 sent, raised ProtocolError
mqttium | Maximum Packet Size 60 | 0 sent, raised PacketTooLargeError
awscrt | Receive Maximum 1 | 1 sent
awscrt | Receive Maximum 2 | 2 sent
awscrt | Maximum QoS 0 | 0 sent, raised AwsCrtError
awscrt | Retain Available 0 | 0 sent, raised AwsCrtError
awscrt | Maximum Packet Size 60 | 0 sent, raised AwsCrtError
TEXT
diff expected seen
echo "as described"
