#!/usr/bin/env bash
# The MQTT broker of PyPI crossbar 26.10.1 ends the connection at UNSUBSCRIBE, answers SUBSCRIBE with too few codes, acknowledges messages that it drops, and publishes wills at
# DISCONNECT or never.
#
# Expected (MQTT 3.1.1): UNSUBSCRIBE is answered by UNSUBACK ([MQTT-3.10.4-4]), SUBSCRIBE by a code for each filter ([MQTT-3.8.4-5]). DISCONNECT drops the
#           will ([MQTT-3.1.2-10]), other ends publish it ([MQTT-3.1.2-8]). Topics can hold spaces (4.7.3) and empty levels (4.7.1), a payload can be empty (3.3.3). a/# matches
#           a (4.7.1.2), # nothing that begins with $ ([MQTT-4.7.2-1]). A second client with an identifier ends the first one ([MQTT-3.1.4-2]). A
#           packet has up to 268,435,455 bytes (2.2.3). The manual of crossbar: a "standalone MQTT broker" for 3.1.1.
# Seen:     UNSUBSCRIBE is an internal error. Two filters get one code. A message to "front door" or /a gets its PUBACK, and no subscriber gets it; an empty one too.
#           A filter with these, or with + and #, ends the connection. With the payload mapping "passthrough" wills are not published, with "native" at
#           DISCONNECT too. v/1.5 becomes v/1/5. Both clients with one identifier stay. From 2,097,152 bytes on the connection ends.
# So:       a publisher is told that all went well while nothing arrives.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" || true; wait; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check crossbar==26.10.1 >/dev/null 2>&1

cat >try.py <<'PY'
"""A client of MQTT 3.1.1 at the level of its packets."""
import socket, sys, time

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

class Client:
    def __init__(self, name, will=None):
        for _ in range(600):
            try:
                self.socket = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 120)
                break
            except ConnectionRefusedError:
                time.sleep(0.2)
        self.send(0x10, text('MQTT') + bytes([4, 6 if will else 2, 0, 0]) + text(name) + (text(will) + text('{"args":["gone"]}') if will else b''))
        self.packet()

    def send(self, head, body):
        size, rest = b'', len(body)
        while True:
            rest, digit = divmod(rest, 128)
            size += bytes([digit | (128 if rest else 0)])
            if not rest:
                break
        self.socket.sendall(bytes([head]) + size + body)

    def get(self, size):
        found = b''
        while len(found) < size:
            found += self.socket.recv(size - len(found)) or sys.exit('the connection ended')
        return found

    def packet(self):
        head, size = self.get(2)
        return head >> 4, self.get(size)

    def subscribe(self, *filters):
        self.send(0x82, b'\0\1' + b''.join(text(one) + b'\0' for one in filters))
        return self.packet()[1][2:].hex()

    def publish(self, topic, payload='x', retain=0):
        """At QoS 1, with the answer."""
        self.send(0x32 | retain, text(topic) + b'\0\1' + payload.encode())
        return 'PUBACK' if self.packet()[0] == 4 else 'no PUBACK'

    def until(self, mark='mark'):
        """The topics of messages up to the one on the topic mark."""
        found = []
        while (one := self.packet()[1])[2:2 + one[1]] != mark.encode():
            found.append(one[2:2 + one[1]].decode())
        return ', '.join(found) or 'nothing'

    def ends(self):
        return 'closed' if self.socket.recv(1) == b'' else 'an answer'

helper = Client('helper')
print('SUBSCRIBE with two filters |', Client('a').subscribe('a/b', 'a/c'))
client = Client('b')
client.subscribe('a/b')
client.send(0xa2, b'\0\2' + text('a/b'))
print('UNSUBSCRIBE |', client.ends())
for topic_filter in '/a', 'a//b', 'front door', '+/x/#':
    client = Client('b')
    client.send(0x82, b'\0\1' + text(topic_filter) + b'\0')
    print(f'SUBSCRIBE to {topic_filter} |', client.ends())

