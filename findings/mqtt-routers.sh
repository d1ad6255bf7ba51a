#!/usr/bin/env bash
# Clients and frameworks that hand MQTT messages to handlers by topic filter, and hand them to the wrong ones or to none: npm u8-mqtt 0.6.7, mqttr 2.0.7,
# nest-mqtt 0.2.0, @evva/nest-mqtt 2.1.0, mqtt-regex 1.1.0, mqtt-dispatcher 2.0.1, graphql-mqtt-subscriptions 1.2.0, PyPI fastapi-mqtt 2.2.0,
# django-mqtt 0.7.0, ki2-simple-mqtt 0.1.2 and pyee-topics 0.0.13, beside PyPI mqute 0.1.0.
#
# Expected (MQTT 5.0): names and filters are case sensitive, and a slash at the end makes another name (4.7.3). a/# matches a, and # alone all names but
#           those that begin with $ (4.7.1.2, 4.7.2); + matches one level, also an empty one (4.7.1.3). A level further back may begin with $, as $state
#           of Homie does: 4.7.2 is about the first character of the name. Dots and parentheses are characters like others. The share name of a shared
#           subscription may have any characters but /, + and # (4.8.2).
# Seen:     the handler of a/b also gets A/b in u8-mqtt and mqttr, and a/b/ in these and mqtt-regex. In u8-mqtt and mqtt-regex, that of /# gets all
#           messages, in mqtt-regex that of a/# also ab. A dot matches any character in u8-mqtt, and c(1)/b reaches no handler in u8-mqtt and mqttr.
#           fastapi-mqtt hands no message of a/$state to a/+ or a/#. In both nest-mqtt, # reaches no handler, nor does $share/my-group/a/b, while
#           $share/mygroup/a/b does. a/# does not match a in u8-mqtt, mqttr, django-mqtt, ki2-simple-mqtt and pyee-topics. + matches no empty level in
#           most. + in pyee-topics, and * of mqttr, which it subscribes to as +, match further levels. mqute is right in all cases.
# So:       a switch relay/1 also acts on commands for Relay/1, and a program with a handler for homie/lamp/# does not see that the lamp is lost.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
[ -x "$mosquitto" ] || apt-get install -y -qq mosquitto >/dev/null
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --legacy-peer-deps u8-mqtt@0.6.7 mqttr@2.0.7 nest-mqtt@0.2.0 @evva/nest-mqtt@2.1.0 mqtt-regex@1.1.0 \
  mqtt-dispatcher@2.0.1 graphql-mqtt-subscriptions@1.2.0 @nestjs/common@7.6.18 @nestjs/core@7.6.18 reflect-metadata@0.1.14 rxjs@6.6.7 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q fastapi-mqtt==2.2.0 django-mqtt==0.7.0 ki2-simple-mqtt==0.1.2 mqute==0.1.0
python3 -m venv pyee
pyee/bin/pip install -q pyee-topics==0.0.13

cat >cases.json <<'JSON'
[
 ["a/b", "A/b", 0], ["a/b", "a/b/", 0], ["/#", "a/x", 0], ["a/#", "ab", 0], ["a/+", "a/b/c", 0], ["c.d/+", "cxd/e", 0],
 ["c(1)/b", "c(1)/b", 1], ["#", "a/b", 1], ["a/#", "a", 1], ["a/+", "a/$state", 1], ["a/#", "a/$state", 1],
 ["+/b", "/b", 1], ["a/+", "a/", 1], ["a/+/c", "a//c", 1]
]
JSON
cat >try.mjs <<'JS'
import { readFileSync } from 'fs';
import { EventEmitter } from 'events';
import { createRequire } from 'module';
import u8 from 'u8-mqtt';
const require = createRequire(import.meta.url);
require('reflect-metadata');
const cases = JSON.parse(readFileSync('cases.json'));
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const print = (name, found) => console.log(`${name}: ${found.map(Number).join(' ')}`);

console.debug = console.info = console.warn = () => {};
const log = console.log;
console.log = () => {};
const client = u8().with_tcp(`tcp://127.0.0.1:${process.argv[2]}`);
await client.connect({ client_id: ['c'] });
console.log = log;
const handled = new Set();
for (const filter of new Set(cases.map(([filter]) => filter))) {
  client.subscribe_topic(filter, (packet) => handled.add(`${filter} ${packet.topic}`));
}
await client.subscribe(['#']);
await wait(500);
for (const topic of new Set(cases.map(([, topic]) => topic))) await client.publish({ topic, payload: 'x', qos: 1 });
await wait(1000);
print('u8-mqtt', cases.map(([filter, topic]) => handled.has(`${filter} ${topic}`)));

