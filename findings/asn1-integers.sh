#!/usr/bin/env bash
# Two ASN.1 codecs for JavaScript: npm snmp-native 1.2.0, which reads and sets values by SNMP, writes half of the negative numbers down to -65535 as
# positive ones; npm @fidm/asn1 1.0.4 misreads object identifiers below 2 and those with numbers from 2^31 on.
#
# Expected (ITU-T X.690, section 8.3): an integer is in two's complement, with as few octets as possible, so that the first bit is its sign. (X.690, section
#           8.19.4) The first number of an encoded object identifier is 40 X + Y, where X is 0, 1 or 2, and Y below 40 for X of 0 and 1 only. (X.690,
#           section 8.19.2) Numbers have as many octets of seven bits as they need. (RFC 2578, section 7.1.1) INTEGER is from -2^31 on.
# Seen:     snmp-native takes as many octets as the amount needs without a sign: -128 is right, -129 is 7F, which is 127, -200 is 56, -255 is 1, -256 is
#           right again; likewise -32769 to -65535 and -8388609 to -16777215. Its own parser reads the positive numbers, too. @fidm/asn1 reads 2.999.3
#           as 3.16.55.3, 2.100.3 as 3.9.52.3, and 4294967295 as -1; a UUID below 2.25 becomes other numbers. Up to 2.39 it is right.
# So:       a set point of -20.0 degrees, sent as -200 tenths, arrives as 5.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts snmp-native@1.2.0 @fidm/asn1@1.0.4 >/dev/null 2>&1

cat >try.js <<'JS'
const { encodeInteger, parseInteger } = require('snmp-native/lib/asn1ber');
const { ASN1 } = require('@fidm/asn1');
const right = (value) => {
  let width = 1;
  while (value < -(2 ** (8 * width - 1)) || value >= 2 ** (8 * width - 1)) width += 1;
  return Buffer.from([2, width, ...Buffer.from((BigInt.asUintN(8 * width, BigInt(value))).toString(16).padStart(2 * width, '0'), 'hex')]);
};
for (const value of [0, 127, 128, -1, -128, -129, -200, -255, -256, -257, -32768, -32769, -40000, -65535, -65536, -16777215, -2147483648]) {
  const written = encodeInteger(value);
  console.log(value, '| X.690', right(value).toString('hex'), '| snmp-native', written.toString('hex'), 'read again as', parseInteger(written), '| of X.690', parseInteger(right(value)));
}
const digits = (number) => (number > 127n ? [...digits(number >> 7n).map((digit) => digit | 128), Number(number & 127n)] : [Number(number)]);
for (const identifier of ['1.3.6.1.4.1.8072', '2.5.4.3', '2.39.1', '2.40.1', '2.100.3', '2.999.3', '1.3.6.1.4.1.4294967295', '1.3.6.1.4.1.2147483648', '2.25.329800735698586629295641978511506172918']) {
  const [first, second, ...others] = identifier.split('.').map(BigInt);
  const octets = [first * 40n + second, ...others].flatMap(digits);
  console.log(identifier, '| @fidm/asn1', ASN1.fromDER(Buffer.from([6, octets.length, ...octets])).value);
}
JS
node --no-deprecation try.js | tee seen
cat >expected <<'TEXT'
0 | X.690 020100 | snmp-native 020100 read again as 0 | of X.690 0
127 | X.690 02017f | snmp-native 02017f read again as 127 | of X.690 127
128 | X.690 02020080 | snmp-native 02020080 read again as 128 | of X.690 128
-1 | X.690 0201ff | snmp-native 0201ff read again as -1 | of X.690 -1
-128 | X.690 020180 | snmp-native 020180 read again as -128 | of X.690 -128
-129 | X.690 0202ff7f | snmp-native 02017f read again as 127 | of X.690 -129
-200 | X.690 0202ff38 | snmp-native 020138 read again as 56 | of X.690 -200
-255 | X.690 0202ff01 | snmp-native 020101 read again as 1 | of X.690 -255
-256 | X.690 0202ff00 | snmp-native 0202ff00 read again as -256 | of X.690 -256
-257 | X.690 0202feff | snmp-native 0202feff read again as -257 | of X.690 -257
-32768 | X.690 02028000 | snmp-native 02028000 read again as -32768 | of X.690 -32768
-32769 | X.690 0203ff7fff | snmp-native 02027fff read again as 32767 | of X.690 -32769
-40000 | X.690 0203ff63c0 | snmp-native 020263c0 read again as 25536 | of X.690 -40000
-65535 | X.690 0203ff0001 | snmp-native 020101 read again as 1 | of X.690 -65535
-65536 | X.690 0203ff0000 | snmp-native 0203ff0000 read again as -65536 | of X.690 -65536
-16777215 | X.690 0204ff000001 | snmp-native 020101 read again as 1 | of X.690 -16777215
-2147483648 | X.690 020480000000 | snmp-native 020480000000 read again as -2147483648 | of X.690 -2147483648
1.3.6.1.4.1.8072 | @fidm/asn1 1.3.6.1.4.1.8072
2.5.4.3 | @fidm/asn1 2.5.4.3
2.39.1 | @fidm/asn1 2.39.1
2.40.1 | @fidm/asn1 3.0.1
2.100.3 | @fidm/asn1 3.9.52.3
2.999.3 | @fidm/asn1 3.16.55.3
1.3.6.1.4.1.4294967295 | @fidm/asn1 1.3.6.1.4.1.-1
1.3.6.1.4.1.2147483648 | @fidm/asn1 1.3.6.1.4.1.-2147483648
2.25.329800735698586629295641978511506172918 | @fidm/asn1 2.25.-920753162
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
