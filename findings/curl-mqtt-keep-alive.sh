#!/usr/bin/env bash
# curl 7.88.1 (Debian 12) subscribes over mqtt:// with a keep alive of 60 s and never pings, so brokers end its connection after 90 s, beside mosquitto_sub 2.0.11.
#
# Expected (MQTT 3.1.1): a client sends a packet at least once in each keep alive, and PINGREQ if it has no other (3.1.2.10, [MQTT-3.1.2-23]). The server
#           disconnects a client from which it received nothing for one and a half times the keep alive (3.1.2.10, [MQTT-3.1.2-24]).
# Seen:     CONNECT of curl has a keep alive of 60. A message after 75 s arrives; curl has sent no PINGREQ by then, and mosquitto 2.0.11 ends the connection some 90 to
#           100 s after SUBSCRIBE, also if messages arrive meanwhile. curl then ends. mosquitto_sub with a keep alive of 60 stays connected.
# So:       `curl mqtt://...` in a script receives what is published in the first minute and a half, and then ends, though nothing is wrong with the network or the broker.
set -euo pipefail
work=$(mktemp -d)
running=()
trap 'kill "${running[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
cd "$work"
for package in curl mosquitto mosquitto-clients; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
version=$(dpkg-query -W -f '${Package} ${Version}\n' curl libcurl4 mosquitto mosquitto-clients)
[[ $version == *"curl 7.88.1-"* && $version == *"libcurl4 7.88.1-"* && $version == *"mosquitto 2.0.11-"* && $version == *"mosquitto-clients 2.0.11-"* ]] ||
  { echo "this needs curl 7.88.1, mosquitto and mosquitto-clients 2.0.11"; exit 1; }

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >mosquitto.conf
mosquitto -c mosquitto.conf -v >log 2>&1 &
running+=($!)
# wait_for SECONDS PATTERN: until the log of the broker has a line with the pattern
wait_for() {
  for _ in $(seq $(($1 * 5))); do
    ! grep -q -- "$2" log || return 0
    sleep 0.2
  done
  echo "the broker's log has no line with $2"
  exit 1
}
wait_for 60 running
curl -sN "mqtt://127.0.0.1:$port/t" >curl.out 2>/dev/null &
curl=$!
running+=($curl)
mosquitto_sub -h 127.0.0.1 -p "$port" -V 311 -k 60 -i other -t t >other.out 2>&1 &
running+=($!)
wait_for 60 'Sending SUBACK to curl'
wait_for 60 'Sending SUBACK to other'
sleep 75
mosquitto_pub -h 127.0.0.1 -p "$port" -t t -m late
wait_for 120 'Client curl.* has exceeded timeout'
sleep 2
{
  for client in curl other; do
    echo "$client: keep alive $(sed -n "s/.* as $client.*(p2, c1, k\([0-9]*\)).*/\1/p" log), PINGREQ $(grep -c "PINGREQ from $client" log), exceeded timeout $(grep -c "Client $client.* has exceeded timeout" log), received late: $(grep -c late "$client.out")"
  done
  kill -0 "$curl" 2>/dev/null && echo "curl goes on" || echo "curl has ended"
} | tee seen
cat >expected <<'TEXT'
curl: keep alive 60, PINGREQ 0, exceeded timeout 1, received late: 1
other: keep alive 60, PINGREQ 1, exceeded timeout 0, received late: 1
curl has ended
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "curl 7.88.1: as described"
