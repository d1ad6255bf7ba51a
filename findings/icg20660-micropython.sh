#!/usr/bin/env bash
# PyPI micropython-icg20660 0.1.0, a driver for the motion sensor ICG-20660, sets the range of the rotation in another register, where it turns on a mark for camera frames, and
# measures rotations up to four times too fast.
#
# Expected (TDK InvenSense ICG-20660 data sheet, register map) Register 1Bh, GYRO_CONFIG: bits 4 and 3, FS_SEL, are the range, 0 for 125, 1 for 250, 2 for 500 degrees a second,
#           with 262, 131 and 65.5 counts for one. Register 1Ah, CONFIG: bits 5 to 3, EXT_SYNC_SET, replace the last bit of a measurement by the state of the pin FSYNC, 1 that of
#           the temperature, 2 that of the rotation around X.
# Seen:     gyro_full_scale is written to 1Ah. The chip stays at 125 degrees a second, the driver divides by the factor of the new range, and for 500 the last bit of X is the pin.
# So:       100 degrees a second are 400, and everything above 125 is cut off.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-icg20660==0.1.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)

class Chip:
    """A bus of MicroPython (machine.I2C) with one chip that has these registers."""
    def __init__(self, registers):
        self.registers = bytearray(256)
        for register, value in registers.items():
            self.registers[register] = value

    def readfrom_mem(self, address, register, count):
        return bytes(self.registers[register:register + count])

    def readfrom_mem_into(self, address, register, buffer):
        buffer[:] = self.registers[register:register + len(buffer)]

    def writeto_mem(self, address, register, data):
        self.registers[register:register + len(data)] = data

from math import degrees
from micropython_icg20660 import icg20660

bus = Chip({0x75: 0x91})
chip = icg20660.ICG20660(bus)
for expected, name in enumerate(('FS_125_DPS', 'FS_250_DPS', 'FS_500_DPS')):
    chip.gyro_full_scale = getattr(icg20660, name)
    actual = bus.registers[0x1b] >> 3 & 3
    bus.registers[0x43:0x45] = round(100 * (262, 131, 65.5)[actual]).to_bytes(2, 'big')
    print(f'{name}, 100 degrees a second | expected FS_SEL {expected}, EXT_SYNC_SET 0, 100 | FS_SEL {actual}, EXT_SYNC_SET {bus.registers[0x1a] >> 3 & 7}, {degrees(chip.gyro[0]):.0f}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
FS_125_DPS, 100 degrees a second | expected FS_SEL 0, EXT_SYNC_SET 0, 100 | FS_SEL 0, EXT_SYNC_SET 0, 100
FS_250_DPS, 100 degrees a second | expected FS_SEL 1, EXT_SYNC_SET 0, 100 | FS_SEL 0, EXT_SYNC_SET 1, 200
FS_500_DPS, 100 degrees a second | expected FS_SEL 2, EXT_SYNC_SET 0, 100 | FS_SEL 0, EXT_SYNC_SET 2, 400
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
