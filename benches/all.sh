#!/usr/bin/env bash
# Measures every row of docs/performance.md beside its peer, alternately, and prints a table of medians and spreads.
#
#   benches/all.sh YARDSTICKS [ROUNDS] > benches/results/all-$(date +%F).txt
#
# YARDSTICKS is a folder with `sink.c`, a broker that keeps nothing (`sink PORT`), and `lean/`, a Cargo package with the program `tokio_lean`.
# Needs a release build, mosquitto and its clients, python3, cc, GNU time; with tshark, `inspect` is compared with it.
# BASE=PATH adds another build of mq to each row. ROWS='start sub' selects rows; the rows `million` (21 GB of memory, 1 minute) and `build`
# (a cold release build, 3 minutes) are measured only if they are named. On a machine with other users, `chrt -f 5 benches/all.sh ...` keeps
# the processors for the measured programs.
# Sizes: SINGLES, STREAMED, LINES, PACKETS, MESSAGES.
set -euo pipefail
cd "$(dirname "$0")/.."

YARDSTICKS=$1
ROUNDS=${2:-5}
ROWS=${ROWS:-start sub pub-l inspect bench idle}
SINGLES=${SINGLES:-100}
STREAMED=${STREAMED:-300000}
LINES=${LINES:-200000}
PACKETS=${PACKETS:-1000000}
MESSAGES=${MESSAGES:-2000000}
CARGO_TARGET=${CARGO_TARGET_DIR:-target}
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 5000))
SINK_PORT=$((PORT + 5000))
STARTED=()

stop_all() {
    for process in "${STARTED[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
    rm -r "$DIR"
}
trap stop_all EXIT

# The programs are copied: a file from a build folder may run slower than its copy.
cp "${MQ:-$CARGO_TARGET/release/mq}" "$DIR/mq"
BUILDS=(mq)
if [ -n "${BASE:-}" ]; then
    cp "$BASE" "$DIR/base"
    BUILDS+=(base)
fi

start_mosquitto() {
    local mosquitto
    mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
    printf '%s\n' "listener $PORT 127.0.0.1" 'allow_anonymous true' 'user root' 'max_queued_messages 0' 'persistence false' \
        'log_type notice' 'log_type information' 'log_type subscribe' > "$DIR/mosquitto.conf"
    "$mosquitto" -c "$DIR/mosquitto.conf" 2> "$DIR/mosquitto.log" &
    STARTED+=("$!")
    until grep -q running "$DIR/mosquitto.log"; do sleep 0.05; done
}

# start_sink SOURCE: a broker that keeps nothing.
start_sink() {
    if [ ! -x "$DIR/sink" ]; then
        cc -O2 -o "$DIR/sink" "$1" 2> "$DIR/cc.log"
    fi
    "$DIR/sink" "$SINK_PORT" 2>> "$DIR/sink.log" &
    STARTED+=("$!")
}

# measure ROW PROGRAM COMMAND...: one line of raw figures of the whole process, start to exit.
measure() {
    local row=$1 program=$2
    shift 2
    if ! command time -o "$DIR/time" -f '%e %U %S %M' "$@" > "$DIR/output" 2> "$DIR/errors"; then
        cat "$DIR/errors" >&2
        exit 1
    fi
    note "$row" "$program" "$(tail -n 1 "$DIR/time")"
}

note() { printf 'raw %s %s %s\n' "$@" | tee -a "$DIR/raw"; }

singles() {
    for ((i = 0; i < SINGLES; i++)); do "$@" -p "$PORT" -t bench/one -m hello; done
}

measure_start() {
    export -f singles
    export SINGLES PORT
    for build in "${BUILDS[@]}"; do
        # shellcheck disable=SC2016
        measure start "$build" bash -c 'singles "$@"' bash "$DIR/$build" pub
    done
    measure start mosquitto_pub bash -c 'singles "$@"' bash mosquitto_pub
}

# The number of subscriptions that mosquitto accepted so far.
subscriptions() { grep -c ' 0 bench/stream$' "$DIR/mosquitto.log" || true; }

