#!/usr/bin/env bash
# RabbitMQ 3.10.8 (Debian 12) with its MQTT plugin does not deliver a message to subscribers of QoS 0 if the publisher had to send it again, and passes DUP on,
# beside mosquitto 2.0.11.
#
# Expected (MQTT 3.1.1): a client that comes back sends what was not acknowledged again, with DUP 1 (3.3.1.1, [MQTT-3.3.1-1], 4.4). The DUP flag of an incoming
#           PUBLISH is not propagated; in the outgoing one it says only whether that one was sent before (3.3.1.1, [MQTT-3.3.1-3]). A receiver cannot conclude
#           from DUP 1 that it has seen the message (3.3.1.1, not normative), and after a PUBACK each PUBLISH is a new message whatever its DUP (4.3.2). The
#           message goes to all clients with a matching subscription (3.3.5).
# Seen:     a connection breaks before its PUBLISH is complete, so no broker has seen the message. The next connection sends it again, with DUP 1, and gets PUBACK.
#           The subscriber of QoS 1 receives it with DUP 1, although it comes for the first time. That of QoS 0 receives nothing, neither then nor later.
#           The next message, without DUP, reaches both.
# So:       those messages that had to cross a bad connection are missing at each subscriber of QoS 0, while the publisher has its PUBACK. A subscriber
#           of QoS 1 that drops messages with DUP as already known loses them too.
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
    def __init__(self, name=None, clean=True):
        for _ in range(1200):
            try:
                self.socket = socket.create_connection(('127.0.0.1', PORT))
                break
            except ConnectionRefusedError:
                time.sleep(0.5)
        self.buffer, self.identifier = b'', 0
        self.send(0x10, text('MQTT') + bytes([4, 0xc2 if clean else 0xc0, 0, 60]) + text(name or fresh()) + text('guest') + text('guest'))
        self.wait(2)

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

    def subscribed(self, topic_filter, qos):
        self.send(0x82, self.next_identifier() + text(topic_filter) + bytes([qos]))
        assert self.wait(9)[-1] == qos

    def publish(self, topic, payload, dup=False):
        self.send(0x32 | dup << 3, text(topic) + self.next_identifier() + payload.encode())
        self.wait(4)

    def messages(self):
        """Payload, QoS and DUP of the messages until three seconds of silence; all are acknowledged."""
        found = []
        while packet := self.receive(3):
            if packet[0] >> 4 != 3:
                continue
            qos, end = packet[0] >> 1 & 3, 2 + int.from_bytes(packet[1][:2], 'big')
            if qos:
                self.send(0x40, packet[1][end:end + 2])
                end += 2
            found.append(f'{packet[1][end:].decode()}, QoS {qos}, DUP {packet[0] >> 3 & 1}')
        return ' '.join(found) or 'none'

    def close(self):
        self.socket.close()
        time.sleep(1)

zero, one = Client(), Client()
zero.subscribed('door', 0)
one.subscribed('door', 1)

name = fresh()
publisher = Client(name, clean=False)
publisher.socket.sendall(bytes([0x32, 12]) + text('door') + b'\0')
publisher.close()
publisher = Client(name, clean=False)
publisher.publish('door', 'open', dup=True)
print('repeated, at QoS 0:', zero.messages())
print('repeated, at QoS 1:', one.messages())
publisher.publish('door', 'shut')
print('not repeated, at QoS 0:', zero.messages())
print('not repeated, at QoS 1:', one.messages())
PY
for broker in mosquitto rabbitmq; do
  timeout 900 python3 try.py "${!broker}" | sed "s/^/$broker | /"
done | tee seen
cat >expected <<'TEXT'
mosquitto | repeated, at QoS 0: open, QoS 0, DUP 0
mosquitto | repeated, at QoS 1: open, QoS 1, DUP 0
mosquitto | not repeated, at QoS 0: shut, QoS 0, DUP 0
mosquitto | not repeated, at QoS 1: shut, QoS 1, DUP 0
rabbitmq | repeated, at QoS 0: none
rabbitmq | repeated, at QoS 1: open, QoS 1, DUP 1
rabbitmq | not repeated, at QoS 0: shut, QoS 0, DUP 0
rabbitmq | not repeated, at QoS 1: shut, QoS 1, DUP 0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto 2.0.11, rabbitmq-server 3.10.8: as described"
