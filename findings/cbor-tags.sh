#!/usr/bin/env bash
# CBOR libraries that confuse or drop tags and cannot read floats: npm @iljucha/cbor 1.0.10, cbor-redux 1.0.0, @stablelib/cbor 2.0.4, and PyPI
# larzcbor 0.1.0 and flynn 1.0.0b2, beside npm cbor 10.0.12 and PyPI cbor2 5.9.0.
#
# Expected (RFC 8949): tag 0 is a date and time as text (3.4.1), tag 1 a number of seconds since 1970 (3.4.2), tags 2 and 3 are large integers as
#           bytes, positive and negative (3.4.3), tag 4 is a decimal fraction (3.4.4). Floats have 16, 32 or 64 bits (3.3). Strings and arrays may be
#           of indefinite length (3.2).
# Seen:     @iljucha/cbor writes a Date as tag 2 with a number of milliseconds and a BigInt as tag 0 with its digits, so that cbor reads no date and
#           5n as May 2001; it raises for times of others, reads a large integer as an invalid Date, and writes a Uint8Array as the map {"0":1,"1":2}.
#           cbor-redux writes 2^64 as 0 (it rejects larger integers) and a Date as an empty map. @stablelib/cbor writes a Date without its fraction of
#           a second. larzcbor reads 2^64 and -2^64 - 1 as the same bytes, 273.15 as the list -2 and 27315, and nothing of indefinite length. flynn
#           reads half floats, and raises AttributeError for all others, also for those that it wrote.
# So:       a counter that passes 2^64 starts again at 0, and measurements arrive without their time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export TZ=UTC
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts cbor@10.0.12 @iljucha/cbor@1.0.10 cbor-redux@1.0.0 @stablelib/cbor@2.0.4 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q cbor2==5.9.0 larzcbor==0.1.0 flynn==1.0.0b2

cat >try.mjs <<'JS'
import { inspect } from 'node:util';
import reference from 'cbor';
import iljucha from '@iljucha/cbor';
import * as redux from 'cbor-redux';
import * as stablelib from '@stablelib/cbor';

const attempt = (action) => { try { return inspect(action(), { breakLength: Infinity }); } catch (error) { return error.constructor.name; } };
const write = (name, library, value) => {
  const data = Buffer.from(library.encode(value));
  console.log(name, 'writes', inspect(value), '|', data.toString('hex'), '| which is', attempt(() => reference.decodeFirstSync(data)));
};
const time = new Date(1500000000500);
console.log('cbor writes', reference.encode(time).toString('hex'), reference.encode(2n ** 64n).toString('hex'));
for (const value of [time, 5n, 2n ** 64n, new Uint8Array([1, 2])]) write('@iljucha/cbor', iljucha, value);
for (const value of [2n ** 64n - 1n, 2n ** 64n, time]) write('cbor-redux', redux, value);
write('@stablelib/cbor', stablelib, time);
for (const data of ['c074323031332d30332d32315432303a30343a30305a', 'c11a514b67b0', 'c249010000000000000000']) {
  console.log('reading', data, '| cbor', attempt(() => reference.decodeFirstSync(data)), '| @iljucha/cbor', attempt(() => iljucha.decode(Buffer.from(data, 'hex'))));
}
JS
cat >try.py <<'PY'
import cbor2, flynn, larzcbor

def attempt(action):
    try:
        return repr(action())
    except Exception as error:
        return f'{type(error).__name__}: {error}'

for data in 'c249010000000000000000', 'c349010000000000000000', 'c48221196ab3', '5f42010243030405ff', '9f0102ff':
    print('reading', data, '| cbor2', cbor2.loads(bytes.fromhex(data)), '| larzcbor', attempt(lambda: larzcbor.decode(bytes.fromhex(data))))
for data in 'f93e00', 'fa47c35000', 'fb3ff199999999999a':
    print('reading', data, '| cbor2', cbor2.loads(bytes.fromhex(data)), '| flynn', attempt(lambda: flynn.loads(bytes.fromhex(data))))
print('flynn writes 21.5 |', attempt(lambda: flynn.dumps(21.5).hex()), '| and reads it |', attempt(lambda: flynn.loads(flynn.dumps(21.5))))
PY
{ node try.mjs; env/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
cbor writes c1fb41d65a0bc0200000 c249010000000000000000
@iljucha/cbor writes 2017-07-14T02:40:00.500Z | c21b0000015d3ef799f4 | which is Tagged { tag: 2, value: 1500000000500, err: 'toString() radix argument must be between 2 and 36' }
@iljucha/cbor writes 5n | c06135 | which is 2001-05-01T00:00:00.000Z
@iljucha/cbor writes 18446744073709551616n | c0743138343436373434303733373039353531363136 | which is Invalid Date
@iljucha/cbor writes Uint8Array(2) [ 1, 2 ] | a2613001613102 | which is { '0': 1, '1': 2 }
cbor-redux writes 18446744073709551615n | 1bffffffffffffffff | which is 18446744073709551615n
cbor-redux writes 18446744073709551616n | 1b0000000000000000 | which is 0
cbor-redux writes 2017-07-14T02:40:00.500Z | a0 | which is {}
@stablelib/cbor writes 2017-07-14T02:40:00.500Z | c074323031372d30372d31345430323a34303a30305a | which is 2017-07-14T02:40:00.000Z
reading c074323031332d30332d32315432303a30343a30305a | cbor 2013-03-21T20:04:00.000Z | @iljucha/cbor SyntaxError
reading c11a514b67b0 | cbor 2013-03-21T20:04:00.000Z | @iljucha/cbor TypeError
reading c249010000000000000000 | cbor 18446744073709551616n | @iljucha/cbor Invalid Date
reading c249010000000000000000 | cbor2 18446744073709551616 | larzcbor b'\x01\x00\x00\x00\x00\x00\x00\x00\x00'
reading c349010000000000000000 | cbor2 -18446744073709551617 | larzcbor b'\x01\x00\x00\x00\x00\x00\x00\x00\x00'
reading c48221196ab3 | cbor2 273.15 | larzcbor [-2, 27315]
reading 5f42010243030405ff | cbor2 b'\x01\x02\x03\x04\x05' | larzcbor CBORError: unsupported additional info 31
reading 9f0102ff | cbor2 [1, 2] | larzcbor CBORError: unsupported additional info 31
reading f93e00 | cbor2 1.5 | flynn 1.5
reading fa47c35000 | cbor2 100000.0 | flynn AttributeError: 'Decoder' object has no attribute 'unpack'
reading fb3ff199999999999a | cbor2 1.1 | flynn AttributeError: 'Decoder' object has no attribute 'unpack'
flynn writes 21.5 | 'fb4035800000000000' | and reads it | AttributeError: 'Decoder' object has no attribute 'unpack'
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
