#!/usr/bin/env bash
# The CPU time of `mq gateway` for a message of QoS 0, beside that of its connections to the broker alone: a transparent gateway and an
# aggregating one, with 1 and with 200 clients, alternately.
#
#   benches/gateway.sh MQ [ROUNDS] > benches/results/gateway-$(date +%F).txt
#
# MQ is the program. Needs cc and Linux. `mq bench --sn` sends the messages: `burst` as fast as the gateway answers PINGREQ, so that many
# datagrams wait for it, and `paced` at RATE, where each message wakes it up. The connections alone cost at least what `mqtt_writer.c`
# needs, which only writes the same PUBLISH packets over as many TCP connections: at `burst` as many in one write as the gateway can join,
# which handles 64 datagrams at a time; at `paced` each alone, with a pause. On a machine with other users,
# `chrt -f 5 benches/gateway.sh ...` keeps the processors for the measured programs. MESSAGES, RATE, SIZE and CLIENTS change the load.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${2:-5}
MESSAGES=${MESSAGES:-100000}
RATE=${RATE:-10000}
SIZE=${SIZE:-64}
CLIENTS=${CLIENTS:-1 200}
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 5000))
STARTED=()

stop_all() {
    for process in "${STARTED[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
    rm -r "$DIR"
}
trap stop_all EXIT

# The program is copied: a file from a build folder may run slower than its copy.
cp "$1" "$DIR/mq"
MQ=$DIR/mq
cc -O2 -o "$DIR/writer" benches/mqtt_writer.c

# cpu PID: the CPU time of a process in nanoseconds.
cpu() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%d", sum }'; }

# start NAME WORDS...: starts `mq` and waits until it listens. Sets PID.
start() {
    rm -f "$DIR/$1.log"
    "$MQ" "${@:2}" > "$DIR/$1.log" 2>&1 &
    PID=$!
    STARTED+=("$PID")
    until grep -qs listening "$DIR/$1.log"; do sleep 0.05; done
}

# bench CLIENTS WORDS...: sets SPENT to the CPU time of the gateway.
bench() {
    local before
    before=$(cpu "$GATEWAY")
    "$MQ" bench "${@:2}" --sn -h 127.0.0.1 -p "$((PORT + 1))" -c "$1" --output json < /dev/null > "$DIR/report" 2> "$DIR/errors" ||
        { cat "$DIR/errors" >&2; exit 1; }
    # The gateway writes the last messages.
    sleep 0.2
    SPENT=$(($(cpu "$GATEWAY") - before))
}

# inflight CLIENTS: the messages that a client sends without waiting. Those of all clients fit into the receive buffer.
inflight() { echo $((400 / $1 + 8)); }

# gateway LOAD MODE CLIENTS WORDS...: prints the CPU time of a message in microseconds, without that of the connects.
gateway() {
    start gateway gateway --listen "127.0.0.1:$((PORT + 1))" --to "mqtt://127.0.0.1:$PORT" "${@:4}"
    GATEWAY=$PID
    # An aggregating gateway accepts clients when it has its connection to the broker.
    until "$MQ" pub --sn -h 127.0.0.1 -p "$((PORT + 1))" -t ab -m x -q 1 2> /dev/null; do sleep 0.1; done
    bench "$3" conn --hold 0.5
    local connects=$SPENT dropped pace=(--rate "$RATE")
    if [ "$1" = burst ]; then pace=(--inflight "$(inflight "$3")"); fi
    bench "$3" pub -q 0 -t mq/test -s "$SIZE" --messages "$MESSAGES" "${pace[@]}"
    dropped=$(grep -o '"dropped_by_gateway": *[0-9]*' "$DIR/report" | grep -o '[0-9]*$')
    awk -v row="$1 $2 $3" -v spent=$((SPENT - connects)) -v taken=$((MESSAGES - dropped)) -v dropped="$dropped" \
        'BEGIN { printf "%s gateway %.3f %d\n", row, spent / taken / 1000, dropped }'
    kill "$GATEWAY"
    wait "$GATEWAY" || true
}

# connections LOAD MODE CLIENTS CONNECTIONS: prints the CPU time of a message in microseconds, of TCP connections alone.
connections() {
    local batch=1 rate=$RATE
    if [ "$1" = burst ]; then
        rate=0
        batch=$([ "$4" = 1 ] && echo 64 || inflight "$3")
    fi
    echo "$1 $2 $3 connections $("$DIR/writer" "$PORT" "$4" "$MESSAGES" "$SIZE" "$batch" "$rate") 0"
}

start broker broker -p "$PORT"
printf '# %s; %s; %s processors; load %s; %s; %s rounds of %s messages of %s bytes, paced at %s a second\n' "$("$MQ" --version)" \
    "$(date -u +%F)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)" "$(chrt -p $$ | grep -o 'SCHED[A-Z_]*')" "$ROUNDS" "$MESSAGES" "$SIZE" "$RATE"
echo "# load mode clients what microseconds dropped"
for ((round = 0; round < ROUNDS; round++)); do
    for load in burst paced; do
        for clients in $CLIENTS; do
            gateway "$load" transparent "$clients"
            connections "$load" transparent "$clients" "$clients"
            gateway "$load" aggregate "$clients" --aggregate
            connections "$load" aggregate "$clients" 1
        done
    done
done | tee "$DIR/measured"

# median LOAD MODE CLIENTS WHAT
median() {
    awk -v row="$*" '$1 " " $2 " " $3 " " $4 == row { print $5 }' "$DIR/measured" | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

echo "# medians: load mode clients gateway connections beyond"
for load in burst paced; do
    for clients in $CLIENTS; do
        for mode in transparent aggregate; do
            echo "$load $mode $clients $(median "$load" "$mode" "$clients" gateway) $(median "$load" "$mode" "$clients" connections)"
        done
    done
done | awk '{ printf "%s %s %s %.2f %.2f %.2f\n", $1, $2, $3, $4, $5, $4 - $5 }'
