#!/usr/bin/env bash
# npm candied 2.2.0 decodes CAN signals of a DBC file as other values: big-endian, floating-point, multiplexed and enumerated ones.
#
# Expected (DBC file format): the start bit of a signal with byte order 0 (Motorola) is its most significant bit, so 7|16@0 are the first two bytes.
#           SIG_VALTYPE_ 1 is an IEEE float of 32 bits, 2 one of 64. A signal m1 is present if the multiplexer is 1. VAL_ names raw values, before
#           factor and offset. PyPI cantools 45.1.0 decodes so.
# Seen:     candied takes the start bit of a Motorola signal for its least significant one: 100 km/h is NaN, -2 Nm is 33 Nm. The float 21.5
#           is 1101791232. It gives all multiplexed signals of every frame, so that a temperature of -5 is also a voltage of 6548.6. It looks up
#           the names by the scaled value, so raw 2 with factor 0.5 is "one". A value above the maximum of the file is silently lowered to it.
# So:       what a CAN bridge with candied publishes raises no error, and most of the wrong values look plausible.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q cantools==45.1.0
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts candied@2.2.0 >/dev/null 2>&1

cat >car.dbc <<'TEXT'
VERSION ""

NS_ :

BS_:

BU_: ECU

BO_ 256 Motor: 8 ECU
 SG_ Speed : 7|16@0+ (0.01,0) [0|0] "km/h" ECU
 SG_ Torque : 23|8@0- (1,0) [0|0] "Nm" ECU
 SG_ Current : 24|16@1- (0.5,-10) [0|0] "A" ECU

BO_ 257 Cells: 4 ECU
 SG_ Page M : 0|8@1+ (1,0) [0|0] "" ECU
 SG_ Voltage m0 : 8|16@1+ (0.1,0) [0|0] "V" ECU
 SG_ Temperature m1 : 8|16@1- (0.1,0) [0|0] "C" ECU

BO_ 258 Oil: 8 ECU
 SG_ Pressure : 0|32@1- (1,0) [0|0] "bar" ECU
 SG_ Heat : 32|32@1- (1,0) [0|0] "C" ECU

BO_ 259 Gear: 2 ECU
 SG_ State : 0|8@1+ (0.5,0) [0|0] "" ECU
 SG_ Limited : 8|8@1+ (1,-40) [-40|100] "C" ECU

VAL_ 259 State 1 "one" 2 "two" ;
SIG_VALTYPE_ 258 Pressure : 1;
SIG_VALTYPE_ 258 Heat : 1;
TEXT
cat >frames <<'TEXT'
256 2710fef6ff000000
257 00e80300
257 01ceff00
258 0000ac41000020c1
259 02ff
TEXT
cat >try.py <<'PY'
import cantools
database = cantools.database.load_file('car.dbc')
for line in open('frames'):
    frame, data = line.split()
    values = database.decode_message(int(frame), bytes.fromhex(data))
    print('cantools', frame, *[f'{name}={value:.6g}' if isinstance(value, float) else f'{name}={value}' for name, value in values.items()])
PY
cat >try.js <<'JS'
const {Can, Dbc} = require('candied');
const fs = require('fs');
const can = new Can();
can.database = new Dbc().load(fs.readFileSync('car.dbc', 'utf8'));
for (const line of fs.readFileSync('frames', 'utf8').trim().split('\n')) {
  const [frame, data] = line.split(' ');
  const {boundSignals} = can.decode(can.createFrame(Number(frame), [...Buffer.from(data, 'hex')]));
  console.log('candied', frame, ...[...boundSignals].map(([name, {value, physValue}]) => `${name}=${name === 'State' ? physValue : Number(value.toPrecision(10))}`));
}
JS
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
cantools 256 Speed=100 Torque=-2 Current=-15
cantools 257 Page=0 Voltage=100
cantools 257 Page=1 Temperature=-5
cantools 258 Pressure=21.5 Heat=-10
cantools 259 State=two Limited=215
candied 256 Speed=NaN Torque=33 Current=-15
candied 257 Page=0 Voltage=100 Temperature=100
candied 257 Page=1 Voltage=6548.6 Temperature=-5
candied 258 Pressure=1101791232 Heat=-1054867456
candied 259 State=one Limited=100
TEXT
diff expected seen
echo "as described"
