#!/usr/bin/env bash
# Measures the judgement of `mq bench compare`: repeated runs against an unchanged peer must be "no change" at least nine times
# of ten, and a peer that takes 20 % more time must be found. Takes about two minutes; loopback only.
#
#   benches/noise.sh [MQ]        MQ: the program, target/release/mq unless set
set -euo pipefail
mq=$(realpath "${1:-target/release/mq}")
here=$(realpath "$(dirname "$0")")
dir=$(mktemp -d)
sink=
stop() { if [ -n "$sink" ]; then kill "$sink" 2>/dev/null || true; wait "$sink" 2>/dev/null || true; sink=; fi; }
trap 'stop; rm -rf "$dir"' EXIT

# Starts the peer with a service time in milliseconds, and sets its port.
start() {
    stop
    rm -f "$dir/port"; mkfifo "$dir/port"
    python3 "$here/slow_sink.py" "$1" >"$dir/port" &
    sink=$!
    read -r port <"$dir/port"
}

outcome() { "$mq" bench compare "$1" "$2" --output json | python3 -c 'import json, sys; print(json.load(sys.stdin)["outcome"])'; }

# Compares ten series of a load with a first one.
same() {
    local name=$1 unchanged=0 word; shift
    "$mq" bench "$@" --repeat 5 --quiet --json "$dir/$name.json" >"$dir/text"
    for series in $(seq 10); do
        "$mq" bench "$@" --repeat 5 --quiet --json "$dir/$name-$series.json" >"$dir/text"
        word=$(outcome "$dir/$name.json" "$dir/$name-$series.json")
        [ "$word" = "no change" ] && unchanged=$((unchanged + 1)) || "$mq" bench compare "$dir/$name.json" "$dir/$name-$series.json"
    done
    echo "$name: $unchanged of 10 series are no change"
    [ "$unchanged" -ge 9 ]
}

failed=0
load=(pub -c 5 --inflight 1 --warm-up 0.2 --duration 1)
start 5
same sink "${load[@]}" -p "$port" || failed=1
start 6
"$mq" bench "${load[@]}" -p "$port" --repeat 5 --quiet --json "$dir/slow.json" >"$dir/text"
"$mq" bench compare "$dir/sink.json" "$dir/slow.json"
[ "$(outcome "$dir/sink.json" "$dir/slow.json")" = worse ] || { echo "20 % more service time was not found"; failed=1; }
stop
# Latencies of 0.1 ms follow the other work of the machine, so this one is only shown.
same embedded --embedded -c 5 --rate 1000 --warm-up 0.2 --duration 1 || true
[ -n "${KEEP:-}" ] && cp "$dir"/*.json "$KEEP"
exit "$failed"
