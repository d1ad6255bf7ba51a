#!/usr/bin/env bash
# npm protocol-buffers 5.0.0 reads and writes negative integers as other numbers, and cannot read lists of numbers of proto3.
#
# Expected (Protocol Buffers, encoding): a negative int32, int64 or enum is its two's complement in 64 bits, in ten bytes. Repeated
#           numbers of proto3 are packed unless the schema says [packed=false]. protobufjs 8.8.1 follows both.
# Seen:     the int32 -57 of other encoders is read as 18446744069414584000, the int64 -57 as -71. Its own encoder writes the int64 -57 as the bytes
#           of -71, so that a test of both ends with this package passes, and the enum value -1 as one byte without an end. With
#           syntax = "proto3", the list [8,5] is read as [2], its length, and the rest of the list as further fields.
# So:       a signal of -57 dBm or a temperature below zero is a plausible wrong number on either side, without an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund protocol-buffers@5.0.0 protobufjs@8.8.1 >/dev/null 2>&1

cat >try.js <<'JS'
const schema = `syntax = "proto3";
  message T { int32 i = 1; int64 l = 2; E e = 3; repeated int32 r = 4; sint32 s = 5; }
  enum E { ZERO = 0; BELOW = -1; }`;
const mine = require('protocol-buffers')(schema).T;
const other = require('protobufjs').parse(schema).root.lookupType('T');
const attempt = (action) => { try { return action(); } catch (error) { return error.message; } };
const read = (name, key, hex) => {
  const bytes = Buffer.from(hex, 'hex');
  const numbers = (message) => JSON.stringify(message[key]);
  const reference = numbers(other.toObject(other.decode(bytes), { longs: Number }));
  console.log(`read ${name}: ${reference} in protobufjs, ${attempt(() => numbers(mine.decode(bytes)))} here`);
};
const write = (name, value) => {
  const bytes = attempt(() => mine.encode(value).toString('hex'));
  console.log(`write ${name}: ${Buffer.from(other.encode(other.fromObject(value)).finish()).toString('hex')} in protobufjs, ${bytes} here`);
};
read('int32 57', 'i', '0839');
read('int32 -57', 'i', '08c7ffffffffffffffff01');
read('int64 -57', 'l', '10c7ffffffffffffffff01');
read('sint32 -57', 's', '2871');
read('repeated int32 8, 5', 'r', '22020805');
write('int32 -57', { i: -57 });
write('int64 -57', { l: -57 });
write('enum -1', { e: -1 });
write('repeated int32 8, 5', { r: [8, 5] });
JS
node try.js | tee seen
cat >expected <<'TEXT'
read int32 57: 57 in protobufjs, 57 here
read int32 -57: -57 in protobufjs, 18446744069414584000 here
read int64 -57: -57 in protobufjs, -71 here
read sint32 -57: -57 in protobufjs, -57 here
read repeated int32 8, 5: [8,5] in protobufjs, [2] here
write int32 -57: 08c7ffffffffffffffff01 in protobufjs, 08c7ffffff0f here
write int64 -57: 10c7ffffffffffffffff01 in protobufjs, 10b9ffffffffffffffff01 here
write enum -1: 18ffffffffffffffffff01 in protobufjs, 18ff here
write repeated int32 8, 5: 22020805 in protobufjs, 20082005 here
TEXT
diff expected seen
echo "as described"
