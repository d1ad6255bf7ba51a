#!/usr/bin/env bash
# paho_c_sub of the Paho C client 1.3.12 (Debian 12) keeps to its own keep alive when the broker set another one at MQTT 5.0, is disconnected for it, and goes on without
# its subscription, beside mosquitto_sub 2.0.11.
#
# Expected (MQTT 5.0): if CONNACK has a Server Keep Alive, the client uses this value in place of its own (3.2.2.3.14, [MQTT-3.2.2-21]). The server closes a connection
#           without packets for one and a half times the keep alive (3.1.2.10, [MQTT-3.1.2-22]). Clean Start 1 begins a session without subscriptions (3.1.2.4).
# Seen:     mosquitto with `max_keepalive 10` answers a keep alive of 60 with Server Keep Alive 10. mosquitto_sub pings each 10 s. paho_c_sub would ping after 60, and mosquitto ends its
#           connection after 15 to 20 s, as having exceeded the timeout, over and over. paho_c_sub connects again without a message and with Clean Start 1, and does not
#           subscribe again: it prints a message of the first seconds, and none after the first interruption, while mosquitto_sub prints both.
# So:       a test with paho_c_sub shows that no messages arrive, though the broker forwards them. A program with this library loses a connection without
#           traffic each 15 s.
set -euo pipefail
work=$(mktemp -d)
running=()
trap 'kill "${running[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
cd "$work"
for package in mosquitto mosquitto-clients paho.mqtt.c-examples; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' mosquitto mosquitto-clients libpaho-mqtt1.3)
[[ $version == *"mosquitto 2.0.11-"* && $version == *"mosquitto-clients 2.0.11-"* && $version == *"libpaho-mqtt1.3 1.3.12-"* ]] ||
  { echo "this needs mosquitto and mosquitto-clients 2.0.11, libpaho-mqtt1.3 1.3.12"; exit 1; }

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\nmax_keepalive 10\n' "$port" >mosquitto.conf
mosquitto -c mosquitto.conf -v >log 2>&1 &
running+=($!)
# wait_for SECONDS NUMBER PATTERN: until the log of the broker has so many lines with the pattern
wait_for() {
  for _ in $(seq $(($1 * 5))); do
    [ "$(grep -c -- "$3" log)" -lt "$2" ] || return 0
    sleep 0.2
  done
  echo "the broker's log has no $2 lines with $3"
  exit 1
}
wait_for 60 1 running
paho_c_sub -h 127.0.0.1 -p "$port" -V 5 -k 60 -i paho -t t >paho.out 2>&1 &
running+=($!)
mosquitto_sub -h 127.0.0.1 -p "$port" -V 5 -k 60 -i mosquitto -t t >mosquitto.out 2>&1 &
running+=($!)
wait_for 60 1 'Sending SUBACK to paho'
wait_for 60 1 'Sending SUBACK to mosquitto'
mosquitto_pub -h 127.0.0.1 -p "$port" -i first -t t -m first
wait_for 120 2 'New client connected from .* as paho'
wait_for 60 2 'Sending CONNACK to paho'
sleep 3
mosquitto_pub -h 127.0.0.1 -p "$port" -i second -t t -m second
sleep 3
wait_for 120 2 'Client paho has exceeded timeout'
{
  for client in mosquitto paho; do
    echo "$client: PINGREQ $(grep -q "PINGREQ from $client" log && echo yes || echo no), exceeded timeout $(grep -c "Client $client has exceeded timeout" log), SUBSCRIBE $(grep -c "SUBSCRIBE from $client" log), messages:" \
      $(grep -x 'first\|second' $client.out)
  done
} | tee seen
cat >expected <<'TEXT'
mosquitto: PINGREQ yes, exceeded timeout 0, SUBSCRIBE 1, messages: first second
paho: PINGREQ no, exceeded timeout 2, SUBSCRIBE 1, messages: first
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "libpaho-mqtt1.3 1.3.12: as described"
