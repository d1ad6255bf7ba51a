#!/usr/bin/env bash
# An independent MQTT-SN client, PyPI mqtt-sn-12 1.0.9, at `mq gateway`: publishing at QoS -1 to 2 to a topic name, a short topic and a
# predefined id, subscribing at QoS 0 to 2, a will and its changes, and the search for a gateway. Outside CI, since it installs the package.
#
#   tests/mqtt-sn-client.sh MQ
#
# MQ is the program. The client answers no PUBLISH of QoS 1 or 2 (findings/mqtt-sn-clients.sh), so the exchange stays open: it subscribes anew
# for each QoS, and takes one message. It cannot subscribe to short topics: it expects 0 in SUBACK, where MQTT-SN 1.2 sets no value.
set -euo pipefail
mq=$(realpath "$1")
work=$(mktemp -d)
started=()
stop_all() {
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
    rm -r "$work"
}
trap stop_all EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check mqtt-sn-12==1.0.9
echo '7 site/predefined' >topics

# start NAME WORDS...: starts `mq` in the background, and waits for its port, which it prints.
start() {
    "$mq" "${@:2}" >"$1.out" 2>"$1.err" &
    started+=($!)
    until grep -qs 'listening on' "$1.out"; do sleep 0.05; done
}
port() { grep -o 'listening on [^ ]*' "$1.out" | grep -o '[0-9]*$'; }

start broker broker -p 0
broker=$(port broker)

cat >client.py <<'PY'
import logging, subprocess, sys, time
from mqttsn12.client.MqttSnClient import MqttSnClient, MqttSnListener

logging.disable(logging.CRITICAL)
mq, broker, gateway = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Received(MqttSnListener):
    def __init__(self):
        self.payloads = []
    def message_arrived(self, message):
        self.payloads.append(bytes(message.payload).decode())

def opened(name=None, will=None):
    client = MqttSnClient()
    client.set_keep_alive(60)
    client.set_timeout(10)
    client.open('127.0.0.1', gateway)
    if name:
        client.set_client_id(name)
        if will:
            client.set_will('site/will', will, 1, False)
        client.send_connect()
    return client

def pub(topic, payload, qos):
    subprocess.run([mq, 'pub', '-p', broker, '-t', topic, '-m', payload, '-q', str(qos)], check=True)

def watch(count):
    process = subprocess.Popen([mq, 'sub', '-d', '-p', broker, '-t', 'site/#', '-t', 'ab', '-q', '2', '-C', str(count), '-W', '60', '-F', '%t %q %p'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if 'SUBACK' in line:
            return process

search = opened()
search.send_search_gateway(0)
print('SEARCHGW: GWINFO came')
watcher = watch(11)
for qos in (0, 1, 2):
    client = opened(f'publisher{qos}')
    client.send_publish('site/name', f'name at {qos}', qos)
    client.send_publish('ab', f'short at {qos}', qos)
    client.send_publish_predefined(7, f'predefined at {qos}', qos)
    client.send_disconnect()
without = opened()
without.send_publish('ab', 'short at -1', -1)
without.send_publish_predefined(7, 'predefined at -1', -1)
for line in sorted(watcher.stdout):
    print('published:', line.rstrip())
for qos in (0, 1, 2):
    for topic in ('site/name', 'site/+'):
        client, received = opened(f'subscriber{qos}'), Received()
        client.send_subscribe(topic, qos, received)
        pub('site/name', f'{topic} at {qos}', qos)
        end = time.time() + 10
        while not received.payloads and time.time() < end:
            client.polling()
        print('subscribed:', received.payloads)
        client.send_disconnect()
for change in (None, 'message', 'topic'):
    watcher = watch(1)
    client = opened('mortal', will='gone')
    if change == 'message':
        client.send_will_message_update('changed')
    if change == 'topic':
        client.send_will_topic_update('site/other')
    # The same address with another identifier ends the client, and the gateway publishes its will.
    client.set_client_id('heir')
    client.will_topic = client.will_message = None
    client.send_connect()
    print('will,', change or 'nothing', 'changed:', watcher.stdout.read().rstrip())
PY
for mode in '' --aggregate; do
    start "gateway$mode" gateway --listen 0 --to "127.0.0.1:$broker" --predefined topics $mode
    if [ -n "$mode" ]; then
        until grep -qs 'connected to the broker' "gateway$mode.err"; do sleep 0.05; done
    fi
    venv/bin/python client.py "$mq" "$broker" "$(port "gateway$mode")" >seen
    echo "== ${mode:-a connection for each client}"
    cat seen
    diff seen - <<'TXT'
SEARCHGW: GWINFO came
published: ab 0 short at -1
published: ab 0 short at 0
published: ab 1 short at 1
published: ab 2 short at 2
published: site/name 0 name at 0
published: site/name 1 name at 1
published: site/name 2 name at 2
published: site/predefined 0 predefined at -1
published: site/predefined 0 predefined at 0
published: site/predefined 1 predefined at 1
published: site/predefined 2 predefined at 2
subscribed: ['site/name at 0']
subscribed: ['site/+ at 0']
subscribed: ['site/name at 1']
subscribed: ['site/+ at 1']
subscribed: ['site/name at 2']
subscribed: ['site/+ at 2']
will, nothing changed: site/will 1 gone
will, message changed: site/will 1 changed
will, topic changed: site/other 1 gone
TXT
done
