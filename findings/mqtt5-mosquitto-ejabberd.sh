#!/usr/bin/env bash
# mosquitto 2.0.11 and ejabberd 23.01 (both Debian 12) at MQTT 5.0, each right where the other one is not: wills of a client that connects again,
# retained messages for shared subscriptions, packet sizes and expiries.
#
# Expected (MQTT 5.0): if a client connects again while its former connection is open, that one gets DISCONNECT 0x8E (3.1.4, [MQTT-3.1.4-3]), and its will
#           is published, unless Clean Start is 0 and the will has a delay (3.1.4 and the comment in 3.1.3.2.2). A new shared subscription gets no retained
#           messages (4.8.2). A packet above the client's Maximum Packet Size is not sent (3.1.2.11.4, [MQTT-3.1.2-24]). The Message Expiry
#           Interval is reduced by the time that the message waited (3.3.2.3.3, [MQTT-3.3.2-6]). DUP is for messages that were sent before (3.3.1.1).
#           UNSUBACK for a filter without subscription is 0x11 (3.11.3).
# Seen:     mosquitto closes the former connection without a packet. It publishes no will if Clean Start is 0, and none if Clean Start is 1 and the will has
#           a delay, not later either. A shared subscription gets retained messages. The rest is as expected.
#           ejabberd sends a message of 100 octets to a client with a maximum of 60. A message that waited 3 s in a session keeps its expiry, and the
#           first one of them has DUP. UNSUBACK is always 0x00. The rest is as expected; it has no shared subscriptions, and says so.
# So:       with mosquitto, a device that reconnects before its broken connection timed out stays "online" in the eyes of others, and a new worker gets old
#           commands that are retained. With ejabberd, a small client gets a packet that it has no room for, and disconnects.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto ejabberd; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto ejabberd)
[[ $version == *"mosquitto 2.0.11-"* && $version == *"ejabberd 23.01-"* ]] || { echo "this needs mosquitto 2.0.11 and ejabberd 23.01"; exit 1; }

cat >try.py <<'PY'
"""Asks the broker at a port one question a line, with packets below 128 bytes, and prints the answers."""
import socket, sys, time

PORT, NAME = int(sys.argv[1]), sys.argv[2]
SIZES = {0x02: 4}
count = 0

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

def four(identifier, value):
    return bytes([identifier]) + value.to_bytes(4, 'big')

def fresh():
    global count
    count += 1
    return f'client{count}'

class Client:
    def __init__(self, name=None, properties=b'', clean=True, will=None, delay=0):
        self.socket = socket.create_connection(('127.0.0.1', PORT))
        self.buffer, self.identifier = b'', 0
        flags = (0xc2 if clean else 0xc0) | (4 if will else 0)
        rest = b'\5' + four(0x18, delay) + text(will) + text('gone') if will else b''
        rest += text('mq@localhost') + text('none')
        self.send(0x10, text('MQTT') + bytes([5, flags, 0, 60, len(properties)]) + properties + text(name or fresh()) + rest)
        self.session_present = self.wait(2)[0] & 1

    def send(self, head, body):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while len(self.buffer) < 2 or len(self.buffer) < 2 + self.buffer[1]:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not more:
                return None
            self.buffer += more
        size = 2 + self.buffer[1]
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found[0], found[2:]

    def wait(self, kind):
        while True:
            found = self.receive(5)
            if found is None:
                sys.exit(f'no packet of type {kind}')
            if found[0] >> 4 == kind:
                return found[1]

    def next_identifier(self):
        self.identifier += 1
        return self.identifier.to_bytes(2, 'big')

    def subscribe(self, topic_filter, options, properties=b''):
        self.send(0x82, self.next_identifier() + bytes([len(properties)]) + properties + text(topic_filter) + bytes([options]))
        assert self.wait(9)[-1] == options & 3

    def unsubscribe(self, topic_filter):
        self.send(0xa2, self.next_identifier() + b'\0' + text(topic_filter))
        return self.wait(11)[-1]

    def publish(self, topic, payload, qos, retain=False, properties=b''):
        identifier = self.next_identifier() if qos else b''
        self.send(0x30 | qos << 1 | retain, text(topic) + identifier + bytes([len(properties)]) + properties + payload.encode())
        if qos:
            self.wait(4)

    def messages(self, acknowledge=True, seconds=1):
        """The messages until a second of silence: payload, QoS, flags, and properties by identifier."""
        found = []
        while packet := self.receive(seconds):
            head, body = packet
            if head >> 4 != 3:
                continue
            qos, start = head >> 1 & 3, 2 + int.from_bytes(body[:2], 'big')
            if qos:
                if acknowledge:
                    self.send(0x40 if qos == 1 else 0x50, body[start:start + 2])
                start += 2
            end, properties = start + 1 + body[start], {}
            start += 1
            while start < end:
                size = SIZES.get(body[start], 1)
                properties[body[start]] = int.from_bytes(body[start + 1:start + 1 + size], 'big')
                start += 1 + size
            found.append((body[end:].decode(), qos, bool(head & 8), bool(head & 1), properties))
        return found

    def disconnect(self, body=b''):
        self.send(0xe0, body)
        self.socket.shutdown(socket.SHUT_WR)
        time.sleep(0.3)
        self.socket.close()

