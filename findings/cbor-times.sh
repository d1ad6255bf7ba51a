#!/usr/bin/env bash
# Two CBOR libraries for JavaScript change times, and a third writes one large integer as 0.
#
# Expected (RFC 8949, sections 3.4.2, 3 and 3.2.3): tag 1 holds seconds since 1970, with a fraction as floating point; an unsigned
#           integer ends at 2^64 - 1; strings may come in chunks of indefinite length. npm cbor 10.0.12 follows them.
# Seen:     npm cbor-sync 1.0.4 takes the seconds of tag 1 for milliseconds, so that times of 2013 are in January 1970, and rejects strings in
#           chunks. npm borc 3.0.0 writes times as whole seconds: 750 ms is rounded to the next second. npm cbor-redux 1.0.0 writes the
#           integer 2^64 as 0, without an error; it rejects 2^64 + 5 with one.
# So:       timestamps that other encoders write are 43 years too early, and samples 250 ms apart share a time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts cbor@10.0.12 cbor-sync@1.0.4 borc@3.0.0 cbor-redux@1.0.0 >/dev/null 2>&1

cat >try.cjs <<'JS'
const reference = require('cbor');
const sync = require('cbor-sync');
const borc = require('borc');
const redux = require('cbor-redux');
const attempt = (action) => { try { return action(); } catch (error) { return `error: ${error.message}`; } };
const bytes = (hex) => Buffer.from(hex, 'hex');

const time = bytes('c11a514b67b0');
console.log(`tag 1 with 1363896240: cbor ${reference.decode(time).toISOString()}, cbor-sync ${sync.decode(time).toISOString()}`);
const chunks = bytes('7f657374726561646d696e67ff');
const isRejected = attempt(() => sync.decode(chunks)).startsWith('error');
console.log(`a string in chunks: cbor ${reference.decode(chunks)}, cbor-sync ${isRejected ? 'rejects it' : 'reads it'}`);
for (const milliseconds of [250, 500, 750]) {
  const date = new Date(Date.UTC(2030, 0, 1) + milliseconds);
  console.log(`${date.toISOString()}: cbor ${reference.encode(date).toString('hex')}, borc ${borc.encode(date).toString('hex')}`);
}
for (const number of [2n ** 64n - 1n, 2n ** 64n, 2n ** 64n + 5n]) {
  const hex = attempt(() => Buffer.from(redux.encode(number)).toString('hex'));
  console.log(`${number}: cbor ${reference.encode(number).toString('hex')}, cbor-redux ${hex.startsWith('error') ? 'rejects it' : hex}`);
}
JS
node try.cjs | tee seen
cat >expected <<'TEXT'
tag 1 with 1363896240: cbor 2013-03-21T20:04:00.000Z, cbor-sync 1970-01-16T18:51:36.240Z
a string in chunks: cbor streaming, cbor-sync rejects it
2030-01-01T00:00:00.250Z: cbor c1fb41dc36f620100000, borc c11a70dbd880
2030-01-01T00:00:00.500Z: cbor c1fb41dc36f620200000, borc c11a70dbd881
2030-01-01T00:00:00.750Z: cbor c1fb41dc36f620300000, borc c11a70dbd881
18446744073709551615: cbor c248ffffffffffffffff, cbor-redux 1bffffffffffffffff
18446744073709551616: cbor c249010000000000000000, cbor-redux 1b0000000000000000
18446744073709551621: cbor c249010000000000000005, cbor-redux rejects it
TEXT
diff expected seen
echo "as described"
