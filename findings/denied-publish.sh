#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) closes the connection of a client whose PUBLISH is denied, if the queue of messages is not limited.
#
# Expected (mosquitto.conf(5)): `max_queued_messages 0` is "no maximum". A PUBLISH that the access rules deny is acknowledged, with reason code
#           0x87 (not authorized) in MQTT 5 (section 3.4.2.1) and without one in 3.1.1, and the connection stays.
# Seen:     with `max_queued_messages 1000`, the default, that is so. With 0, mosquitto sends the PUBACK, closes the connection, and logs
#           "Bad socket read/write on client ...: Unknown error", in both versions.
# So:       a client that publishes to one topic without permission reconnects over and over, and loses the messages of QoS 0 behind it.
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
    with open('rules', 'w') as rules:
        rules.write('topic read #\n')
    with open('broker.conf', 'w') as conf:
        conf.write(f'user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nacl_file rules\nmax_queued_messages {limit}\n')
    broker = subprocess.Popen([sys.argv[1], '-c', 'broker.conf'], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            return broker, port
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit('mosquitto does not start')

def denied(port, level):
    """The answers to a denied PUBLISH of QoS 1 and to a PINGREQ behind it."""
    stream = socket.create_connection(('127.0.0.1', port))
    stream.settimeout(10)
    properties = b'\x00' if level == 5 else b''
    stream.sendall(packet(0x10, string(b'MQTT') + bytes([level, 2, 0, 60]) + properties + string(b'client')))
    assert read_packet(stream)[3] == 0
    stream.sendall(packet(0x32, string(b'a') + b'\x00\x01' + properties + b'x'))
    puback = read_packet(stream)
    try:
        stream.sendall(b'\xc0\x00')
    except (BrokenPipeError, ConnectionResetError):
        return puback.hex(), 'closed'
    return puback.hex(), 'open' if read_packet(stream) == b'\xd0\x00' else 'closed'

seen = {}
for limit in (1000, 0):
    broker, port = start(limit)
    for level in (4, 5):
        seen[limit, level] = denied(port, level)
        print(f'max_queued_messages {limit}, protocol level {level}: PUBACK {seen[limit, level][0]}, then {seen[limit, level][1]}')
    broker.kill()
    broker.wait()
expected = {(1000, 4): 'open', (1000, 5): 'open', (0, 4): 'closed', (0, 5): 'closed'}
if {key: value[1] for key, value in seen.items()} != expected or seen[0, 5][0] != '4003000187':
    sys.exit('the behaviour has changed')
PY
python3 try.py "$mosquitto"
