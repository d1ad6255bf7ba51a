#!/usr/bin/env bash
# RabbitMQ 3.10.8 (Debian 12) with its MQTT plugin keeps a queue for each QoS of a client: subscriptions of QoS 0 are lost with the connection, UNSUBSCRIBE after
# a reconnect does nothing, and a subscription that changes its QoS delivers twice, beside mosquitto 2.0.11.
#
# Expected (MQTT 3.1.1): a session that is kept has the client's subscriptions (3.1.2.4, 4.1.0), and Session Present 1 says that it is there (3.2.2.2). After
#           UNSUBSCRIBE, no new messages are added for the client (3.10.4, [MQTT-3.10.4-2]). A SUBSCRIBE with the same filter replaces the subscription
#           and its maximum QoS (3.8.4, [MQTT-3.8.4-3]). Unacknowledged messages are sent again with their packet identifiers (4.4, [MQTT-4.4.0-1]), and
#           a retained message of QoS 1 is one of them. The will is published if the connection ends without DISCONNECT (3.1.2.5, [MQTT-3.1.2-8]), also if
#           a second client with the identifier ends it (3.1.4, [MQTT-3.1.4-2]). # does not match topics that begin with $ (4.7.2, [MQTT-4.7.2-1]).
# Seen:     after a reconnect with Session Present 1, a subscription of QoS 0 gets no message, that of QoS 1 does. UNSUBSCRIBE of the latter is answered, and its
#           messages go on, also in all later connections. After SUBSCRIBE with QoS 1 and then 0, each message arrives at QoS 0 and at QoS 1, although
#           there is one subscription. Of three messages in flight, the second is acknowledged: after the reconnect, the third one comes under the identifier
#           of the second. An unacknowledged retained message does not come again. A connection that was taken over leaves no will. # gets $x/d.
# So:       a dashboard that reads at QoS 0 and keeps its session stands still after a short interruption, without an error. A client that lowers its QoS
#           gets everything twice. A device cannot give up a subscription that an earlier connection made.
set -euo pipefail
work=$(mktemp -d)
servers=()
trap 'for server in "${servers[@]}"; do kill -- "-$server" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto rabbitmq-server; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto rabbitmq-server)
[[ $version == *"mosquitto 2.0.11-"* && $version == *"rabbitmq-server 3.10.8-"* ]] || { echo "this needs mosquitto 2.0.11 and rabbitmq-server 3.10.8"; exit 1; }

read -r mosquitto rabbitmq clients distribution names < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*[server.getsockname()[1] for server in sockets])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' "$mosquitto" >mosquitto.conf
printf 'listeners.tcp.1 = 127.0.0.1:%s\ndistribution.listener.interface = 127.0.0.1\nmqtt.listeners.tcp.1 = 127.0.0.1:%s\n' "$clients" "$rabbitmq" >rabbitmq.conf
echo '[rabbitmq_mqtt].' >plugins
setsid mosquitto -c mosquitto.conf >/dev/null 2>&1 &
servers+=($!)
setsid epmd -port "$names" -address 127.0.0.1 >/dev/null 2>&1 &
servers+=($!)
# RabbitMQ would start a daemon that outlives it, if this one did not listen yet.
until python3 -c "import socket; socket.create_connection(('127.0.0.1', $names))" 2>/dev/null; do sleep 0.2; done
setsid env HOME="$work" ERL_EPMD_PORT="$names" ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME="finding$rabbitmq@localhost" RABBITMQ_DIST_PORT="$distribution" \
  RABBITMQ_MNESIA_BASE="$work" RABBITMQ_LOG_BASE="$work" RABBITMQ_CONFIG_FILE="$work/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$work/plugins" \
  RABBITMQ_PID_FILE="$work/pid" /usr/lib/rabbitmq/bin/rabbitmq-server >/dev/null 2>&1 &
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
        for _ in range(1200):
            try:
                self.socket = socket.create_connection(('127.0.0.1', PORT))
                break
            except ConnectionRefusedError:
                time.sleep(0.5)
        self.buffer, self.identifier = b'', 0
        flags = 0xc0 | (2 if clean else 0) | (4 if will else 0)
        will = text(will) + text('gone') if will else b''
        self.send(0x10, text('MQTT') + bytes([4, flags, 0, 60]) + text(name or fresh()) + will + text('guest') + text('guest'))
        self.session_present = self.wait(2)[0] & 1

    def send(self, head, body):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def receive(self, seconds):
        """The next packet, or None after so many seconds or at the end of the connection."""
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
        while (found := self.receive(120)) and found[0] >> 4 != kind:
            pass
        return found[1] if found else sys.exit(f'no packet of type {kind}')

    def next_identifier(self):
        self.identifier += 1
        return self.identifier.to_bytes(2, 'big')

    def subscribe(self, topic_filter, qos):
        self.send(0x82, self.next_identifier() + text(topic_filter) + bytes([qos]))

    def subscribed(self, topic_filter, qos):
        self.subscribe(topic_filter, qos)
        assert self.wait(9)[-1] == qos

    def unsubscribe(self, topic_filter):
        self.send(0xa2, self.next_identifier() + text(topic_filter))
        self.wait(11)

    def publish(self, topic, payload, retain=False):
        self.send(0x32 | retain, text(topic) + self.next_identifier() + payload.encode())
        self.wait(4)

    def messages(self, acknowledge=True, seconds=3):
        """Topic, QoS, packet identifier and payload of the messages until some seconds of silence."""
        found = []
        while packet := self.receive(seconds):
            if packet[0] >> 4 != 3:
                continue
            qos, end, identifier = packet[0] >> 1 & 3, 2 + int.from_bytes(packet[1][:2], 'big'), b''
            topic, rest = packet[1][2:end].decode(), packet[1][end:]
            if qos:
                identifier, rest = rest[:2], rest[2:]
                if acknowledge:
                    self.send(0x40, identifier)
            found.append((topic, qos, int.from_bytes(identifier, 'big'), rest.decode()))
        return found

    def close(self):
        self.socket.close()
        time.sleep(1)

