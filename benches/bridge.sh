#!/usr/bin/env bash
# Bridges a burst of messages between two mosquitto brokers, with `mq bridge` and with mosquitto's own bridge, alternately.
#
#   benches/bridge.sh [ROUNDS]
#
# Needs a release build (or MQ=PATH) and mosquitto. A round prints the bridge, QoS, wall time from the first publish to the last message at
# the other broker, CPU time in seconds of the source broker and of `mq bridge`, and the peak of memory in KiB without the pages of
# the program file: of `mq bridge`, or of the broker with a bridge. COUNT and QOS change the messages.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${1:-3}
COUNT=${COUNT:-50000}
QOS=${QOS:-1}
. benches/bridge_common.sh

# burst SOURCE-PORT TARGET-PORT: prints the wall time.
burst() {
    "$MQ" sub -p "$2" -t 'm/#' -q "$QOS" -C "$COUNT" -d > /dev/null 2> "$DIR/sub.log" &
    local subscriber=$! start
    until grep -qs SUBACK "$DIR/sub.log"; do sleep 0.05; done
    start=$(date +%s.%N)
    "$MQ" pub -p "$1" -t m/x -l -q "$QOS" < "$DIR/lines"
    wait "$subscriber"
    echo "$(date +%s.%N) - $start" | bc
}

seq 1 "$COUNT" | sed 's/^/a payload of about fifty bytes, as sensors send /' > "$DIR/lines"
echo "bridge qos wall_s broker_cpu_s bridge_cpu_s memory_kib"
for round in $(seq "$ROUNDS"); do
    base=$((PORT + 10 * round))
    broker "target-$round" "$base"
    broker "plain-$round" $((base + 1))
    plain=$PID
    connection=$(printf 'connection b\naddress 127.0.0.1:%s\ntopic m/# out %s\nnotifications false\n' "$base" "$QOS")
    broker "own-$round" $((base + 2)) "$connection"
    own=$PID
    "$MQ" bridge --quiet --name "b$round" --notifications none --from "mqtt://127.0.0.1:$((base + 1))" --to "mqtt://127.0.0.1:$base" "m/# out $QOS" &
    bridge=$!
    STARTED+=("$bridge")
    sleep 1.5
    before=$(cpu "$plain")
    wall=$(burst $((base + 1)) "$base")
    echo "mq $QOS $wall $(echo "$(cpu "$plain") - $before" | bc) $(cpu "$bridge") $(memory "$bridge")"
    kill "$bridge"
    before=$(cpu "$own")
    wall=$(burst $((base + 2)) "$base")
    echo "mosquitto $QOS $wall $(echo "$(cpu "$own") - $before" | bc) - $(memory "$own")"
done
