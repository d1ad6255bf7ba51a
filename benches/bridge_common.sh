# Sourced by bridge.sh and bridge_many.sh: the program, a folder that is removed at the end, and mosquitto brokers, which are ended.
MQ=${MQ:-target/release/mq}
DIR=$(mktemp -d)
PORT=$((20000 + RANDOM % 5000))
STARTED=()

stop_all() {
    for process in "${STARTED[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
    rm -r "$DIR"
}
trap stop_all EXIT

# broker NAME PORT [LINES]: sets PID.
broker() {
    printf 'user root\nallow_anonymous true\nmax_queued_messages 0\nlistener %s 127.0.0.1\n%s\n' "$2" "${3:-}" > "$DIR/$1.conf"
    mosquitto -c "$DIR/$1.conf" 2> "$DIR/$1.log" &
    PID=$!
    STARTED+=("$PID")
    until grep -qs running "$DIR/$1.log"; do sleep 0.05; done
}

# memory PID: the peak in KiB.
memory() { awk '/VmHWM/ { peak = $2 } /RssFile/ { file = $2 } END { print peak - file }' "/proc/$1/status"; }

# cpu PID: CPU time in seconds.
cpu() { awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) / ticks }' "/proc/$1/stat"; }
