#!/usr/bin/env bash
# The broker npm aedes 1.2.0 answers a SUBSCRIBE with too few codes, sends retained messages above the granted QoS, passes DUP on and says that there is no session
# where there is one, beside mosquitto 2.0.11.
#
# Expected (MQTT 3.1.1): SUBACK has a code for each filter of SUBSCRIBE (3.8.4, [MQTT-3.8.4-5]), which is handled like a sequence of SUBSCRIBE packets
#           ([MQTT-3.8.4-4]), so a filter may be there twice. A message has the lower of the published and the granted QoS, also if it is retained (3.8.4, [MQTT-3.8.4-6]).
#           DUP of an incoming PUBLISH is not propagated (3.3.1.1, [MQTT-3.3.1-3]). A session exists even if the rest of its state is empty, and QoS 2 messages that are
#           not completely acknowledged belong to it (3.1.2.4); Session Present is 1 if there is one (3.2.2.2, [MQTT-3.2.2-2]).
# Seen:     the SUBACK for r/a at QoS 1, r/a at QoS 0, and b at QoS 1 has two codes. A retained message of QoS 1 arrives at QoS 1 for the filter r/+ of QoS 0, and at QoS 0
#           for r/a of QoS 0. A message that its publisher repeats, with DUP 1, reaches a subscriber of QoS 1 with DUP 1. Session Present is 0 for a client that
#           had connected with Clean Session 0 and has no subscription, although aedes remembers its QoS 2 message and does not deliver it twice.
# So:       a client that pairs codes with filters takes the code of b for that of the second r/a and has none for b. A publisher that discards its session when Session
#           Present is 0 sends its QoS 2 message anew under another identifier, and it arrives twice.
set -euo pipefail
work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
cd "$work"
dpkg-query -W mosquitto >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto >/dev/null 2>&1
[[ $(dpkg-query -W -f '${Version}' mosquitto) == 2.0.11-* ]] || { echo "this needs mosquitto 2.0.11"; exit 1; }
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts aedes@1.2.0 >/dev/null 2>&1

cat >broker.js <<'JS'
require('aedes').Aedes.createBroker().then((broker) => require('net').createServer(broker.handle).listen(+process.argv[2], '127.0.0.1'));
JS
cat >try.py <<'PY'
"""Asks the broker at a port one question a line, with packets below 128 bytes, and prints the answers."""
import socket, sys, time

PORT = int(sys.argv[1])
count = 0

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

class Client:
    def __init__(self, name=None, clean=True):
        global count
        count += 1
        for _ in range(300):
            try:
                self.socket = socket.create_connection(('127.0.0.1', PORT))
                break
            except ConnectionRefusedError:
                time.sleep(0.2)
        self.socket.settimeout(60)
        self.stream = self.socket.makefile('rb')
        self.send(0x10, text('MQTT') + bytes([4, 2 if clean else 0, 0, 60]) + text(name or f'client{count}'))
        self.session_present = self.wait(2)[0]

    def send(self, head, body):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def receive(self):
        head = self.stream.read(1)
        if not head:
            sys.exit('the connection was closed')
        return head[0], self.stream.read(self.stream.read(1)[0])

    def wait(self, kind):
        while (packet := self.receive())[0] >> 4 != kind:
            pass
        return packet[1]

    def subscribe(self, *filters):
        """Codes of SUBACK."""
        self.send(0x82, b'\0\1' + b''.join(text(name) + bytes([qos]) for name, qos in filters))
        return list(self.wait(9)[2:])

    def publish(self, topic, payload='x', retain=0, dup=0):
        self.send(0x32 | retain | dup << 3, text(topic) + b'\x20\0' + payload.encode())
        self.wait(4)

    def messages(self):
        """Payload, QoS and DUP of the messages before a message on the topic end, which another client publishes."""
        found = []
        while True:
            head, body = self.receive()
            if head >> 4 == 3:
                qos, end = head >> 1 & 3, 2 + int.from_bytes(body[:2], 'big')
                if body[2:end] == b'end':
                    return found
                if qos:
                    self.send(0x40 if qos == 1 else 0x50, body[end:end + 2])
                    end += 2
                found.append(f'{body[end:].decode()} at QoS {qos}, DUP {head >> 3 & 1}')
            elif head >> 4 == 6:
                self.send(0x70, body)

def end():
    time.sleep(1)
    publisher.publish('end')

publisher = Client()
publisher.publish('r/a', 'kept', retain=1)
print('codes for r/a QoS 1, r/a QoS 0, b QoS 1:', *Client().subscribe(('r/a', 1), ('r/a', 0), ('b', 1)))

for topic_filter in 'r/a', 'r/+':
    subscriber = Client()
    subscriber.subscribe(('end', 0))
    subscriber.send(0x82, b'\0\2' + text(topic_filter) + b'\0')
    end()
    print(f'retained for {topic_filter} QoS 0:', *subscriber.messages())

subscriber = Client()
subscriber.subscribe(('end', 0), ('repeated', 1))
publisher.publish('repeated', 'message', dup=1)
end()
print('published with DUP 1:', *subscriber.messages())

subscriber = Client()
subscriber.subscribe(('end', 0), ('exactly', 2))
sender = Client('sender', False)
sender.send(0x34, text('exactly') + b'\0\7' + b'once')
sender.wait(5)
sender.socket.close()
sender.stream.close()
time.sleep(1)
sender = Client('sender', False)
print('Session Present:', sender.session_present)
sender.send(0x3c, text('exactly') + b'\0\7' + b'once')
sender.wait(5)
sender.send(0x62, b'\0\7')
sender.wait(7)
end()
print('delivered:', len(subscriber.messages()), 'message')
PY
read -r mosquitto aedes < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[server.getsockname()[1] for server in sockets])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' "$mosquitto" >mosquitto.conf
mosquitto -c mosquitto.conf >/dev/null 2>&1 &
servers+=($!)
node broker.js "$aedes" &
servers+=($!)
for broker in mosquitto aedes; do
  timeout 300 python3 try.py "${!broker}" | sed "s/^/$broker | /"
done | tee seen
cat >expected <<'TEXT'
mosquitto | codes for r/a QoS 1, r/a QoS 0, b QoS 1: 1 0 1
mosquitto | retained for r/a QoS 0: kept at QoS 0, DUP 0
mosquitto | retained for r/+ QoS 0: kept at QoS 0, DUP 0
mosquitto | published with DUP 1: message at QoS 1, DUP 0
mosquitto | Session Present: 1
mosquitto | delivered: 1 message
aedes | codes for r/a QoS 1, r/a QoS 0, b QoS 1: 0 1
aedes | retained for r/a QoS 0: kept at QoS 0, DUP 0
aedes | retained for r/+ QoS 0: kept at QoS 1, DUP 0
aedes | published with DUP 1: message at QoS 1, DUP 1
aedes | Session Present: 0
aedes | delivered: 1 message
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "aedes 1.2.0: as described"