def payloads(messages):
    return ' '.join(message[0][:5] for message in messages) or 'none'

HOUR = four(0x11, 3600)
watcher, publisher = Client(), Client()
watcher.subscribe('will', 0)

def former(client):
    """The end of a former connection."""
    found = client.receive(2)
    return f'{found[0]:02x} {found[1][0]:02x}' if found else 'closed'

for clean, delay in ((False, 0), (True, 0), (True, 4)):
    name = fresh()
    first = Client(name, HOUR, will='will', delay=delay)
    second = Client(name, HOUR, clean)
    print(f'Clean Start {int(clean)}, will delay {delay}: former connection {former(first)}, will', payloads(watcher.messages(seconds=6 if delay else 2)))
    second.disconnect()

if NAME == 'mosquitto':
    publisher.publish('retained', 'kept', 1, True)
    subscriber = Client()
    subscriber.subscribe('$share/group/retained', 0)
    print('retained message for a new shared subscription:', payloads(subscriber.messages()))

subscriber = Client(properties=four(0x27, 60))
subscriber.subscribe('big', 0)
publisher.publish('big', 'large' + 'x' * 90, 0)
publisher.publish('big', 'small', 0)
print('Maximum Packet Size 60:', payloads(subscriber.messages()))

name = fresh()
subscriber = Client(name, HOUR)
subscriber.subscribe('queue', 1)
subscriber.disconnect()
for payload in ('one', 'two'):
    publisher.publish('queue', payload, 1, properties=four(0x02, 60))
time.sleep(3)
waited = Client(name, HOUR, False).messages()
print('expiry of 60 s after 3 s in the session:', 'reduced' if waited[0][4][0x02] <= 58 else waited[0][4][0x02])
print('DUP:', ' '.join(f'{payload} {int(dup)}' for payload, _, dup, _, _ in waited))

print(f'UNSUBACK without subscription: {Client().unsubscribe("none"):02x}')
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  distribution=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  prepare_$1
  setsid "${command[@]}" >/dev/null 2>&1 &
  broker=$!
  for _ in $(seq 150); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
    sleep 0.2
  done
  sleep 2
  timeout 120 python3 try.py "$port" "$1"
  kill -- "-$broker"
  wait "$broker" || true
}
prepare_mosquitto() {
  command=(/usr/sbin/mosquitto -p "$port")
}
prepare_ejabberd() {
  mkdir ejabberd
  cp /etc/ejabberd/inetrc ejabberd/
  cat >ejabberd/ejabberd.yml <<CONF
hosts: [localhost]
auth_method: anonymous
anonymous_protocol: both
allow_multiple_connections: true
listen:
  - {port: $port, ip: "127.0.0.1", module: mod_mqtt}
modules:
  mod_mqtt: {access_publish: {}, access_subscribe: {}}
CONF
  chmod 711 "$work"
  chown -R ejabberd ejabberd
  # With a port for Erlang's distribution, there is no daemon (epmd) that outlives the broker.
  command=(runuser -u ejabberd -- env ERL_DIST_PORT="$distribution" ejabberdctl -n "finding$port@localhost" -d "$work/ejabberd" -f "$work/ejabberd/ejabberd.yml"
    -s "$work/ejabberd" -l "$work/ejabberd" foreground)
}
run mosquitto >mosquitto.txt
run ejabberd >ejabberd.txt
{ sed 's/^/mosquitto | /' mosquitto.txt; sed 's/^/ejabberd | /' ejabberd.txt; } | tee seen
cat >expected <<'TEXT'
mosquitto | Clean Start 0, will delay 0: former connection closed, will none
mosquitto | Clean Start 1, will delay 0: former connection closed, will gone
mosquitto | Clean Start 1, will delay 4: former connection closed, will none
mosquitto | retained message for a new shared subscription: kept
mosquitto | Maximum Packet Size 60: small
mosquitto | expiry of 60 s after 3 s in the session: reduced
mosquitto | DUP: one 0 two 0
mosquitto | UNSUBACK without subscription: 11
ejabberd | Clean Start 0, will delay 0: former connection e0 8e, will gone
ejabberd | Clean Start 1, will delay 0: former connection e0 8e, will gone
ejabberd | Clean Start 1, will delay 4: former connection e0 8e, will gone
ejabberd | Maximum Packet Size 60: large small
ejabberd | expiry of 60 s after 3 s in the session: 60
ejabberd | DUP: one 1 two 0
ejabberd | UNSUBACK without subscription: 00
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto 2.0.11, ejabberd 23.01: as described"
