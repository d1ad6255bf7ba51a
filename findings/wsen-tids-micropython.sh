#!/usr/bin/env bash
# PyPI micropython-wsentids 0.1.0, a driver for the thermometer WSEN-TIDS, reports each temperature below zero as one above 327 degrees.
#
# Expected (Wuerth Elektronik WSEN-TIDS user manual, registers 06h and 07h) The temperature is a number of 16 bits in two's complement, in hundredths of a degree: FC18h is -10
#           degrees. The sensor measures from -40 to 125. Registers 02h and 03h, the limits: 63 is 0 degrees, with 64 hundredths of a degree for a count.
# Seen:     the number is taken without its sign: 10 degrees of frost are 645.36 degrees, one hundredth below zero is 655.35. Limits can be below zero, so the alarms of the chip work.
# So:       a cold room calls for help because it is too hot.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-wsentids==0.1.0 >/dev/null 2>&1

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

    def writeto_mem(self, address, register, data):
        self.registers[register:register + len(data)] = data

from micropython_wsentids import wsentids

bus = Chip({0x01: 0xa0})
chip = wsentids.WSENTIDS(bus)
for degrees in 25, 0.01, -0.01, -10, -40:
    bus.registers[6:8] = (round(degrees * 100) & 0xffff).to_bytes(2, 'little')
    print(f'temperature | expected {degrees:.2f} | {chip.temperature:.2f}')
for degrees in 25.6, 2.56, -10.24:
    chip.low_limit = degrees
    print(f'low_limit = {degrees} | expected 03h {round(degrees / 0.64) + 63} | 03h {bus.registers[3]}, read back {chip.low_limit}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
temperature | expected 25.00 | 25.00
temperature | expected 0.01 | 0.01
temperature | expected -0.01 | 655.35
temperature | expected -10.00 | 645.36
temperature | expected -40.00 | 615.36
low_limit = 25.6 | expected 03h 103 | 03h 103, read back 25
low_limit = 2.56 | expected 03h 67 | 03h 67, read back 2
low_limit = -10.24 | expected 03h 47 | 03h 47, read back -10
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
