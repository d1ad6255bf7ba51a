#!/usr/bin/env bash
# Sets `mq inspect` beside tshark on the same capture, turn by turn, and prints times and memory.
#
#   benches/inspect.sh [ROUNDS] > benches/results/inspect-$(date +%F).txt
#
# Needs a release build, python3 (which makes the capture), GNU time and, for the comparison, tshark. PACKETS says how many.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${1:-5}
PACKETS=${PACKETS:-1000000}
MQ=${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}
DIR=$(mktemp -d)
trap 'rm -r "$DIR"' EXIT

"$MQ" --version >/dev/null
python3 benches/make_capture.py "$DIR/all.pcap" "$PACKETS"
python3 benches/make_capture.py "$DIR/tenth.pcap" "$((PACKETS / 10))"
echo "# $(date +%F), $(nproc) cores, $PACKETS packets, $(stat -c %s "$DIR/all.pcap") bytes"
echo "# what wall user system KiB"

# measure NAME COMMAND...: one line of raw figures.
measure() {
    local name=$1
    shift
    if ! command time -f "$name %e %U %S %M" -o "$DIR/time" "$@" > "$DIR/out" 2> "$DIR/err"; then
        cat "$DIR/err" >&2
        exit 1
    fi
    cat "$DIR/time" | tee -a "$DIR/all.txt"
}

for _ in $(seq "$ROUNDS"); do
    measure json "$MQ" inspect --format json "$DIR/all.pcap"
    measure json-tenth "$MQ" inspect --format json "$DIR/tenth.pcap"
    measure json-lint "$MQ" inspect --format json --lint "$DIR/all.pcap"
    measure line "$MQ" inspect "$DIR/all.pcap"
    measure stats "$MQ" inspect --stats "$DIR/all.pcap"
done
if command -v tshark > /dev/null; then
    measure tshark tshark -r "$DIR/all.pcap" -Y mqtt -T fields -e frame.time_epoch -e mqtt.msgtype -e mqtt.topic \
        -e mqtt.msgid -e mqtt.qos
fi

echo "# medians: what wall processor KiB"
awk '{ count[$1]++; wall[$1, count[$1]] = $2; cpu[$1, count[$1]] = $3 + $4; memory[$1, count[$1]] = $5 }
    function median(values, name, n,    i, j, list, swap) {
        for (i = 1; i <= n; i++) list[i] = values[name, i]
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (list[j] < list[i]) { swap = list[i]; list[i] = list[j]; list[j] = swap }
        return list[int((n + 1) / 2)]
    }
    END { for (name in count) print name, median(wall, name, count[name]), median(cpu, name, count[name]), median(memory, name, count[name]) }
' "$DIR/all.txt" | sort | tee "$DIR/medians"
awk '{ wall[$1] = $2 } END { if (wall["tshark"] > 0) printf "# tshark takes %.0f times as long as json\n", wall["tshark"] / wall["json"] }' \
    "$DIR/medians"
