#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) drops a message for a client that is away since its queue is full of messages that have expired.
#
# Expected (MQTT 5.0, 3.3.2.3.3): "If the Message Expiry Interval has passed and the Server has not managed to start onward delivery to a matching
#           subscriber, then it MUST delete the copy of the message for that subscriber" [MQTT-3.3.2-5]. So expired messages take no place in the queue.
# Seen:     with `max_queued_messages 10`, ten messages that expire after a second, and one without expiry two seconds later, the client that comes
#           back gets nothing. Without the ten messages, it gets the one.
# So:       short-lived messages at a higher rate than the queue holds keep out the lasting ones for as long as the client is away.
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

def receive(stream, count):
    data = b''
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            return None
        data += more
    return data

def read_packet(stream):
    try:
        head = receive(stream, 2)
        return head and head + receive(stream, head[1])
    except ConnectionResetError:
        return None

def start(limit):
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    with open('broker.conf', 'w') as conf:
        conf.write(f'user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages {limit}\n')
    broker = subprocess.Popen([sys.argv[1], '-c', 'broker.conf'], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            return broker, port
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit('mosquitto does not start')

def connect(port, name, flags):
    """With a session that is kept for 100 seconds."""
    stream = socket.create_connection(('127.0.0.1', port))
    stream.settimeout(1)
    properties = b'\x05\x11' + struct.pack('>I', 100)
    stream.sendall(packet(0x10, string(b'MQTT') + bytes([5, flags, 0, 60]) + properties + string(name)))
    assert read_packet(stream)[3] == 0
    return stream

def received(expiring):
    """What a client gets that was away while these messages and one without expiry were published."""
    broker, port = start(10)
    away = connect(port, b'away', 2)
    away.sendall(packet(0x82, b'\x00\x01\x00' + string(b'a') + b'\x01'))
    assert read_packet(away)[0] == 0x90
    away.close()
    publisher = connect(port, b'publisher', 2)
    expiry = b'\x05\x02' + struct.pack('>I', 1)
    for number in range(expiring):
        publisher.sendall(packet(0x32, string(b'a') + struct.pack('>H', number + 1) + expiry + b'old'))
        assert read_packet(publisher)[0] == 0x40
    time.sleep(2.5)
    publisher.sendall(packet(0x32, string(b'a') + b'\x00\x63\x00' + b'new'))
    assert read_packet(publisher)[0] == 0x40
    back, payloads = connect(port, b'away', 0), []
    try:
        while message := read_packet(back):
            payloads.append(message[-3:].decode())
    except TimeoutError:
        pass
    broker.kill()
    broker.wait()
    return payloads

seen = {expiring: received(expiring) for expiring in (0, 10)}
for expiring, payloads in seen.items():
    print(f'{expiring} expired messages in the queue: received {payloads}')
if seen != {0: ['new'], 10: []}:
    sys.exit('the behaviour has changed')
PY
python3 try.py "$mosquitto"
