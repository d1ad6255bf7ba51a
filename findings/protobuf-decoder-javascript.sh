#!/usr/bin/env bash
# npm protobuf-decoder 0.1.2, which shows messages of Protocol Buffers without their schema, reads all floats and fixed numbers from the wrong end, and times
# and large numbers as others.
#
# Expected (Protocol Buffers, encoding): fixed32, fixed64, float and double are little-endian; a varint has up to 64 bits, and an int32 below zero has
#           ten bytes. A string or bytes may be of any length, also empty.
# Seen:     21.5 is 6.2e-41 as a float and 4.2e-317 as a double, a fixed 1 is 2.4e-38. 1764547200000, a time in milliseconds, is -684358656, 2^31 is below zero, and
#           2^32 is 0. A string that begins with a line feed is an error.
# So:       a developer looks for the fault in the sensor.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts protobuf-decoder@0.1.2 protobufjs@7.5.3 >/dev/null 2>&1

cat >try.js <<'JS'
const { default: Decoder } = require('protobuf-decoder/lib/protobuf-decoder.js');
const protobuf = require('protobufjs');
const FIELDS = { uint64: [1, 300, 2147483647, 2147483648, 4294967296, 1764547200, 1764547200000], int32: [-1, -200], float: [21.5, 1], double: [21.5, 1], fixed32: [1], sfixed64: [1], string: ['door', 'a', '\nab', ''], bytes: [Buffer.from('0801', 'hex')] };
for (const [type, values] of Object.entries(FIELDS)) {
  const message = protobuf.parse(`syntax = "proto2"; message M { required ${type} x = 1; }`).root.lookupType('M');
  for (const value of values) {
    const data = Buffer.from(message.encode({ x: value }).finish());
    let found;
    try { found = new Decoder(data.toString('base64'), false).decode().toSimple().field_1; found = typeof found === 'object' ? JSON.stringify(found) : String(found); } catch (error) { found = error.constructor.name; }
    console.log(`${type} ${JSON.stringify(value.toString())} | ${data.toString('hex')} | ${found}`);
  }
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
uint64 "1" | 0801 | 1
uint64 "300" | 08ac02 | 300
uint64 "2147483647" | 08ffffffff07 | 2147483647
uint64 "2147483648" | 088080808008 | -2147483648
uint64 "4294967296" | 088080808010 | 0
uint64 "1764547200" | 0880b5b3c906 | 1764547200
uint64 "1764547200000" | 088088d6b9ad33 | -684358656
int32 "-1" | 08ffffffffffffffffff01 | -1
int32 "-200" | 08b8feffffffffffffff01 | -200
float "21.5" | 0d0000ac41 | 6.179305838133146e-41
float "1" | 0d0000803f | 4.600602988224807e-41
double "21.5" | 090000000000803540 | 4.151258e-317
double "1" | 09000000000000f03f | 3.03865e-319
fixed32 "1" | 0d01000000 | 2.350988701644575e-38
sfixed64 "1" | 090100000000000000 | 7.291122019556398e-304
string "door" | 0a04646f6f72 | door
string "a" | 0a0161 | a
string "\nab" | 0a030a6162 | Error
string "" | 0a00 | 
bytes "\b\u0001" | 0a020801 | {"field_1.1":1}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
