#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) sends more unacknowledged messages than the client's Receive Maximum once a session is resumed.
#
# Expected (MQTT 5.0, 3.1.2.11.3 and 4.9, [MQTT-3.3.4-9]): the server does not send more than Receive Maximum QoS 1 and QoS 2 messages for which
#           it has no PUBACK, PUBCOMP, or PUBREC with an error. mosquitto.conf(5), max_inflight_messages: at most 20 by default.
# Seen:     with 200 messages waiting and a Receive Maximum of 15, a new session has 15 in flight. The client connects again, with the session:
#           15 are sent again, and then each PUBACK brings 15 more instead of one. After 5 PUBACK, 85 messages are in flight. With MQTT 3.1.1,
#           where max_inflight_messages is the limit, it is 20, and 115 after 5 PUBACK.
# So:       a slow client is flooded after each broken connection, and all that was in flight comes twice after the next one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }

cat >try.py <<'PY'
import socket, struct, subprocess, sys, time

def string(text):
    return struct.pack('>H', len(text)) + text

def packet(head, body):
    return bytes([head, len(body)]) + body

class Client:
    """Reads packets of less than 128 bytes, and acknowledges what it is told to."""
    def __init__(self, port, name, version, limit):
        properties = b'\x21' + struct.pack('>H', limit) + b'\x11' + struct.pack('>I', 600)
        after = bytes([len(properties)]) + properties if version == 5 else b''
        head = string(b'MQTT') + bytes([version, 0]) + struct.pack('>H', 60)
        self.version, self.stream = version, socket.create_connection(('127.0.0.1', port))
        self.stream.sendall(packet(0x10, head + after + string(name)))
        assert self.packet()[0] == 0x20

    def bytes(self, count):
        data = b''
        while len(data) < count:
            more = self.stream.recv(count - len(data))
            assert more, 'the broker closed the connection'
            data += more
        return data

    def packet(self):
        head, length = self.bytes(2)
        return head, self.bytes(length)

    def send(self, data):
        self.stream.sendall(data)

    def messages(self):
        """The packet identifiers of all messages before the answer to PINGREQ: the broker answers after what it sent before."""
        found = []
        for _ in range(5):  # what an acknowledgement releases may come after one answer
            self.send(bytes([0xc0, 0]))
            while (received := self.packet())[0] != 0xd0:
                head, body = received
                if head & 0xf0 == 0x30:
                    length = struct.unpack('>H', body[:2])[0]
                    found.append(body[2 + length:4 + length])
        return found

def publish(port, count):
    client = Client(port, b'publisher', 4, 0)
    for number in range(count):
        client.send(packet(0x32, string(b't') + struct.pack('>H', number % 1000 + 1) + b'x'))
        assert client.packet()[0] == 0x40
    client.stream.close()

def see(port, version):
    name = b'v%d' % version
    client = Client(port, name, version, 15)
    client.send(packet(0x82, b'\0\1' + (b'\0' if version == 5 else b'') + string(b't') + b'\1'))
    assert client.packet()[0] == 0x90
    publish(port, 200)
    new = len(client.messages())
    client.stream.close()
    client = Client(port, name, version, 15)
    again = client.messages()
    for identifier in again[:5]:
        client.send(packet(0x40, identifier))
    more = client.messages()
    client.stream.close()
    return new, len(again), len(again) - 5 + len(more)

mosquitto = sys.argv[1]
with socket.create_server(('127.0.0.1', 0)) as free:
    port = free.getsockname()[1]
with open('mosquitto.conf', 'w') as file:
    file.write(f'listener {port} 127.0.0.1\nallow_anonymous true\n')
broker = subprocess.Popen([mosquitto, '-c', 'mosquitto.conf'], stderr=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    for version, expected in [(5, (15, 15, 85)), (4, (20, 20, 115))]:
        seen = see(port, version)
        label = {5: 'MQTT 5.0, Receive Maximum 15', 4: 'MQTT 3.1.1, max_inflight_messages 20'}[version]
        print(f'{label}: {seen[0]} in flight, {seen[1]} after the session was resumed, {seen[2]} after 5 PUBACK')
        if seen != expected:
            sys.exit(f'this is not what is described: {expected} was')
finally:
    broker.terminate()
    broker.wait()
PY
python3 try.py "$mosquitto"
echo "as described"
