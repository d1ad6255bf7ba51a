#!/usr/bin/env bash
# prometheus-mqtt-exporter 0.1.7 (Debian 12, mqtt2prometheus) drops the value of one sensor when a sensor with the same last level, in another topic, sends its own.
#
# Expected (its README): each received metric is presented for the timeout, 24 hours, if no update is sent. Its example for two places, home and workshop, has the topic
#           devices/workshop/storage and takes the place from the label "topic", so home/storage and workshop/storage are two metrics. (MQTT 3.1.1, 4.7)
#           devices/home/storage and devices/workshop/storage are different topics.
# Seen:     {"temperature":3.5} to devices/home/storage is shown with this topic as its label. After {"temperature":20} to devices/workshop/storage only that one is
#           left; after the next message to devices/home/storage the other one is gone. So it is with one value for each topic (metric_per_topic_config). Other metrics
#           of the same object stay.
# So:       of two freezers each scrape has only the one that sent last, and the graph of the other one has holes.
set -euo pipefail
work=$(mktemp -d)
started=()
trap '[ ${#started[@]} = 0 ] || kill "${started[@]}" || true; wait; rm -rf "$work"' EXIT
cd "$work"
for package in prometheus-mqtt-exporter mosquitto mosquitto-clients curl; do
  dpkg-query -W "$package" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
done
[[ $(dpkg-query -W -f '${Version}' prometheus-mqtt-exporter) == 0.1.7-* ]] || { echo "this needs prometheus-mqtt-exporter 0.1.7"; exit 1; }

free_port() {
  python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
broker=$(free_port)
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' "$broker" >mosquitto.conf
mosquitto -c mosquitto.conf >/dev/null 2>&1 &
started+=($!)

metrics() {
  curl -s "http://127.0.0.1:$web/metrics" || true
}
# Publishes a message until the exporter has counted one more of this topic (it may not have subscribed yet), and prints the values that it shows.
publish() {
  local before count=0
  before=$(metrics | sed -n "s|^received_messages{.*topic=\"$1\"} ||p")
  while [ "$count" -le "${before:-0}" ]; do
    mosquitto_pub -p "$broker" -q 1 -t "$1" -m "$2" 2>/dev/null || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      count=$(metrics | sed -n "s|^received_messages{.*topic=\"$1\"} ||p")
      count=${count:-0}
      [ "$count" -le "${before:-0}" ] || break
      sleep 0.2
    done
  done
  echo "$1 $2"
  metrics | sed -nE 's/^(temperature|humidity)\{(.*)\} ([0-9.]+) [0-9]+$/  \1 {\2} \3/p'
}
run() {
  echo "$1"
  web=$(free_port)
  printf 'mqtt:\n server: tcp://127.0.0.1:%s\n qos: 1\n%s\ncache:\n timeout: 24h\nmetrics:\n' "$broker" "$2" >config.yaml
  for name in temperature humidity; do
    printf ' - prom_name: %s\n   mqtt_name: %s\n   help: a reading\n   type: gauge\n' "$name" "$name" >>config.yaml
  done
  prometheus-mqtt-exporter -config config.yaml -listen-address 127.0.0.1 -listen-port "$web" >/dev/null 2>&1 &
  started+=($!)
}
{
  run 'an object for each topic' ' topic_path: devices/#'
  publish devices/home/storage '{"temperature":3.5,"humidity":34.6}'
  publish devices/workshop/storage '{"temperature":20}'
  publish devices/workshop/attic '{"temperature":30}'
  publish devices/home/storage '{"temperature":4}'
  run 'a value for each topic' ' topic_path: values/#
 device_id_regex: ".*/(?P<deviceid>[^/]*)/[^/]*"
 metric_per_topic_config:
  metric_name_regex: "(.*/)?(?P<metricname>.*)"'
  publish values/home/storage/temperature 3.5
  publish values/workshop/storage/temperature 20
} >seen
cat seen
cat >expected <<'TEXT'
an object for each topic
devices/home/storage {"temperature":3.5,"humidity":34.6}
  humidity {sensor="storage",topic="devices/home/storage"} 34.6
  temperature {sensor="storage",topic="devices/home/storage"} 3.5
devices/workshop/storage {"temperature":20}
  humidity {sensor="storage",topic="devices/home/storage"} 34.6
  temperature {sensor="storage",topic="devices/workshop/storage"} 20
devices/workshop/attic {"temperature":30}
  humidity {sensor="storage",topic="devices/home/storage"} 34.6
  temperature {sensor="attic",topic="devices/workshop/attic"} 30
  temperature {sensor="storage",topic="devices/workshop/storage"} 20
devices/home/storage {"temperature":4}
  humidity {sensor="storage",topic="devices/home/storage"} 34.6
  temperature {sensor="attic",topic="devices/workshop/attic"} 30
  temperature {sensor="storage",topic="devices/home/storage"} 4
a value for each topic
values/home/storage/temperature 3.5
  temperature {sensor="storage",topic="values/home/storage/temperature"} 3.5
values/workshop/storage/temperature 20
  temperature {sensor="storage",topic="values/workshop/storage/temperature"} 20
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "prometheus-mqtt-exporter 0.1.7: as described"
