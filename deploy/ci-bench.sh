#!/bin/sh
# A benchmark as a CI job: starts mosquitto, runs `mq bench` against it, and writes the reports to a folder.
#
#   deploy/ci-bench.sh -c 20 -q 1 --rate 1k --warm-up 3 --duration 20 --fail-if 'p99>50ms, loss>0'
#
# The options are those of `mq bench`. The exit status is that of the run: 0, 4 for a failed threshold or a run that is worse than
# the baseline, another one for an error.
#
# Variables:
#   RESULTS    folder of the reports (default: bench-results): page.html, run.json, summary.md,
#              verdicts.xml (JUnit), broker.log
#   BASELINE   run.json of an earlier run; not compared if there is no such file
#   TOLERANCE  percent by which throughput and latencies may be worse than the baseline (default: 100; on a shared
#              CI machine, a latency may double without a cause)
#   PORT       port for the broker (default: 18830)
#   BROKER     command that starts the broker on the port (default: mosquitto -p PORT)
#   MQ         the program (default: mq)
set -eu

results=${RESULTS:-bench-results}
port=${PORT:-18830}
mq=${MQ:-mq}
# Debian installs mosquitto where only root looks.
PATH=$PATH:/usr/sbin
mkdir -p "$results"

${BROKER:-mosquitto -p "$port"} > "$results/broker.log" 2>&1 &
broker=$!
# The next run may need the port.
trap 'kill "$broker" 2> /dev/null || true; wait "$broker" || true' EXIT

# The broker is ready when it accepts a message.
tries=0
until "$mq" pub -h 127.0.0.1 -p "$port" -t mq-bench/ready -n 2> /dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 50 ] || ! kill -0 "$broker" 2> /dev/null; then
        echo "ci-bench: the broker did not start; its output:" >&2
        cat "$results/broker.log" >&2
        exit 1
    fi
    sleep 0.2
done

if [ -f "${BASELINE:-}" ]; then
    set -- "$@" --baseline "$BASELINE" --tolerance "${TOLERANCE:-100}"
else
    echo "ci-bench: no baseline, so this run is compared with its thresholds only" >&2
fi

status=0
"$mq" bench -h 127.0.0.1 -p "$port" "$@" \
    --html "$results/page.html" --json "$results/run.json" --markdown "$results/summary.md" \
    --junit "$results/verdicts.xml" || status=$?

# GitHub shows this file on the page of the job.
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$results/summary.md" ]; then
    cat "$results/summary.md" >> "$GITHUB_STEP_SUMMARY"
fi
exit "$status"
