#!/usr/bin/env bash
# PyPI micropython-mma8451 0.1.0, a driver for the accelerometer MMA8451, sets other rates than it is told, and moves the X axis instead of setting the cutoff of the filter.
#
# Expected (NXP MMA8451Q data sheet) Register 2Ah, CTRL_REG1: bits 5 to 3, DR, are the rate, 0 for 800 Hz to 7 for 1.56 Hz; bit 1, F_READ, 6 and 7, ASLP_RATE, are others. Register
#           0Fh, HP_FILTER_CUTOFF: bits 1 and 0, SEL. Register 2Fh, OFF_X: a correction that the chip adds to X, 2 mg for each count.
# Seen:     the rate is written one bit too high, on to ASLP_RATE: 400 Hz become 200 Hz, 100 Hz 6.25 Hz, 50 Hz 800 Hz, with another rate for sleep. The cutoff is written to 2Fh, so
#           that X is moved by 2, 4 or 6 mg and the filter stays as it is. The driver for the sister chip MMA8452Q, micropython-mma8452q 0.1.0, is right.
# So:       a tilt meter leans by a third of a degree as soon as its filter is set.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-mma8451==0.1.0 micropython-mma8452q==0.1.0 >/dev/null 2>&1

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

from micropython_mma8451 import mma8451
from micropython_mma8452q import mma8452q

RATES = 'DATARATE_800HZ', 'DATARATE_400HZ', 'DATARATE_200HZ', 'DATARATE_100HZ', 'DATARATE_50HZ', 'DATARATE_12_5HZ', 'DATARATE_6_25HZ', 'DATARATE_1_56HZ'
for name, module, class_name, identity in ('mma8452q', mma8452q, 'MMA8452Q', 0x2a), ('mma8451', mma8451, 'MMA8451', 0x1a):
    bus = Chip({0x0d: identity})
    chip = getattr(module, class_name)(bus)
    for expected, rate in enumerate(RATES):
        bus.registers[0x2a] = 1
        chip.data_rate = getattr(module, rate)
        register = bus.registers[0x2a]
        print(f'{name} | {rate} | expected {expected} | 2Ah: {register >> 3 & 7}, bits 7 and 6: {register >> 6}')
    for expected, cutoff in enumerate(('CUTOFF_16HZ', 'CUTOFF_8HZ', 'CUTOFF_4HZ', 'CUTOFF_2HZ')):
        chip.high_pass_filter_cutoff = getattr(module, cutoff)
        print(f'{name} | {cutoff} | expected 0Fh {expected}, 2Fh 0 | 0Fh {bus.registers[0x0f]}, 2Fh {bus.registers[0x2f]}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
mma8452q | DATARATE_800HZ | expected 0 | 2Ah: 0, bits 7 and 6: 0
mma8452q | DATARATE_400HZ | expected 1 | 2Ah: 1, bits 7 and 6: 0
mma8452q | DATARATE_200HZ | expected 2 | 2Ah: 2, bits 7 and 6: 0
mma8452q | DATARATE_100HZ | expected 3 | 2Ah: 3, bits 7 and 6: 0
mma8452q | DATARATE_50HZ | expected 4 | 2Ah: 4, bits 7 and 6: 0
mma8452q | DATARATE_12_5HZ | expected 5 | 2Ah: 5, bits 7 and 6: 0
mma8452q | DATARATE_6_25HZ | expected 6 | 2Ah: 6, bits 7 and 6: 0
mma8452q | DATARATE_1_56HZ | expected 7 | 2Ah: 7, bits 7 and 6: 0
mma8452q | CUTOFF_16HZ | expected 0Fh 0, 2Fh 0 | 0Fh 0, 2Fh 0
mma8452q | CUTOFF_8HZ | expected 0Fh 1, 2Fh 0 | 0Fh 1, 2Fh 0
mma8452q | CUTOFF_4HZ | expected 0Fh 2, 2Fh 0 | 0Fh 2, 2Fh 0
mma8452q | CUTOFF_2HZ | expected 0Fh 3, 2Fh 0 | 0Fh 3, 2Fh 0
mma8451 | DATARATE_800HZ | expected 0 | 2Ah: 0, bits 7 and 6: 0
mma8451 | DATARATE_400HZ | expected 1 | 2Ah: 2, bits 7 and 6: 0
mma8451 | DATARATE_200HZ | expected 2 | 2Ah: 4, bits 7 and 6: 0
mma8451 | DATARATE_100HZ | expected 3 | 2Ah: 6, bits 7 and 6: 0
mma8451 | DATARATE_50HZ | expected 4 | 2Ah: 0, bits 7 and 6: 1
mma8451 | DATARATE_12_5HZ | expected 5 | 2Ah: 2, bits 7 and 6: 1
mma8451 | DATARATE_6_25HZ | expected 6 | 2Ah: 4, bits 7 and 6: 1
mma8451 | DATARATE_1_56HZ | expected 7 | 2Ah: 6, bits 7 and 6: 1
mma8451 | CUTOFF_16HZ | expected 0Fh 0, 2Fh 0 | 0Fh 0, 2Fh 0
mma8451 | CUTOFF_8HZ | expected 0Fh 1, 2Fh 0 | 0Fh 0, 2Fh 1
mma8451 | CUTOFF_4HZ | expected 0Fh 2, 2Fh 0 | 0Fh 0, 2Fh 2
mma8451 | CUTOFF_2HZ | expected 0Fh 3, 2Fh 0 | 0Fh 0, 2Fh 3
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
