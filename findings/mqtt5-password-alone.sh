#!/usr/bin/env bash
# Clients for MQTT 5.0 that do not send a password without a user name, as for a token: PyPI paho-mqtt 2.2.0 and aiomqtt 2.5.1 leave it out, gmqtt 0.8.0 and npm mqtt 5.16.0 fail,
# beside PyPI zmqtt 0.2.5, ohmqtt 1.2.1 and mosquitto_pub 2.0.11.
#
# Expected (MQTT 5.0): a password may be sent without a user name, which 3.1.1 did not allow, since it is often another credential (comment in 3.1.2.9). The flags of CONNECT are 0x40 then, with
#           0x02 for Clean Start (3.1.2.3), and the password is in the payload (3.1.3.6).
# Seen:     each client connects at version 5 with the password "token" and without a user name. mosquitto_pub, zmqtt and ohmqtt set the flag and send it. paho-mqtt and aiomqtt connect without password, and say
#           nothing. gmqtt raises AttributeError. npm mqtt emits the event close, without an error and without a connection
#           to the broker, and does so again each second unless reconnectPeriod is 0.
# So:       a device with a token is refused as one without credentials, and with npm mqtt it looks as if the broker were away.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W mosquitto-clients >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto-clients >/dev/null 2>&1
[[ $(dpkg-query -W -f '${Version}' mosquitto-clients) == 2.0.11-* ]] || { echo "this needs mosquitto-clients 2.0.11"; exit 1; }
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mqtt@5.16.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q paho-mqtt==2.2.0 aiomqtt==2.5.1 gmqtt==0.8.0 zmqtt==0.2.5 ohmqtt==1.2.1

cat >client.js <<'JS'
const client = require('mqtt').connect({host: '127.0.0.1', port: +process.argv[2], protocolVersion: 5, clientId: 'c', password: 'token', reconnectPeriod: 0});
client.on('error', (error) => console.log('error', error.message));
client.on('close', () => { console.log('close'); process.exit(); });
JS
cat >client.py <<'PY'
import asyncio, logging, sys
name, port = sys.argv[1], int(sys.argv[2])
logging.disable(logging.CRITICAL)

def paho():
    from paho.mqtt import client as paho
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='c', protocol=paho.MQTTv5)
    client.username_pw_set(None, 'token')
    client.connect('127.0.0.1', port)
    client.loop_forever(retry_first_connection=False)

async def aiomqtt():
    import aiomqtt
    async with aiomqtt.Client('127.0.0.1', port, identifier='c', password='token', protocol=aiomqtt.ProtocolVersion.V5):
        pass

async def gmqtt():
    from gmqtt import Client
    client = Client('c')
    client.set_auth_credentials(None, 'token')
    await client.connect('127.0.0.1', port)

async def zmqtt():
    from zmqtt import create_client
    async with create_client('127.0.0.1', port=port, client_id='c', password='token', version='5.0'):
        pass

def ohmqtt():
    import time
    from ohmqtt.client import Client
    with Client() as client:
        client.connect(f'127.0.0.1:{port}', client_id='c', password=b'token')
        time.sleep(60)

try:
    result = globals()[name]()
    if result is not None:
        asyncio.run(result)
except Exception as error:
    print(type(error).__name__)
PY
cat >try.py <<'PY'
"""Runs a client, and prints the flags of its CONNECT and whether the password is in it, or what the client prints."""
import socket, subprocess, sys
listener = socket.create_server(('127.0.0.1', 0))
client = subprocess.Popen([word.replace('PORT', str(listener.getsockname()[1])) for word in sys.argv[2:]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
listener.settimeout(1)
connection, data = None, b''
for _ in range(60):
    try:
        connection = listener.accept()[0]
        connection.settimeout(20)
        data = connection.recv(1000)
        break
    except TimeoutError:
        if client.poll() is not None:
            break
if data:
    print(f'{sys.argv[1]}: password flag {data[9] >> 6 & 1}, user name flag {data[9] >> 7}, password {"sent" if b"token" in data[10:] else "not sent"}')
    client.kill()
else:
    print(f'{sys.argv[1]}: {"no CONNECT" if connection else "no connection"}; {client.communicate(timeout=60)[0].strip() or "no output"}')
client.wait()
PY
{
  timeout 100 python3 try.py mosquitto_pub mosquitto_pub -V 5 -h 127.0.0.1 -p PORT -i c -t a -m b -P token
  for name in zmqtt ohmqtt paho aiomqtt gmqtt; do
    timeout 100 python3 try.py "$name" env/bin/python client.py "$name" PORT
  done
  timeout 100 python3 try.py mqtt node client.js PORT
} | tee seen
cat >expected <<'TEXT'
mosquitto_pub: password flag 1, user name flag 0, password sent
zmqtt: password flag 1, user name flag 0, password sent
ohmqtt: password flag 1, user name flag 0, password sent
paho: password flag 0, user name flag 0, password not sent
aiomqtt: password flag 0, user name flag 0, password not sent
gmqtt: no connection; AttributeError
mqtt: no connection; close
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "paho-mqtt 2.2.0, aiomqtt 2.5.1, gmqtt 0.8.0, mqtt 5.16.0: as described"
