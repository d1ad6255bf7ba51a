#!/usr/bin/env bash
# npm mqtt-jsonl-store 0.3.1, which keeps unacknowledged messages of npm mqtt over a restart, gives binary payloads back as something else, and mqtt 5.16.0 itself
# repeats messages without the DUP flag.
#
# Expected (MQTT 3.1.1): a client that comes back to its session sends its unacknowledged PUBLISH packets again, with the original packet identifiers (4.4,
#           [MQTT-4.4.0-1]), the same application message (3.3.3, zero or more octets), and DUP set to 1 (3.3.1.1, [MQTT-3.3.1-1]); DUP is bit 3 of the first octet, so
#           a PUBLISH of QoS 1 begins with 3a then.
# Seen:     a packet with the payload 01 02 ff is in the store as it was put there, and, once the store has been closed and opened again, with the payload
#           {"type":"Buffer","data":[1,2,255]}; so is the correlation data of 5.0, which is always binary. mqtt-packet 9.0.2, which mqtt writes packets with,
#           raises TypeError for it. A text comes back as a text. After a lost connection, mqtt sends the same PUBLISH again, with 32 as before.
# So:       a gateway with binary messages keeps what it could not send, and cannot send it after the power failure that the store is for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mqtt-jsonl-store@0.3.1 mqtt@5.16.0 mqtt-packet@9.0.2 >/dev/null 2>&1
mkdir store

cat >store.js <<'JS'
const { Manager } = require('mqtt-jsonl-store');
const { generate } = require('mqtt-packet');
const show = (value) => (Buffer.isBuffer(value) ? `octets ${value.toString('hex')}` : `${typeof value} ${JSON.stringify(value)}`);
const packets = [
  { payload: 'text' },
  { payload: Buffer.from([1, 2, 255]) },
  { payload: 'text', properties: { correlationData: Buffer.from('id') } },
];
const report = (store, when) => packets.forEach((_, number) => store.get({ messageId: number + 1 }, (error, found) => {
  const { properties } = found;
  let written;
  try {
    written = generate(found, { protocolVersion: properties ? 5 : 4 }).toString('hex');
  } catch (raised) {
    written = `raises ${raised.constructor.name}`;
  }
  console.log(`${when} | ${show(found.payload)}${properties ? `, correlation data ${show(properties.correlationData)}` : ''} | ${written}`);
}));
(async () => {
  let manager = new Manager('store');
  await manager.open();
  packets.forEach((packet, number) => {
    manager.outgoing.put({ cmd: 'publish', topic: 't', qos: 1, retain: false, dup: false, messageId: number + 1, ...packet });
  });
  report(manager.outgoing, 'before');
  await manager.close();
  manager = new Manager('store');
  await manager.open();
  report(manager.outgoing, 'after a restart');
  await manager.close();
})();
JS
cat >again.js <<'JS'
const { createServer } = require('net');
const mqtt = require('mqtt');
let connections = 0;
const server = createServer((connection) => {
  connections += 1;
  const first = connections === 1;
  connection.on('error', () => {});
  connection.on('data', (bytes) => {
    if (bytes[0] >> 4 === 1) connection.write(Buffer.from([0x20, 2, first ? 0 : 1, 0]));
    if (bytes[0] >> 4 !== 3) return;
    console.log(`${first ? 'first' : 'second'} connection: PUBLISH begins with ${bytes[0].toString(16)}`);
    if (first) connection.destroy();
    else process.exit();
  });
});
server.listen(0, '127.0.0.1', () => {
  const client = mqtt.connect({ host: '127.0.0.1', port: server.address().port, clientId: 'c', clean: false, reconnectPeriod: 300 });
  client.once('connect', () => client.publish('t', 'x', { qos: 1 }));
  client.on('error', () => {});
});
JS
{ node store.js; timeout 30 node again.js; } | tee seen
cat >expected <<'TEXT'
before | string "text" | 3209000174000174657874
before | octets 0102ff | 320800017400020102ff
before | string "text", correlation data octets 6964 | 320f000174000305090002696474657874
after a restart | string "text" | 3209000174000174657874
after a restart | object {"type":"Buffer","data":[1,2,255]} | raises TypeError
after a restart | string "text", correlation data object {"type":"Buffer","data":[105,100]} | raises TypeError
first connection: PUBLISH begins with 32
second connection: PUBLISH begins with 32
TEXT
diff expected seen
echo "as described"
