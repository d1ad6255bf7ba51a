#!/usr/bin/env bash
# Two readers of distinguished names, as in the certificates of MQTT clients, give other values: npm rfc2253 0.2.0 and PyPI distinguishedname 1.0.2.
#
# Expected (RFC 4514): a space at the begin or end of a value and a # at the begin are escaped with a backslash and belong to the value (2.4). A backslash with two
#           hexadecimal digits is an octet, and the octets are UTF-8 (2.4, 3). Several attributes of a relative name are separated by + (2.2). A value
#           with # is the BER encoding, so #04024869 is the octet string Hi (2.4, 4).
# Seen:     rfc2253 reads an escaped space before a letter from a to f as hexadecimal, so "\ b" is U+000B, gives the second attribute the name +CN, and has the tag and
#           length of BER in the text. distinguishedname strips the escaped spaces and the #. Both give each octet of UTF-8 as a character. Both read escaped
#           commas and quotes.
# So:       a gateway with an accent or a space in its name has another name in each program that reads its certificate.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts rfc2253@0.2.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q distinguishedname==1.0.2

cat >names <<'TEXT'
CN=gate,O=site
CN=gate\, north,O=the \"blue\" site
CN=gate\ ,O=site
CN=\ gate,O=site
CN=\ bridge,O=site
CN=\#7,O=site
CN=Lu\C4\8Di\C4\87,O=site
OU=hall+CN=gate,O=site
1.3.6.1.4.1.1466.0=#04024869
TEXT
cat >try.js <<'JS'
const { readFileSync } = require('fs');
const { parse } = require('rfc2253');
for (const name of readFileSync('names', 'utf8').trimEnd().split('\n')) {
  const values = parse(name)._rdns.map((part) => [...part._values]);
  console.log(name, '| rfc2253 |', JSON.stringify(values).replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`));
}
JS
cat >try.py <<'PY'
import json
from distinguishedname import string_to_dn
for name in open('names'):
    print(name.rstrip('\n'), '| distinguishedname |', json.dumps(string_to_dn(name.rstrip('\n'))))
PY
{ node try.js; env/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
CN=gate,O=site | rfc2253 | [[["CN","gate"]],[["O","site"]]]
CN=gate\, north,O=the \"blue\" site | rfc2253 | [[["CN","gate, north"]],[["O","the \"blue\" site"]]]
CN=gate\ ,O=site | rfc2253 | [[["CN","gate "]],[["O","site"]]]
CN=\ gate,O=site | rfc2253 | [[["CN"," gate"]],[["O","site"]]]
CN=\ bridge,O=site | rfc2253 | [[["CN","\u000bridge"]],[["O","site"]]]
CN=\#7,O=site | rfc2253 | [[["CN","#7"]],[["O","site"]]]
CN=Lu\C4\8Di\C4\87,O=site | rfc2253 | [[["CN","Lu\u00c4\u008di\u00c4\u0087"]],[["O","site"]]]
OU=hall+CN=gate,O=site | rfc2253 | [[["OU","hall"],["+CN","gate"]],[["O","site"]]]
1.3.6.1.4.1.1466.0=#04024869 | rfc2253 | [[["1.3.6.1.4.1.1466.0","\u0004\u0002Hi"]]]
CN=gate,O=site | distinguishedname | [["CN=gate"], ["O=site"]]
CN=gate\, north,O=the \"blue\" site | distinguishedname | [["CN=gate, north"], ["O=the \"blue\" site"]]
CN=gate\ ,O=site | distinguishedname | [["CN=gate"], ["O=site"]]
CN=\ gate,O=site | distinguishedname | [["CN=gate"], ["O=site"]]
CN=\ bridge,O=site | distinguishedname | [["CN=bridge"], ["O=site"]]
CN=\#7,O=site | distinguishedname | [["CN=7"], ["O=site"]]
CN=Lu\C4\8Di\C4\87,O=site | distinguishedname | [["CN=Lu\u00c4\u008di\u00c4\u0087"], ["O=site"]]
OU=hall+CN=gate,O=site | distinguishedname | [["OU=hall", "CN=gate"], ["O=site"]]
1.3.6.1.4.1.1466.0=#04024869 | distinguishedname | [["1.3.6.1.4.1.1466.0=#04024869"]]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
