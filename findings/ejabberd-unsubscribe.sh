#!/usr/bin/env bash
# ejabberd 23.01 (Debian 12) ends the subscriptions of other clients to a topic filter when a client unsubscribes from it that has not subscribed to it.
#
# Expected (MQTT 3.1.1 and 5.0): an UNSUBSCRIBE deletes the subscription of the client that sent it; if it has none for the filter, UNSUBACK is the only effect
#           (3.10.4 and 3.11 of 5.0, [MQTT-3.10.4-5] of 3.1.1). A subscription belongs to one session (1.2).
# Seen:     the broker seems to count SUBSCRIBE and UNSUBSCRIBE for each filter, whoever sends them. One client subscribes to u/#; another one, with another name and user and without
#           subscription, sends UNSUBSCRIBE for u/#, and the first one gets no message for u/a from then on. If a further client subscribes to u/#, both get messages again, and a second
#           stray UNSUBSCRIBE ends both. A client that sends its UNSUBSCRIBE twice ends the other one's subscription as well. u/+ is untouched. No client is told. mosquitto 2.0.11
#           goes on delivering.
# So:       a tool that repeats its UNSUBSCRIBE, or a bridge that clears old subscriptions at its start, stops the recorder of the plant for as long as that stays connected.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill -- "-$broker" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto ejabberd; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto ejabberd)
[[ $version == *"mosquitto 2.0.11-"* && $version == *"ejabberd 23.01-"* ]] || { echo "this needs mosquitto 2.0.11 and ejabberd 23.01"; exit 1; }

cat >try.py <<'PY'
"""Subscribes with several clients at the broker of the given port, unsubscribes with one, and prints who gets a message before and after."""
import socket, sys, time

PORT = int(sys.argv[1])

def text(value):
    return len(value).to_bytes(2, 'big') + value.encode()

class Client:
    def __init__(self, name, version, user, clean=True):
        self.name, self.version, self.buffer = name, version, b''
        self.none = b'\0' if version == 5 else b''
        properties = b'\5\x11\0\0\x0e\x10' if version == 5 else b''
        self.socket = socket.create_connection(('127.0.0.1', PORT))
        self.send(0x10, text('MQTT') + bytes([version, 0xc2 if clean else 0xc0, 0, 60]) + properties + text(name) + text(user) + text('none'))
        assert self.wait(2)[1] == 0

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
        return found[0] >> 4, found[2:]

    def wait(self, kind):
        while (found := self.receive(20)) is not None:
            if found[0] == kind:
                return found[1]
        sys.exit(f'no packet of type {kind} for {self.name}')

    def subscribe(self, topic_filter):
        self.send(0x82, b'\0\1' + self.none + text(topic_filter) + b'\0')
        assert self.wait(9)[-1] == 0

    def unsubscribe(self, topic_filter):
        self.send(0xa2, b'\0\2' + self.none + text(topic_filter))
        self.wait(11)

    def publish(self, topic):
        self.send(0x32, text(topic) + b'\0\3' + self.none + b'x')
        self.wait(4)

    def has_message(self):
        found = False
        while packet := self.receive(1):
            found |= packet[0] == 3
        return found

publisher = Client('publisher', 5, 'p@localhost')

def show(when, clients):
    publisher.publish('u/a')
    print(f'{when}:', ', '.join(f'{client.name} {"gets it" if client.has_message() else "nothing"}' for client in clients))

one, two, three = Client('one', 5, 'a@localhost'), Client('two', 4, 'b@localhost'), Client('three', 5, 'b@localhost')
one.subscribe('u/#')
three.subscribe('u/+')
clients = [one, three]
show('subscribed', clients)
Client('fourth', 5, 'c@localhost').unsubscribe('u/#')
show('after UNSUBSCRIBE of a client without subscription', clients)
two.subscribe('u/#')
clients = [one, two, three]
show('after SUBSCRIBE of two', clients)
Client('fifth', 5, 'c@localhost').unsubscribe('u/#')
show('after UNSUBSCRIBE of a client without subscription', clients)
one.subscribe('u/#')
one.subscribe('u/#')
show('after two SUBSCRIBE of one', clients)
two.unsubscribe('u/#')
show('after UNSUBSCRIBE of two', clients)
two.unsubscribe('u/#')
show('after another UNSUBSCRIBE of two', clients)
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  distribution=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "prepare_$1"
  setsid "${command[@]}" >/dev/null 2>&1 &
  broker=$!
  for _ in $(seq 300); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
    sleep 0.2
  done
  sleep 2
  timeout 120 python3 try.py "$port" | sed "s/^/$1 | /"
  kill -- "-$broker"
  wait "$broker" || true
  broker=
}
prepare_mosquitto() {
  command=(/usr/sbin/mosquitto -p "$port")
}
prepare_ejabberd() {
  mkdir ejabberd
  cp /etc/ejabberd/inetrc ejabberd/
  cat >ejabberd/ejabberd.yml <<CONF
hosts: [localhost]
auth_method: anonymous
anonymous_protocol: both
allow_multiple_connections: true
listen:
  - {port: $port, ip: "127.0.0.1", module: mod_mqtt}
modules:
  mod_mqtt: {access_publish: {}, access_subscribe: {}}
CONF
  chmod 711 "$work"
  chown -R ejabberd ejabberd
  # With a port for Erlang's distribution, there is no daemon (epmd) that outlives the broker.
  command=(runuser -u ejabberd -- env ERL_DIST_PORT="$distribution" ejabberdctl -n "finding$port@localhost" -d "$work/ejabberd" -f "$work/ejabberd/ejabberd.yml"
    -s "$work/ejabberd" -l "$work/ejabberd" foreground)
}
{ run mosquitto; run ejabberd; } | tee seen
cat >expected <<'TEXT'
mosquitto | subscribed: one gets it, three gets it
mosquitto | after UNSUBSCRIBE of a client without subscription: one gets it, three gets it
mosquitto | after SUBSCRIBE of two: one gets it, two gets it, three gets it
mosquitto | after UNSUBSCRIBE of a client without subscription: one gets it, two gets it, three gets it
mosquitto | after two SUBSCRIBE of one: one gets it, two gets it, three gets it
mosquitto | after UNSUBSCRIBE of two: one gets it, two nothing, three gets it
mosquitto | after another UNSUBSCRIBE of two: one gets it, two nothing, three gets it
ejabberd | subscribed: one gets it, three gets it
ejabberd | after UNSUBSCRIBE of a client without subscription: one nothing, three gets it
ejabberd | after SUBSCRIBE of two: one gets it, two gets it, three gets it
ejabberd | after UNSUBSCRIBE of a client without subscription: one nothing, two nothing, three gets it
ejabberd | after two SUBSCRIBE of one: one gets it, two gets it, three gets it
ejabberd | after UNSUBSCRIBE of two: one gets it, two nothing, three gets it
ejabberd | after another UNSUBSCRIBE of two: one nothing, two nothing, three gets it
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "ejabberd 23.01: as described"
