#!/usr/bin/env bash
# mosquitto_sub 2.0.11 (Debian 12) at MQTT 5.0 gets 20 of 60 QoS 2 messages that wait in its session at mosquitto 2.0.11, and then none at each further connection.
#
# Expected (MQTT 5.0): a server has no more than Receive Maximum QoS 1 and QoS 2 messages unacknowledged (3.3.4, [MQTT-3.3.4-9]); a QoS 2 message counts until PUBCOMP or a PUBREC with an error
#           (4.9). A client that gets more closes with DISCONNECT 0x93 (3.3.4). mosquitto_sub(1): with -c, the client gets all queued messages when it connects again.
# Seen:     mosquitto_sub sends the Receive Maximum 20. The broker sends 20 messages. After the first PUBCOMP, it sends twenty more instead of one, and again after the second one, so up to 58 are unacknowledged;
#           findings/mosquitto-receive-maximum.sh has this with QoS 1. mosquitto_sub prints m1 to m20, closes the connection without DISCONNECT, and says
#           "A network protocol error occurred when communicating with the broker". At each further connection, the broker sends all messages that it has sent before, 40 at once, and
#           mosquitto_sub closes before it has printed one. At 3.1.1, all 60 arrive, and so they do with -D connect receive-maximum 1000.
# So:       a recorder that was away for a minute ends, and does so again at each start, until somebody deletes its session.
set -euo pipefail
work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" || true; rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto mosquitto-clients; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto mosquitto-clients libmosquitto1)
[ "$(grep -c ' 2\.0\.11-' <<<"$version")" = 3 ] || { echo "this needs mosquitto, mosquitto-clients and libmosquitto1 2.0.11"; exit 1; }
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
/usr/sbin/mosquitto -v -p "$port" >broker.log 2>&1 &
broker=$!
for _ in $(seq 100); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
  sleep 0.2
done
run() { # name, number of runs, options
  name=$1 runs=$2
  shift 2
  session=(mosquitto_sub -p "$port" -c -i "$name" -q 2 -t "t/$name" "$@")
  "${session[@]}" -E
  for number in $(seq 60); do echo "m$number"; done | mosquitto_pub -p "$port" -q 2 -t "t/$name" -l
  sleep 1
  for number in $(seq "$runs"); do
    "${session[@]}" -W 4 >printed 2>error || true
    echo "$name, run $number: $(found=$(wc -l <printed); [ "$found" -gt 0 ] && [ "$found" -le 20 ] && echo "1 to 20" || echo "$found") messages$(sed -n 's/^Error: /, /p' error)"
  done
}
cat >show.py <<'PY'
"""Prints how many messages were unacknowledged at most in the session "first" of the log."""
most = unacknowledged = 0
for line in open('broker.log', errors='replace'):
    if 'New client connected' in line and ' as first ' in line:
        unacknowledged = 0
    unacknowledged += 'Sending PUBLISH to first ' in line
    unacknowledged -= 'Received PUBCOMP from first ' in line
    most = max(most, unacknowledged)
print('first: unacknowledged at most more than 20:', most > 20)
PY
{
  run first 4 -V 5 -x 3600
  python3 show.py
  run limit 2 -V 5 -x 3600 -D connect receive-maximum 1000
  run old 2 -V 311
} | tee seen
cat >expected <<'TEXT'
first, run 1: 1 to 20 messages, A network protocol error occurred when communicating with the broker.
first, run 2: 0 messages, A network protocol error occurred when communicating with the broker.
first, run 3: 0 messages, A network protocol error occurred when communicating with the broker.
first, run 4: 0 messages, A network protocol error occurred when communicating with the broker.
first: unacknowledged at most more than 20: True
limit, run 1: 60 messages
limit, run 2: 0 messages
old, run 1: 60 messages
old, run 2: 0 messages
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto_sub 2.0.11: as described"