# subscriber ROW PROGRAM RATE COMMAND...: a subscriber at a pipe, from the subscription to the last message of a stream.
subscriber() {
    local row=$1 program=$2 rate=$3 subscribing receiver before
    shift 3
    before=$(subscriptions)
    mkfifo "$DIR/pipe"
    cat "$DIR/pipe" > "$DIR/received" &
    receiver=$!
    measure_to_pipe "$row" "$program" "$@" -p "$PORT" -t bench/stream -C "$STREAMED" &
    subscribing=$!
    until [ "$(subscriptions)" -gt "$before" ]; do sleep 0.05; done
    "$DIR/mq" bench pub -p "$PORT" -c 1 -q 0 --rate "$rate" --messages "$((STREAMED + rate / 10))" --topic bench/stream --size 20 \
        > "$DIR/publisher" 2>&1
    wait "$subscribing" "$receiver"
    rm "$DIR/pipe"
}

measure_to_pipe() {
    local row=$1 program=$2
    shift 2
    command time -o "$DIR/time-sub" -f '%e %U %S %M' "$@" > "$DIR/pipe"
    note "$row" "$program" "$(tail -n 1 "$DIR/time-sub")"
}

measure_sub() {
    for rate in 20000 60000; do
        for build in "${BUILDS[@]}"; do subscriber "sub-$rate/s" "$build" "$rate" "$DIR/$build" sub; done
        subscriber "sub-$rate/s" mosquitto_sub "$rate" mosquitto_sub
    done
}

# publish_lines PROGRAM COMMAND...: publishes lines at QoS 1 through a pipe that stays open until a subscriber has all of them, since
# mosquitto_pub 2.0.11 ends before its lines are acknowledged.
publish_lines() {
    local program=$1 subscribe subscriber publisher
    shift
    subscribe=("$DIR/mq" sub -p "$PORT" -i arrivals -c -t bench/arrivals -q 1)
    "${subscribe[@]}" -E
    "${subscribe[@]}" -C "$LINES" -W 120 > "$DIR/arrived" &
    subscriber=$!
    mkfifo "$DIR/lines-pipe"
    measure pub-l-qos1 "$program" "$@" -p "$PORT" -t bench/arrivals -l -q 1 < "$DIR/lines-pipe" &
    publisher=$!
    exec 3> "$DIR/lines-pipe"
    cat "$DIR/lines" >&3
    wait "$subscriber"
    exec 3>&-
    wait "$publisher"
    rm "$DIR/lines-pipe"
    cmp "$DIR/arrived" "$DIR/lines"
}

measure_pub-l() {
    [ -e "$DIR/lines" ] || seq -f 'line %.0f of some lines' "$LINES" > "$DIR/lines"
    for build in "${BUILDS[@]}"; do publish_lines "$build" "$DIR/$build" pub; done
    publish_lines mosquitto_pub mosquitto_pub
}

measure_inspect() {
    local capture=$DIR/capture.pcap
    [ -e "$capture" ] || python3 benches/make_capture.py "$capture" "$PACKETS"
    for build in "${BUILDS[@]}"; do
        measure inspect-json "$build" "$DIR/$build" inspect --format json "$capture"
        measure inspect-line "$build" "$DIR/$build" inspect "$capture"
    done
    if command -v tshark > /dev/null && [ "$round" = 1 ]; then
        measure inspect-json tshark tshark -r "$capture" -Y mqtt -T fields -e frame.time_epoch -e mqtt.msgtype -e mqtt.topic \
            -e mqtt.msgid -e mqtt.qos
    fi
}

