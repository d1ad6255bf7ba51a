#!/usr/bin/env bash
# mosquitto_sub 2.0.11 (Debian 12) closes the connection for messages with two subscription identifiers, and for those with the topic alias that it asked for, beside
# npm mqtt 5.16.0.
#
# Expected (MQTT 5.0): a PUBLISH has the subscription identifier of each matching subscription that has one, several times the same one too (3.3.4), so there may be
#           more than one (3.3.2.3.8). A client that sends a Topic Alias Maximum in CONNECT accepts aliases up to this value (3.1.2.11.5, [MQTT-3.1.2-26]), and
#           takes the topic of a PUBLISH with an alias and an empty topic from an earlier one with this alias (3.3.2.3.4). mosquitto_sub(1) lists
#           topic-alias-maximum among the properties for CONNECT, and %S for the subscription identifier.
# Seen:     with `-D subscribe subscription-identifier 5 -t 't/#' -t 't/+'`, mosquitto_sub prints a message with the identifier 5, and closes the connection without
#           DISCONNECT for one with 5 twice, or with 5 and 6. With `-D connect topic-alias-maximum 5`, it prints the message that sets the alias, and closes the connection at the next
#           one that uses it, with "A network protocol error occurred when communicating with the broker". mqtt receives all of these.
# So:       two overlapping filters with an identifier end the connection at the first message that both match, which is not acknowledged and so is sent again
#           in a session that is kept. A broker that uses the aliases that it was allowed looks faulty.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W mosquitto-clients >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto-clients >/dev/null 2>&1
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto-clients libmosquitto1)
[[ $version == *"mosquitto-clients 2.0.11-"* && $version == *"libmosquitto1 2.0.11-"* ]] || { echo "this needs mosquitto-clients and libmosquitto1 2.0.11"; exit 1; }
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mqtt@5.16.0 >/dev/null 2>&1

cat >client.js <<'JS'
const client = require('mqtt').connect({host: '127.0.0.1', port: +process.argv[2], protocolVersion: 5, clientId: 'c', reconnectPeriod: 0, properties: {topicAliasMaximum: 5}});
client.on('message', (topic, payload) => console.log('message', topic, payload.toString()));
client.on('connect', () => client.subscribe({'t/#': {qos: 1}, 't/+': {qos: 1}}, {properties: {subscriptionIdentifier: 5}}));
client.on('error', () => {});
JS
cat >try.py <<'PY'
"""Plays a broker that sends messages with the given properties, and prints what the client receives, and whether the connection stays."""
import socket, subprocess, sys

CASES = [
    ('identifier 5', [('t/a', b'\x0b\5')]),
    ('identifier 5 twice', [('t/a', b'\x0b\5\x0b\5')]),
    ('identifiers 5 and 6', [('t/a', b'\x0b\5\x0b\6')]),
    ('alias 1 for t/a, then alias 1 alone', [('t/a', b'\x23\0\1'), ('', b'\x23\0\1')]),
]
for name, messages in CASES:
    listener = socket.create_server(('127.0.0.1', 0))
    listener.settimeout(120)
    client = subprocess.Popen([word.replace('PORT', str(listener.getsockname()[1])) for word in sys.argv[2:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    connection = listener.accept()[0]
    connection.settimeout(120)
    stream = connection.makefile('rb')

    def read():
        head = stream.read(1)
        return (head[0], stream.read(stream.read(1)[0])) if head else (0, b'')

    assert read()[0] == 0x10
    connection.sendall(b'\x20\3\0\0\0')
    head, body = read()
    connection.sendall(b'\x90\5' + body[:2] + b'\0\1\1')
    for topic, properties in messages:
        body = len(topic).to_bytes(2, 'big') + topic.encode() + b'\0\7' + bytes([len(properties)]) + properties + b'x'
        try:
            connection.sendall(bytes([0x32, len(body)]) + body)
            head, body = read()
        except ConnectionError:
            head = 0
        if head != 0x40:
            break
    ended = {0x40: 'acknowledged', 0xe0: 'DISCONNECT', 0: 'closed'}[head]
    try:
        client.wait(3)
    except subprocess.TimeoutExpired:
        client.kill()
    lines = [line for line in client.stdout.read().splitlines() if line]
    print(f'{sys.argv[1]} | {name}: {ended}; {"; ".join(lines) or "no output"}')
    for item in stream, connection, listener:
        item.close()
PY
{
  timeout 300 python3 try.py mqtt node client.js PORT
  timeout 300 python3 try.py mosquitto_sub mosquitto_sub -V 5 -h 127.0.0.1 -p PORT -i c -D connect topic-alias-maximum 5 -D subscribe subscription-identifier 5 -q 1 -t 't/#' -t 't/+' -F 'message %t %p'
} | tee seen
cat >expected <<'TEXT'
mqtt | identifier 5: acknowledged; message t/a x
mqtt | identifier 5 twice: acknowledged; message t/a x
mqtt | identifiers 5 and 6: acknowledged; message t/a x
mqtt | alias 1 for t/a, then alias 1 alone: acknowledged; message t/a x; message t/a x
mosquitto_sub | identifier 5: acknowledged; message t/a x
mosquitto_sub | identifier 5 twice: closed; no output
mosquitto_sub | identifiers 5 and 6: closed; no output
mosquitto_sub | alias 1 for t/a, then alias 1 alone: closed; message t/a x; Error: A network protocol error occurred when communicating with the broker.
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto-clients 2.0.11: as described"
