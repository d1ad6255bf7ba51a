#!/usr/bin/env bash
# Three readers of COMTRADE, the records of disturbances in power grids that gateways fetch from protection relays: PyPI comtrade-io 0.3.0 reads
# floating-point records as other numbers, py3comtrade 4.2.4 cannot read most binary records, comtraderecord 1.0.2 none of 2013 or with two sampling
# rates; beside PyPI comtrade 0.2.0.
#
# Expected (IEEE C37.111-2013, IEC 60255-24:2013, Common format for transient data exchange, 7.4 and 8): the data file is ASCII, BINARY, BINARY32 or
#           FLOAT32, with analogue values of text, 16 or 32 bits or IEEE 754. Status channels come in words of 16 bits, the last one filled with zeros.
#           A record may have several sampling rates; with none, the number of rates is 0, followed by one line with the rate 0 and the last
#           sample, and the time stamps of the samples count. In a 16-bit file 8000 marks a missing value.
# Seen:     comtrade-io reads a current of 51 A in FLOAT32 as 560201729, raises an error for a record without rates, and has -16383 for a missing value.
#           py3comtrade raises an error for binary files of all kinds with three status channels, and for a record without rates. comtraderecord raises
#           one for all records of the revision of 2013 and all with two rates; without rates, it gives samples at 3, 3.5 and 4 ms the times 3, 4 and 5.
# So:       a current of 51 A is half a billion, and what is read depends on the number of status channels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q comtrade==0.2.0 comtrade-io==0.3.0 py3comtrade==4.2.4 comtraderecord==1.0.2

cat >try.py <<'PY'
import struct, warnings
warnings.simplefilter('ignore')
from comtrade import Comtrade
from comtrade_io.parser.comtrade_file import ComtradeFile as Io
from comtraderecord.pyComtrade import ComtradeFile as Record
from py3comtrade.reader.comtrade_reader import comtrade_reader
from loguru import logger
logger.remove()

TIMES = 0, 1000, 2000, 3000, 3500, 4000
CURRENTS = 100, 32767, 0, -32768, 1, 3
STATES = 1, 0, 1, 0, 1, 0

def record(kind, revision=2013, rates=((1000, 4), (2000, 6)), states=3):
    lines = [f'STATION,DEVICE,{revision}', f'{1 + states},1A,{states}D', '1,IA,A,L1,A,0.5,1.0,0,-32767,32767,1000,1,S']
    lines += [f'{number},S{number},,,0' for number in range(1, states + 1)]
    lines += ['50', str(len(rates))] + [f'{rate},{last}' for rate, last in rates or ((0, 6),)]
    lines += ['30/11/2026,12:00:00.000000', '30/11/2026,12:00:00.002000', kind, '1'] + (['0,0', '0,0'] if revision == 2013 else [])
    with open('record.cfg', 'w', newline='') as file:
        file.write('\r\n'.join(lines) + '\r\n')
    with open('record.dat', 'wb') as file:
        for number, (time, current, state) in enumerate(zip(TIMES, CURRENTS, STATES), 1):
            if kind == 'ASCII':
                file.write(','.join(map(str, (number, time, current, state, *[0] * (states - 1)))).encode() + b'\r\n')
            else:
                file.write(struct.pack(f'<II{ {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}[kind] }', number, time, current) + state.to_bytes((states + 15) // 16 * 2, 'little'))

def reference():
    found = Comtrade()
    found.load('record.cfg', 'record.dat')
    return [time * 1000 for time in found.time], found.analog[0], found.status[0]

def io():
    rows = Io.from_file('record.cfg').get_data().values.tolist()
    return [row[1] / 1000 for row in rows], [row[2] for row in rows], [row[3] for row in rows]

def py3():
    found = comtrade_reader('record.cfg')
    return None, found.analogs[0].values, found.digitals[0].values

def of_record():
    found = Record('record.cfg')
    return [(time - found.getTime()[0]) * 1000 for time in found.getTime()], found.getAnalogData(1), found.getDigitalData(1)

def numbers(values):
    return 'none' if values is None else ' '.join(f'{float(value):.10g}' for value in (round(float(value), 4) for value in values))

CASES = (('ASCII, 1999', dict(kind='ASCII', revision=1999)), ('BINARY, 1999, one rate', dict(kind='BINARY', revision=1999, rates=((1000, 6),))),
         ('BINARY, 1999, no rates', dict(kind='BINARY', revision=1999, rates=())), ('BINARY', dict(kind='BINARY')),
         ('BINARY, 16 status channels', dict(kind='BINARY', states=16)), ('BINARY32', dict(kind='BINARY32')), ('FLOAT32', dict(kind='FLOAT32')), ('BINARY, no rates', dict(kind='BINARY', rates=())))
for name, options in CASES:
    record(**options)
    for library, read in ('comtrade', reference), ('comtrade-io', io), ('py3comtrade', py3), ('comtraderecord', of_record):
        try:
            times, currents, states = read()
            print(name, '|', library, '| ms', numbers(times), '| A', numbers(currents), '| state', numbers(states))
        except Exception:
            print(name, '|', library, '| raises an error')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
ASCII, 1999 | comtrade | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
ASCII, 1999 | comtrade-io | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
ASCII, 1999 | py3comtrade | ms none | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
ASCII, 1999 | comtraderecord | raises an error
BINARY, 1999, one rate | comtrade | ms 0 1 2 3 4 5 | A 51 16384.5 1 nan 1.5 2.5 | state 1 0 1 0 1 0
BINARY, 1999, one rate | comtrade-io | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY, 1999, one rate | py3comtrade | raises an error
BINARY, 1999, one rate | comtraderecord | ms 0 1 2 3 4 5 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY, 1999, no rates | comtrade | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 nan 1.5 2.5 | state 1 0 1 0 1 0
BINARY, 1999, no rates | comtrade-io | raises an error
BINARY, 1999, no rates | py3comtrade | raises an error
BINARY, 1999, no rates | comtraderecord | ms 0 1 2 3 4 5 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY | comtrade | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 nan 1.5 2.5 | state 1 0 1 0 1 0
BINARY | comtrade-io | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY | py3comtrade | raises an error
BINARY | comtraderecord | raises an error
BINARY, 16 status channels | comtrade | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 nan 1.5 2.5 | state 1 0 1 0 1 0
BINARY, 16 status channels | comtrade-io | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY, 16 status channels | py3comtrade | ms none | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY, 16 status channels | comtraderecord | raises an error
BINARY32 | comtrade | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY32 | comtrade-io | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
BINARY32 | py3comtrade | raises an error
BINARY32 | comtraderecord | raises an error
FLOAT32 | comtrade | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 -16383 1.5 2.5 | state 1 0 1 0 1 0
FLOAT32 | comtrade-io | ms 0 1 2 3 3.5 4 | A 560201729 595590913 1 -478150655 532676609 538968065 | state 1 0 1 0 1 0
FLOAT32 | py3comtrade | raises an error
FLOAT32 | comtraderecord | raises an error
BINARY, no rates | comtrade | ms 0 1 2 3 3.5 4 | A 51 16384.5 1 nan 1.5 2.5 | state 1 0 1 0 1 0
BINARY, no rates | comtrade-io | raises an error
BINARY, no rates | py3comtrade | raises an error
BINARY, no rates | comtraderecord | raises an error
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
