#!/usr/bin/env bash
# Runs 16 bridge connections in one process, each with its own topics and 2,000 messages per second.
#
#   benches/bridge_many.sh [SECONDS]
#
# Needs a release build (or MQ=PATH) and mosquitto. Prints the messages that were published and forwarded, the CPU time of the bridge in
# seconds, and its peak of memory in KiB without the pages of the program file. CONNECTIONS, RATE (of one connection) and QOS change the load.
set -euo pipefail
cd "$(dirname "$0")/.."

SECONDS_EACH=${1:-20}
CONNECTIONS=${CONNECTIONS:-16}
RATE=${RATE:-2000}
QOS=${QOS:-1}
. benches/bridge_common.sh

broker source "$PORT" 'set_tcp_nodelay true'
broker target $((PORT + 1)) 'set_tcp_nodelay true'
for number in $(seq 0 $((CONNECTIONS - 1))); do
    printf 'connection c%s\nlocal_address 127.0.0.1:%s\naddress 127.0.0.1:%s\ntopic many/%s/# out %s\nnotifications false\nbridge_protocol_version mqttv50\n' \
        "$number" "$PORT" $((PORT + 1)) "$number" "$QOS"
done > "$DIR/bridge.conf"
"$MQ" bridge --config "$DIR/bridge.conf" --json --interval 0 > "$DIR/events" 2> "$DIR/bridge.log" &
BRIDGE=$!
until [ "$(grep -c '"event":"connected"' "$DIR/events")" -ge $((2 * CONNECTIONS)) ]; do sleep 0.05; done
"$MQ" bench pub -p "$PORT" -c "$CONNECTIONS" -q "$QOS" -t 'many/{i}/x' -s 50 --rate $((CONNECTIONS * RATE)) --warm-up 0s \
    --duration "${SECONDS_EACH}s" --json "$DIR/report" > "$DIR/bench" 2>&1 || true
sleep 2
cpu=$(cpu "$BRIDGE")
memory=$(memory "$BRIDGE")
kill "$BRIDGE"
wait "$BRIDGE" || true
python3 - "$DIR/events" "$cpu" "$memory" $((CONNECTIONS * RATE * SECONDS_EACH)) <<'PYTHON'
import json, sys
path, cpu, memory, planned = sys.argv[1:]
ends = [event for event in map(json.loads, open(path)) if event["event"] == "end"]
total = lambda name: sum(event["out"][name] for event in ends)
delays = [event["out"]["delay_p99"] for event in ends if "delay_p99" in event["out"]]
print("planned received forwarded dropped cpu_s memory_kib p99_ms")
print(planned, total("received"), total("forwarded"), total("dropped"), cpu, memory, f"{1000 * max(delays, default=0):.1f}")
PYTHON
