#!/usr/bin/env bash
# ActiveMQ 5.17.2 (Debian 12) divides topics at commas and cuts them at question marks, so messages arrive on other topics, and delivers a repeated QoS 2 message twice,
# beside mosquitto 2.0.11.
#
# Expected (MQTT 3.1.1): a topic may have any characters but U+0000, + and # (4.7.1, 4.7.3), and the server does not change topics (4.7.3, [MQTT-4.7.3-4]). A QoS 2 PUBLISH that comes again
#           with DUP before PUBREL is not delivered again (4.3.3, [MQTT-4.3.3-2]). Session Present is 1 if the server has a session (3.2.2.2, [MQTT-3.2.2-2]).
# Seen:     a message for w,x is delivered on w to the subscriber of w, on x to that of x, and twice, on w and on x, to that of w,x, which also gets what is published on x. A message for y?a=1
#           is delivered on y, also to the subscriber of y. PUBLISH, the same one with DUP, and PUBREL lead to two messages. A kept session delivers what waited, after
#           Session Present 0. mosquitto does all of this as expected.
# So:       a position as a topic (fleet/52.1,13.4) is two others, of which one may be the command topic of another device.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null || true; [ -z "$broker" ] || wait "$broker" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto activemq libmqtt-client-java; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto activemq)
[[ $version == *"mosquitto 2.0.11-"* && $version == *"activemq 5.17.2"* ]] || { echo "this needs mosquitto 2.0.11 and activemq 5.17.2"; exit 1; }

cat >try.py <<'PY'
"""Asks the broker at the given port, with packets below 128 bytes, and prints what is delivered."""
import socket, sys, time

PORT = int(sys.argv[1])

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

class Client:
    def __init__(self, name, clean=True):
        self.buffer, self.identifier = b'', 100
        self.socket = socket.create_connection(('127.0.0.1', PORT))
        self.send(0x10, text('MQTT') + bytes([4, 2 if clean else 0, 0, 60]) + text(name))
        self.session_present = self.wait(2)[0]

    def send(self, head, body):
        assert len(body) < 128
        self.socket.sendall(bytes([head, len(body)]) + body)

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while len(self.buffer) < 2 or len(self.buffer) < 2 + self.buffer[1]:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return None
            assert more, 'closed'
            self.buffer += more
        size = 2 + self.buffer[1]
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found[0], found[2:]

    def wait(self, kind):
        while (found := self.receive(60)) is not None:
            if found[0] >> 4 == kind:
                return found[1]
        sys.exit(f'no packet of type {kind}')

    def subscribe(self, topic_filter, qos=1):
        self.send(0x82, b'\0\1' + text(topic_filter) + bytes([qos]))
        assert self.wait(9)[2] == qos
        return self

    def publish(self, topic, payload, retain=False):
        self.identifier += 1
        self.send(0x32 | retain, text(topic) + self.identifier.to_bytes(2, 'big') + payload.encode())
        self.wait(4)

    def messages(self):
        found = []
        while packet := self.receive(3):
            head, body = packet
            if head >> 4 == 6:
                self.send(0x70, body)
            if head >> 4 == 3:
                end = 2 + int.from_bytes(body[:2], 'big')
                if head & 6:
                    self.send(0x40 if head & 6 == 2 else 0x50, body[end:end + 2])
                found.append(f'{body[end + 2 if head & 6 else end:].decode()} on {body[2:end].decode()}')
        return '; '.join(sorted(found)) or 'nothing'

publisher = Client('publisher')
topics = ['w', 'x', 'w,x', 'y', 'y?a=1']
subscribers = [Client(f'client{number}').subscribe(topic) for number, topic in enumerate(topics)]
for topic in 'w,x', 'x', 'y?a=1':
    publisher.publish(topic, 'message')
    for name, subscriber in zip(topics, subscribers):
        if (found := subscriber.messages()) != 'nothing':
            print(f'published on {topic}, subscriber of {name}: {found}')
subscriber = Client('exactly').subscribe('q', 2)
packet = text('q') + b'\0\1' + b'once'
publisher.send(0x34, packet)
publisher.wait(5)
publisher.send(0x3c, packet)
publisher.wait(5)
publisher.send(0x62, b'\0\1')
publisher.wait(7)
print('QoS 2, sent twice before PUBREL:', subscriber.messages())
subscriber = Client('away', False).subscribe('s')
subscriber.send(0xe0, b'')
time.sleep(2)
publisher.publish('s', 'waiting')
subscriber = Client('away', False)
print('session: Session Present', f'{subscriber.session_present},', subscriber.messages())
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "prepare_$1"
  "${command[@]}" >/dev/null 2>&1 &
  broker=$!
  for _ in $(seq 600); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
    sleep 0.5
  done
  sleep 2
  timeout 200 python3 try.py "$port" | sed "s/^/$1 | /"
  kill "$broker"
  wait "$broker" || true
  broker=
}
prepare_mosquitto() {
  command=(/usr/sbin/mosquitto -p "$port")
}
prepare_activemq() {
  mkdir lib
  ln -s /usr/share/java/mqtt-client.jar lib/
  cat >activemq.xml <<XML
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="
    http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="finding" persistent="false" useJmx="false" dataDirectory="$work/data">
    <transportConnectors><transportConnector name="mqtt" uri="mqtt://127.0.0.1:$port"/></transportConnectors>
  </broker>
</beans>
XML
  command=(java -Xmx256m -Dactivemq.home=/usr/share/activemq "-Dactivemq.base=$work" "-Dactivemq.conf=$work" "-Djava.io.tmpdir=$work" -jar /usr/share/activemq/bin/activemq.jar start "xbean:file:$work/activemq.xml")
}
{ run mosquitto; run activemq; } | tee seen
cat >expected <<'TEXT'
mosquitto | published on w,x, subscriber of w,x: message on w,x
mosquitto | published on x, subscriber of x: message on x
mosquitto | published on y?a=1, subscriber of y?a=1: message on y?a=1
mosquitto | QoS 2, sent twice before PUBREL: once on q
mosquitto | session: Session Present 1, waiting on s
activemq | published on w,x, subscriber of w: message on w
activemq | published on w,x, subscriber of x: message on x
activemq | published on w,x, subscriber of w,x: message on w; message on x
activemq | published on x, subscriber of x: message on x
activemq | published on x, subscriber of w,x: message on x
activemq | published on y?a=1, subscriber of y: message on y
activemq | published on y?a=1, subscriber of y?a=1: message on y
activemq | QoS 2, sent twice before PUBREL: once on q; once on q
activemq | session: Session Present 0, waiting on s
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "ActiveMQ 5.17.2: as described"
