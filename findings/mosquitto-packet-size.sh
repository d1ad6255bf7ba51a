#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) sends messages that are one byte larger than the client's Maximum Packet Size.
#
# Expected (MQTT 5.0, 3.1.2.11.4, [MQTT-3.1.2-24]): the server does not send packets that exceed Maximum Packet Size. The packet size is the total number
#           of bytes of a packet (2.1.4 and 3.1.2.11.4).
# Seen:     with a Maximum Packet Size of 40, 200 and 20,000, the largest PUBLISH that arrives has 41, 201 and 20,001 bytes, at QoS 0 and 1; larger
#           ones are dropped.
# So:       a client with a buffer of exactly that size, or one that closes the connection with 0x95 (packet too large) as the specification allows,
#           loses its connection because of a message of that length.
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
    number, length = len(body), b''
    while True:
        number, low = divmod(number, 128)
        length += bytes([low | (128 if number else 0)])
        if not number:
            return bytes([head]) + length + body

class Client:
    def __init__(self, port, name, properties=b''):
        self.stream = socket.create_connection(('127.0.0.1', port))
        head = string(b'MQTT') + bytes([5, 2]) + struct.pack('>H', 60)
        self.send(packet(0x10, head + bytes([len(properties)]) + properties + string(name)))
        assert self.packet()[0] == 0x20

    def send(self, data):
        self.stream.sendall(data)

    def bytes(self, count):
        data = b''
        while len(data) < count:
            more = self.stream.recv(count - len(data))
            assert more, 'the broker closed the connection'
            data += more
        return data

    def packet(self):
        """The first byte, the rest, and the total number of bytes."""
        head, length, shift, count = self.bytes(1)[0], 0, 0, 1
        while True:
            byte = self.bytes(1)[0]
            length |= (byte & 127) << shift
            shift, count = shift + 7, count + 1
            if byte < 128:
                return head, self.bytes(length), count + length

def largest(port, limit, qos):
    """The largest PUBLISH that arrives, of those with up to 3 bytes over the limit."""
    subscriber = Client(port, b's', b'\x27' + struct.pack('>I', limit))
    subscriber.send(packet(0x82, b'\0\1\0' + string(b't') + bytes([qos])))
    assert subscriber.packet()[0] == 0x90
    publisher = Client(port, b'p')
    sent = []
    for payload in range(limit - 14, limit):
        identifier = b'\0\1' if qos else b''
        message = packet(0x30 | qos << 1, string(b't') + identifier + b'\0' + b'x' * payload)
        if len(message) > limit + 3:
            break
        sent.append(len(message))
        publisher.send(message)
        if qos:
            publisher.packet()
    # A later answer to PINGREQ comes after all messages before it.
    publisher.send(bytes([0xc0, 0]))
    assert publisher.packet()[0] == 0xd0
    subscriber.send(bytes([0xc0, 0]))
    sizes = []
    while (received := subscriber.packet())[0] != 0xd0:
        sizes.append(received[2])
        if qos:
            subscriber.send(packet(0x40, received[1][3:5]))
    assert max(sent) == limit + 3
    return max(sizes)

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
    for limit in (40, 200, 20000):
        for qos in (0, 1):
            seen = largest(port, limit, qos)
            print(f'Maximum Packet Size {limit}, QoS {qos}: a PUBLISH of {seen} bytes arrives')
            if seen != limit + 1:
                sys.exit('this is not what is described')
finally:
    broker.terminate()
    broker.wait()
PY
python3 try.py "$mosquitto"
echo "as described"
