#!/usr/bin/env bash
# PyPI micropython-as6212 0.2.0, a driver for the thermometer AS6212, exchanges the two limits of its alarm.
#
# Expected (ams AS6212 data sheet, "Register description") Register 2h is TLOW, register 3h THIGH, both in two's complement with 128 counts for a degree: the alert comes at THIGH
#           and ends at TLOW. After a reset they are 75 and 80 degrees.
# Seen:     temperature_high_limit writes and reads register 2h, temperature_low_limit 3h. A new chip has an upper limit of 75 and a lower one of 80 degrees.
# So:       with 30 and 25 degrees, the alert that should begin at 30 begins at 25.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-as6212==0.2.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)

from micropython_as6212.as6212 import AS6212

class Chip:
    """A bus of MicroPython with an AS6212 after a reset."""
    def __init__(self):
        self.registers = {1: 0x40a0, 2: 75 * 128, 3: 80 * 128}

    def readfrom_mem(self, address, register, count):
        return self.registers[register].to_bytes(2, 'big')

    def writeto_mem(self, address, register, data):
        self.registers[register] = int.from_bytes(data, 'big')

bus = Chip()
chip = AS6212(bus)
print(f'after a reset | expected high 80, low 75 | high {chip.temperature_high_limit}, low {chip.temperature_low_limit}')
chip.temperature_high_limit = 30
chip.temperature_low_limit = 25
print(f'high 30, low 25 | expected TLOW 25, THIGH 30 | TLOW {bus.registers[2] / 128}, THIGH {bus.registers[3] / 128}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
after a reset | expected high 80, low 75 | high 75.0, low 80.0
high 30, low 25 | expected TLOW 25, THIGH 30 | TLOW 30.0, THIGH 25.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
