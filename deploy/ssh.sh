#!/bin/sh
# A benchmark from several machines over ssh: each runs one shard of `mq bench`, all start at the same time, and their reports
# are merged here. The machines need `mq`, a synchronised clock (NTP), and a login without a password.
#
#   deploy/ssh.sh 'host1 host2 host3' -h broker.example -c 60000 -q 1 --rate 30k --duration 60
#
# Variables:
#   RUN_ON  command that runs a command on a machine (default: ssh)
#   DELAY   seconds until the start, in which the clients connect (default: 30)
#   MQ      the program on the machines (default: mq)
set -eu

machines=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
count=$(set -- $machines && echo $#)
start=$(($(date +%s) + ${DELAY:-30}))

# The options are quoted for the shell on the machine.
words=
for word; do
    words="$words '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"
done

number=0
pids=
for machine in $machines; do
    number=$((number + 1))
    ${RUN_ON:-ssh} "$machine" "${MQ:-mq} bench $words --shard $number/$count --start-at $start --output json" \
        > "$results/$number.json" &
    pids="$pids $!"
done

# A failed shard has a report as well, if it could start.
status=0
for pid in $pids; do
    wait "$pid" || status=$?
done
"${MQ:-mq}" bench merge "$results"/*.json
exit "$status"
