#!/usr/bin/env bash
# Array metrics of Sparkplug 3.0 (types 22 to 34) between two libraries: npm sparkplug-payload 1.0.3 drops their value and type, PyPI
# pysparkplug 0.6.1 turns an empty array of strings into an array of one empty string.
#
# Expected: a decoder shows the value, keeps the bytes and the type, or fails; pysparkplug reads the tuple that it wrote.
# Seen:     decodePayload of sparkplug-payload gives {value: null} without a type for each array that pysparkplug encodes, exactly as for
#           an unknown metric, and throws nothing; a null metric of a known type keeps its type. In pysparkplug () comes back as ('',)
#           for StringArray, and as () for BooleanArray and Int8Array.
# So:       with sparkplug-payload, an array is indistinguishable from no value. An empty array of strings needs is_null or another type.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python >/dev/null
python/bin/pip -q install pysparkplug==0.6.1
npm init -y >/dev/null
npm install --no-audit --no-fund --silent sparkplug-payload@1.0.3 >/dev/null

cat >encode.py <<'PY'
from pysparkplug import DataType, DBirth, Metric

def encoded(datatype, value):
    return DBirth(timestamp=1, seq=0, metrics=(Metric(timestamp=1, name="a", datatype=datatype, value=value),)).encode()

cases = [
    (DataType.INT8_ARRAY, (-1, 2)),
    (DataType.BOOLEAN_ARRAY, (True, False)),
    (DataType.STRING_ARRAY, ("p", "q")),
    (DataType.INT8_ARRAY, ()),
    (DataType.BOOLEAN_ARRAY, ()),
    (DataType.STRING_ARRAY, ()),
    (DataType.INT8, None),
]
for datatype, value in cases:
    payload = encoded(datatype, value)
    print(payload.hex(), datatype.name, value, "->", DBirth.decode(payload).metrics[0].value)
PY
cat >decode.js <<'JS'
const codec = require('sparkplug-payload').get('spBv1.0');
for (const line of require('fs').readFileSync('encoded', 'utf8').trim().split('\n')) {
  const metric = codec.decodePayload(Buffer.from(line.split(' ')[0], 'hex')).metrics[0];
  console.log(`${line.split(' ').slice(1).join(' ')}; sparkplug-payload: value ${metric.value}, type ${metric.type}`);
}
JS
python/bin/python encode.py >encoded
node decode.js | tee seen
cat >expected <<'TEXT'
INT8_ARRAY (-1, 2) -> (-1, 2); sparkplug-payload: value null, type undefined
BOOLEAN_ARRAY (True, False) -> (True, False); sparkplug-payload: value null, type undefined
STRING_ARRAY ('p', 'q') -> ('p', 'q'); sparkplug-payload: value null, type undefined
INT8_ARRAY () -> (); sparkplug-payload: value null, type undefined
BOOLEAN_ARRAY () -> (); sparkplug-payload: value null, type undefined
STRING_ARRAY () -> ('',); sparkplug-payload: value null, type undefined
INT8 None -> None; sparkplug-payload: value null, type Int8
TEXT
diff expected seen
echo "sparkplug-payload 1.0.3 and pysparkplug 0.6.1: as described"
