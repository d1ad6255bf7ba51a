#!/usr/bin/env bash
# The latency that the proxy of `mq inspect` adds to a round trip: PUBLISH and PUBACK at QoS 1, one at a time, with and without it.
#
#   benches/proxy.sh [ROUNDS] > benches/results/proxy-$(date +%F).txt
#
# Needs a release build and jq. The load generator sends to the embedded broker, alternately direct and through the proxy, and reports the
# latency of acknowledgements. The result is the difference of the medians. The output of the proxy goes to a file, as lines.
# Sizes: MESSAGES a round.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${1:-5}
MESSAGES=${MESSAGES:-5000}
MQ=${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 10000))

"$MQ" broker -p "$PORT" > "$DIR/broker" 2>&1 &
BROKER=$!
"$MQ" inspect --listen $((PORT + 1)) --to "127.0.0.1:$PORT" > "$DIR/shown" 2> "$DIR/proxy" &
PROXY=$!
trap 'kill "$BROKER" "$PROXY"; rm -r "$DIR"' EXIT
until grep -q listening "$DIR/broker" 2> /dev/null && grep -q listening "$DIR/proxy" 2> /dev/null; do sleep 0.05; done

# The median of the acknowledgements, in microseconds.
median() {
    timeout 300 "$MQ" bench pub -h 127.0.0.1 -p "$1" -c 1 --messages "$MESSAGES" -q 1 --inflight 1 --quiet --json "$DIR/report" > /dev/null
    jq ".latency.acknowledged.p50_ns / 1000" "$DIR/report"
}

echo "median of PUBLISH to PUBACK in microseconds, $MESSAGES messages a round, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
for round in $(seq "$ROUNDS"); do
    straight=$(median "$PORT")
    through=$(median $((PORT + 1)))
    echo "round $round: straight $straight, through the proxy $through"
done
