#!/usr/bin/env bash
# Sets `mq pub` and `mq sub` beside mosquitto's tools, against one mosquitto, turn by turn, and prints the ratios.
#
#   benches/clients.sh [ROUNDS] > benches/results/clients-$(date +%F).txt
#
# Needs a release build, mosquitto and mosquitto-clients. What is measured: wall time and processor time (user and system) of the
# whole process, start to exit. The machine need not be quiet: what counts are the ratios, medians over the rounds.
# mosquitto_pub 2.0.11 may end before its lines are acknowledged, and then most of them are lost; so at QoS 1 the lines come through a pipe
# that stays open until a subscriber has them all.
# Sizes: LINES (pub -l at QoS 0 and draining QoS 0), LINES_QOS1 (pub -l at QoS 1, draining QoS 1), SINGLES (one message each).
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${1:-5}
LINES=${LINES:-1000000}
LINES_QOS1=${LINES_QOS1:-200000}
SINGLES=${SINGLES:-40}
MQ=${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}
MOSQUITTO=$(command -v mosquitto || echo /usr/sbin/mosquitto)
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 10000))

"$MQ" --version >/dev/null
# Queues without bounds, for QoS 0 as well: a subscriber then drains what waits for it, at its own speed.
printf '%s\n' "listener $PORT 127.0.0.1" 'allow_anonymous true' 'user root' 'max_queued_messages 0' \
    'queue_qos0_messages true' 'persistence false' > "$DIR/mosquitto.conf"
"$MOSQUITTO" -c "$DIR/mosquitto.conf" 2> "$DIR/mosquitto.log" &
BROKER=$!
trap 'kill "$BROKER"; rm -r "$DIR"' EXIT
until grep -q running "$DIR/mosquitto.log"; do sleep 0.05; done
AT="-h 127.0.0.1 -p $PORT"

seq -f 'line %.0f of some lines' "$LINES" > "$DIR/lines"
head -n "$LINES_QOS1" "$DIR/lines" > "$DIR/lines1"
mkfifo "$DIR/pipe"

# measure NAME TOOL COMMAND...: one line of raw figures.
measure() {
    local name=$1 tool=$2
    shift 2
    local TIMEFORMAT='%R %U %S'
    local figures
    figures=$({ time "$@" > "$DIR/output"; } 2>&1 | tail -n 1)
    printf 'raw %s %s %s\n' "$name" "$tool" "$figures" | tee -a "$DIR/raw"
}

singles() {
    local tool=$1
    for ((i = 0; i < SINGLES; i++)); do
        $tool $AT -t bench/one -m hello
    done
}

# A session for each tool, filled while no client is connected, and then drained.
fill_sessions() {
    local qos=$1 lines=$2
    for id in ours theirs; do
        # shellcheck disable=SC2086
        "$MQ" sub $AT -i "$id" -c -t "bench/drain/$qos" -q "$qos" -E
    done
    # shellcheck disable=SC2086
    "$MQ" pub $AT -t "bench/drain/$qos" -l -q "$qos" < "$lines"
}

drop_sessions() {
    for id in ours theirs; do
        # shellcheck disable=SC2086
        "$MQ" pub $AT -i "$id" -t bench/gone -n
    done
}

# measure_arrival NAME TOOL COMMAND...: the same for a command that publishes the lines of standard input at QoS 1, from its start until
# all of them reached a subscriber and standard input ended.
measure_arrival() {
    # shellcheck disable=SC2086
    local subscribe=("$MQ" sub $AT -i arrivals -c -t bench/arrivals -q 1) subscriber publisher
    "${subscribe[@]}" -E
    "${subscribe[@]}" -C "$LINES_QOS1" -W 120 > "$DIR/arrived" &
    subscriber=$!
    measure "$@" < "$DIR/pipe" &
    publisher=$!
    exec 3> "$DIR/pipe"
    cat "$DIR/lines1" >&3
    wait "$subscriber"
    exec 3>&-
    wait "$publisher"
    cmp "$DIR/arrived" "$DIR/lines1"
}

printf '# %s, %s; %s; %s rounds\n' "$("$MQ" --version)" "$("$MOSQUITTO" -h | head -n 1)" "$(date -u +%F)" "$ROUNDS"
printf '# raw WHAT TOOL wall user system (seconds)\n'
# shellcheck disable=SC2086
for ((round = 1; round <= ROUNDS; round++)); do
    measure one-message-x$SINGLES mosquitto singles mosquitto_pub
    measure one-message-x$SINGLES mq singles "$MQ pub"
    measure pub-l-qos0 mosquitto mosquitto_pub $AT -t bench/l -l < "$DIR/lines"
    measure pub-l-qos0 mq "$MQ" pub $AT -t bench/l -l < "$DIR/lines"
    measure_arrival pub-l-qos1 mosquitto mosquitto_pub $AT -t bench/arrivals -l -q 1
    measure_arrival pub-l-qos1 mq "$MQ" pub $AT -t bench/arrivals -l -q 1
    for qos in 0 1; do
        lines=$([ "$qos" = 0 ] && echo "$DIR/lines" || echo "$DIR/lines1")
        fill_sessions "$qos" "$lines"
        count=$(wc -l < "$lines")
        measure "sub-drain-qos$qos" mosquitto mosquitto_sub $AT -i theirs -c -t "bench/drain/$qos" -q "$qos" -C "$count"
        cmp "$DIR/output" "$lines"
        measure "sub-drain-qos$qos" mq "$MQ" sub $AT -i ours -c -t "bench/drain/$qos" -q "$qos" -C "$count"
        cmp "$DIR/output" "$lines"
        drop_sessions
    done
done

printf '\n# medians, and ours divided by theirs\n'
printf '%-22s %10s %10s %7s   %10s %10s %7s\n' '# what' 'wall' 'theirs' 'ratio' 'cpu' 'theirs' 'ratio'
median() { sort -n | awk '{ value[NR] = $1 } END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'; }
for what in $(awk '{ print $2 }' "$DIR/raw" | awk '!seen[$0]++'); do
    row=()
    for tool in mq mosquitto; do
        row+=("$(awk -v w="$what" -v t="$tool" '$2 == w && $3 == t { print $4 }' "$DIR/raw" | median)")
        row+=("$(awk -v w="$what" -v t="$tool" '$2 == w && $3 == t { print $5 + $6 }' "$DIR/raw" | median)")
    done
    awk -v what="$what" -v w="${row[0]}" -v c="${row[1]}" -v tw="${row[2]}" -v tc="${row[3]}" 'BEGIN {
        printf "%-22s %10.3f %10.3f %7.3f   %10.3f %10.3f %7.3f\n", what, w, tw, w / tw, c, tc, c / (tc > 0 ? tc : 0.001)
    }'
done
