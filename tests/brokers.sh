#!/usr/bin/env bash
# Runs pub, sub, rr, doctor, bench and the linting proxy of `mq` against real brokers, and prints a table. Not part of CI.
#
#   tests/brokers.sh --install            install the brokers: apt, npm and PyPI (needs root)
#   tests/brokers.sh [BROKER...]          mosquitto rabbitmq ejabberd nats aedes amqtt mq [default: all that are installed]
#
# MQ is the binary [default: target/release/mq]. Everything listens on loopback, in a temporary directory, and ends with the script.
# docs/brokers.md says which results are the broker's own behaviour.
set -uo pipefail
cd "$(dirname "$0")/.."
MQ=$(realpath "${MQ:-target/release/mq}")
AEDES=1.2.0
AMQTT=0.12.1
tools=${MQ_BROKERS:-/tmp/mq-brokers}

if [ "${1:-}" = --install ]; then
    set -e
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mosquitto rabbitmq-server ejabberd nats-server nodejs python3-venv
    mkdir -p "$tools"
    (cd "$tools" && npm init -y >/dev/null && npm install --no-audit --no-fund "aedes@$AEDES")
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" install -q "amqtt==$AMQTT"
    exit
fi

work=$(mktemp -d)
server=
end() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
        server=
    fi
}
trap 'end; rm -rf "$work"' EXIT

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

start_mosquitto() {
    local program=/usr/sbin/mosquitto
    [ -x $program ] || return 1
    printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >"$work/mosquitto.conf"
    $program -c "$work/mosquitto.conf" >"$work/log" 2>&1 &
    server=$!
}

start_mq() {
    "$MQ" broker -p "$port" >"$work/log" 2>&1 &
    server=$!
}

start_nats() {
    command -v nats-server >/dev/null || return 1
    cat >"$work/nats.conf" <<CONF
listen: "127.0.0.1:$(free_port)"
server_name: mq
jetstream { store_dir: "$work/nats" }
mqtt { listen: "127.0.0.1:$port" }
CONF
    nats-server -c "$work/nats.conf" >"$work/log" 2>&1 &
    server=$!
}

start_aedes() {
    [ -d "$tools/node_modules/aedes" ] || return 1
    cat >"$tools/broker.mjs" <<'CONF'
import { createServer } from 'node:net'
import { Aedes } from 'aedes'
const broker = await Aedes.createBroker()
createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1')
CONF
    node "$tools/broker.mjs" "$port" >"$work/log" 2>&1 &
    server=$!
}

start_amqtt() {
    [ -x "$tools/venv/bin/amqtt" ] || return 1
    cat >"$work/amqtt.yaml" <<CONF
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:$port
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
  amqtt.plugins.sys.broker.BrokerSysPlugin:
    sys_interval: 20
CONF
    "$tools/venv/bin/amqtt" -c "$work/amqtt.yaml" >"$work/log" 2>&1 &
    server=$!
}

start_rabbitmq() {
    local program=/usr/lib/rabbitmq/bin/rabbitmq-server
    [ -x $program ] || return 1
    mkdir -p "$work/rabbit"
    echo '[rabbitmq_mqtt].' >"$work/rabbit/plugins"
    cat >"$work/rabbit/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$(free_port)
distribution.listener.interface = 127.0.0.1
mqtt.listeners.tcp.1 = 127.0.0.1:$port
CONF
    env HOME="$work/rabbit" RABBITMQ_NODENAME="mq$port@localhost" RABBITMQ_DIST_PORT="$(free_port)" \
        RABBITMQ_MNESIA_BASE="$work/rabbit" RABBITMQ_LOG_BASE="$work/rabbit" RABBITMQ_CONFIG_FILE="$work/rabbit/rabbitmq.conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$work/rabbit/plugins" RABBITMQ_PID_FILE="$work/rabbit/pid" \
        ERL_EPMD_ADDRESS=127.0.0.1 $program >"$work/log" 2>&1 &
    server=$!
}

start_ejabberd() {
    command -v ejabberdctl >/dev/null || return 1
    local directory=$work/ejabberd
    mkdir -p "$directory"
    cp /etc/ejabberd/inetrc "$directory/" 2>/dev/null
    cat >"$directory/ejabberd.yml" <<CONF
hosts: [localhost]
loglevel: warning
auth_method: anonymous
anonymous_protocol: both
allow_multiple_connections: true
listen:
  - {port: $port, ip: "127.0.0.1", module: mod_mqtt}
modules:
  mod_mqtt: {access_publish: {}, access_subscribe: {}}
CONF
    chmod 711 "$work"
    chown -R ejabberd "$directory"
    ejabberdctl -n "mq$port@localhost" -d "$directory" -f "$directory/ejabberd.yml" -s "$directory" -l "$directory" foreground \
        >"$work/log" 2>&1 &
    server=$!
}

