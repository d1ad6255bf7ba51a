#!/usr/bin/env bash
# npm sparkplug-payload 1.0.3 cannot decode a DataSet that it encoded itself, if a column is Int8, Int16, Int32 or DateTime.
#
# Expected: decodePayload(encodePayload(x)) gives x, for every column type that encodePayload accepts.
# Seen:     columns of String, UInt32, Int64, Float and Boolean come back; for Int8, Int16, Int32 and DateTime decodePayload throws
#           `Invalid DataSetValue`, although the encoded value is present and correct on the wire (int_value or long_value, as the
#           Sparkplug B specification demands). The same values as plain metrics are decoded.
# So:       a device can publish such a DataSet with this library, and no subscriber with this library can read it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund sparkplug-payload@1.0.3 >/dev/null

cat >try.js <<'JS'
const codec = require('sparkplug-payload').get('spBv1.0');
const values = {Int8: 1, Int16: 1, Int32: -5, DateTime: 1700000000000, String: 'q', UInt32: 7, Int64: 5, Float: 0.5, Boolean: false};
for (const [type, value] of Object.entries(values)) {
  const set = {numOfColumns: 1, types: [type], columns: ['c'], rows: [[value]]};
  const bytes = codec.encodePayload({timestamp: 1, seq: 0, metrics: [{name: 'a', type: 'DataSet', value: set}]});
  let outcome;
  try { codec.decodePayload(bytes); outcome = 'decoded'; } catch (error) { outcome = error.message; }
  console.log(type, outcome);
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
Int8 Invalid DataSetValue: {"intValue":1}
Int16 Invalid DataSetValue: {"intValue":1}
Int32 Invalid DataSetValue: {"intValue":4294967291}
DateTime Invalid DataSetValue: {"longValue":"1700000000000"}
String decoded
UInt32 decoded
Int64 decoded
Float decoded
Boolean decoded
TEXT
diff expected seen
echo "sparkplug-payload 1.0.3: as described"
