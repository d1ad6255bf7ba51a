#!/usr/bin/env bash
# Forwards messages that waited for the bridge, with `mq bridge` and with mosquitto's own bridge, alternately. In a burst (bridge.sh), the
# publisher and the brokers take most of the time; here they have done their work before.
#
#   benches/bridge_drain.sh [ROUNDS]
#
# Needs a release build (or MQ=PATH) and mosquitto. A round prints the bridge, QoS, the seconds from the first message at the other broker to
# the last, and CPU time in seconds of the source broker and of `mq bridge` meanwhile. COUNT and QOS (1 or 2) change the messages.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${1:-3}
COUNT=${COUNT:-50000}
QOS=${QOS:-1}
. benches/bridge_common.sh

# target NAME PORT: the other broker, which keeps the subscriber's session over a restart.
target() {
    broker "$1" "$2" "persistence true
persistence_location $DIR/$1-"
}

# subscriber NAME PORT: starts it, waits for its subscription, sets SUBSCRIBER.
subscriber() {
    "$MQ" sub -p "$2" -t 'm/#' -q "$QOS" -C "$COUNT" -F '%U' -c -i counting -x 3600 -V 5 -d > "$DIR/$1" 2> "$DIR/$1.log" &
    SUBSCRIBER=$!
    STARTED+=("$SUBSCRIBER")
    until grep -qs SUBACK "$DIR/$1.log"; do sleep 0.05; done
}

# seconds NAME: from the first line of the subscriber to the last.
seconds() { awk -v count="$COUNT" 'NR == 1 { first = $1 } { last = $1 } END { if (NR != count) exit 1; printf "%.3f", last - first }' "$DIR/$1"; }

publish() { "$MQ" pub -p "$1" -t m/x -l -q "$QOS" < "$DIR/lines"; }

# of_mq ROUND PORT: the bridge is ended and started again.
of_mq() {
    target "target-mq-$1" "$2"
    broker "source-mq-$1" $(($2 + 1))
    local source=$PID start=("$MQ" bridge --json --interval 0 --name "b$1" --notifications none --from "mqtt://127.0.0.1:$(($2 + 1))" --to "mqtt://127.0.0.1:$2" "m/# out $QOS")
    subscriber "mq-$1" "$2"
    "${start[@]}" > "$DIR/events-$1" &
    until [ "$(grep -cs '"event":"connected"' "$DIR/events-$1")" -ge 2 ]; do sleep 0.05; done
    kill $!
    wait $!
    publish $(($2 + 1))
    local before
    before=$(cpu "$source")
    "${start[@]}" > /dev/null &
    STARTED+=($!)
    wait "$SUBSCRIBER"
    echo "mq $QOS $(seconds "mq-$1") $(echo "$(cpu "$source") - $before" | bc) $(cpu $!)"
}

# of_mosquitto ROUND PORT: the other broker is ended and started again.
of_mosquitto() {
    local name=target-mosquitto-$1 target source before
    target "$name" "$2"
    target=$PID
    broker "source-mosquitto-$1" $(($2 + 1)) "connection b
address 127.0.0.1:$2
topic m/# out $QOS
notifications false
restart_timeout 3"
    source=$PID
    subscriber "mosquitto-$1" "$2"
    kill "$target"
    wait "$target" || true
    publish $(($2 + 1))
    before=$(cpu "$source")
    : > "$DIR/$name.log"
    mosquitto -c "$DIR/$name.conf" 2> "$DIR/$name.log" &
    STARTED+=($!)
    wait "$SUBSCRIBER"
    echo "mosquitto $QOS $(seconds "mosquitto-$1") $(echo "$(cpu "$source") - $before" | bc) -"
}

seq 1 "$COUNT" | sed 's/^/a payload of about fifty bytes, as sensors send /' > "$DIR/lines"
echo "bridge qos seconds source_cpu_s bridge_cpu_s"
for round in $(seq "$ROUNDS"); do
    of_mq "$round" $((PORT + 4 * round))
    of_mosquitto "$round" $((PORT + 4 * round + 2))
done
