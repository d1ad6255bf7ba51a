#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) holds a will back for its whole delay if the session ends with the connection, and not if the session ends a second later.
#
# Expected (MQTT 5.0): the will is published when the Will Delay Interval has passed or the session ends, whichever happens first (3.1.2.5, [MQTT-3.1.2-8], and
#           3.1.3.2.2). With a Session Expiry Interval of 0, or without one, the session ends when the connection is closed (3.1.2.11.2).
# Seen:     four clients have a will with a delay of 20 s, and their connections break. With a Session Expiry Interval of 3600, the will comes after the delay; with
#           1, when the session ends, within the next seconds. With 0 and without one, where the session is over at once, the will comes only after the delay.
# So:       a delay that is to cover short interruptions of sessions that are kept also delays the notice about clients that keep none, for
#           which no connection can resume a session.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" || true; wait; rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W mosquitto >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto >/dev/null 2>&1
[[ $(dpkg-query -W -f '${Version}' mosquitto) == 2.0.11-* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }

cat >try.py <<'PY'
"""Breaks connections that have a will with a delay, and prints when the wills come."""
import socket, sys, time

PORT, DELAY = int(sys.argv[1]), 20
SESSIONS = {'3600': b'\x11\0\0\x0e\x10', '1': b'\x11\0\0\0\1', '0': b'\x11\0\0\0\0', 'absent': b''}

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

def connect(name, properties=b'', will=b''):
    for _ in range(300):
        try:
            connection = socket.create_connection(('127.0.0.1', PORT), 60)
            break
        except ConnectionRefusedError:
            time.sleep(0.2)
    body = text('MQTT') + bytes([5, 6 if will else 2, 0, 0, len(properties)]) + properties + text(name) + will
    connection.sendall(bytes([0x10, len(body)]) + body)
    stream = connection.makefile('rb')
    assert read(stream)[0] == 0x20
    return connection, stream

def read(stream):
    head = stream.read(1)[0]
    return head, stream.read(stream.read(1)[0])

watcher, arriving = connect('watcher')
body = b'\0\1\0' + text('will/+') + b'\0'
watcher.sendall(bytes([0x82, len(body)]) + body)
read(arriving)
for expiry, properties in SESSIONS.items():
    connection, stream = connect(f'client-{expiry}', properties, b'\5\x18' + DELAY.to_bytes(4, 'big') + text(f'will/{expiry}') + text('gone'))
    stream.close()
    connection.close()
start, found = time.monotonic(), {}
while len(found) < len(SESSIONS):
    head, body = read(arriving)
    if head >> 4 == 3:
        found[body[7:2 + body[1]].decode()] = time.monotonic() - start
for expiry in SESSIONS:
    print(f'Session Expiry Interval {expiry}: will', 'after its delay' if found[expiry] > DELAY - 2 else 'before its delay')
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' "$port" >mosquitto.conf
mosquitto -c mosquitto.conf >/dev/null 2>&1 &
broker=$!
timeout 300 python3 try.py "$port" | tee seen
cat >expected <<'TEXT'
Session Expiry Interval 3600: will after its delay
Session Expiry Interval 1: will before its delay
Session Expiry Interval 0: will after its delay
Session Expiry Interval absent: will after its delay
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto 2.0.11: as described"
