#!/usr/bin/env bash
# Two npm libraries for JSONPath, with which rules pick values out of JSON payloads, give other values than RFC 9535: nimma 0.7.2 and jsonpathly 3.0.0,
# beside json-p3 2.3.1.
#
# Expected (RFC 9535): a negative index counts from the end (2.3.3.2). A slice with a negative step goes backwards, and one with the step 0 selects nothing
#           (2.3.4.2). A name may have escape sequences such as \u00e9 (2.3.1.1). Selectors in brackets of any kind are separated by commas, and each gives its
#           nodes (2.5.1.2). a <= b holds if a == b, also for null and booleans (2.3.5.2.2). In an I-Regexp a dot matches all but line feed and
#           carriage return (RFC 9485, 5.3).
# Seen:     nimma gives the last two items for $[-2] and all for $[-5], items forwards for $[::-1], nothing for $[2:0:-1] and for names with \u, and one
#           for $[1,1]. It throws for filters with functions, null and commas. Its page names RFC 9535 as the coming reference and lists other
#           caveats. jsonpathly throws for an index beside a slice and for two filters, finds no null or true with <= and >=, and no match of a dot
#           with U+2028. json-p3 gives what the RFC says.
# So:       a rule for the last but one measurement also gets the last, and one for the newest first reads the oldest.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts nimma@0.7.2 jsonpathly@3.0.0 json-p3@2.3.1 >/dev/null 2>&1

cat >try.mjs <<'JS'
import * as p3 from 'json-p3';
import * as jsonpathly from 'jsonpathly';
import Nimma from 'nimma';
const withNimma = (path, document) => {
  const found = [];
  new Nimma([path]).query(document, { [path](node) { found.push(node.value); } });
  return found;
};
const LIBRARIES = {
  'json-p3': (path, document) => p3.query(path, document).values(),
  nimma: withNimma,
  jsonpathly: (path, document) => jsonpathly.query(document, path, { returnArray: true }),
};
const LIST = [10, 20, 30, 40];
for (const [path, document] of [
  ['$[-1]', LIST], ['$[-2]', LIST], ['$[-5]', LIST], ['$[::-1]', LIST], ['$[2:0:-1]', LIST], ['$[0:2:0]', LIST], ['$[1,1]', LIST],
  ['$[0,2:4]', LIST], ['$["caf\\u00e9"]', { 'café': 21 }],
  ['$[?@.t > 30, ?@.t < 15]', [{ t: 10 }, { t: 20 }, { t: 40 }]],
  ['$[?@.t <= null]', [{ t: null }, { t: 1 }]], ['$[?@.on >= true]', [{ on: true }, { on: false }]],
  ["$[?match(@, 'a.b')]", ["a\u2028b", "a-b"]],
]) {
  const seen = Object.entries(LIBRARIES).map(([name, query]) => {
    try {
      return `${name} ${JSON.stringify(query(path, document))}`;
    } catch (error) {
      return `${name} throws`;
    }
  });
  console.log(path, '|', seen.join(' | '));
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
$[-1] | json-p3 [40] | nimma [40] | jsonpathly [40]
$[-2] | json-p3 [30] | nimma [30,40] | jsonpathly [30]
$[-5] | json-p3 [] | nimma [10,20,30,40] | jsonpathly []
$[::-1] | json-p3 [40,30,20,10] | nimma [10,20,30,40] | jsonpathly [40,30,20,10]
$[2:0:-1] | json-p3 [30,20] | nimma [] | jsonpathly [30,20]
$[0:2:0] | json-p3 [] | nimma [10] | jsonpathly []
$[1,1] | json-p3 [20,20] | nimma [20] | jsonpathly [20,20]
$[0,2:4] | json-p3 [10,30,40] | nimma throws | jsonpathly throws
$["caf\u00e9"] | json-p3 [21] | nimma [] | jsonpathly [21]
$[?@.t > 30, ?@.t < 15] | json-p3 [{"t":40},{"t":10}] | nimma throws | jsonpathly throws
$[?@.t <= null] | json-p3 [{"t":null}] | nimma throws | jsonpathly []
$[?@.on >= true] | json-p3 [{"on":true}] | nimma throws | jsonpathly []
$[?match(@, 'a.b')] | json-p3 ["a b","a-b"] | nimma throws | jsonpathly ["a-b"]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
