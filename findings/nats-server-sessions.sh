#!/usr/bin/env bash
# nats-server 2.9.10 (Debian 12) at MQTT 3.1.1: a message that was not acknowledged is not sent again at the reconnect, a client that is taken over
# leaves no will, and filters have wildcards that MQTT does not, beside mosquitto 2.0.11.
#
# Expected (MQTT 3.1.1): if a client connects again with Clean Session 0, the server sends each unacknowledged PUBLISH again (4.4, [MQTT-4.4.0-1]).
#           The will is published when the connection ends without DISCONNECT (3.1.2.5, [MQTT-3.1.2-8]), also if the server ends it since a second
#           client has the identifier (3.1.4, [MQTT-3.1.4-2]). The wildcards are # and + (4.7.1); the topics that begin with $ do not match # (4.7.2,
#           [MQTT-4.7.2-1]).
# Seen:     nats-server sends the unacknowledged messages again 30 s after they were sent first, and nothing at the reconnect. A broken connection
#           leaves its will, a connection that was taken over does not. The filters sp/* and sp/> match sp/ab, and # matches topics that begin with
#           $JS and $MQTT, with the server's own JSON. Retained messages, queued ones, order, keep alive and wills of broken connections are right.
# So:       a device that was switched off and on waits half a minute for its commands, and a device whose twin takes over stays "online".
set -euo pipefail
work=$(mktemp -d)
servers=()
trap 'for server in "${servers[@]}"; do kill "$server" || true; done; rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto nats-server; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto nats-server)
[[ $version == *"mosquitto 2.0.11-"* && $version == *"nats-server 2.9.10-"* ]] || { echo "this needs mosquitto 2.0.11 and nats-server 2.9.10"; exit 1; }

read -r mosquitto nats clients < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*[server.getsockname()[1] for server in sockets])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' "$mosquitto" >mosquitto.conf
printf 'listen: "127.0.0.1:%s"\nserver_name: one\njetstream { store_dir: "%s/store" }\nmqtt { listen: "127.0.0.1:%s" }\n' "$clients" "$work" "$nats" >nats.conf
mosquitto -c mosquitto.conf >/dev/null 2>&1 &
servers+=($!)
nats-server -c nats.conf >/dev/null 2>&1 &
servers+=($!)

cat >try.py <<'PY'
"""Asks the broker at a port one question a line, with packets below 128 bytes, and prints the answers."""
import socket, sys, time

PORT = int(sys.argv[1])
count = 0

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

def fresh():
    global count
    count += 1
    return f'client{count}'

class Client:
    def __init__(self, name=None, clean=True, will=None):
        for _ in range(100):
            try:
                self.socket = socket.create_connection(('127.0.0.1', PORT))
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        self.buffer, self.identifier = b'', 0
        flags = (2 if clean else 0) | (4 if will else 0)
        self.send(0x10, text('MQTT') + bytes([4, flags, 0, 60]) + text(name or fresh()) + (text(will) + text('gone') if will else b''))
        self.session_present = self.wait(2)[0] & 1

    def send(self, head, body):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while (size := self.size()) is None or len(self.buffer) < size[1]:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not more:
                return None
            self.buffer += more
        found, self.buffer = self.buffer[:size[1]], self.buffer[size[1]:]
        return found[0], found[size[0]:]

    def size(self):
        """The lengths of the fixed header and of the packet, if they are there."""
        value = 0
        for index, octet in enumerate(self.buffer[1:5]):
            value |= (octet & 127) << 7 * index
            if octet < 128:
                return index + 2, index + 2 + value

    def wait(self, kind):
        while (found := self.receive(5)) and found[0] >> 4 != kind:
            pass
        return found[1] if found else sys.exit(f'no packet of type {kind}')

    def subscribe(self, topic_filter, qos):
        self.send(0x82, b'\0\1' + text(topic_filter) + bytes([qos]))
        assert self.wait(9)[-1] == qos

    def publish(self, topic, payload, qos):
        self.send(0x30 | qos << 1, text(topic) + (b'\0\2' if qos else b'') + payload.encode())
        if qos:
            self.wait(4)

    def messages(self, seconds, acknowledge=True, until=None):
        """Topic and payload of the messages, until nothing arrived for so many seconds or a number of messages did."""
        found = []
        while len(found) != until and (packet := self.receive(seconds)):
            if packet[0] >> 4 != 3:
                continue
            end = 2 + int.from_bytes(packet[1][:2], 'big')
            if packet[0] & 6:
                if acknowledge:
                    self.send(0x40, packet[1][end:end + 2])
            found.append((packet[1][2:end].decode(), packet[1][end + 2 if packet[0] & 6 else end:].decode()))
        return found

publisher = Client()
name = fresh()
first = Client(name, clean=False)
first.subscribe('u/a', 1)
start = time.monotonic()
for payload in '1', '2':
    publisher.publish('u/a', payload, 1)
print('unacknowledged:', *[payload for _, payload in first.messages(1, acknowledge=False)])
first.socket.close()
time.sleep(0.5)
again = Client(name, clean=False)
print('session present:', again.session_present)
print('within 5 s of the reconnect:', *[payload for _, payload in again.messages(5)] or ['none'])
print('later:', *[payload for _, payload in again.messages(40 - (time.monotonic() - start), until=2)] if sys.argv[2] == 'nats-server' else [])
if sys.argv[2] == 'nats-server':
    print('seconds after they were sent first: about', round((time.monotonic() - start) / 10) * 10)

watcher = Client()
watcher.subscribe('will/+', 0)
broken = Client(will='will/broken')
broken.socket.close()
print('will of a broken connection:', *[topic for topic, _ in watcher.messages(3, until=1)] or ['none'])
name = fresh()
former = Client(name, will='will/taken')
second = Client(name)
print('will of a connection that was taken over:', *[topic for topic, _ in watcher.messages(3, until=1)] or ['none'])

for topic_filter in 'sp/+', 'sp/*', 'sp/>':
    subscriber = Client()
    subscriber.subscribe(topic_filter, 0)
    publisher.publish('sp/ab', 'x', 0)
    print(topic_filter, 'matches sp/ab:', bool(subscriber.messages(2, until=1)))
subscriber = Client()
subscriber.subscribe('#', 0)
time.sleep(0.5)
Client(fresh(), clean=False)
print('topics with $ at #:', *sorted({topic.split('/')[0] for topic, _ in subscriber.messages(2) if topic.startswith('$')}) or ['none'])
PY
{
  echo mosquitto
  python3 try.py "$mosquitto" mosquitto
  echo nats-server
  python3 try.py "$nats" nats-server
} | tee seen
cat >expected <<'TEXT'
mosquitto
unacknowledged: 1 2
session present: 1
within 5 s of the reconnect: 1 2
later:
will of a broken connection: will/broken
will of a connection that was taken over: will/taken
sp/+ matches sp/ab: True
sp/* matches sp/ab: False
sp/> matches sp/ab: False
topics with $ at #: none
nats-server
unacknowledged: 1 2
session present: 1
within 5 s of the reconnect: none
later: 1 2
seconds after they were sent first: about 30
will of a broken connection: will/broken
will of a connection that was taken over: none
sp/+ matches sp/ab: True
sp/* matches sp/ab: True
sp/> matches sp/ab: True
topics with $ at #: $JS $MQTT
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
