#!/usr/bin/env bash
# PyPI knx-stack 0.9.2, which sends and reads values of KNX buildings, sends -20.48 degrees for a temperature of -0.0.
#
# Expected (KNX Standard 3/7/2, 3.10, 2-octet float, DPT 9): a value is 0.01 times M times 2^E, with the sign and 11 bits of M in two's complement, from -671088.64
#           on; 0 has only zeros. 7FFF is invalid data. Of a value between two steps the nearest one loses least.
# Seen:     values from -0.0 to -0.0049 set the sign and a mantissa of 0, which is -2048. 668.79 is sent as 668.16, though 668.80 can be sent. -671088.64, which it
#           reads, raises Exception when it is sent. Invalid data are 670760.96.
# So:       a thermometer whose value rounds to -0.0 starts the frost protection.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps knx-stack==0.9.2 >/dev/null 2>&1

cat >try.py <<'PY'
from knx_stack.datapointtypes import DPT_Value_Temp

def standard(word):
    mantissa = (word & 0x7ff) - (0x800 if word & 0x8000 else 0)
    return None if word == 0x7fff else round(0.01 * mantissa * 2 ** (word >> 11 & 15), 2)

for value in 21.5, 0.0, round(-0.04, 1), -0.004, -0.01, -5.0, 41.99, 668.79, -671088.64:
    sent = DPT_Value_Temp()
    try:
        sent.encode(value)
        print(f'{value} | sent {sent.value:04X}, which is {standard(sent.value)}')
    except Exception as error:
        print(f'{value} | {type(error).__name__}')
nearest = min((word for word in range(0x10000) if word != 0x7fff), key=lambda word: abs(standard(word) - 668.79))
print(f'nearest to 668.79 | {nearest:04X}, which is {standard(nearest)}')
for word in 0x0c1a, 0x87ff, 0xf800, 0x7fff:
    found = DPT_Value_Temp()
    found.value = word
    print(f'{word:04X} | expected {standard(word)} | {found.decode():.2f}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
21.5 | sent 0C33, which is 21.5
0.0 | sent 0000, which is 0.0
-0.0 | sent 8000, which is -20.48
-0.004 | sent 8000, which is -20.48
-0.01 | sent 87FF, which is -0.01
-5.0 | sent 860C, which is -5.0
41.99 | sent 1419, which is 41.96
668.79 | sent 3414, which is 668.16
-671088.64 | Exception
nearest to 668.79 | 3415, which is 668.8
0C1A | expected 21.0 | 21.00
87FF | expected -0.01 | -0.01
F800 | expected -671088.64 | -671088.64
7FFF | expected None | 670760.96
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