def topics(messages):
    return ' '.join(message[0] for message in messages) or 'none'

publisher = Client()
name = fresh()
first = Client(name, clean=False)
first.subscribed('s/zero', 0)
first.subscribed('s/one', 1)
first.close()
again = Client(name, clean=False)
for topic in 's/zero', 's/one':
    publisher.publish(topic, 'x')
print(f'Session Present {again.session_present}, messages for:', topics(again.messages()))
again.unsubscribe('s/one')
publisher.publish('s/one', 'x')
print('after UNSUBSCRIBE:', topics(again.messages()))
again.close()
again = Client(name, clean=False)
publisher.publish('s/one', 'x')
print('in the next connection:', topics(again.messages()))

subscriber = Client()
subscriber.subscribed('twice', 1)
subscriber.subscribed('twice', 0)
publisher.publish('twice', 'x')
print('QoS after QoS 1 was replaced by 0:', *sorted(qos for _, qos, _, _ in subscriber.messages()))

name = fresh()
first = Client(name, clean=False)
first.subscribed('flight', 1)
for payload in 'one', 'two', 'three':
    publisher.publish('flight', payload)
sent = {payload: identifier for _, _, identifier, payload in first.messages(acknowledge=False)}
first.send(0x40, sent['two'].to_bytes(2, 'big'))
time.sleep(1)
first.close()
for _, _, identifier, payload in Client(name, clean=False).messages():
    print(payload, 'again under', 'its identifier' if identifier == sent[payload] else 'another identifier')

publisher.publish('kept', 'x', True)
name = fresh()
first = Client(name, clean=False)
first.subscribe('kept', 1)
print('retained:', topics(first.messages(acknowledge=False)))
first.close()
print('retained, not acknowledged, after the reconnect:', topics(Client(name, clean=False).messages()))

watcher = Client()
watcher.subscribed('will/+', 0)
broken = Client(will='will/broken')
broken.socket.close()
name = fresh()
former = Client(name, will='will/taken')
second = Client(name)
print('wills:', topics(watcher.messages()))

subscriber = Client()
subscriber.subscribed('#', 0)
publisher.publish('$x/d', 'x')
print('# gets $x/d:', any(message[0] == '$x/d' for message in subscriber.messages()))
PY
for broker in mosquitto rabbitmq; do
  timeout 900 python3 try.py "${!broker}" | sed "s/^/$broker | /"
done | tee seen
cat >expected <<'TEXT'
mosquitto | Session Present 1, messages for: s/zero s/one
mosquitto | after UNSUBSCRIBE: none
mosquitto | in the next connection: none
mosquitto | QoS after QoS 1 was replaced by 0: 0
mosquitto | one again under its identifier
mosquitto | three again under its identifier
mosquitto | retained: kept
mosquitto | retained, not acknowledged, after the reconnect: kept
mosquitto | wills: will/broken will/taken
mosquitto | # gets $x/d: False
rabbitmq | Session Present 1, messages for: s/one
rabbitmq | after UNSUBSCRIBE: s/one
rabbitmq | in the next connection: s/one
rabbitmq | QoS after QoS 1 was replaced by 0: 0 1
rabbitmq | one again under its identifier
rabbitmq | three again under another identifier
rabbitmq | retained: kept
rabbitmq | retained, not acknowledged, after the reconnect: none
rabbitmq | wills: will/broken
rabbitmq | # gets $x/d: True
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto 2.0.11, rabbitmq-server 3.10.8: as described"
