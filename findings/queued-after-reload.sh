#!/usr/bin/env bash
# mosquitto 2.0.11 (Debian 12) delivers a message that waits for a connected client, although a reload took the permission to read it.
#
# Expected (mosquitto.conf(5)): "acl_file ... is reloaded when a SIGHUP signal is received", and rules decide about the receipt of messages.
# Seen:     a client with one message in flight gets the next one from its queue after the reload, although the new rules do not
#           allow it. If the client reconnects, mosquitto removes the message from the queue.
# So:       a permission that is taken away applies to later messages only, as long as the client stays connected.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
version=$("$mosquitto" -h || true)
[[ $version == "mosquitto version 2.0.11"* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }

cat >try.py <<'PY'
import signal, socket, struct, subprocess, sys, time

def string(text):
    return struct.pack('>H', len(text)) + text

def packet(head, body):
    return bytes([head, len(body)]) + body

def receive(stream, count):
    data = b''
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            sys.exit('mosquitto closed a connection')
        data += more
    return data

def read_packet(stream):
    head = receive(stream, 2)
    return head + receive(stream, head[1])

def connect(user, flags=0x82):
    stream = socket.create_connection(('127.0.0.1', port))
    stream.settimeout(10)
    stream.sendall(packet(0x10, string(b'MQTT') + bytes([4, flags, 0, 60]) + string(user) + string(user)))
    assert read_packet(stream)[3] == 0
    return stream

def write_rules(topics):
    lines = ['user admin', 'topic #', 'user bob'] + ['topic read ' + topic for topic in topics]
    with open('rules', 'w') as rules:
        rules.write('\n'.join(lines) + '\n')

with socket.create_server(('127.0.0.1', 0)) as free:
    port = free.getsockname()[1]
write_rules(['a', 'b'])
with open('broker.conf', 'w') as conf:
    conf.write(f'user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nacl_file rules\nmax_inflight_messages 1\n')
broker = subprocess.Popen([sys.argv[1], '-c', 'broker.conf'], stderr=subprocess.PIPE, text=True)
while 'running' not in (line := broker.stderr.readline()):
    assert line, 'mosquitto does not start'
admin, bob = connect(b'admin'), connect(b'bob', 0x80)
bob.sendall(packet(0x82, b'\x00\x01' + string(b'#') + b'\x01'))
read_packet(bob)
for topic in (b'a', b'b', b'b'):
    admin.sendall(packet(0x32, string(topic) + b'\x00\x01x'))
    assert read_packet(admin)[0] == 0x40
first = read_packet(bob)
assert first[4:5] == b'a', first
write_rules(['a'])
broker.send_signal(signal.SIGHUP)
while 'Reloading' not in (line := broker.stderr.readline()):
    assert line, 'mosquitto ended'
# A message under the new rules is not received: they apply.
admin.sendall(packet(0x32, string(b'b') + b'\x00\x01late'))
read_packet(admin)
bob.sendall(packet(0x40, first[5:7]))
second = read_packet(bob)
print('connected:', 'receives', second[4:5].decode(), 'after the reload')
bob.close()
again = connect(b'bob', 0x80)
again.sendall(b'\xc0\x00')
third = read_packet(again)
print('reconnected:', 'nothing waits' if third == b'\xd0\x00' else f'receives {third}')
broker.kill()
sys.exit(0 if second[4:5] == b'b' else 'mosquitto behaves differently now')
PY
python3 try.py "$mosquitto"
