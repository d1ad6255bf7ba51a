#!/usr/bin/env bash
# mosquitto_sub 2.0.11 (Debian 12) with -c and QoS 2 accepts messages that it never prints when it exits early, with -C at MQTT 3.1.1 and with -E in all versions, so they are lost.
#
# Expected (MQTT 3.1.1): PUBREC accepts a QoS 2 message, and the broker does not send it again then (4.3.3). With Clean Session 0, the client stores its session after it has disconnected, which has the
#           QoS 2 messages that it received and did not completely acknowledge (3.1.2.4, [MQTT-3.1.2-4]). MQTT 5.0 has this in 4.1 and 4.3.3. mosquitto_sub(1): with -c, the client gets all queued messages when it connects
#           again; -C exits after a number of messages; -E with -c sets up a session "without requiring any messages to be received".
# Seen:     30 messages wait. With -C 1 at 3.1.1, the first run prints m1, the second one m21, the third one nothing more: mosquitto_sub answers PUBREC for 20 messages that mosquitto 2.0.11 sends
#           at once, and exits. At 5.0, -C 1 prints one after the other (its Receive Maximum is 1 then). With -E, it prints nothing, and most of the messages, up to 20 at 3.1.1, are
#           gone for the next run. At QoS 1 and 3.1.1, -C 1 may print a message again in the next run, since it
#           exits before it sends PUBACK, but none is lost.
# So:       a script that takes one job at a time from a session executes 2 of 30. A service that calls mosquitto_sub -E at each start, to be sure of its session, loses what waited.
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
/usr/sbin/mosquitto -p "$port" >/dev/null 2>&1 &
broker=$!
for _ in $(seq 100); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
  sleep 0.2
done
run() { # version, QoS, messages, options and number of the runs, what to show of them; then a run gets what is left
  name="s$1$2$3${4#-}"
  session=(mosquitto_sub -V "$1" -p "$port" -c -i "$name" -q "$2" -t "t/$name")
  [ "$1" != 5 ] || session+=(-x 3600)
  "${session[@]}" -E
  for number in $(seq "$3"); do echo "m$number"; done | mosquitto_pub -p "$port" -q "$2" -t "t/$name" -l
  sleep 1
  read -ra options <<<"$4"
  count=0
  while [ "$count" -lt "$5" ]; do
    timeout 10 "${session[@]}" "${options[@]}" 2>/dev/null || true
    count=$((count + 1))
  done >between
  "${session[@]}" -W 4 >left 2>/dev/null || true
  total=$(sort -u between left | wc -l)
  echo "$1, QoS $2, $3 waiting, $4, $5 run$([ "$5" = 1 ] || echo s): printed $([ "$6" = count ] && wc -l <between || echo "$(head -n 1 between) first"); in all $([ "$total" = "$3" ] && echo "all" || echo "not all")"
}
{
  run 311 1 5 '-C 1' 4 some
  run 311 2 30 '-C 1' 4 some
  run 5 2 5 '-C 1' 5 some
  run 311 2 5 '-E' 1 count
  run 311 2 30 '-E' 1 count
  run 5 2 5 '-E' 1 count
} | tee seen
cat >expected <<'TEXT'
311, QoS 1, 5 waiting, -C 1, 4 runs: printed m1 first; in all all
311, QoS 2, 30 waiting, -C 1, 4 runs: printed m1 first; in all not all
5, QoS 2, 5 waiting, -C 1, 5 runs: printed m1 first; in all all
311, QoS 2, 5 waiting, -E, 1 run: printed 0; in all not all
311, QoS 2, 30 waiting, -E, 1 run: printed 0; in all not all
5, QoS 2, 5 waiting, -E, 1 run: printed 0; in all not all
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mosquitto_sub 2.0.11: as described"
