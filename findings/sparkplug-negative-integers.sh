#!/usr/bin/env bash
# Negative Sparkplug integers do not survive between libraries: PyPI pysparkplug 0.6.1, PyPI tahutils 0.1.11, npm sparkplug-payload 1.0.3.
#
# Expected: Int8 -1, Int16 -2, Int32 -5 and Int64 -7 arrive as such with every pair of encoder and decoder: all write two's complement
#           into the unsigned protobuf fields, and the datatype in the metric says how to read them.
# Seen:     Int8 and Int16 are written in two lengths: the Python libraries write 8 and 16 bits (255, 65534), sparkplug-payload 32 bits
#           (4294967295, 4294967294). sparkplug-payload reads the short form as 255 and 65534; pysparkplug raises OverflowError at the
#           long form; tahutils returns the unsigned field for every type, also for its own payloads.
# So:       a temperature of -1 as Int8 from a Python device is 255 in a Node.js application. A decoder must take both lengths, by the
#           lowest 8 or 16 bits; a device that sends Int32 or Int64 is safe with sparkplug-payload.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv pysparkplug >/dev/null
pysparkplug/bin/pip -q install pysparkplug==0.6.1
python3 -m venv tahutils >/dev/null
tahutils/bin/pip -q install tahutils==0.1.11 protobuf==4.25.9
npm init -y >/dev/null
npm install --no-audit --no-fund --silent sparkplug-payload@1.0.3 >/dev/null

cat >pysparkplug.py <<'PY'
import sys
from pysparkplug import DataType, DBirth, Metric

VALUES = {"INT8": -1, "INT16": -2, "INT32": -5, "INT64": -7}
if sys.argv[1] == "encode":
    for name, value in VALUES.items():
        metric = Metric(timestamp=1, name="a", datatype=DataType[name], value=value)
        print(DBirth(timestamp=1, seq=0, metrics=(metric,)).encode().hex())
else:
    for line in sys.stdin.read().split():
        try:
            print(DBirth.decode(bytes.fromhex(line)).metrics[0].value, end=" ")
        except OverflowError:
            print("OverflowError", end=" ")
PY
cat >tahutils.py <<'PY'
import sys
sys.path.pop(0)
from tahutils import MetricDataType, parse
from tahutils.tahu import sparkplug_b, sparkplug_b_pb2

VALUES = {"Int8": -1, "Int16": -2, "Int32": -5, "Int64": -7}
if sys.argv[1] == "encode":
    for name, value in VALUES.items():
        payload = sparkplug_b_pb2.Payload(timestamp=1, seq=0)
        sparkplug_b.addMetric(payload, "a", None, getattr(MetricDataType, name), value, 1)
        print(payload.SerializeToString().hex())
else:
    for line in sys.stdin.read().split():
        payload = sparkplug_b_pb2.Payload()
        payload.ParseFromString(bytes.fromhex(line))
        print(parse.parse_payload_to_metric_list(payload)[0].value, end=" ")
PY
cat >payload.js <<'JS'
const codec = require('sparkplug-payload').get('spBv1.0');
const values = {Int8: -1, Int16: -2, Int32: -5, Int64: -7};
if (process.argv[2] === 'encode') {
  for (const [type, value] of Object.entries(values)) {
    const payload = {timestamp: 1, seq: 0, metrics: [{name: 'a', type, value, timestamp: 1}]};
    console.log(Buffer.from(codec.encodePayload(payload)).toString('hex'));
  }
} else {
  const lines = require('fs').readFileSync(0, 'utf8').trim().split('\n');
  console.log(lines.map((line) => String(codec.decodePayload(Buffer.from(line, 'hex')).metrics[0].value)).join(' '));
}
JS
mv pysparkplug.py first.py
mv tahutils.py second.py
run() {
  case $1 in
    pysparkplug) pysparkplug/bin/python first.py "$2" ;;
    tahutils) tahutils/bin/python second.py "$2" ;;
    sparkplug-payload) node payload.js "$2" ;;
  esac
}
for encoder in pysparkplug tahutils sparkplug-payload; do
  run $encoder encode >encoded
  for decoder in pysparkplug tahutils sparkplug-payload; do
    echo "$encoder -> $decoder:" $(run $decoder decode <encoded)
  done
done | tee seen
cat >expected <<'TEXT'
pysparkplug -> pysparkplug: -1 -2 -5 -7
pysparkplug -> tahutils: 255 65534 4294967291 18446744073709551609
pysparkplug -> sparkplug-payload: 255 65534 -5 -7
tahutils -> pysparkplug: -1 -2 -5 -7
tahutils -> tahutils: 255 65534 4294967291 18446744073709551609
tahutils -> sparkplug-payload: 255 65534 -5 -7
sparkplug-payload -> pysparkplug: OverflowError OverflowError -5 -7
sparkplug-payload -> tahutils: 4294967295 4294967294 4294967291 18446744073709551609
sparkplug-payload -> sparkplug-payload: -1 -2 -5 -7
TEXT
diff expected seen
echo "pysparkplug 0.6.1, tahutils 0.1.11, sparkplug-payload 1.0.3: as described"