options_of() {
    case $1 in
        ejabberd) echo "-u mq@localhost -P none" ;;
    esac
}

# One message at a QoS, from sub's SUBACK on.
message_at() {
    local qos=$1
    shift
    rm -f "$work/err"
    timeout 20 "$MQ" sub "$@" -t "mq/brokers/$qos" -q "$qos" -C 1 -W 10 -v -d >"$work/out" 2>"$work/err" &
    local sub=$!
    wait_for 10 grep -q SUBACK "$work/err" && timeout 20 "$MQ" pub "$@" -t "mq/brokers/$qos" -q "$qos" -m "at $qos" 2>"$work/puberr"
    local published=$?
    wait $sub
    local status=$?
    if [ $status -ne 0 ] || [ $published -ne 0 ]; then
        echo "pub $published, sub $status"
    elif [ "$(cat "$work/out")" = "mq/brokers/$qos at $qos" ]; then
        echo ok
    else
        echo "got $(head -n 1 "$work/out" | tr -d '\n')"
    fi
}

# In MQTT 3.1.1, where an answer needs no correlation data.
request() {
    set -- "$@" -V 311
    rm -f "$work/err"
    timeout 20 "$MQ" sub "$@" -t mq/brokers/ask -C 1 -W 10 -d >"$work/out" 2>"$work/err" &
    local sub=$!
    wait_for 10 grep -q SUBACK "$work/err"
    timeout 20 "$MQ" rr "$@" -t mq/brokers/ask -e mq/brokers/answer -m question -W 3 -d >"$work/answer" 2>"$work/rrerr" &
    local rr=$!
    wait $sub && timeout 20 "$MQ" pub "$@" -t mq/brokers/answer -m answer
    wait $rr
    local status=$?
    [ $status -eq 0 ] && [ "$(cat "$work/answer")" = answer ] && echo ok || echo "rr $status"
}

benched() {
    timeout 60 "$MQ" bench "$@" -c 10 --messages 100 --json "$work/bench.json" >"$work/bench" 2>&1
    local status=$?
    [ $status -eq 0 ] && echo ok || echo "bench $status"
}

linted() {
    local proxy_port proxy
    proxy_port=$(free_port)
    "$MQ" inspect --lint --listen "127.0.0.1:$proxy_port" --to "127.0.0.1:$port" >"$work/lint" 2>"$work/linterr" &
    proxy=$!
    wait_for 10 grep -q listening "$work/linterr"
    timeout 20 "$MQ" pub -h 127.0.0.1 -p "$proxy_port" "${@:5}" -t mq/brokers/lint -q 1 -m x 2>/dev/null
    kill -INT $proxy
    wait $proxy
    local findings
    findings=$(grep -cE ' (error|warning) ' "$work/lint")
    [ -s "$work/lint" ] && echo "$findings" || echo "no packets: $(tail -n 1 "$work/linterr")"
}

printf '%-10s %-18s %-18s %-18s %-18s %-10s %-10s %s\n' broker versions 'QoS 0' 'QoS 1' 'QoS 2' rr bench 'lint findings'
for broker in ${*:-mosquitto rabbitmq ejabberd nats aedes amqtt mq}; do
    port=$(free_port)
    if ! "start_$broker"; then
        echo "$broker: skipped, not installed (tests/brokers.sh --install)"
        continue
    fi
    read -ra options <<<"-h 127.0.0.1 -p $port $(options_of "$broker")"
    if ! wait_for 120 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"; then
        echo "$broker: did not start: $(tail -n 1 "$work/log")"
        end
        continue
    fi
    timeout 120 "$MQ" doctor "${options[@]}" --json --check-timeout 2 >"$work/doctor.json" 2>"$work/doctor.err"
    versions=$(python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
print(",".join(v["version"] for v in report["versions"] if v["outcome"] == "accepted"))' "$work/doctor.json" 2>/dev/null)
    case ,$versions, in
        *,5.0,*) version=5 ;;
        *) version=311 ;;
    esac
    options+=(-V $version)
    printf '%-10s %-18s %-18s %-18s %-18s %-10s %-10s %s\n' "$broker" "$versions" "$(message_at 0 "${options[@]}")" \
        "$(message_at 1 "${options[@]}")" "$(message_at 2 "${options[@]}")" "$(request "${options[@]}")" "$(benched "${options[@]}")" \
        "$(linted "${options[@]}")"
    python3 -c '
import json, sys
for check in json.load(open(sys.argv[1])).get("checks", []):
    if check["verdict"] != "yes":
        print("    doctor:", check["check"], check["verdict"] + ":", check["why"])' "$work/doctor.json" 2>/dev/null
    end
done
