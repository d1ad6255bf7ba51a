#!/usr/bin/env bash
# npm knx 2.5.4 and knxultimate 5.4.0, which bridges between KNX and MQTT use, read and write KNX values as other values.
#
# Expected (KNX Standard 3/7/2, Datapoint Types): 7FFF of a 2-octet float (DPT 9) is invalid data; its numbers are N times 0.01 with N from -2048 to
#           2047, times a power of two. DPT 8.010 counts 0.01 percent. In octet 7 of DPT 19.001, bit 7 is a fault of the clock, bit 1 marks the time
#           as invalid, bit 4 the year. The zero octets after the text of DPT 16 are padding. DPT 10 may have a day of the week, 1 for Monday. PyPI
#           xknx 4.0.0 agrees in all points.
# Seen:     both read 7FFF as 670760.96, 100 percent of 8.010 as 10000, a faulty clock, an invalid time and an invalid year as a full date and time,
#           and KNX as a text of 14 characters. They write 50 percent of 8.010 as 0.5 percent, -671088.64 as 10.24, and 1.15 as 1.14, like 288 of
#           the 4094 numbers from -20.47 to 20.46. knxultimate writes the present day of the week for 3/12:30:05.
# So:       a broken sensor reports 670760.96 degrees, the time of a faulty clock is believed, and a set point that is read, sent on and written
#           back becomes 1.15, 1.14, 1.13, 1.12.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export TZ=UTC
python3 -m venv env
env/bin/pip install -q xknx==4.0.0
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts knx@2.5.4 knxultimate@5.4.0 >/dev/null 2>&1

cat >cases.json <<'JSON'
{"read": [["9.001", "7fff"], ["9.001", "0c1a"], ["8.010", "2710"], ["19.001", "7e0b1df41e2d0000"], ["19.001", "7e0b1df41e2d8000"],
  ["19.001", "7e0b1de000000200"], ["19.001", "000b1df41e2d1000"], ["16.000", "4b4e580000000000000000000000"]],
 "write": [["9", 21.5], ["9", 1.15], ["9", 0.29], ["9", -0.29], ["9", -671088.64], ["8.010", 50]]}
JSON
cat >try.py <<'PY'
import json
from xknx.dpt import DPTArray, DPTBase
from xknx.dpt.dpt_9 import DPT2ByteFloat
cases = json.load(open('cases.json'))

def attempt(action):
    try:
        return action()
    except Exception as error:
        return type(error).__name__

def plain(value):
    if hasattr(value, 'as_dict'):
        return ' '.join(f'{name}={part}' for name, part in value.as_dict().items() if part not in (None, False))
    return value

def transcoder(name):
    return DPT2ByteFloat if name == '9' else DPTBase.parse_transcoder(name)

for name, data in cases['read']:
    print('xknx', 'read', name, data, attempt(lambda: plain(transcoder(name).from_knx(DPTArray(tuple(bytes.fromhex(data)))))))
for name, value in cases['write']:
    print('xknx', 'write', name, value, attempt(lambda: bytes(transcoder(name).to_knx(value).value).hex()))
PY
cat >try.js <<'JS'
const cases = require('./cases.json');
for (const [name, library] of [['knx', require('knx/src/dptlib')], ['knxultimate', require('knxultimate').dptlib]]) {
  const read = (type, data) => library.fromBuffer(data, library.resolve(type));
  const write = (type, value) => { const apdu = {}; library.populateAPDU(value, apdu, type); return apdu.data; };
  const plain = (value) => value instanceof Date ? value.toISOString() : JSON.stringify(value);
  for (const [type, data] of cases.read) console.log(name, 'read', type, data, plain(read(type, Buffer.from(data, 'hex'))));
  for (const [type, value] of cases.write) {
    const data = write(type, value);
    console.log(name, 'write', type, value, data.toString('hex'), 'which is', plain(read(type, data)));
  }
  let changed = 0;
  for (let n = -2047; n <= 2046; n++) changed += Math.abs(read('9', write('9', n / 100)) - n / 100) > 0.001;
  console.log(name, 'changed', changed, 'of 4094');
  const today = (new Date().getUTCDay() + 6) % 7 + 1, other = today % 7 + 1;
  const day = write('10.001', `${other}/12:30:05`)[0] >> 5;
  console.log(name, 'day of the week', day === other ? 'as given' : day === today ? 'of today' : day);
}
JS
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
xknx read 9.001 7fff ConversionError
xknx read 9.001 0c1a 21.0
xknx read 8.010 2710 100.0
xknx read 19.001 7e0b1df41e2d0000 year=2026 month=11 day=29 hour=20 minutes=30 seconds=45 day_of_week=sunday
xknx read 19.001 7e0b1df41e2d8000 year=2026 month=11 day=29 hour=20 minutes=30 seconds=45 day_of_week=sunday fault=True
xknx read 19.001 7e0b1de000000200 year=2026 month=11 day=29 day_of_week=sunday
xknx read 19.001 000b1df41e2d1000 month=11 day=29 hour=20 minutes=30 seconds=45 day_of_week=sunday
xknx read 16.000 4b4e580000000000000000000000 KNX
xknx write 9 21.5 0c33
xknx write 9 1.15 0073
xknx write 9 0.29 001d
xknx write 9 -0.29 87e3
xknx write 9 -671088.64 f800
xknx write 8.010 50 1388
knx read 9.001 7fff 670760.96
knx read 9.001 0c1a 21
knx read 8.010 2710 10000
knx read 19.001 7e0b1df41e2d0000 2026-11-29T20:30:45.000Z
knx read 19.001 7e0b1df41e2d8000 2026-11-29T20:30:45.000Z
knx read 19.001 7e0b1de000000200 2026-11-29T00:00:00.000Z
knx read 19.001 000b1df41e2d1000 1900-11-29T20:30:45.000Z
knx read 16.000 4b4e580000000000000000000000 "KNX\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000"
knx write 9 21.5 0c33 which is 21.5
knx write 9 1.15 0072 which is 1.14
knx write 9 0.29 001c which is 0.28
knx write 9 -0.29 87e4 which is -0.28
knx write 9 -671088.64 0400 which is 10.24
knx write 8.010 50 0032 which is 50
knx changed 288 of 4094
knx day of the week as given
knxultimate read 9.001 7fff 670760.96
knxultimate read 9.001 0c1a 21
knxultimate read 8.010 2710 10000
knxultimate read 19.001 7e0b1df41e2d0000 2026-11-29T20:30:45.000Z
knxultimate read 19.001 7e0b1df41e2d8000 2026-11-29T20:30:45.000Z
knxultimate read 19.001 7e0b1de000000200 2026-11-29T00:00:00.000Z
knxultimate read 19.001 000b1df41e2d1000 1900-11-29T20:30:45.000Z
knxultimate read 16.000 4b4e580000000000000000000000 "KNX\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000"
knxultimate write 9 21.5 0c33 which is 21.5
knxultimate write 9 1.15 0072 which is 1.14
knxultimate write 9 0.29 001c which is 0.28
knxultimate write 9 -0.29 87e4 which is -0.28
knxultimate write 9 -671088.64 0400 which is 10.24
knxultimate write 8.010 50 0032 which is 50
knxultimate changed 288 of 4094
knxultimate day of the week of today
TEXT
diff expected seen
echo "as described"
