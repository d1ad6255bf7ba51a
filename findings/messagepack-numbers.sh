#!/usr/bin/env bash
# Four MessagePack encoders for JavaScript write large numbers as other numbers, and one writes times before 1970 as times after it.
#
# Expected (MessagePack specification): the type uint 64 ends at 2^64 - 1, int 64 begins at -2^63; JavaScript's larger numbers fit float 64.
#           A timestamp's nanoseconds are at most 999,999,999, so half a second before 1970 is second -1 and 500,000,000 nanoseconds.
#           npm msgpack5 6.1.0 follows both.
# Seen:     npm notepack.io 3.0.1, messagepack 1.1.12 and what-the-pack 2.0.3 write each whole number from 2^64 on modulo 2^64, as uint 64:
#           2^64, 1e300 and the largest double as 0. @ygoe/msgpack 1.0.3 writes 1e300 as 2^64 - 1, 2^63 as -2^63, 2^64 as 0, and
#           -2^63 as 2^63 - 1. messagepack writes half a second before 1970 with 3,795,000,000 nanoseconds, and reads it as 3.794 s after 1970.
# So:       a sensor that marks a missing value with the largest double sends 0, a plausible measurement.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts msgpack5@6.1.0 notepack.io@3.0.1 messagepack@1.1.12 what-the-pack@2.0.3 @ygoe/msgpack@1.0.3 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const reference = require('msgpack5')();
const messagepack = await import('messagepack');
const packer = require('what-the-pack').initialize(65536);
const encoders = {
  msgpack5: (value) => reference.encode(value).slice(),
  'notepack.io': (value) => require('notepack.io').encode(value),
  messagepack: (value) => messagepack.encode(value),
  'what-the-pack': (value) => packer.encode(value),
  '@ygoe/msgpack': (value) => require('@ygoe/msgpack').serialize(value),
};
const values = { '2^63': 2 ** 63, '2^64': 2 ** 64, '1e300': 1e300, 'largest double': Number.MAX_VALUE, '-2^63': -(2 ** 63), '-1e20': -1e20 };
for (const [name, value] of Object.entries(values)) {
  for (const [encoder, encode] of Object.entries(encoders)) {
    console.log(`${name} ${encoder} ${Buffer.from(encode(value)).toString('hex')}`);
  }
}
const before = new Date(-500);
console.log(`half a second before 1970, msgpack5 ${encoders.msgpack5(before).toString('hex')}`);
const bytes = Buffer.from(messagepack.encode(before));
console.log(`half a second before 1970, messagepack ${bytes.toString('hex')} ${messagepack.decode(bytes).toISOString()}`);
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
2^63 msgpack5 cb43e0000000000000
2^63 notepack.io cf8000000000000000
2^63 messagepack cf8000000000000000
2^63 what-the-pack cf8000000000000000
2^63 @ygoe/msgpack d38000000000000000
2^64 msgpack5 cb43f0000000000000
2^64 notepack.io cf0000000000000000
2^64 messagepack cf0000000000000000
2^64 what-the-pack cf0000000000000000
2^64 @ygoe/msgpack d30000000000000000
1e300 msgpack5 cb7e37e43c8800759c
1e300 notepack.io cf0000000000000000
1e300 messagepack cf0000000000000000
1e300 what-the-pack cf0000000000000000
1e300 @ygoe/msgpack cfffffffffffffffff
largest double msgpack5 cb7fefffffffffffff
largest double notepack.io cf0000000000000000
largest double messagepack cf0000000000000000
largest double what-the-pack cf0000000000000000
largest double @ygoe/msgpack cfffffffffffffffff
-2^63 msgpack5 cbc3e0000000000000
-2^63 notepack.io d38000000000000000
-2^63 messagepack d38000000000000000
-2^63 what-the-pack d38000000000000000
-2^63 @ygoe/msgpack d37fffffffffffffff
-1e20 msgpack5 cbc415af1d78b58c40
-1e20 notepack.io d39438a1d29cf00000
-1e20 messagepack d39438a1d29cf00000
-1e20 what-the-pack d39438a1d29cf00000
-1e20 @ygoe/msgpack d38000000000000000
half a second before 1970, msgpack5 c70cff1dcd6500ffffffffffffffff
half a second before 1970, messagepack c70cffe2329b000000000000000000 1970-01-01T00:00:03.794Z
TEXT
diff expected seen
echo "as described"
