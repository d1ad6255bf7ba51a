#!/usr/bin/env bash
# npm lwm2m-codec 0.1.1 decodes 64-bit floats and negative 64-bit integers of OMA LwM2M TLV as other numbers, and cannot encode 200.
#
# Expected (OMA LwM2M 1.0, appendix C, data types in TLV): a float has 32 or 64 bits (IEEE 754), an integer and a time 8, 16, 32 or 64 bits
#           in two's complement; the length field says which.
# Seen:     a float of 8 bytes is decoded from its first four, so 21.5 is 2.8359375. The 64-bit time -1 is -8589934593. The integers of
#           Available Power Sources (resource 6 of Device) are decoded as strings of one character. encode throws RangeError for
#           200, -200, 40000 and 3000000000, and writes -5000000000 as the bytes of -705032704.
# So:       a temperature that a device sends as a double is a plausible wrong number, without an error; a counter that passes 127 throws.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund lwm2m-codec@0.1.1 >/dev/null 2>&1

cat >try.js <<'JS'
const codec = require('lwm2m-codec');
const attempt = (name, action) => {
  let outcome;
  try { outcome = JSON.stringify(action()); } catch (error) { outcome = error.name; }
  console.log(name, outcome);
};
const decode = (path, hex) => codec.decode('tlv', path, Buffer.from(hex, 'hex'));
attempt('float of 32 bits, 21.5:', () => decode('/3303/0', 'e4164441ac0000'));
attempt('float of 64 bits, 21.5:', () => decode('/3303/0', 'e81644084035800000000000'));
attempt('time of 64 bits, 1700000000:', () => decode('/3/0', 'c80d08000000006553f100'));
attempt('time of 64 bits, -1:', () => decode('/3/0', 'c80d08ffffffffffffffff'));
attempt('multiple resource, 1 and 5:', () => decode('/3/0', '8606410001410105'));
for (const value of [100, 200, -200, 40000, 70000, 3000000000, 5000000000, -5000000000]) {
  attempt(`encode ${value}:`, () => codec.encode('tlv', '/3/0', {9: value}).toString('hex'));
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
float of 32 bits, 21.5: {"sensorValue":21.5}
float of 64 bits, 21.5: {"sensorValue":2.8359375}
time of 64 bits, 1700000000: {"currTime":1700000000}
time of 64 bits, -1: {"currTime":-8589934593}
multiple resource, 1 and 5: {"availPwrSrc":{"0":"\u0001","1":"\u0005"}}
encode 100: "0300c10964"
encode 200: RangeError
encode -200: RangeError
encode 40000: RangeError
encode 70000: "0600c40900011170"
encode 3000000000: RangeError
encode 5000000000: "08000bc80908000000012a05f200"
encode -5000000000: "08000bc80908ffffffffd5fa0e00"
TEXT
diff expected seen
echo "as described"
