#!/usr/bin/env bash
# Two drivers for thermometers that have alarms for frost cannot set them: PyPI micropython-adt7410 0.2.0 and micropython-tmp117 0.2.2 raise OverflowError for each limit below
# zero, beside micropython-pct2075 0.1.0.
#
# Expected (data sheets: Analog Devices ADT7410, registers 04h to 09h; Texas Instruments TMP117, registers 02h, 03h and 07h; NXP PCT2075, Tos and Thyst) The limits and the offset
#           are two's complement, as the temperature is: -10 degrees are FB00h with 128 counts for a degree, and F600h in the PCT2075 with 256.
# Seen:     limits and offsets above zero are written; below zero, OverflowError, though the packages say that -55 or -256 degrees are valid. What the chip has already reads back
#           right. The driver of the same author for the PCT2075 is right.
# So:       a device that must not freeze has no alarm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-adt7410==0.2.0 micropython-tmp117==0.2.2 micropython-pct2075==0.1.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)

class Words:
    """A bus of MicroPython with one chip of registers of 16 bits."""
    def __init__(self, **registers):
        self.registers = {int(name[1:], 16): value for name, value in registers.items()}

    def readfrom_mem(self, address, register, count):
        return self.registers.get(register, 0).to_bytes(2, 'big')[-count:]

    def writeto_mem(self, address, register, data):
        self.registers[register] = int.from_bytes(data, 'big')

from micropython_adt7410 import adt7410
from micropython_pct2075 import pct2075
from micropython_tmp117 import tmp117

CHIPS = (('adt7410', adt7410.ADT7410(Words(r0b=0xcb)), 'low_temperature', 6, 128),
         ('tmp117', tmp117.TMP117(Words(r0f=0x117, r01=0x2220)), 'low_limit', 3, 128), ('tmp117', tmp117.TMP117(Words(r0f=0x117, r01=0x2220)), 'temperature_offset', 7, 128),
         ('pct2075', pct2075.PCT2075(Words()), 'high_temperature_threshold', 3, 256))
for name, chip, setting, register, factor in CHIPS:
    for limit in 10, -10:
        try:
            setattr(chip, setting, limit)
            found = f'{chip._i2c.registers[register]:04X}'
        except OverflowError as error:
            found = type(error).__name__
        print(f'{name} | {setting} = {limit} | expected {limit * factor & 0xffff:04X} | {found}')
    chip._i2c.registers[register] = -10 * factor & 0xffff
    print(f'{name} | {setting} of a chip that has -10 | {getattr(chip, setting)}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
adt7410 | low_temperature = 10 | expected 0500 | 0500
adt7410 | low_temperature = -10 | expected FB00 | OverflowError
adt7410 | low_temperature of a chip that has -10 | -10
tmp117 | low_limit = 10 | expected 0500 | 0500
tmp117 | low_limit = -10 | expected FB00 | OverflowError
tmp117 | low_limit of a chip that has -10 | -10.0
tmp117 | temperature_offset = 10 | expected 0500 | 0500
tmp117 | temperature_offset = -10 | expected FB00 | OverflowError
tmp117 | temperature_offset of a chip that has -10 | -10.0
pct2075 | high_temperature_threshold = 10 | expected 0A00 | 0A00
pct2075 | high_temperature_threshold = -10 | expected F600 | F600
pct2075 | high_temperature_threshold of a chip that has -10 | -10.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
