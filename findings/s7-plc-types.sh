#!/usr/bin/env bash
# Two libraries that read and write the data of Siemens S7 controllers, which gateways forward over MQTT: PyPI s7datablock 0.0.2 turns numbers around
# and looks for them at the wrong place, npm @st-one-io/nodes7 1.1.2 sets the clock to other seconds.
#
# Expected (Siemens, SIMATIC S7-1200 System Manual, chapter "PLC concepts", section "Data types"; Programming with STEP 7, appendix "Data types and
#           parameter types"): INT and TIME are signed and have the high octet first. In a block with standard access a BYTE follows a BOOL in the
#           next octet, and an INT begins at an even one. The weekday of DTL and DATE_AND_TIME is 1 for Sunday to 7 for Saturday. DATE_AND_TIME is year,
#           month, day, hour, minute and second in BCD, then milliseconds in three digits, then the weekday in one.
# Seen:     s7datablock reads the INT 0001 as 256 and writes -2 as FEFF; a TIME of one second is 45 days, and a negative one raises an error, while UINT
#           and DINT are right. Sunday is 0. A BYTE after a BOOL is an octet late, an INT after a BYTE an octet early. setTime of @st-one-io/nodes7
#           puts the last digit of the milliseconds and the weekday over the seconds, which its own getTime reads back: on a Monday,
#           12:34:56.000 is 12:34:02.000.
# So:       counts are 256 times what they were, and the clock is set to other seconds, or with octets that are not BCD.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q s7datablock==0.0.2 python-snap7==3.3.0
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @st-one-io/nodes7@1.1.2 >/dev/null 2>&1

cat >try.py <<'PY'
from datetime import datetime, timedelta
from io import StringIO
from s7datablock.mapping import S7DataBlock

def block(*types):
    fields = ''.join(f'F{number} : {name};\n' for number, name in enumerate(types))
    return S7DataBlock.from_definition_file(StringIO(f'''
        TYPE "udt"
        VERSION : 0.1
        STRUCT
        {fields}
        END_STRUCT;
        END_TYPE
        DATA_BLOCK "udt"
        VERSION : 0.1
        "udt"
        BEGIN
        END_DATA_BLOCK
        '''), db_number=1)

for name, octets, value in ('Int', '0001', -2), ('UInt', '0001', 1), ('DInt', '00000001', -2), ('Time', '000003e8', timedelta(seconds=-1)), ('Time', '000003e8', timedelta(seconds=1)):
    one = block(name)
    one.buffer[:] = bytes.fromhex(octets)
    text = f's7datablock {name} {octets} is read as {one["F0"]}, {value}'
    try:
        one['F0'] = value
        print(text, 'is written as', one.buffer.hex())
    except Exception as error:
        print(text, 'raises an error')
one = block('DTL')
one['F0'] = datetime(2026, 11, 29, 12, 34, 56)
print('s7datablock Sunday has the weekday', one['F0.WEEKDAY'])
for types in ('Bool', 'Byte'), ('Byte', 'Int'):
    print('s7datablock', *types, 'begin at', *[field.offset for field in block(*types).mapping.values()])
PY
cat >try.js <<'JS'
const { S7Connection } = require('@st-one-io/nodes7');
(async () => {
  let sent;
  const plc = { sendUserData: async (area, what, data) => data ? (sent = data) : sent };
  for (const date of [new Date(2026, 10, 30, 12, 34, 56), new Date(2026, 10, 29, 12, 34, 56, 789)]) {
    await S7Connection.prototype.setTime.call(plc, date);
    const back = await S7Connection.prototype.getTime.call(plc);
    const show = (time) => `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, '0')}`;
    console.log('@st-one-io/nodes7', show(date), 'is written as', sent.toString('hex'), 'and read as', show(back));
  }
})();
JS
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
s7datablock Int 0001 is read as 256, -2 is written as feff
s7datablock UInt 0001 is read as 1, 1 is written as 0001
s7datablock DInt 00000001 is read as 1, -2 is written as fffffffe
s7datablock Time 000003e8 is read as 45 days, 1:15:10.720000, -1 day, 23:59:59 raises an error
s7datablock Time 000003e8 is read as 45 days, 1:15:10.720000, 0:00:01 is written as e8030000
s7datablock Sunday has the weekday 0
s7datablock Bool Byte begin at 0 2
s7datablock Byte Int begin at 0 1
@st-one-io/nodes7 12:34:56.000 is written as 00202611301234020000 and read as 12:34:02.000
@st-one-io/nodes7 12:34:56.789 is written as 00202611291234e57800 and read as 12:36:25.780
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
