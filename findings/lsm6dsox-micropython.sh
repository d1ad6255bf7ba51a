#!/usr/bin/env bash
# PyPI micropython-lsm6dsox 0.1.0, a driver for the motion sensor LSM6DSOX, writes the rate two bits too low, over the range, never sets the range of the rotation, and cannot read
# the temperature.
#
# Expected (STMicroelectronics LSM6DSOX data sheet) Register 10h, CTRL1_XL: bits 7 to 4, ODR_XL, are the rate, 4 for 104 Hz, 5 for 208 Hz, 1 for 12.5 Hz; bits 3 and 2, FS_XL, the
#           range, 0 for 2 g, 1 for 16 g, 2 for 4 g, 3 for 8 g, with 0.061, 0.488, 0.122 and 0.244 mg for a count. Register 11h, CTRL2_G: bits 3 and 2, FS_G, 0 for 250 degrees a
#           second with 8.75 mdps for a count, to 3 for 2000 with 70. Registers 20h and 21h: the temperature, 256 counts for a degree, 0 at 25 degrees.
# Seen:     acceleration_data_rate is written to the bits 5 to 2. A new object asks for 104 Hz and has 12.5 Hz; RATE_208_HZ makes it 16 g, measured with the factor of 4 g, so that
#           gravity is a quarter. gyro_range changes the factor alone: after RANGE_2000_DPS, rotations are eight times too fast. temperature raises TypeError.
# So:       a change of the rate changes the weight of everything.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-lsm6dsox==0.1.0 >/dev/null 2>&1

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
        self.registers[0x12] &= 0xfe  # the reset has ended

from math import degrees
from micropython_lsm6dsox import lsm6dsox

bus = Chip({0x0f: 0x6c})
chip = lsm6dsox.LSM6DSOX(bus)

def show(title, expected):
    register = bus.registers[0x10]
    counts = round(1000 / (0.061, 0.488, 0.122, 0.244)[register >> 2 & 3])
    bus.registers[0x28:0x2a] = counts.to_bytes(2, 'little')
    print(f'{title} | expected ODR_XL {expected}, FS_XL 2, 1 g | ODR_XL {register >> 4}, FS_XL {register >> 2 & 3}, {chip.acceleration[0] / 9.80665:.2f} g')

show('new object, RATE_104_HZ and RANGE_4G', 4)
for rate, expected in (('RATE_12_5_HZ', 1), ('RATE_208_HZ', 5), ('RATE_416_HZ', 6), ('RATE_833_HZ', 7)):
    chip.acceleration_data_rate = getattr(lsm6dsox, rate)
    show(rate, expected)
for expected, name in enumerate(('RANGE_250_DPS', 'RANGE_500_DPS', 'RANGE_1000_DPS', 'RANGE_2000_DPS')):
    chip.gyro_range = getattr(lsm6dsox, name)
    actual = bus.registers[0x11] >> 2 & 3
    bus.registers[0x22:0x24] = round(100_000 / (8.75, 17.5, 35, 70)[actual]).to_bytes(2, 'little')
    print(f'{name}, 100 degrees a second | expected FS_G {expected}, 100 | FS_G {actual}, {degrees(chip.gyro[0]):.0f}')
bus.registers[0x20:0x22] = (-256).to_bytes(2, 'little', signed=True)
try:
    found = chip.temperature
except TypeError as error:
    found = type(error).__name__
print(f'temperature | expected 24.0 | {found}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
new object, RATE_104_HZ and RANGE_4G | expected ODR_XL 4, FS_XL 2, 1 g | ODR_XL 1, FS_XL 2, 1.00 g
RATE_12_5_HZ | expected ODR_XL 1, FS_XL 2, 1 g | ODR_XL 0, FS_XL 1, 0.25 g
RATE_208_HZ | expected ODR_XL 5, FS_XL 2, 1 g | ODR_XL 1, FS_XL 1, 0.25 g
RATE_416_HZ | expected ODR_XL 6, FS_XL 2, 1 g | ODR_XL 1, FS_XL 2, 1.00 g
RATE_833_HZ | expected ODR_XL 7, FS_XL 2, 1 g | ODR_XL 1, FS_XL 3, 0.50 g
RANGE_250_DPS, 100 degrees a second | expected FS_G 0, 100 | FS_G 0, 100
RANGE_500_DPS, 100 degrees a second | expected FS_G 1, 100 | FS_G 0, 200
RANGE_1000_DPS, 100 degrees a second | expected FS_G 2, 100 | FS_G 0, 400
RANGE_2000_DPS, 100 degrees a second | expected FS_G 3, 100 | FS_G 0, 800
temperature | expected 24.0 | TypeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
