#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) sends a message of QoS 2 again, as PUBLISH, after its PUBREL, if two connections of the subscriber break one after the other.
#
# Expected (MQTT 5.0): a sender must not send PUBLISH again once it has sent the corresponding PUBREL (4.3.3, [MQTT-4.3.3-6]); when a session is
#           resumed, it repeats PUBREL with the same packet identifier (4.4, [MQTT-4.4.0-1]). A receiver that has sent PUBCOMP must take a later
#           PUBLISH with this identifier for a new message ([MQTT-4.3.3-12]). MQTT 3.1.1 has the same rules in 4.3.3 and 4.4.
# Seen:     a subscriber with a kept session answers PUBLISH with PUBREC and gets PUBREL; then its connection breaks. On the next connection mosquitto
#           repeats PUBREL, as it should. But if that connection ends straight after CONNECT, so that mosquitto cannot send the PUBREL, the connection after it
#           gets PUBLISH with DUP in place of PUBREL. Mosquitto is stopped for a moment, so that the connection certainly ends before it reads CONNECT.
# So:       a message of QoS 2 arrives twice at a subscriber that followed the specification, over networks that break twice within seconds: the
#           subscriber may have sent PUBCOMP already. By reading, the function that resets a session knows the state "PUBREL was sent", but not
#           "PUBREL is to be sent again", which it sets itself; it is the same in 2.1.2.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" || true; wait; rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W mosquitto >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto >/dev/null 2>&1
[[ $(dpkg-query -W -f '${Version}' mosquitto) == 2.0.11-* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }

cat >try.py <<'PY'
"""Subscribes at QoS 2, breaks the connection after PUBREL, and prints what the next connections get first."""
import os, signal, socket, struct, sys, time

PORT, BROKER = int(sys.argv[1]), int(sys.argv[2])
KEEP = b'\x11\0\0\x0e\x10'  # Session Expiry Interval, one hour
NAMES = {2: 'CONNACK', 3: 'PUBLISH', 6: 'PUBREL', 9: 'SUBACK'}

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

def request(name, version):
    properties = bytes([len(KEEP)]) + KEEP if version == 5 else b''
    body = text('MQTT') + bytes([version, 0, 0, 0]) + properties + text(name)
    return bytes([0x10, len(body)]) + body

def dial():
    for _ in range(300):
        try:
            return socket.create_connection(('127.0.0.1', PORT), 60)
        except ConnectionRefusedError:
            time.sleep(0.2)

def connect(name, version):
    connection = dial()
    connection.sendall(request(name, version))
    stream = connection.makefile('rb')
    assert read(stream)[0] >> 4 == 2
    return connection, stream

def read(stream):
    head = stream.read(1)[0]
    return head, stream.read(stream.read(1)[0])

def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()

def probe():
    connection, stream = connect('probe', 4)
    stream.close()
    connection.close()

def first_packet(name, version):
    connection, stream = connect(name, version)
    head, body = read(stream)
    stream.close()
    reset(connection)
    return NAMES[head >> 4] + (' with DUP' if head & 0xf8 == 0x38 else '')

def run(version, breaks):
    name, topic = f'subscriber-{version}-{breaks}', f'topic/{version}/{breaks}'
    connection, stream = connect(name, version)
    body = b'\0\1' + (b'\0' if version == 5 else b'') + text(topic) + b'\2'
    connection.sendall(bytes([0x82, len(body)]) + body)
    assert read(stream)[0] >> 4 == 9
    publisher, answers = connect(f'publisher-{version}-{breaks}', version)
    body = text(topic) + b'\0\1' + (b'\0' if version == 5 else b'') + b'once'
    publisher.sendall(bytes([0x34, len(body)]) + body)
    assert read(answers)[0] >> 4 == 5
    publisher.sendall(b'\x62\2\0\1')
    head, body = read(stream)
    assert head == 0x34
    at = 2 + int.from_bytes(body[:2], 'big')
    packet_id = body[at:at + 2]
    connection.sendall(b'\x50\2' + packet_id)
    assert read(stream) == (0x62, packet_id)
    stream.close()
    reset(connection)
    for _ in range(breaks):
        short = dial()
        probe()  # mosquitto has accepted the connection before this one
        os.kill(BROKER, signal.SIGSTOP)
        short.sendall(request(name, version))
        short.close()  # CONNACK will meet a closed socket, and what follows it cannot be sent
        os.kill(BROKER, signal.SIGCONT)
        probe()  # mosquitto has served the connection before this one
    print(f'MQTT {"5.0" if version == 5 else "3.1.1"}, {breaks} more connections that broke: {first_packet(name, version)}')

for version in 5, 4:
    for breaks in 0, 1:
        run(version, breaks)
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' "$port" >mosquitto.conf
mosquitto -c mosquitto.conf >/dev/null 2>&1 &
broker=$!
timeout 300 python3 try.py "$port" "$broker" | tee seen
cat >expected <<'TEXT'
MQTT 5.0, 0 more connections that broke: PUBREL
MQTT 5.0, 1 more connections that broke: PUBLISH with DUP
MQTT 3.1.1, 0 more connections that broke: PUBREL
MQTT 3.1.1, 1 more connections that broke: PUBLISH with DUP
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto 2.0.11: as described"
