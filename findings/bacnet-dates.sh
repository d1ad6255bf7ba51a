#!/usr/bin/env bash
# Two BACnet libraries, which gateways from buildings to MQTT use, read dates a month late and write them a month early: npm node-bacnet 0.2.4 and bacstack
# 0.0.1-beta.14, beside npm @bacnet-js/client 3.3.2.
#
# Expected (ASHRAE 135, 20.2.12 and 20.2.13): the second octet of a date is the month, 1 to 12. In dates and times FF means any, or not specified.
#           (20.2.1.3) A length of 254 to 65535 octets is the octet FE and two octets. (20.2.4) An unsigned number may have more than four octets.
# Seen:     node-bacnet and bacstack read 1 July as 1 August, 31 December as 31 January of the next year and 31 January as 3 March; they write
#           July as month 6 and January as month 0, also in TimeSynchronization, so a test of both ends passes. They write, but cannot read
#           texts and octet strings with a length of 254 octets or more. A date that is not specified is 1 February 1901, and 1 January 1900 in
#           @bacnet-js/client, which is right in the rest. All three raise RangeError for an unsigned number of eight octets.
# So:       a gateway that sets the clocks of a building sets them a month back, in January to a month that does not exist.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts node-bacnet@0.2.4 bacstack@0.0.1-beta.14 @bacnet-js/client@3.3.2 >/dev/null 2>&1

cat >try.js <<'JS'
const libraries = [
  ['@bacnet-js/client', require('@bacnet-js/client/dist/lib/asn1.js')],
  ['node-bacnet', require('node-bacnet/lib/asn1')],
  ['bacstack', require('bacstack/lib/asn1')],
];

function attempt(action) {
  try {
    return action();
  } catch (error) {
    return error.name;
  }
}
const day = date => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;

function read(asn1, hex) {
  const buffer = Buffer.from(hex, 'hex');
  const {type, value} = asn1.bacappDecodeApplicationData(buffer, 0, buffer.length, 8, 85);
  if (value instanceof Date) return day(value);
  return `type ${type}, ${value === undefined ? 'no value' : `value ${value.length === undefined ? value : `of ${value.length}`}`}`;
}
function write(asn1, date) {
  const buffer = {buffer: Buffer.alloc(20), offset: 0};
  asn1.encodeApplicationDate(buffer, date);
  return buffer.buffer.subarray(0, buffer.offset).toString('hex');
}
const READ = {
  '1 July 2026': 'a47e070103',
  '31 December 2026': 'a47e0c1f04',
  '31 January 2026': 'a47e011f06',
  'date not specified': 'a4ffffffff',
  'text of 252 octets': `75fd00${'61'.repeat(252)}`,
  'text of 253 octets': `75fe00fe00${'61'.repeat(253)}`,
  'unsigned number of 5 octets': '25050100000000',
  'unsigned number of 8 octets': '25080000000100000005',
};
for (const [name, hex] of Object.entries(READ)) {
  for (const [library, asn1] of libraries) console.log(library, '| reads', name, '|', attempt(() => read(asn1, hex)));
}
for (const [name, month] of [['1 July 2026', 6], ['1 January 2026', 0]]) {
  for (const [library, asn1] of libraries) console.log(library, '| writes', name, '|', attempt(() => write(asn1, new Date(2026, month, 1))));
}
for (const library of ['node-bacnet', 'bacstack']) {
  const buffer = {buffer: Buffer.alloc(20), offset: 0};
  require(`${library}/lib/services/time-sync`).encode(buffer, new Date(2026, 0, 1, 12, 30));
  console.log(library, '| TimeSynchronization for 1 January, 12:30 |', buffer.buffer.subarray(0, buffer.offset).toString('hex'));
}
JS
TZ=UTC node try.js | tee seen
cat >expected <<'TEXT'
@bacnet-js/client | reads 1 July 2026 | 2026-07-01
node-bacnet | reads 1 July 2026 | 2026-08-01
bacstack | reads 1 July 2026 | 2026-08-01
@bacnet-js/client | reads 31 December 2026 | 2026-12-31
node-bacnet | reads 31 December 2026 | 2027-01-31
bacstack | reads 31 December 2026 | 2027-01-31
@bacnet-js/client | reads 31 January 2026 | 2026-01-31
node-bacnet | reads 31 January 2026 | 2026-03-03
bacstack | reads 31 January 2026 | 2026-03-03
@bacnet-js/client | reads date not specified | 1900-01-01
node-bacnet | reads date not specified | 1901-02-01
bacstack | reads date not specified | 1901-02-01
@bacnet-js/client | reads text of 252 octets | type 7, value of 252
node-bacnet | reads text of 252 octets | type 7, value of 252
bacstack | reads text of 252 octets | type 7, value of 252
@bacnet-js/client | reads text of 253 octets | type 7, value of 253
node-bacnet | reads text of 253 octets | type undefined, no value
bacstack | reads text of 253 octets | type undefined, no value
@bacnet-js/client | reads unsigned number of 5 octets | type 2, value 4294967296
node-bacnet | reads unsigned number of 5 octets | type 2, value 4294967296
bacstack | reads unsigned number of 5 octets | type 2, value 4294967296
@bacnet-js/client | reads unsigned number of 8 octets | RangeError
node-bacnet | reads unsigned number of 8 octets | RangeError
bacstack | reads unsigned number of 8 octets | RangeError
@bacnet-js/client | writes 1 July 2026 | a47e070103
node-bacnet | writes 1 July 2026 | a47e060103
bacstack | writes 1 July 2026 | a47e060103
@bacnet-js/client | writes 1 January 2026 | a47e010104
node-bacnet | writes 1 January 2026 | a47e000104
bacstack | writes 1 January 2026 | a47e000104
node-bacnet | TimeSynchronization for 1 January, 12:30 | a47e000104b40c1e0000
bacstack | TimeSynchronization for 1 January, 12:30 | a47e000104b40c1e0000
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "node-bacnet 0.2.4, bacstack 0.0.1-beta.14: as described"
