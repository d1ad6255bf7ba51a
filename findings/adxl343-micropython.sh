#!/usr/bin/env bash
# PyPI micropython-adxl343 0.1.2, a driver for the accelerometer ADXL343, turns off the double tap with the single tap, and tells that it is on.
#
# Expected (Analog Devices ADXL343 data sheet) Register 2Eh, INT_ENABLE: bits 6 and 5 enable the single and the double tap. Register 2Ah, TAP_AXES: bits 2 to 0 say which axes take
#           part in the detection of taps, of both kinds; an axis that does not take part is not looked at.
# Seen:     single_tap_mode and double_tap_mode both write the three axes: whichever is turned off clears them, also for the other one, which still reads as enabled. Thresholds
#           and times that do not fit raise OverflowError; the check for them, "156 < value < 1", never holds.
# So:       a lamp that listens to double taps only hears none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-adxl343==0.1.2 >/dev/null 2>&1

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

from micropython_adxl343 import adxl343

bus = Chip({0x00: 0xe5})
chip = adxl343.ADXL343(bus)

def show(title):
    print(f'{title} | axes {bus.registers[0x2a] & 7:03b} | single {bus.registers[0x2e] >> 6 & 1}, double {bus.registers[0x2e] >> 5 & 1} | {chip.single_tap_mode}, {chip.double_tap_mode}')

chip.double_tap_mode = adxl343.DT_ENABLED
show('double tap on')
chip.single_tap_mode = adxl343.ST_DISABLED
show('single tap off | expected axes 111')
chip.single_tap_mode = adxl343.ST_ENABLED
chip.double_tap_mode = adxl343.DT_DISABLED
show('single tap on, double tap off | expected axes 111')
try:
    chip.tap_threshold = 200
except (ValueError, OverflowError) as error:
    print(f'threshold of 200 m/s2 | expected ValueError | {type(error).__name__}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
double tap on | axes 111 | single 0, double 1 | ST_DISABLED, DT_ENABLED
single tap off | expected axes 111 | axes 000 | single 0, double 1 | ST_DISABLED, DT_ENABLED
single tap on, double tap off | expected axes 111 | axes 000 | single 1, double 0 | ST_ENABLED, DT_DISABLED
threshold of 200 m/s2 | expected ValueError | OverflowError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