const { Router } = require('mqttr/lib/router.js');
print('mqttr', cases.map(([filter, topic]) => {
  const router = new Router();
  router.add(filter.replace('#', '**').replace(/\+/g, '*'), 1);
  return Boolean(router.match(topic));
}));
const { MqttExplorer } = require('nest-mqtt/dist/mqtt.explorer.js');
const { MqttService } = require('@evva/nest-mqtt/dist/mqtt.service.js');
for (const [name, service] of [['nest-mqtt', MqttExplorer], ['@evva/nest-mqtt', MqttService]]) {
  print(name, cases.map(([filter, topic]) => service.topicToRegexp(filter).test(topic)));
  print(`${name}, shared`, ['mygroup', 'my-group'].map((group) => service.topicToRegexp(`$share/${group}/a/b`).test('a/b')));
}
print('mqtt-regex', cases.map(([filter, topic]) => Boolean(require('mqtt-regex')(filter).exec(topic))));
const Dispatcher = require('mqtt-dispatcher');
const dispatched = [];
for (const [filter, topic] of cases) {
  const source = Object.assign(new EventEmitter(), { subscribe: (filters, options, done) => done(null, []) });
  const dispatcher = new Dispatcher(source);
  let hit = false;
  await dispatcher.addRule(filter, () => { hit = true; });
  source.emit('message', topic, Buffer.from('x'));
  await wait(5);
  dispatched.push(hit);
}
print('mqtt-dispatcher', dispatched);
const { MQTTPubSub } = require('graphql-mqtt-subscriptions');
print('graphql-mqtt-subscriptions', cases.map(([filter, topic]) => MQTTPubSub.matches(filter, topic)));
print('MQTT 5.0', cases.map(([, , expected]) => expected));
process.exit();
JS
cat >try.py <<'PY'
import json, sys
def django_mqtt():
    from dmqtt.signals import convert_wildcards
    return lambda filter, topic: convert_wildcards(filter).match(topic)
def fastapi_mqtt():
    from fastapi_mqtt import FastMQTT
    return lambda filter, topic: FastMQTT.match(topic, filter)
def ki2_simple_mqtt():
    from SimpleMqtt.utils import topic_matches_pattern
    return lambda filter, topic: topic_matches_pattern(topic, filter)
def mqute():
    from mqute.topics import TopicPattern
    return lambda filter, topic: TopicPattern(filter).match(topic) is not None
def pyee_topics():
    from pyee import EventEmitter
    def match(filter, topic):
        emitter, hits = EventEmitter(), []
        emitter.on(filter, lambda *_: hits.append(topic))
        emitter.emit(topic)
        return hits
    return match
for maker in [globals()[name] for name in sys.argv[1:]]:
    match = maker()
    print(maker.__name__.replace('_', '-') + ':', *[int(bool(match(filter, topic))) for filter, topic, _ in json.load(open('cases.json'))])
PY
run() {
  port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$mosquitto" -p "$port" >/dev/null 2>&1 &
  broker=$!
  sleep 1
  timeout 60 node try.mjs "$port"
  kill "$broker"
  env/bin/python try.py fastapi_mqtt django_mqtt ki2_simple_mqtt mqute
  pyee/bin/python try.py pyee_topics
}
run 2>/dev/null | tee seen
cat >expected <<'TEXT'
u8-mqtt: 1 1 1 0 0 1 0 1 0 1 1 0 0 0
mqttr: 1 1 0 0 1 0 0 1 0 1 1 1 1 1
nest-mqtt: 0 0 0 0 0 0 1 0 1 1 1 0 0 0
nest-mqtt, shared: 1 0
@evva/nest-mqtt: 0 0 0 0 0 0 1 0 1 1 1 0 0 0
@evva/nest-mqtt, shared: 1 0
mqtt-regex: 0 1 1 1 0 0 1 1 1 1 1 0 0 0
mqtt-dispatcher: 0 0 0 0 0 0 1 1 1 1 1 0 0 0
graphql-mqtt-subscriptions: 0 0 0 0 0 0 1 1 1 1 1 0 0 0
MQTT 5.0: 0 0 0 0 0 0 1 1 1 1 1 1 1 1
fastapi-mqtt: 0 0 0 0 0 0 1 1 1 0 0 1 1 1
django-mqtt: 0 0 0 0 0 0 1 1 0 1 1 0 0 0
ki2-simple-mqtt: 0 0 0 0 0 0 1 1 0 1 1 1 1 1
mqute: 0 0 0 0 0 0 1 1 1 1 1 1 1 1
pyee-topics: 0 0 0 0 1 0 1 1 0 1 1 1 1 1
TEXT
diff expected seen
echo "as described"
