#!/usr/bin/env bash
# npm mavlink 1.0.1, which reads and writes MAVLink, the protocol of drones, gives times as other numbers and writes them as 0, beside npm
# node-mavlink 2.3.0.
#
# Expected (MAVLink guide, packet serialization; common.xml): fields are little-endian; time_unix_usec of SYSTEM_TIME is a uint64_t, as the times of
#           GPS_RAW_INT and others are. param_id of PARAM_VALUE has 16 characters, and a shorter name ends with a zero octet.
# Seen:     mavlink reads 5000000 as 5000000, 2^32 as 1 and the time 1764504000000000 (30 November 2025, 12:00) as -1708772146. createMessage writes
#           each uint64_t and int64_t as 0, with a warning on the console. The name RATE is a text of 16 characters with 12 zeros. Other numbers and
#           the checksum are right.
# So:       a drone's clock is right until it knows the time, and times that a bridge writes to a vehicle are from 1970.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mavlink@1.0.1 node-mavlink@2.3.0 mavlink-mappings@1.0.21-20250824-1 >/dev/null 2>&1

cat >try.js <<'JS'
const Mavlink = require('mavlink');
const { common } = require('mavlink-mappings');
const { MavLinkProtocolV1 } = require('node-mavlink');

const old = new Mavlink(1, 1);
const reference = (data, type) => new MavLinkProtocolV1().data(data, type);
const frame = (id, payload) => {
  const body = Buffer.concat([Buffer.from([payload.length, 0, 1, 1, id]), payload]);
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(old.calculateChecksum(Buffer.concat([body, Buffer.from([old.messageChecksums[id]])])));
  return Buffer.concat([Buffer.from([0xfe]), body, checksum]);
};
old.on('ready', () => {
  let found;
  old.on('SYSTEM_TIME', (message, fields) => { found = fields; });
  old.on('PARAM_VALUE', (message, fields) => { found = fields; });
  for (const time of [5000000n, 2n ** 32n, 1764504000000000n]) {
    const payload = Buffer.alloc(12);
    payload.writeBigUInt64LE(time);
    payload.writeUInt32LE(1000, 8);
    old.parse(frame(2, payload));
    const other = reference(payload, common.SystemTime);
    console.log(`node-mavlink ${other.timeUnixUsec} ${other.timeBootMs} | mavlink ${found.time_unix_usec} ${found.time_boot_ms}`);
  }
  const payload = Buffer.alloc(25);
  payload.writeFloatLE(1.5);
  payload.write('RATE', 8);
  old.parse(frame(22, payload));
  console.log(`node-mavlink ${JSON.stringify(reference(payload, common.ParamValue).paramId)} | mavlink ${JSON.stringify(found.param_id)} ${found.param_value}`);
  old.createMessage('SYSTEM_TIME', { time_unix_usec: 1764504000000000, time_boot_ms: 1000 }, (message) => {
    const other = reference(message.buffer.subarray(6, 18), common.SystemTime);
    console.log(`mavlink writes 1764504000000000 and 1000 as ${other.timeUnixUsec} and ${other.timeBootMs}`);
  });
});
JS
node --no-deprecation try.js 2>/dev/null | tee seen
cat >expected <<'TEXT'
node-mavlink 5000000 1000 | mavlink 5000000 1000
node-mavlink 4294967296 1000 | mavlink 1 1000
node-mavlink 1764504000000000 1000 | mavlink -1708772146 1000
node-mavlink "RATE" | mavlink "RATE\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000" 1.5
mavlink writes 1764504000000000 and 1000 as 0 and 1000
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "mavlink 1.0.1: as described"
