#!/usr/bin/env bash
# Three npm readers of vCards, in which the contacts of sites and devices are kept, change names and values: vcf 2.1.2, vcard-parser 1.0.0 and vcard4-ts 0.4.1.
#
# Expected (RFC 6350): in text, \\, \, \; and \n are escape sequences (3.4). A parameter in quotes may have : ; and , (3.3). TEL with VALUE=uri and GEO are URIs, which have
#           their own ; and , (6.4.1, 6.5.2). CATEGORIES is a list, and ORG has components, separated by ; (6.7.1, 6.6.4). (RFC 7095, jCard, 3.3 to 3.5) names are in lower
#           case, otherwise unchanged, values have no escapes, several values are several items of the property, components are an array, and the default type
#           of GEO is uri.
# Seen:     vcf calls the property x-room-id xRoomId in jCard, and a parameter likewise, keeps the escapes, gives lists and ORG as one text, GEO as text, and begins the value
#           at a colon inside a quoted parameter. vcard-parser cuts a tel: URI at ;, a geo: URI at the comma, and a quoted parameter at a colon, and keeps \\ as
#           two backslashes. vcard4-ts gives ORG as one component and begins the value inside a quoted parameter too.
# So:       after one conversion a property has another name, and a position is a list of two texts.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts vcf@2.1.2 vcard-parser@1.0.0 vcard4-ts@0.4.1 >/dev/null 2>&1

cat >lines <<'TEXT'
NOTE:first\nsecond\, third\; C:\\log
CATEGORIES:pump,door\, left
ORG:Water\, Inc.;North
TEL;VALUE=uri:tel:+1-555-0100;ext=5
GEO:geo:37.386013,-122.082932
NICKNAME;X-ROLE="site: a":gate
X-ROOM-ID:7
TEXT
cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { readFileSync } from 'fs';
import { parseVCards } from 'vcard4-ts';
const require = createRequire(import.meta.url);
const Vcf = require('vcf');
const vcardParser = require('vcard-parser');
for (const line of readFileSync('lines', 'utf8').trimEnd().split('\n')) {
  const text = `BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Site\r\n${line}\r\nEND:VCARD\r\n`;
  console.log(line);
  console.log('  vcf, jCard |', JSON.stringify(new Vcf().parse(text).toJCard('4.0')[1].slice(2)));
  const { version, fn, ...properties } = vcardParser.parse(text);
  console.log('  vcard-parser |', JSON.stringify(properties));
  const { BEGIN, VERSION, FN, END, hasErrors, nags, ...rest } = parseVCards(text).vCards[0];
  console.log('  vcard4-ts |', JSON.stringify(rest));
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
NOTE:first\nsecond\, third\; C:\\log
  vcf, jCard | [["note",{},"text","first\\nsecond\\, third\\; C:\\\\log"]]
  vcard-parser | {"note":[{"value":"first\nsecond, third; C:\\\\log"}]}
  vcard4-ts | {"NOTE":[{"value":"first\nsecond, third; C:\\log"}]}
CATEGORIES:pump,door\, left
  vcf, jCard | [["categories",{},"text","pump,door\\, left"]]
  vcard-parser | {"categories":[{"value":["pump","door, left"]}]}
  vcard4-ts | {"CATEGORIES":[{"value":["pump","door, left"]}]}
ORG:Water\, Inc.;North
  vcf, jCard | [["org",{},"text","Water\\, Inc.;North"]]
  vcard-parser | {"org":[{"value":["Water, Inc.","North"]}]}
  vcard4-ts | {"ORG":[{"value":["Water, Inc.;North"]}]}
TEL;VALUE=uri:tel:+1-555-0100;ext=5
  vcf, jCard | [["tel",{"value":"uri"},"uri","tel:+1-555-0100;ext=5"]]
  vcard-parser | {"tel":[{"value":["tel:+1-555-0100","ext=5"],"meta":{"value":["uri"]}}]}
  vcard4-ts | {"TEL":[{"parameters":{"VALUE":"uri"},"value":"tel:+1-555-0100;ext=5"}]}
GEO:geo:37.386013,-122.082932
  vcf, jCard | [["geo",{},"text","geo:37.386013,-122.082932"]]
  vcard-parser | {"geo":[{"value":["geo:37.386013","-122.082932"]}]}
  vcard4-ts | {"GEO":[{"value":"geo:37.386013,-122.082932"}]}
NICKNAME;X-ROLE="site: a":gate
  vcf, jCard | [["nickname",{"xRole":"\"site"},"text"," a\":gate"]]
  vcard-parser | {"nickname":[{"value":" a\":gate","meta":{"x-role":["\"site"]}}]}
  vcard4-ts | {"NICKNAME":[{"parameters":{"x":{"X_ROLE":["\"site"]}},"value":[" a\":gate"]}]}
X-ROOM-ID:7
  vcf, jCard | [["xRoomId",{},"text","7"]]
  vcard-parser | {"X-ROOM-ID":[{"value":"7"}]}
  vcard4-ts | {"x":{"X_ROOM_ID":[{"value":"7"}]}}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
