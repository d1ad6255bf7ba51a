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
MQ=${MQ:-target/release/mq}
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 5000))
STARTED=()

stop_all() {
    for process in "${STARTED[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
    rm -r "$DIR"
}
trap stop_all EXIT

# broker NAME PORT [LINES]: sets PID.
broker() {
    printf 'user root\nallow_anonymous true\nmax_queued_messages 0\nlistener %s 127.0.0.1\n%s\n' "$2" "${3:-}" > "$DIR/$1.conf"
    mosquitto -c "$DIR/$1.conf" 2> "$DIR/$1.log" &
    PID=$!
    STARTED+=("$PID")
    until grep -qs running "$DIR/$1.log"; do sleep 0.05; done
}

# memory PID: the peak in KiB.
memory() { awk '/VmHWM/ { peak = $2 } /RssFile/ { file = $2 } END { print peak - file }' "/proc/$1/status"; }

# cpu PID: CPU time in seconds.
cpu() { awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) / ticks }' "/proc/$1/stat"; }

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
