#!/usr/bin/env bash
# PyPI faststream 0.7.8 answers MQTT 5.0 requests with changed correlation data, keeps one of several user properties, and fails for an empty topic level.
#
# Expected (MQTT 5.0): correlation data is binary (3.3.2.3.6, 1.5.6); a response has the correlation data of its request (3.3.2.3.5). The same name may be in several user
#           properties (3.3.2.3.7). + matches an empty level (4.7.1.3), so req/+/c, which faststream subscribes to for req/{name}/c, matches req//c.
# Seen:     a handler returns "answer", and faststream publishes it to the response topic. The correlation data 616263 comes back. 00ff80c3 comes back as 00efbfbdefbfbdefbfbd, and two different requests
#           (ff01, fe01) get equal correlation data. Of the user properties k=1 and k=2, the handler gets k=2. For req//c it is not called: ValidationError.
# So:       a requester that numbers its requests in binary, as with a UUID or a counter, waits for ever, or takes the answer to one for that to another one.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" || true; rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
python3 -m venv env
env/bin/pip install -q faststream==0.7.8 zmqtt==0.2.5 paho-mqtt==2.2.0

cat >try.py <<'PY'
"""A faststream application and a requester at the broker of the given port."""
import asyncio, logging, sys
from faststream import Path
from faststream.mqtt import MQTTBroker, MQTTMessage
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PORT = int(sys.argv[1])
called, failed, answers = [], [], asyncio.Queue()

class Errors(logging.Handler):
    def emit(self, record):
        if record.exc_info:
            failed.append(record.exc_info[0].__name__)

logger = logging.Logger('application')
logger.addHandler(Errors())

async def main():
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    broker = MQTTBroker(f'mqtt://127.0.0.1:{PORT}', version='5.0', logger=logger)

    @broker.subscriber('req/{name}/c')
    async def handler(message: MQTTMessage, name: str = Path()):
        called.append(f'called with {name} and {message.headers}')
        return 'answer'

    requester = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='requester', protocol=paho.MQTTv5)
    requester.on_message = lambda _client, _data, message: loop.call_soon_threadsafe(answers.put_nowait, message)
    requester.on_subscribe = lambda *_: loop.call_soon_threadsafe(ready.set)
    async with broker:
        await broker.start()
        requester.connect('127.0.0.1', PORT)
        requester.subscribe('answers', 1)
        requester.loop_start()
        await asyncio.wait_for(ready.wait(), 60)
        await asyncio.sleep(2)
        for topic, data in [('req/a/c', '616263'), ('req/a/c', '00ff80c3'), ('req/a/c', 'ff01'), ('req/a/c', 'fe01'), ('req//c', '616263')]:
            called.clear()
            failed.clear()
            properties = Properties(PacketTypes.PUBLISH)
            properties.ResponseTopic, properties.CorrelationData = 'answers', bytes.fromhex(data)
            properties.UserProperty = [('k', '1'), ('k', '2')]
            requester.publish(topic, 'question', 1, properties=properties)
            try:
                answer = await asyncio.wait_for(answers.get(), 5)
                result = f'{answer.payload.decode()}, {answer.properties.CorrelationData.hex()}'
            except asyncio.TimeoutError:
                result = 'no answer'
            print(f'{topic}, {data}: {", ".join(called + failed)}; {result}')
    requester.loop_stop()

asyncio.run(main())
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$mosquitto" -p "$port" >/dev/null 2>&1 &
broker=$!
for _ in $(seq 100); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
  sleep 0.2
done
timeout 120 env/bin/python try.py "$port" | tee seen
cat >expected <<'TEXT'
req/a/c, 616263: called with a and {'k': '2'}; answer, 616263
req/a/c, 00ff80c3: called with a and {'k': '2'}; answer, 00efbfbdefbfbdefbfbd
req/a/c, ff01: called with a and {'k': '2'}; answer, efbfbd01
req/a/c, fe01: called with a and {'k': '2'}; answer, efbfbd01
req//c, 616263: ValidationError; no answer
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "faststream 0.7.8: as described"
