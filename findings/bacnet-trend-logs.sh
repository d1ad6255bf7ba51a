#!/usr/bin/env bash
# Two BACnet libraries, which gateways from buildings to MQTT use, cut the records of trend logs that they read: npm node-bacnet 0.2.4 and bacstack
# 0.0.1-beta.14, beside npm @bacnet-js/client 3.3.2. A small device on the loopback address answers here.
#
# Expected (ASHRAE 135, 15.8, ReadRange; 21, ReadRange-ACK) The answer has the object, the property, flags, the number of records, the records between the
#           tags 5E and 5F, and after them the sequence number of the first one, unless they were asked for by position. Headers of the network before
#           it have 6 octets, more behind a router, and that of the service 3.
# Seen:     both libraries end the records three octets before the length of the answer, counted from the start of the datagram, so they lose as many
#           octets as the headers have, and two more or fewer, depending on the sequence number: of 38 octets of two records, 27 to 30 arrive, and 23 from
#           a device behind a router. itemCount is 2. @bacnet-js/client gives all octets.
# So:       of each chunk of a trend log, the last records are missing or cut in their values, without an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts node-bacnet@0.2.4 bacstack@0.0.1-beta.14 @bacnet-js/client@3.3.2 >/dev/null 2>&1

cat >try.js <<'JS'
const dgram = require('node:dgram');

// Log records: time stamp [0] with date and time, datum [1] with a real [2]
const record = (second) => Buffer.from([0x0e, 0xa4, 126, 11, 30, 1, 0xb4, 12, 0, second, 0, 0x0f, 0x1e, 0x2c, 0x41, 0xac, 0, 0, 0x1f]);
const RECORDS = Buffer.concat([record(0), record(1)]);
const answer = (invoke, routed, first) => {
  const data = [0x0c, 0x05, 0x00, 0x00, 0x01, 0x19, 131, 0x3a, 0x05, 0xe0, 0x49, 2, 0x5e, ...RECORDS, 0x5f];
  if (first !== undefined) data.push(...(first < 256 ? [0x69, first] : [0x6a, first >> 8, first & 255]));
  const body = [...(routed ? [0x01, 0x08, 0x00, 0x0a, 0x01, 0x05] : [0x01, 0x00]), 0x30, invoke, 0x1a, ...data];
  return Buffer.from([0x81, 0x0a, 0x00, body.length + 4, ...body]);
};
const show = (name, what, found) => console.log(`${name}, ${what} | ${found.itemCount} records, ${found.rangeBuffer.equals(RECORDS) ? 'all octets' : `${found.rangeBuffer.length} of ${RECORDS.length} octets`}`);

const port = 30000 + process.pid % 20000;
const device = dgram.createSocket('udp4');
let kind = {};
device.on('message', (message, sender) => {
  const invoke = message[message.indexOf(0x1a, 6) - 1];
  device.send(answer(invoke, kind.routed, kind.first), sender.port, sender.address);
});
const KINDS = [['by position', {}], ['with sequence number 7', { first: 7 }], ['with sequence number 4711', { first: 4711 }], ['by position, behind a router', { routed: true }]];
const OBJECT = { type: 20, instance: 1 };

device.bind(port, '127.0.0.2', async () => {
  for (const [name, Client] of [['bacstack', require('bacstack')], ['node-bacnet', require('node-bacnet')]]) {
    const client = new Client({ port, interface: '127.0.0.1', apduTimeout: 3000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const [what, next] of KINDS) {
      kind = next;
      const found = await new Promise((resolve, reject) => {
        const done = (error, value) => error ? reject(error) : resolve(value);
        client.readRange(name === 'bacstack' ? '127.0.0.2' : { address: `127.0.0.2:${port}` }, OBJECT, 1, 2, {}, done);
      });
      show(name, what, found);
    }
    client.close();
  }
  const Client = require('@bacnet-js/client').default;
  const client = new Client({ port, interface: '127.0.0.1', apduTimeout: 3000 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const [what, next] of KINDS) {
    kind = next;
    show('@bacnet-js/client', what, await client.readRange({ address: `127.0.0.2:${port}` }, OBJECT, 1, 2, {}));
  }
  client.close();
  device.close();
});
JS
timeout 120 node try.js | tee seen
cat >expected <<'TEXT'
bacstack, by position | 2 records, 27 of 38 octets
bacstack, with sequence number 7 | 2 records, 29 of 38 octets
bacstack, with sequence number 4711 | 2 records, 30 of 38 octets
bacstack, by position, behind a router | 2 records, 23 of 38 octets
node-bacnet, by position | 2 records, 27 of 38 octets
node-bacnet, with sequence number 7 | 2 records, 29 of 38 octets
node-bacnet, with sequence number 4711 | 2 records, 30 of 38 octets
node-bacnet, by position, behind a router | 2 records, 23 of 38 octets
@bacnet-js/client, by position | 2 records, all octets
@bacnet-js/client, with sequence number 7 | 2 records, all octets
@bacnet-js/client, with sequence number 4711 | 2 records, all octets
@bacnet-js/client, by position, behind a router | 2 records, all octets
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "node-bacnet 0.2.4, bacstack 0.0.1-beta.14: as described"
