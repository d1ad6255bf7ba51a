#!/usr/bin/env bash
# Two JavaScript libraries for the Electronic Product Codes of RFID tags, which RFID readers publish over MQTT: npm epc-tds 1.4.1 writes escape sequences
# into the tag and invents a digit, node-epc 0.1.1 gives URIs of no form and drops leading zeros, beside PyPI epcpy 0.1.8.
#
# Expected (GS1 EPC Tag Data Standard 1.13): a pure identity URI begins with urn:epc:id: and the scheme, a tag URI with urn:epc:tag:, the scheme with
#           its length, such as sgtin-96, and the filter (6.3, 12.3.1). Serial references have a fixed number of digits (6.3.2). With a company
#           prefix of twelve digits the location reference and the asset type are empty (6.3.3, 6.3.4). A slash in a serial number is %2F in the URI and
#           one character of seven bits in the tag (6.3.1, 14.3.2, appendix A). Leading zeros of a coupon's serial component count (14.3.6). The
#           hexadecimal numbers of SGTIN-198 and SGCN-96 below are those of appendix E.
# Seen:     epc-tds writes 32a%2Fb as seven characters, and reads 32a/b without escaping it; 04711 is written as 4711. It puts a 0 where the location
#           reference or the asset type is empty, and cannot write such a URI. node-epc gives urn:epc:tag:sgtin: without length and filter, drops the
#           zeros of a serial reference, and invents the same 0.
# So:       systems that compare identifiers from two readers do not find the goods, and tags get serial numbers that nobody assigned.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q epcpy==0.1.8
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts epc-tds@1.4.1 node-epc@0.1.1 >/dev/null 2>&1

cat >tags <<'TEXT'
urn:epc:tag:sgtin-96:3.0614141.812345.6789 3074257BF7194E4000001A85
urn:epc:tag:sscc-96:3.0614141.0000000007 3174257BF400000007000000
urn:epc:tag:sgln-96:1.614141123452..400 32223BF6A76DF00000000190
urn:epc:tag:grai-96:1.614141123452..5678 33223BF6A76DF0000000162E
urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb 3674257BF6B7A659B2C2BF1000000000000000000000000000
urn:epc:tag:sgcn-96:3.4012345.67890.04711 3F74F4E4E612640000019907
TEXT
cat >try.py <<'PY'
from epcpy import hex_to_tag_encodable, tag_uri_to_tag_encodable
for line in open('tags'):
    uri, tag = line.split()
    print('epcpy', uri, '|', hex_to_tag_encodable(tag).epc_uri, '|', tag_uri_to_tag_encodable(uri).epc_uri)
PY
cat >try.js <<'JS'
const fs = require('fs');
const tds = require('epc-tds');
const epc = require('node-epc');
const attempt = (work) => { try { return work(); } catch (error) { return 'raises an error'; } };
(async () => {
  for (const line of fs.readFileSync('tags', 'utf8').trim().split('\n')) {
    const [uri, tag] = line.split(' ');
    console.log('epc-tds', uri, '| read', attempt(() => tds.valueOf(tag).toTagURI()), attempt(() => tds.valueOf(tag).toIdURI()), '| written', attempt(() => tds.fromTagURI(uri).toHexString()));
    if (tag.length === 24 && !uri.includes('sgcn')) console.log('node-epc', uri, '|', await (await epc.parse(tag)).getUri(tag));
  }
})();
JS
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
epcpy urn:epc:tag:sgtin-96:3.0614141.812345.6789 | urn:epc:id:sgtin:0614141.812345.6789 | urn:epc:id:sgtin:0614141.812345.6789
epcpy urn:epc:tag:sscc-96:3.0614141.0000000007 | urn:epc:id:sscc:0614141.0000000007 | urn:epc:id:sscc:0614141.0000000007
epcpy urn:epc:tag:sgln-96:1.614141123452..400 | urn:epc:id:sgln:614141123452..400 | urn:epc:id:sgln:614141123452..400
epcpy urn:epc:tag:grai-96:1.614141123452..5678 | urn:epc:id:grai:614141123452..5678 | urn:epc:id:grai:614141123452..5678
epcpy urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb | urn:epc:id:sgtin:0614141.712345.32a%2Fb | urn:epc:id:sgtin:0614141.712345.32a%2Fb
epcpy urn:epc:tag:sgcn-96:3.4012345.67890.04711 | urn:epc:id:sgcn:4012345.67890.04711 | urn:epc:id:sgcn:4012345.67890.04711
epc-tds urn:epc:tag:sgtin-96:3.0614141.812345.6789 | read urn:epc:tag:sgtin-96:3.0614141.812345.6789 urn:epc:id:sgtin:0614141.812345.6789 | written 3074257BF7194E4000001A85
node-epc urn:epc:tag:sgtin-96:3.0614141.812345.6789 | urn:epc:tag:sgtin:0614141.812345.6789
epc-tds urn:epc:tag:sscc-96:3.0614141.0000000007 | read urn:epc:tag:sscc-96:3.0614141.0000000007 urn:epc:id:sscc:0614141.0000000007 | written 3174257BF400000007000000
node-epc urn:epc:tag:sscc-96:3.0614141.0000000007 | urn:epc:tag:sscc:0614141.7
epc-tds urn:epc:tag:sgln-96:1.614141123452..400 | read urn:epc:tag:sgln-96:1.614141123452.0.400 urn:epc:id:sgln:614141123452.0.400 | written raises an error
node-epc urn:epc:tag:sgln-96:1.614141123452..400 | urn:epc:tag:sgln:614141123452.0.400
epc-tds urn:epc:tag:grai-96:1.614141123452..5678 | read urn:epc:tag:grai-96:1.614141123452.0.5678 urn:epc:id:grai:614141123452.0.5678 | written raises an error
node-epc urn:epc:tag:grai-96:1.614141123452..5678 | urn:epc:tag:grai:614141123452.0.5678
epc-tds urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb | read urn:epc:tag:sgtin-198:3.0614141.712345.32a/b urn:epc:id:sgtin:0614141.712345.32a/b | written 3674257BF6B7A659B2C295946C400000000000000000000000
epc-tds urn:epc:tag:sgcn-96:3.4012345.67890.04711 | read urn:epc:tag:sgcn-96:3.4012345.67890.04711 urn:epc:id:sgcn:4012345.67890.04711 | written 3F74F4E4E612640000003977
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
