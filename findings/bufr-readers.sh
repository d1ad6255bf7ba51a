#!/usr/bin/env bash
# Two readers of BUFR, the binary format of weather observations: PyPI bufrust 1.0.4 reads other values if a message uses an operator it leaves out,
# and pybufrkit 0.2.25 reads nothing since bitstring 5.0.0, which an installation without pins gets. Beside pybufrkit with bitstring 4.3.1.
#
# Expected (WMO-No. 306, Manual on Codes, volume I.2, FM 94 BUFR, Table C): 203YYY gives new reference values of YYY bits, until 203255, for the
#           elements after it. 204YYY puts YYY bits before each element, but not before 031021, which says what they mean. 205YYY is YYY characters,
#           206YYY the width of the local element that follows. After 221YYY, elements that are not coordinates have no data. All bits set to one mean
#           a missing value, also in the increment of a compressed message (94.6.3).
# Seen:     bufrust reads the temperature 295.15 K as 391.68, 525.26 or 167.06 after 203, 204 and 205, without an error, and rejects 206 and 221. In a
#           compressed message, the station without a cloud amount has that of the first one, "2 OKTAS", and a missing name is the number 1020.
#           pybufrkit with bitstring 5.0.0 raises AttributeError, module 'bitstring' has no attribute 'BitStream', for every message; it asks for any
#           version from 3.1.3 on.
# So:       stations with quality marks, which 204 is for, publish pressures of 776 hPa, and clouds that nobody observed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv old
old/bin/pip install -q pybufrkit==0.2.25 bitstring==4.3.1
python3 -m venv new
new/bin/pip install -q pybufrkit==0.2.25 bitstring==5.0.0 bufrust==1.0.4

cat >try.py <<'PY'
import sys

def text(characters, octets):
    return [(int.from_bytes(characters.encode().ljust(octets), 'big'), 8 * octets)]

def message(descriptors, fields, subsets=1):
    bits = ''.join(f'{value:0{width}b}' for value, width in fields)
    data = int(bits + '0' * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8, 'big')
    section1 = (22).to_bytes(3, 'big') + bytes([0, 0, 98, 0, 0, 0, 0, 0, 255, 0, 35, 0]) + (2026).to_bytes(2, 'big') + bytes([11, 30, 12, 0, 0])
    section3 = (7 + 2 * len(descriptors)).to_bytes(3, 'big') + bytes([0, 0, subsets, 0x80 | (0x40 if subsets > 1 else 0)])
    section3 += b''.join((number // 100000 << 14 | number // 1000 % 100 << 8 | number % 1000).to_bytes(2, 'big') for number in descriptors)
    rest = section1 + section3 + (4 + len(data)).to_bytes(3, 'big') + b'\0' + data + b'7777'
    return b'BUFR' + (8 + len(rest)).to_bytes(3, 'big') + b'\4' + rest

TEMPERATURE, PRESSURE = (29515, 16), (10132, 14)
CASES = [
    ('temperature and pressure', [12101, 10004], [TEMPERATURE, PRESSURE]),
    ('201, width', [201132, 12101, 201000, 10004], [(29515, 20), PRESSURE]),
    ('203, reference value -100', [203010, 12101, 203255, 12101, 203000, 12101], [(1 << 9 | 100, 10), (500, 16), TEMPERATURE]),
    ('204, quality marks', [204002, 31021, 12101, 204000, 10004], [(1, 6), (2, 2), TEMPERATURE, PRESSURE]),
    ('205, text', [205004, 12101], text('ABCD', 4) + [TEMPERATURE]),
    ('206, local element', [206012, 63250, 12101], [(77, 12), TEMPERATURE]),
    ('221, data not present', [221001, 12101, 10004], [PRESSURE]),
    ('name', [1015], text('BERLIN', 20)),
    ('name, missing', [1015], [((1 << 160) - 1, 160)]),
    ('compressed, temperature', [12101], [TEMPERATURE, (3, 6), (0, 3), (7, 3), (3, 3)], 3),
    ('compressed, cloud amount', [20011], [(2, 4), (3, 6), (0, 3), (7, 3), (3, 3)], 3),
]

def pybufrkit(data):
    from pybufrkit.decoder import Decoder
    values = Decoder().process(data).template_data.value.decoded_values_all_subsets
    return [value.decode('latin1') if isinstance(value, bytes) else value for subset in values for value in subset]

def bufrust(data):
    import bufrust
    return [value.data for value in bufrust.loads(data).decode()]

for name, *parts in CASES:
    for reader in [pybufrkit, bufrust][:len(sys.argv)]:
        try:
            found = [round(value, 5) if isinstance(value, float) else value.rstrip() if isinstance(value, str) else value for value in reader(message(*parts))]
            found = ['255 in each octet' if value == 'ÿ' * 20 else value for value in found]
        except Exception as error:
            found = [f'{type(error).__name__}: {error}']
        print(name, '|', reader.__name__, '|', *found)
PY
{
  echo "bitstring 4.3.1"
  old/bin/python try.py
  echo "bitstring 5.0.0"
  new/bin/python try.py bufrust
} | tee seen
cat >expected <<'TEXT'
bitstring 4.3.1
temperature and pressure | pybufrkit | 295.15 101320.0
201, width | pybufrkit | 295.15 101320.0
203, reference value -100 | pybufrkit | -100 4.0 295.15
204, quality marks | pybufrkit | 1 2 295.15 101320.0
205, text | pybufrkit | ABCD 295.15
206, local element | pybufrkit | 77 295.15
221, data not present | pybufrkit | 101320.0
name | pybufrkit | BERLIN
name, missing | pybufrkit | 255 in each octet
compressed, temperature | pybufrkit | 295.15 None 295.18
compressed, cloud amount | pybufrkit | 2 None 5
bitstring 5.0.0
temperature and pressure | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
temperature and pressure | bufrust | 295.15 101320.0
201, width | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
201, width | bufrust | 295.15 101320.0
203, reference value -100 | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
203, reference value -100 | bufrust | 391.68 320.28 539.52
204, quality marks | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
204, quality marks | bufrust | 0.0 4-BIT INDICATOR OF QUALITY CONTROL CLASS ACCORDING TO GTSPP 1.0 525.26 77600.0
205, text | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
205, text | bufrust | 167.06
206, local element | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
206, local element | bufrust | ValueError: descriptor 063250 was not found in Table B
221, data not present | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
221, data not present | bufrust | ValueError: csv/table parse error: not enough bits while reading section 4 at bit 16 for width 14 (16 bits available)
name | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
name | bufrust | BERLIN
name, missing | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
name, missing | bufrust | 1020.0
compressed, temperature | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
compressed, temperature | bufrust | 295.15 None 295.18
compressed, cloud amount | pybufrkit | AttributeError: module 'bitstring' has no attribute 'BitStream'
compressed, cloud amount | bufrust | 2 OKTAS 2 OKTAS 5 OKTAS
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
