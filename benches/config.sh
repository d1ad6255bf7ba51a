#!/usr/bin/env bash
# The cost of a configuration at the start: `mq pub -m x` without one, with a file of profiles, and with variables, alternately.
#
#   benches/config.sh [ROUNDS] > benches/results/config-$(date +%F).txt
#
# Needs a release build and python3, whose clock has microseconds; GNU time has hundredths of a second. Measured are wall time
# and CPU time (user and system) of the whole process, start to exit. PROFILES is the number of profiles in the file.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${1:-40}
PROFILES=${PROFILES:-20}
MQ=${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}
DIR=$(mktemp -d)
"$MQ" broker -p 0 > "$DIR/broker" &
BROKER=$!
trap 'kill $BROKER; rm -r "$DIR"' EXIT
until PORT=$(grep -so '[0-9]*$' "$DIR/broker"); do sleep 0.05; done

mkdir -p "$DIR/empty" "$DIR/full/mq"
{
    printf 'default-profile = "plant-7"\n\n[defaults]\nkeepalive = 30\n'
    for ((number = 0; number < PROFILES; number++)); do
        printf '\n[profile.plant-%s]\nhost = "127.0.0.1"\nid = "gateway-%s"\nusername = "gateway"\nconnect-timeout = 5\n' "$number" "$number"
        printf 'property = ["connect user-property site %s", "connect receive-maximum 100"]\nwill-topic = "site/%s/gone"\n' "$number" "$number"
    done
} > "$DIR/full/mq/config.toml"

printf '# %s; %s; %s processors; load %s; %s rounds; %s profiles, %s bytes\n' "$("$MQ" --version)" "$(date -u +%F)" "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$ROUNDS" "$PROFILES" "$(stat -c %s "$DIR/full/mq/config.toml")"
python3 - "$MQ" "$PORT" "$ROUNDS" "$DIR" << 'PYTHON'
import os, statistics, sys, time
mq, port, rounds, directory = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
words = [mq, "pub", "-h", "127.0.0.1", "-p", port, "-V", "5", "-t", "a", "-m", "x"]
variables = {"MQ_ID": "gateway-7", "MQ_USERNAME": "gateway", "MQ_CONNECT_TIMEOUT": "5", "MQ_KEEPALIVE": "30", "MQ_WILL_TOPIC": "site/7/gone"}
cases = {"nothing": ("empty", {}), "file": ("full", {}), "variables": ("empty", variables)}
measured = {name: ([], []) for name in cases}
for _ in range(rounds + 1):
    for name, (place, of_case) in cases.items():
        environment = {"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": f"{directory}/{place}", **of_case}
        start = time.perf_counter()
        child = os.posix_spawn(mq, words, environment)
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - start
        if status != 0:
            sys.exit(f"{name}: status {status}")
        measured[name][0].append(wall * 1e3)
        measured[name][1].append((usage.ru_utime + usage.ru_stime) * 1e3)
# The first round warmed the caches up.
medians = {name: [statistics.median(values[1:]) for values in both] for name, both in measured.items()}
print("# medians in ms: configured wall processor, and what is more than with nothing")
for name, (wall, processor) in medians.items():
    of_nothing = medians["nothing"]
    print(f"{name:10} {wall:7.3f} {processor:7.3f}   {wall - of_nothing[0]:+.3f} {processor - of_nothing[1]:+.3f}")
PYTHON
