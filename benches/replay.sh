#!/usr/bin/env bash
# Replays a generated recording through mosquitto, at full speed and at ten times its own, and compares what arrives with it.
#
#   benches/replay.sh [--record ENDING] > benches/results/replay-$(date +%F).txt
#
# With --record, `mq sub --record` keeps the messages first, in a file with this ending (ndjson, or sqlite in a build with that feature), and
# that file is replayed.
# Needs a release build, mosquitto, python3 and GNU time. MESSAGES says how many, SECONDS_LONG how long the recording is, SPEEDS how fast.
set -euo pipefail
cd "$(dirname "$0")/.."

ENDING=
if [ "${1:-}" = --record ]; then
    ENDING=${2:?--record takes an ending, as in --record sqlite}
fi
MESSAGES=${MESSAGES:-1000000}
SECONDS_LONG=${SECONDS_LONG:-1200}
MQ=${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}
PORT=${PORT:-18899}
DIR=$(mktemp -d)
printf 'listener %s 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n' "$PORT" > "$DIR/mosquitto.conf"
"$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c "$DIR/mosquitto.conf" > /dev/null 2>&1 &
BROKER=$!
trap 'kill $BROKER; wait $BROKER || true; rm -r "$DIR"' EXIT

python3 - "$DIR/day.ndjson" "$MESSAGES" "$SECONDS_LONG" << 'PYTHON'
import sys, json, datetime
path, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
start = datetime.datetime(2026, 1, 31, tzinfo=datetime.timezone.utc)
with open(path, "w") as file:
    for number in range(count):
        time = start + datetime.timedelta(seconds=number * seconds / count)
        message = {"time": time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                   "topic": f"plant/line-{number % 7}/sensor-{number % 211}/value", "qos": 1, "retain": False,
                   "payload_encoding": "utf8", "payload": json.dumps({"n": number, "value": number * 17 % 1000 / 10})}
        file.write(json.dumps(message, separators=(",", ":")) + "\n")
PYTHON
python3 - "$DIR/day.ndjson" > "$DIR/expected" << 'PYTHON'
import sys, json
for line in open(sys.argv[1]):
    message = json.loads(line)
    print(message["topic"], message["payload"])
PYTHON
echo "# $(date +%F), $(nproc) cores, $MESSAGES messages of QoS 1, $SECONDS_LONG s, $(stat -c %s "$DIR/day.ndjson") bytes"
RECORDING=$DIR/day.ndjson
if [ -n "$ENDING" ]; then
    RECORDING=$DIR/kept.$ENDING
    echo "# recording: wall user system KiB of mq sub, while mq pub replays the lines at full speed"
    "$MQ" sub -p "$PORT" -i recorder -c -q 1 -t 'plant/#' -E
    command time -o "$DIR/time" -f "record $ENDING: %e %U %S %M" \
        "$MQ" sub -p "$PORT" -i recorder -c -q 1 -t 'plant/#' --record "$RECORDING" -C "$MESSAGES" &
    RECORDER=$!
    "$MQ" pub -p "$PORT" --replay "$DIR/day.ndjson" --speed max
    wait "$RECORDER"
    cat "$DIR/time"
    echo "record $ENDING: $(stat -c %s "$RECORDING") bytes"
fi
echo "# speed: wall user system KiB of mq pub; what arrived"
for speed in ${SPEEDS:-max 10}; do
    # A session that is kept, so that the subscription is there before anything is published.
    "$MQ" sub -p "$PORT" -i "reader-$speed" -c -q 1 -t 'plant/#' -E
    "$MQ" sub -p "$PORT" -i "reader-$speed" -c -q 1 -t 'plant/#' -v -C "$MESSAGES" > "$DIR/arrived" &
    READER=$!
    command time -f "$speed: %e %U %S %M" "$MQ" pub -p "$PORT" --replay "$RECORDING" --speed "$speed"
    wait "$READER"
    cmp "$DIR/expected" "$DIR/arrived" && echo "$speed: equal and in order"
done 2>&1
