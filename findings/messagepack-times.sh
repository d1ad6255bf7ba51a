#!/usr/bin/env bash
# npm @urlpack/msgpack 2.0.1 reads times of whole seconds as times of 1970, npm msgpack-js 0.3.0 cannot read what other encoders of MessagePack write, and
# npm purepack 1.0.6 cannot write large numbers. Beside npm msgpack5 6.1.0.
#
# Expected (MessagePack specification, "Timestamp extension type"): timestamp 32 has the seconds as an unsigned number of 32 bits; timestamp 64 has
#           nanoseconds in 30 bits and seconds in 34, timestamp 96 nanoseconds and seconds in two's complement, for times before 1970 and after 2514. ("Bin
#           format family", "Str format family", "Int format family", "Ext format family") c4 is bin 8, d9 str 8, cf uint 64, d3 int 64, d4 fixext 1; the type of an
#           extension is from -128 to 127. ("Float format family") A number may be a double, up to 1.8e308, and infinite. A key of a map may be any type.
# Seen:     @urlpack/msgpack reads 2020-09-13T12:26:40Z, which it writes rightly, as 1970-01-01T00:26:40Z, and the second 1 as 0; with half a second more
#           it is right. It writes half a second before 1970 as 573741824 nanoseconds after, one second before as a time of 2106, and the second
#           5,000,000,000 of 2128 as 705032704 of 1992. It rejects timestamp 96, whole numbers from 2^63 on, also 1e300, and maps with integer keys, and writes a list of
#           undefined and 1 with the length 2 and one element.
#           msgpack-js throws for uint 64, int 64, bin 8, str 8 and each extension, and writes undefined as c4, so that others read the next octet as
#           a length. purepack throws RangeError for 2^64, 1e300 and infinity, and gives the type -1 as 255.
# So:       a reading taken on the full second is from 1970, the others are not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @urlpack/msgpack@2.0.1 msgpack-js@0.3.0 purepack@1.0.6 msgpack5@6.1.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { makeMessagePackDecoder, makeMessagePackEncoder } from '@urlpack/msgpack';
const require = createRequire(import.meta.url);
const reference = require('msgpack5')();
const packages = {
  msgpack5: { encode: (value) => reference.encode(value).slice(), decode: (bytes) => reference.decode(bytes) },
  '@urlpack/msgpack': {
    encode: (value) => makeMessagePackEncoder().encode(value),
    decode: (bytes) => makeMessagePackDecoder().decode(new Uint8Array(bytes)),
  },
  'msgpack-js': require('msgpack-js'),
  purepack: { encode: (value) => require('purepack').pack(value), decode: (bytes) => require('purepack').unpack(bytes) },
};
const show = (value) => {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Map) return `map of ${JSON.stringify([...value])}`;
  return typeof value === 'object' ? JSON.stringify(value) : `${value}`;
};
const attempt = (work) => {
  try { return work(); } catch (error) { return `throws ${error.constructor.name}`; }
};
const hex = (bytes) => Buffer.from(bytes).toString('hex');
for (const milliseconds of [0, 1000, 1600000000000, 1600000000500, -500, -1000, 5e12]) {
  for (const name of ['msgpack5', '@urlpack/msgpack']) {
    const { encode, decode } = packages[name];
    const date = new Date(milliseconds);
    console.log(`${date.toISOString()} | ${name} | ${attempt(() => hex(encode(date)))} | ${attempt(() => show(decode(encode(date))))}`);
  }
}
for (const [title, value] of Object.entries({ '2^63': 2 ** 63, '2^64': 2 ** 64, '1e300': 1e300, infinity: Infinity, 'list of undefined and 1': [undefined, 1] })) {
  if (title !== 'list of undefined and 1') console.log(`${title} | msgpack5 | ${hex(packages.msgpack5.encode(value))}`);
  for (const name of ['@urlpack/msgpack', 'msgpack-js', 'purepack']) {
    console.log(`${title} | ${name} | ${attempt(() => hex(packages[name].encode(value)))}`);
  }
}
const written = {
  'uint 64': 'cf0000000100000000', 'int 64': 'd3ffffff0000000000', 'bin 8': 'c4020102', 'str 8': 'd90161',
  'timestamp 96': 'c70cff000000000000000000000001', 'integer key': '8101a161',
};
for (const [title, bytes] of Object.entries(written)) {
  for (const [name, { decode }] of Object.entries(packages)) {
    console.log(`${title} | ${name} | ${attempt(() => show(decode(Buffer.from(bytes, 'hex'))))}`);
  }
}
let type;
require('purepack').unpack(Buffer.from('d4ff05', 'hex'), { ext: (found) => { type = found; } });
console.log(`type of d4 ff 05 | purepack | ${type}`);
JS
node try.mjs 2>/dev/null | tee seen
cat >expected <<'TEXT'
1970-01-01T00:00:00.000Z | msgpack5 | d6ff00000000 | 1970-01-01T00:00:00.000Z
1970-01-01T00:00:00.000Z | @urlpack/msgpack | d6ff00000000 | 1970-01-01T00:00:00.000Z
1970-01-01T00:00:01.000Z | msgpack5 | d6ff00000001 | 1970-01-01T00:00:01.000Z
1970-01-01T00:00:01.000Z | @urlpack/msgpack | d6ff00000001 | 1970-01-01T00:00:00.000Z
2020-09-13T12:26:40.000Z | msgpack5 | d6ff5f5e1000 | 2020-09-13T12:26:40.000Z
2020-09-13T12:26:40.000Z | @urlpack/msgpack | d6ff5f5e1000 | 1970-01-01T00:26:40.000Z
2020-09-13T12:26:40.500Z | msgpack5 | d7ff773594005f5e1000 | 2020-09-13T12:26:40.500Z
2020-09-13T12:26:40.500Z | @urlpack/msgpack | d7ff773594005f5e1000 | 2020-09-13T12:26:40.500Z
1969-12-31T23:59:59.500Z | msgpack5 | c70cff1dcd6500ffffffffffffffff | 1969-12-31T23:59:59.500Z
1969-12-31T23:59:59.500Z | @urlpack/msgpack | d7ff88ca6c0000000000 | 1970-01-01T00:00:00.574Z
1969-12-31T23:59:59.000Z | msgpack5 | c70cff00000000ffffffffffffffff | 1969-12-31T23:59:59.000Z
1969-12-31T23:59:59.000Z | @urlpack/msgpack | d6ffffffffff | 1970-01-01T01:11:34.967Z
2128-06-11T08:53:20.000Z | msgpack5 | d7ff000000012a05f200 | 2128-06-11T08:53:20.000Z
2128-06-11T08:53:20.000Z | @urlpack/msgpack | d7ff000000002a05f200 | 1992-05-05T02:25:04.000Z
2^63 | msgpack5 | cb43e0000000000000
2^63 | @urlpack/msgpack | throws Error
2^63 | msgpack-js | cb43e0000000000000
2^63 | purepack | cf8000000000000000
2^64 | msgpack5 | cb43f0000000000000
2^64 | @urlpack/msgpack | throws Error
2^64 | msgpack-js | cb43f0000000000000
2^64 | purepack | throws RangeError
1e300 | msgpack5 | cb7e37e43c8800759c
1e300 | @urlpack/msgpack | throws Error
1e300 | msgpack-js | cb7e37e43c8800759c
1e300 | purepack | throws RangeError
infinity | msgpack5 | ca7f800000
infinity | @urlpack/msgpack | ca7f800000
infinity | msgpack-js | cb7ff0000000000000
infinity | purepack | throws RangeError
list of undefined and 1 | @urlpack/msgpack | 9201
list of undefined and 1 | msgpack-js | 92c401
list of undefined and 1 | purepack | 92c001
uint 64 | msgpack5 | 4294967296
uint 64 | @urlpack/msgpack | 4294967296
uint 64 | msgpack-js | throws TypeError
uint 64 | purepack | 4294967296
int 64 | msgpack5 | -1099511627776
int 64 | @urlpack/msgpack | -1099511627776
int 64 | msgpack-js | throws TypeError
int 64 | purepack | -1099511627776
bin 8 | msgpack5 | bytes 0102
bin 8 | @urlpack/msgpack | bytes 0102
bin 8 | msgpack-js | throws Error
bin 8 | purepack | bytes 0102
str 8 | msgpack5 | a
str 8 | @urlpack/msgpack | a
str 8 | msgpack-js | throws RangeError
str 8 | purepack | a
timestamp 96 | msgpack5 | 1970-01-01T00:00:01.000Z
timestamp 96 | @urlpack/msgpack | throws Error
timestamp 96 | msgpack-js | throws Error
timestamp 96 | purepack | throws Error
integer key | msgpack5 | map of [[1,"a"]]
integer key | @urlpack/msgpack | throws Error
integer key | msgpack-js | {"1":"a"}
integer key | purepack | {"1":"a"}
type of d4 ff 05 | purepack | 255
TEXT
diff expected seen
echo "as described"
