#!/usr/bin/env bash
# PyPI micropython-mmc5983 0.1.0, a driver for the magnetometer MMC5983MA, swaps the octets of the field, scales it by an eighth, and loses the last bits of the third axis.
#
# Expected (MEMSIC MMC5983MA data sheet, "Register map") Registers 00h, 02h and 04h have the bits 17 to 10 of X, Y and Z, 01h, 03h and 05h the bits 9 to 2, and 06h the bits 1 and 0
#           of X, Y and Z in the bits 7 and 6, 5 and 4, 3 and 2. Without a field the number is 131072; 16384 counts are 1 gauss, which is 100 microteslas.
# Seen:     the two octets are taken with the low one first. Fields of 0, 100 and -50 are all -99.6 microteslas, as magnetic calls its unit. Where both octets are the same, so that
#           their order does not matter, 141.2 microteslas are 17.6. The last two bits of Z are always 0.
# So:       a compass shows the same direction wherever it is turned.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-mmc5983==0.1.0 >/dev/null 2>&1

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

from micropython_mmc5983 import mmc5983

# The control registers hold the values of a chip that measures once a second.
bus = Chip({0x2f: 0x30, 0x0b: 9})
chip = mmc5983.MMC5983(bus)
def field(x, y, z):
    bus.registers[0:6] = b''.join((count >> 2).to_bytes(2, 'big') for count in (x, y, z))
    bus.registers[6] = (x & 3) << 6 | (y & 3) << 4 | (z & 3) << 2
for counts in 131072, 131072 + 16384, 131072 - 8192, 0x9696 << 2:
    field(counts, counts, counts)
    print(f'{counts} counts | expected {(counts - 131072) / 163.84:.1f} uT | {chip.magnetic[0]:.1f} uT')
last = []
for counts in 131072, 131075:
    field(counts, counts, counts)
    last.append(chip.magnetic)
for axis, low, high in zip('XYZ', *last):
    print(f'{axis} | 3 counts more | expected 0.018 uT | {high - low:.4f} uT')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
131072 counts | expected 0.0 uT | -99.6 uT
147456 counts | expected 100.0 uT | -99.6 uT
122880 counts | expected -50.0 uT | -99.6 uT
154200 counts | expected 141.2 uT | 17.6 uT
X | 3 counts more | expected 0.018 uT | 0.0023 uT
Y | 3 counts more | expected 0.018 uT | 0.0023 uT
Z | 3 counts more | expected 0.018 uT | 0.0000 uT
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
