#!/usr/bin/env bash
# npm yang-js 0.24.63, which checks the settings of routers and other devices against YANG models, rejects valid values of ranges, bits and texts, and
# changes large numbers.
#
# Expected (RFC 7950): a range or length has parts, each a single value or two with "..", and min and max stand for the ends of the type (9.2.4,
#           9.4.4). Patterns are regular expressions of XML Schema, with \p{L} for letters (9.4.5). int64, uint64 and decimal64 are exact (9.2, 9.3).
#           bits are names with spaces between them (9.7). (RFC 7951, 6.6) binary is base64.
# Seen:     a single value of a range, such as 0 in "0 | 10..20", is a range violation, and so is every value of a range or length that begins with
#           min. \p{L}+ rejects each word. 18446744073709551615 becomes 18446744073709552000, 9007199254740993 becomes 9007199254740992,
#           92233720368547758.07 loses its cents. All values of bits raise TypeError; base64 is rejected.
# So:       a device with an MTU at its lowest value cannot be configured.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts yang-js@0.24.63 >/dev/null 2>&1

cat >try.js <<'JS'
const Yang = require('yang-js');
const TYPES = [['uint8 { range "10..20"; }', [10, 20]], ['uint8 { range "0 | 10..20"; }', [0, 10, 20]], ['int32 { range "min..10"; }', [-5, 10]], ['int32 { range "1..max"; }', [1, 2147483647]],
  ['string { length "1..8"; }', ['ab']], ['string { length "min..8"; }', ['', 'ab', 'abcdefgh']], ['string { length "0 | 8"; }', ['abcdefgh']], ['string { pattern "[a-z]+"; }', ['door']],
  ["string { pattern '\\p{L}+'; }", ['door']], ["string { pattern '\\p{Lu}[a-z]*'; }", ['Door']], ['uint64;', ['9007199254740993', '18446744073709551615']], ['int64;', ['-9007199254740993']],
  ['decimal64 { fraction-digits 2; }', ['1.25', '92233720368547758.07']], ['decimal64 { fraction-digits 1; range "1.5 | 2.5..3"; }', [1.5, 2.5]],
  ['bits { bit up { position 0; } bit full { position 1; } }', ['up', 'up full']], ['enumeration { enum up; enum down; }', ['up']], ['binary;', ['AQID']]];
for (const [type, values] of TYPES) {
  const found = values.map((value) => {
    try { return `${JSON.stringify(value)} is ${JSON.stringify(Yang.parse(`leaf x { type ${type} }`).eval({ x: value }).x)}`; } catch (error) {
      return `${JSON.stringify(value)} throws ${/violation|unable to convert/.exec(error.message)?.[0] ?? error.name}`;
    }
  });
  console.log(`${type} | ${found.join(', ')}`);
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
uint8 { range "10..20"; } | 10 is 10, 20 is 20
uint8 { range "0 | 10..20"; } | 0 throws violation, 10 is 10, 20 is 20
int32 { range "min..10"; } | -5 throws violation, 10 throws violation
int32 { range "1..max"; } | 1 is 1, 2147483647 is 2147483647
string { length "1..8"; } | "ab" is "ab"
string { length "min..8"; } | "" throws violation, "ab" throws violation, "abcdefgh" throws violation
string { length "0 | 8"; } | "abcdefgh" is "abcdefgh"
string { pattern "[a-z]+"; } | "door" is "door"
string { pattern '\p{L}+'; } | "door" throws violation
string { pattern '\p{Lu}[a-z]*'; } | "Door" throws violation
uint64; | "9007199254740993" is 9007199254740992, "18446744073709551615" is 18446744073709552000
int64; | "-9007199254740993" is -9007199254740992
decimal64 { fraction-digits 2; } | "1.25" is 1.25, "92233720368547758.07" is 92233720368547760
decimal64 { fraction-digits 1; range "1.5 | 2.5..3"; } | 1.5 throws violation, 2.5 is 2.5
bits { bit up { position 0; } bit full { position 1; } } | "up" throws TypeError, "up full" throws TypeError
enumeration { enum up; enum down; } | "up" is "up"
binary; | "AQID" throws unable to convert
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
