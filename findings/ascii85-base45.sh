#!/usr/bin/env bash
# Two npm packages that put binary data into text: base85 3.2.0 cuts the zeros off the end in Ascii85, @digitalbazaar/base45 1.0.0 encodes other octets than those of
# a part of an array. Beside ascii85 1.0.2 and base45 3.0.0.
#
# Expected (ISO 32000-1, section 7.4.3, ASCII85Decode): a last group of n octets, fewer than four, becomes n + 1 characters, with zeros appended before it is
#           encoded; only a whole group of zeros becomes z. (RFC 9285, section 3) base45 encodes the octets in pairs; 03 04 is 7H0.
# Seen:     base85 removes the exclamation marks at the end, which stand for zeros: one octet 00 is an empty text, 01 02 03 04 00 comes back as 01 02. Whole
#           groups, last groups that end in another octet, and reading, are right. @digitalbazaar/base45 reads the memory of the array from its start,
#           whatever the offset: the last two octets of 01 02 03 04 give X50, which is 01 02; small Buffers of Node.js share memory in the same way.
# So:       readings that end in zeros lose up to three octets, also of the numbers before.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts base85@3.2.0 ascii85@1.0.2 @digitalbazaar/base45@1.0.0 base45@3.0.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'module';
import * as digitalbazaar from '@digitalbazaar/base45';
const require = createRequire(import.meta.url);
const base85 = require('base85');
const ascii85 = require('ascii85');
const base45 = require('base45');
const hex = (octets) => Buffer.from(octets).toString('hex') || 'nothing';
for (const text of ['01020304', '00000000', '00', '0000', '000000', '0102030401', '0102030400', '010203040000', '01020304000000', '0102030405060700', '41c80000000000']) {
  const data = Buffer.from(text, 'hex');
  const written = base85.encode(data, 'ascii85');
  const right = `<~${ascii85.encode(data)}~>`;
  console.log(text, '| ascii85', right, '| base85', written, 'read as', hex(base85.decode(written, 'ascii85')), '| that of ascii85 read as', hex(base85.decode(right, 'ascii85')));
}
const whole = new Uint8Array([1, 2, 3, 4]);
for (const [title, octets] of [['01 02 03 04', whole], ['03 04, alone', new Uint8Array([3, 4])], ['03 04, part of 01 02 03 04', whole.subarray(2)], ['01 02, part of 01 02 03 04', whole.subarray(0, 2)]]) {
  console.log(title, '| base45', base45.encode(Buffer.from(octets)), '| @digitalbazaar/base45', digitalbazaar.encode(octets));
}
JS
node --no-deprecation try.mjs | tee seen
cat >expected <<'TEXT'
01020304 | ascii85 <~!<N?+~> | base85 <~!<N?+~> read as 01020304 | that of ascii85 read as 01020304
00000000 | ascii85 <~z~> | base85 <~z~> read as 00000000 | that of ascii85 read as 00000000
00 | ascii85 <~!!~> | base85 <~~> read as nothing | that of ascii85 read as 00
0000 | ascii85 <~!!!~> | base85 <~~> read as nothing | that of ascii85 read as 0000
000000 | ascii85 <~!!!!~> | base85 <~~> read as nothing | that of ascii85 read as 000000
0102030401 | ascii85 <~!<N?+!<~> | base85 <~!<N?+!<~> read as 0102030401 | that of ascii85 read as 0102030401
0102030400 | ascii85 <~!<N?+!!~> | base85 <~!<N~> read as 0102 | that of ascii85 read as 0102030400
010203040000 | ascii85 <~!<N?+!!!~> | base85 <~!<N?~> read as 010203 | that of ascii85 read as 010203040000
01020304000000 | ascii85 <~!<N?+!!!!~> | base85 <~!<N?+~> read as 01020304 | that of ascii85 read as 01020304000000
0102030405060700 | ascii85 <~!<N?+"U523~> | base85 <~!<N?+"U523~> read as 0102030405060700 | that of ascii85 read as 0102030405060700
41c80000000000 | ascii85 <~6-'$+!!!!~> | base85 <~6-'$+~> read as 41c80000 | that of ascii85 read as 41c80000000000
01 02 03 04 | base45 X507H0 | @digitalbazaar/base45 X507H0
03 04, alone | base45 7H0 | @digitalbazaar/base45 7H0
03 04, part of 01 02 03 04 | base45 7H0 | @digitalbazaar/base45 X50
01 02, part of 01 02 03 04 | base45 X50 | @digitalbazaar/base45 X50
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
