#!/usr/bin/env bash
# What `mq bench` does with twenty thousand clients where a process may have twenty thousand open files: whether they connect, how
# close planned sends come to their plan, and what a second thread is good for. Two brokers that keep nothing share one port, since
# the limit holds for them too.
#
#   benches/many.sh YARDSTICKS [ROUNDS] > benches/results/many-$(date +%F).txt
#
# YARDSTICKS is a folder with `sink.c`, the broker (`sink PORT`). Needs a release build, cc and Linux.
set -euo pipefail
cd "$(dirname "$0")/.."

YARDSTICKS=$1
ROUNDS=${2:-3}
MQ=${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 10000))

# Sockets that share a port get its connections in turn.
sed 's/SO_REUSEADDR/SO_REUSEPORT/' "$YARDSTICKS/sink.c" > "$DIR/sink.c"
cc -O2 -o "$DIR/sink" "$DIR/sink.c" 2> "$DIR/cc.log"
"$DIR/sink" "$PORT" 2> "$DIR/sink-1.log" &
FIRST=$!
"$DIR/sink" "$PORT" 2> "$DIR/sink-2.log" &
SECOND=$!
trap 'kill "$FIRST" "$SECOND"; rm -r "$DIR"' EXIT

# run TITLE PATTERN WORDS...: the lines of the report that begin with the pattern.
run() {
    local title=$1 pattern=$2
    shift 2
    printf '\n%s: mq bench %s\n' "$title" "$*"
    "$MQ" bench "$@" -p "$PORT" 2> "$DIR/errors" | grep -E "^($pattern)" || cat "$DIR/errors"
}

printf '# %s; %s; %s processors; load %s; ulimit -Hn %s\n' "$("$MQ" --version)" "$(date -u +%F)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)" \
    "$(ulimit -Hn)"
for ((round = 1; round <= ROUNDS; round++)); do
    run 'more clients than open files' 'connected' conn -c 20000 --hold 1
    run 'planned sends' 'late|PUBLISH|- as planned|lag' pub -c 19900 --rate 20k --duration 5 --warm-up 1
    run 'one thread' 'acknowledged ' pub -c 200 -q 1 --messages 2000000 --threads 1
    run 'two threads' 'acknowledged ' pub -c 200 -q 1 --messages 2000000 --threads 2
done
