#!/usr/bin/env bash
# Sets `mq bench` beside a bare program that does nothing but send and receive, against a broker that keeps nothing, turn by turn.
#
#   benches/bench.sh YARDSTICKS [ROUNDS] > benches/results/bench-$(date +%F).txt
#
# YARDSTICKS is a folder with `sink.c`, the broker (`sink PORT`), and `lean/`, a Cargo package with the program `tokio_lean`. Needs a
# release build, cc, cargo, and a limit of open files over CONNECTS. What is measured is the whole process, start to exit; processor
# time is user and system together, since generator and broker share the machine. What counts are the ratios, medians over the rounds.
# Sizes: MESSAGES (by 100 clients with 64 bytes, 20 in flight, on one thread), CONNECTS (from spread local addresses).
set -euo pipefail
cd "$(dirname "$0")/.."

YARDSTICKS=$1
ROUNDS=${2:-5}
MESSAGES=${MESSAGES:-2000000}
CONNECTS=${CONNECTS:-19800}
MQ=${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 10000))

cc -O2 -o "$DIR/sink" "$YARDSTICKS/sink.c" 2> "$DIR/cc.log"
cp -r "$YARDSTICKS/lean" "$DIR/lean"
(cd "$DIR/lean" && cargo build --release --quiet --bin tokio_lean --target-dir "$DIR/target")
LEAN=$DIR/target/release/tokio_lean

"$DIR/sink" "$PORT" 2> "$DIR/sink.log" &
SINK=$!
trap 'kill "$SINK"; rm -r "$DIR"' EXIT

# measure NAME PROGRAM COMMAND...: one line of raw figures, the last the most memory in KiB.
measure() {
    local name=$1 program=$2
    shift 2
    /usr/bin/time -o "$DIR/time" -f '%e %U %S %M' "$@" > "$DIR/output" 2> "$DIR/errors"
    printf 'raw %s %s %s\n' "$name" "$program" "$(tail -n 1 "$DIR/time")" | tee -a "$DIR/raw"
}

# measure_idle CLIENTS: the memory of the process in KiB while all of them are connected and nothing happens.
measure_idle() {
    local clients=$1 process
    "$MQ" bench conn -p "$PORT" -c "$clients" --hold 3 --threads 1 > "$DIR/output" 2> "$DIR/errors" &
    process=$!
    until [ "$(find "/proc/$process/fd" -mindepth 1 | wc -l)" -ge "$clients" ]; do sleep 0.1; done
    sleep 1
    printf 'raw idle-%s mq 0 0 0 %s\n' "$clients" "$(awk '/^VmRSS/ { print $2 }' "/proc/$process/status")" | tee -a "$DIR/raw"
    wait "$process"
}

printf '# %s; %s; %s processors; %s rounds\n' "$("$MQ" --version)" "$(date -u +%F)" "$(nproc)" "$ROUNDS"
printf '# raw WHAT PROGRAM wall user system (seconds) memory (KiB)\n'
for ((round = 1; round <= ROUNDS; round++)); do
    for qos in 0 1 2; do
        batch=$([ "$qos" = 0 ] && echo 64 || echo 1)
        measure "qos$qos" lean "$LEAN" --mode pub --port "$PORT" --clients 100 --msgs "$MESSAGES" --qos "$qos" --window 20 --batch "$batch"
        measure "qos$qos" mq "$MQ" bench pub -p "$PORT" -c 100 -q "$qos" --messages "$MESSAGES" --inflight 20 --threads 1
    done
    measure qos1-2-threads mq "$MQ" bench pub -p "$PORT" -c 100 -q 1 --messages "$MESSAGES" --inflight 20 --threads 2
    measure connects mq "$MQ" bench conn -p "$PORT" -c "$CONNECTS" --hold 1
    grep '^connected' "$DIR/output" | tee -a "$DIR/connected"
    measure_idle 5000
    measure_idle 15000
done

median() { sort -n | awk '{ value[NR] = $1 } END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'; }
# of WHAT PROGRAM EXPRESSION: the median of an expression over the fields of the raw lines.
of() { awk -v w="$1" -v p="$2" "\$2 == w && \$3 == p { print $3 }" "$DIR/raw" | median; }

printf '\n# medians: processor time per message in microseconds\n'
for qos in 0 1 2; do
    awk -v q="$qos" -v m="$MESSAGES" -v mq="$(of "qos$qos" mq '$5 + $6')" -v lean="$(of "qos$qos" lean '$5 + $6')" 'BEGIN {
        printf "QoS %d  mq %.3f  lean %.3f  ratio %.2f\n", q, mq / m * 1e6, lean / m * 1e6, mq / lean
    }'
done
awk -v one="$(of qos1 mq '$4')" -v two="$(of qos1-2-threads mq '$4')" 'BEGIN { printf "QoS 1, wall time: one thread %.2f s, two threads %.2f s\n", one, two }'
awk -v cpu="$(of connects mq '$5 + $6')" -v n="$CONNECTS" 'BEGIN { printf "processor time of a connect and a farewell: %.1f microseconds\n", cpu / n * 1e6 }'
awk -v few="$(of idle-5000 mq '$7')" -v many="$(of idle-15000 mq '$7')" 'BEGIN { printf "memory of an idle client: %.0f bytes\n", (many - few) * 1024 / 10000 }'
