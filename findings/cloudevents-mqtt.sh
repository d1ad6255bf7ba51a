#!/usr/bin/env bash
# npm cloudevents 10.0.0, the CloudEvents SDK for JavaScript, misreads MQTT messages as MQTT libraries deliver them: as a Buffer.
#
# Expected (MQTT protocol binding for CloudEvents 1.0.2): in binary mode the Content Type property is the attribute datacontenttype (3.1.1);
#           in structured mode the payload is the event in the event format that Content Type names (3.2). Media types are compared
#           without case (RFC 2045, 5.1).
# Seen:     a structured event in a Buffer becomes an event with one attribute for each byte, and neither type nor source; MQTT.toEvent
#           raises no error, not even in strict mode. The same payload as a string is read well. In binary mode datacontenttype is missing,
#           and the JSON data stays undecoded. With capitals in the media type, the structured event becomes the data of a new event.
#           MQTT.structured and MQTT.binary return objects as payload, which an MQTT library cannot send, while HTTP.structured returns a string.
# So:       a subscriber that hands packet.payload to the SDK loses each structured event without an error, and needs `payload.toString()`;
#           an event from another SDK loses its content type.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund cloudevents@10.0.0 >/dev/null 2>&1

cat >try.js <<'JS'
const {CloudEvent, HTTP, MQTT} = require('cloudevents');
const attributes = {id: '1', source: '/sensor', type: 'reading', specversion: '1.0'};
const text = JSON.stringify({...attributes, datacontenttype: 'application/json', data: {a: 1}});
const message = (type, headers, body) => ({PUBLISH: {'Content Type': type}, headers, 'User Properties': headers, body, payload: body});
const messages = {
  'structured, string': message('application/cloudevents+json', {}, text),
  'structured, Buffer': message('application/cloudevents+json', {}, Buffer.from(text)),
  'structured, capitals': message('Application/CloudEvents+JSON', {}, text),
  'binary, string': message('application/json', attributes, '{"a":1}'),
  'binary, Buffer': message('application/json', attributes, Buffer.from('{"a":1}')),
};
for (const [name, received] of Object.entries(messages)) {
  for (const strict of [false, true]) {
    let outcome;
    try {
      const event = MQTT.toEvent(received, strict);
      const bytes = Object.keys(event).filter((key) => /^\d+$/.test(key)).length;
      outcome = [event.type, event.source, event.datacontenttype, typeof event.data, `attributes named by numbers: ${bytes}`].join(', ');
    } catch (error) { outcome = error.message; }
    console.log(name, strict ? 'strict |' : '|', outcome);
  }
}
const event = new CloudEvent({...attributes, datacontenttype: 'application/json', data: {a: 1}});
for (const [name, binding] of Object.entries({HTTP, MQTT})) {
  console.log(name, '| body of binary:', typeof binding.binary(event).body, '| body of structured:', typeof binding.structured(event).body);
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
structured, string | reading, /sensor, application/json, object, attributes named by numbers: 0
structured, string strict | reading, /sensor, application/json, object, attributes named by numbers: 0
structured, Buffer | , , , undefined, attributes named by numbers: 118
structured, Buffer strict | , , , undefined, attributes named by numbers: 118
structured, capitals | , , , string, attributes named by numbers: 0
structured, capitals strict | No CloudEvent detected
binary, string | reading, /sensor, , string, attributes named by numbers: 0
binary, string strict | reading, /sensor, , string, attributes named by numbers: 0
binary, Buffer | reading, /sensor, , object, attributes named by numbers: 0
binary, Buffer strict | reading, /sensor, , object, attributes named by numbers: 0
HTTP | body of binary: string | body of structured: string
MQTT | body of binary: object | body of structured: object
TEXT
diff expected seen
echo "as described"
