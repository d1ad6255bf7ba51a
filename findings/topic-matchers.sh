#!/usr/bin/env bash
# Topic matchers that differ from MQTT 5.0, section 4.7: npm mqtt-pattern 2.1.1, mqtt-match 3.0.0, mqtt-wildcard 3.0.9, mqtt-emitter 4.1.0 and
# PyPI aiomqtt 2.5.1, beside paho-mqtt 2.2.0, which aiomqtt is built on.
#
# Expected: `#` and `+/a` do not match `$SYS/a` (4.7.2); `+` matches an empty level, so `+/b` matches `/b` and `a/+` matches `a/` (4.7.1.3).
# Seen:     all of them but paho-mqtt let `#` and `+/a` match `$SYS/a`. mqtt-pattern also lets `+` match no empty level.
# So:       a program that routes messages with them hands $SYS messages of one subscription to the handler of another one (`#`), and with
#           mqtt-pattern a message of `/b` reaches no handler, though the broker delivered it for `+/b`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund mqtt-pattern@2.1.1 mqtt-match@3.0.0 mqtt-wildcard@3.0.9 mqtt-emitter@4.1.0 >/dev/null
python3 -m venv venv
venv/bin/pip install -q aiomqtt==2.5.1 paho-mqtt==2.2.0 2>/dev/null || venv/bin/pip install -q aiomqtt==2.5.1

cat >try.js <<'JS'
const Emitter = require('mqtt-emitter'), pattern = require('mqtt-pattern'), wildcard = require('mqtt-wildcard'), match = require('mqtt-match');
const emits = (filter, topic) => {
  const emitter = new Emitter();
  let hit = false;
  emitter.on(filter, () => { hit = true; });
  emitter.emit(topic, '');
  return hit;
};
const matchers = {
  'mqtt-pattern': (filter, topic) => pattern.matches(filter, topic),
  'mqtt-match': (filter, topic) => match(filter, topic),
  'mqtt-wildcard': (filter, topic) => wildcard(topic, filter) !== null,
  'mqtt-emitter': emits,
};
const cases = [['#', '$SYS/a'], ['+/a', '$SYS/a'], ['+/b', '/b'], ['a/+', 'a/'], ['a/+/c', 'a//c'], ['a/#', 'a']];
for (const [name, matches] of Object.entries(matchers)) {
  console.log(name, cases.map(([filter, topic]) => Number(matches(filter, topic))).join(''));
}
JS
cat >try.py <<'PY'
import aiomqtt
from paho.mqtt.client import topic_matches_sub
cases = [('#', '$SYS/a'), ('+/a', '$SYS/a'), ('+/b', '/b'), ('a/+', 'a/'), ('a/+/c', 'a//c'), ('a/#', 'a')]
print('aiomqtt', ''.join(str(int(aiomqtt.Topic(topic).matches(filter))) for filter, topic in cases))
print('paho-mqtt', ''.join(str(int(topic_matches_sub(filter, topic))) for filter, topic in cases))
PY
{ node try.js; venv/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
mqtt-pattern 110001
mqtt-match 111111
mqtt-wildcard 111111
mqtt-emitter 111111
aiomqtt 111111
paho-mqtt 001111
TEXT
diff expected seen
echo "the specification's answer is 001111: as described"
