#!/bin/sh
# A load from several machines over ssh: each runs one shard of `mq bench`, all begin at the same time, and what they found is
# added up here. The machines need `mq`, a clock that is right (NTP), and a login without a password.
#
#   deploy/ssh.sh 'host1 host2 host3' -h broker.example -c 60000 -q 1 --rate 30k --duration 60
#
# RUN_ON says how to run a command on a machine (default: ssh), DELAY how many seconds they have to connect (default: 30), and
# MQ what the program is called there (default: mq).
set -eu

machines=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
count=$(set -- $machines && echo $#)
start=$(($(date +%s) + ${DELAY:-30}))

# What the words of the load say must be the same behind one more shell.
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

# A shard that failed has a report all the same, as long as it could begin.
status=0
for pid in $pids; do
    wait "$pid" || status=$?
done
"${MQ:-mq}" bench merge "$results"/*.json
exit "$status"