def received(topic_filter, topic, payload='x'):
    client = Client('c')
    client.subscribe(topic_filter)
    client.subscribe('mark')
    answer = helper.publish(topic, payload)
    helper.publish('mark')
    print(f'filter {topic_filter}, topic {topic}, {len(payload)} bytes | {answer} | {client.until()}')

for case in ('a/b', 'a/b'), ('room/#', 'room/front door'), ('+/+', '/a'), ('a/#', 'a//b'), ('a/#', 'a/b'), ('a/#', 'a'), ('a/+', 'a/'), ('v/1.5', 'v/1.5'), ('+/state', '$x/state'), ('a/b', 'a/b', ''):
    received(*case)

client = Client('d')
client.subscribe('plain/+')
client.subscribe('native/#')
client.subscribe('mark')
for mapping in 'plain', 'native':
    for end in 'DISCONNECT', 'break':
        short = Client('e', f'{mapping}/will')
        if end == 'DISCONNECT':
            short.send(0xe0, b'')
            short.ends()
        else:
            short.socket.close()
        if mapping == 'native':
            found = client.packet()[1][2:].decode()
        else:
            time.sleep(3)  # nothing comes, so there is nothing to wait for
            helper.publish('mark')
            found = client.until()
        print(f'will, {mapping}, {end} | {found}')

first, second = Client('f'), Client('f')
first.send(0xc0, b'')
print('the first of two clients with one identifier pings |', 'PINGRESP' if first.packet()[0] == 13 else 'other')
for size in 2097151, 2097152:
    client = Client('g')
    client.send(0x30, text('big') + b'x' * (size - 5))
    try:
        client.send(0xc0, b'')
        print(f'{size} bytes, then a ping |', client.ends())
    except ConnectionError:
        print(f'{size} bytes, then a ping | closed')
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir node
cat >node/config.json <<JSON
{"version": 2, "workers": [{"type": "router",
  "realms": [{"name": "realm", "roles": [{"name": "anonymous", "permissions": [{"uri": "", "match": "prefix", "allow": {"call": true, "register": true, "publish": true, "subscribe": true}}]}]}],
  "transports": [{"type": "mqtt", "endpoint": {"type": "tcp", "port": $port, "interface": "127.0.0.1"},
    "options": {"realm": "realm", "role": "anonymous", "payload_mapping": {"": {"type": "passthrough"}, "native": {"type": "native", "serializer": "json"}}}}]}]}
JSON
env/bin/crossbar start --cbdir node >log 2>&1 &
broker=$!
timeout 300 python3 try.py "$port" | tee seen
cat >expected <<'TEXT'
SUBSCRIBE with two filters | 00
UNSUBSCRIBE | closed
SUBSCRIBE to /a | closed
SUBSCRIBE to a//b | closed
SUBSCRIBE to front door | closed
SUBSCRIBE to +/x/# | closed
filter a/b, topic a/b, 1 bytes | PUBACK | a/b
filter room/#, topic room/front door, 1 bytes | PUBACK | nothing
filter +/+, topic /a, 1 bytes | PUBACK | nothing
filter a/#, topic a//b, 1 bytes | PUBACK | nothing
filter a/#, topic a/b, 1 bytes | PUBACK | a/b
filter a/#, topic a, 1 bytes | PUBACK | nothing
filter a/+, topic a/, 1 bytes | PUBACK | nothing
filter v/1.5, topic v/1.5, 1 bytes | PUBACK | v/1/5
filter +/state, topic $x/state, 1 bytes | PUBACK | $x/state
filter a/b, topic a/b, 0 bytes | PUBACK | nothing
will, plain, DISCONNECT | nothing
will, plain, break | nothing
will, native, DISCONNECT | native/will{"args":["gone"]}
will, native, break | native/will{"args":["gone"]}
the first of two clients with one identifier pings | PINGRESP
2097151 bytes, then a ping | an answer
2097152 bytes, then a ping | closed
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
