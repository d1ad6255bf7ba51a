#!/usr/bin/env bash
# Runs the fault matrix (tests/cli/faults/) and the bridge's faults with long streams and random places, again and again. Not part of CI. A
# failure prints its seed, and the script ends with status 1.
#
#   tests/nightly.sh BINARY MINUTES          BINARY is a build of mq, as target/release/mq
#
# Variables: MQ_FAULT_MESSAGES, the lines of a stream [default: 200000]; MQ_FAULT_CONNECTIONS, the connections with a fault [default: 8];
# MQ_BRIDGE_MESSAGES, those of the bridge's rows [default: 50000]; MQ_FAULT_SEED, to repeat one round [default: random]; MQ_FAULT_COMMAND, one
# row of the matrix, as 'pub -l -q 2' [default: all].
set -euo pipefail
script=$(realpath "$0")
if [ $# -ne 2 ] || ! [ "$2" -gt 0 ] 2>/dev/null; then
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
fi
MQ_TESTED=$(realpath "$1")
if ! [ -x "$MQ_TESTED" ]; then
    printf 'nightly: no program at %s\n' "$1" >&2
    exit 2
fi
cd "$(dirname "$script")/.."
export MQ_TESTED
export MQ_FAULT_MESSAGES=${MQ_FAULT_MESSAGES:-200000} MQ_FAULT_CONNECTIONS=${MQ_FAULT_CONNECTIONS:-8}
# mosquitto 2.0.11 stops delivering at QoS 2 when connections break while some 100,000 messages wait; docs/bridge.md describes it.
export MQ_BRIDGE_MESSAGES=${MQ_BRIDGE_MESSAGES:-50000}
# The deadline of every wait in seconds; it is compiled into the tests.
export MQ_TEST_SECONDS=${MQ_TEST_SECONDS:-900}
# The tests are built once, for all rounds.
cargo test --locked --test cli --no-run
end=$((SECONDS + 10#$2 * 60))
once=${MQ_FAULT_SEED:-}
rounds=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
while [ $rounds -eq 0 ] || { [ -z "$once" ] && [ $SECONDS -lt $end ]; }; do
    export MQ_FAULT_SEED=${once:-$((RANDOM * 32768 + RANDOM))}
    printf 'seed %s: ' "$MQ_FAULT_SEED"
    began=$SECONDS
    if ! cargo test --locked --test cli -- --test-threads 1 faults:: >"$log" 2>&1; then
        tail -n 200 "$log"
        trap - EXIT
        printf '\nthe output of all tests: %s' "$log"
        printf '\nfailed: MQ_FAULT_SEED=%s MQ_FAULT_MESSAGES=%s MQ_FAULT_CONNECTIONS=%s MQ_BRIDGE_MESSAGES=%s%s %s %s 1\n' \
            "$MQ_FAULT_SEED" "$MQ_FAULT_MESSAGES" "$MQ_FAULT_CONNECTIONS" "$MQ_BRIDGE_MESSAGES" \
            "${MQ_FAULT_COMMAND:+ MQ_FAULT_COMMAND='$MQ_FAULT_COMMAND'}" "$script" "$MQ_TESTED"
        exit 1
    fi
    rounds=$((rounds + 1))
    printf '%s, %s s\n' "$(grep '^test result' "$log")" "$((SECONDS - began))"
done
printf '%s rounds of %s messages without a failure\n' "$rounds" "$MQ_FAULT_MESSAGES"