# Topics and payloads have the length of those that tokio_lean sends.
measure_bench() {
    if [ ! -e "$DIR/tokio_lean" ]; then
        cp -r "$YARDSTICKS/lean" "$DIR/lean"
        (cd "$DIR/lean" && cargo build --release --quiet --bin tokio_lean --target-dir "$DIR/lean-target")
        cp "$DIR/lean-target/release/tokio_lean" "$DIR"
        start_sink "$YARDSTICKS/sink.c"
    fi
    for qos in 0 1 2; do
        local batch=1
        if [ "$qos" = 0 ]; then batch=64; fi
        for build in "${BUILDS[@]}"; do
            measure "bench-qos$qos" "$build" "$DIR/$build" bench pub -p "$SINK_PORT" -c 100 -q "$qos" --messages "$MESSAGES" \
                --inflight 20 --threads 1 --topic 'bench/t/{i}' --size 64
        done
        measure "bench-qos$qos" tokio_lean "$DIR/tokio_lean" --mode pub --port "$SINK_PORT" --clients 100 --msgs "$MESSAGES" \
            --qos "$qos" --window 20 --batch "$batch"
    done
}

# idle BUILD CLIENTS: the memory in KiB of a process while its clients are connected and idle.
idle() {
    local build=$1 clients=$2 process
    "$DIR/$build" bench conn -p "$SINK_PORT" -c "$clients" --hold 3 --threads 1 > "$DIR/output" 2> "$DIR/errors" &
    process=$!
    until [ "$(find "/proc/$process/fd" -mindepth 1 | wc -l)" -ge "$clients" ]; do sleep 0.1; done
    sleep 1
    awk '/^VmRSS/ { print $2 }' "/proc/$process/status"
    wait "$process"
}

measure_idle() {
    [ -x "$DIR/sink" ] || start_sink "$YARDSTICKS/sink.c"
    for build in "${BUILDS[@]}"; do
        local few many
        few=$(idle "$build" 5000)
        many=$(idle "$build" 15000)
        note idle-client "$build" "0 0 0 $(awk -v few="$few" -v many="$many" 'BEGIN { print (many - few) / 10000 }')"
    done
}

# A million clients from worker processes, to sixty brokers that share a port.
measure_million() {
    if [ ! -x "$DIR/sinks" ]; then
        sed 's/SO_REUSEADDR/SO_REUSEPORT/' "$YARDSTICKS/sink.c" > "$DIR/sinks.c"
        cc -O2 -o "$DIR/sinks" "$DIR/sinks.c" 2> "$DIR/cc.log"
        for _ in $(seq 60); do
            "$DIR/sinks" "$((SINK_PORT + 1))" 2>> "$DIR/sink.log" &
            STARTED+=("$!")
        done
    fi
    watch_memory "$DIR/mq" > "$DIR/most-memory" &
    local watcher=$!
    measure million-clients mq "$DIR/mq" bench conn -p "$((SINK_PORT + 1))" -c 1000000 --hold 1
    wait "$watcher"
    grep '^connected' "$DIR/output"
    printf 'all processes of mq together: at most %s MiB\n' "$(< "$DIR/most-memory")"
}

# watch_memory PROGRAM: waits for processes of a program, and until they ended; prints the most memory they had together, in MiB (shared
# pages count once).
watch_memory() {
    local program=$1 most=0 all processes
    until processes=$(pgrep -f "^$program "); do sleep 0.1; done
    while processes=$(pgrep -f "^$program "); do
        # A process may end at any moment.
        all=$(for process in $processes; do cat "/proc/$process/smaps_rollup" 2> /dev/null || true; done |
            awk '/^Pss:/ { sum += $2 } END { print int(sum / 1024) }')
        most=$((all > most ? all : most))
        sleep 1
    done
    echo "$most"
}

measure_build() {
    rm -rf "$DIR/build"
    measure cold-build mq cargo build --release --locked --target-dir "$DIR/build"
}

printf '# %s; %s; %s processors; load %s; %s rounds\n' "$("$DIR/mq" --version)" "$(date -u +%F)" "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$ROUNDS"
printf '# binary: %s bytes\n' "$(stat -c %s "$DIR/mq")"
printf '# raw ROW PROGRAM wall user system (seconds) memory (KiB)\n'
start_mosquitto
for ((round = 1; round <= ROUNDS; round++)); do
    for row in $ROWS; do "measure_$row"; done
    # The next round begins with the other build.
    BUILDS=("${BUILDS[-1]}" "${BUILDS[@]:0:${#BUILDS[@]}-1}")
done
printf '\n'
awk -f benches/table.awk "$DIR/raw"
