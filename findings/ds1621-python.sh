#!/usr/bin/env bash
# PyPI ds1631 0.3.7, a driver for the thermometers DS1621, DS1631 and DS1721, gives each high-resolution temperature of the DS1621 a quarter of a degree too high.
#
# Expected (Maxim DS1621 data sheet, "Operation - Measuring Temperature") Temperatures finer than half a degree are TEMP_READ - 0.25 + (COUNT_PER_C - COUNT_REMAIN) / COUNT_PER_C,
#           where TEMP_READ is the temperature without its half degree.
# Seen:     the 0.25 is missing: 24.5 degrees are 24.75, and 24.75 are 25.0, while the plain reading is 24.5.
# So:       a thermostat with the finer reading switches a quarter of a degree away from one with the plain one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps ds1631==0.3.7 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class SMBus:
    """A bus with a DS1621: temperature, counter and slope."""
    def __init__(self, number):
        pass

    def read_word_data(self, address, command):
        return int.from_bytes(self.temperature.to_bytes(2, 'big'), 'little')

    def read_byte_data(self, address, command):
        return {0xa8: self.remain, 0xa9: self.slope}[command]

sys.modules['smbus'] = types.SimpleNamespace(SMBus=SMBus)
import DS1631

chip = DS1631.DS1621(1, 0x48)
# A temperature T leaves the counter at SLOPE * (1 - (T - TEMP_READ + 0.25)).
for actual in 24.5, 24.6875, 24.75, 10.0, 10.25, 0.0:
    plain = actual // 0.5 * 0.5
    whole = plain // 1
    chip.bus.slope = 16
    chip.bus.remain = round(16 * (1 - (actual - whole + 0.25)))
    if not 0 <= chip.bus.remain <= 16:
        continue
    chip.bus.temperature = round(plain * 256) & 0xffff
    expected = whole - 0.25 + (16 - chip.bus.remain) / 16
    print(f'plain {chip.get_temperature()}, {chip.bus.remain} of 16 remain | expected {expected} | {chip.get_temperature_high_resolution()}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
plain 24.5, 4 of 16 remain | expected 24.5 | 24.75
plain 24.5, 1 of 16 remain | expected 24.6875 | 24.9375
plain 24.5, 0 of 16 remain | expected 24.75 | 25.0
plain 10.0, 12 of 16 remain | expected 10.0 | 10.25
plain 10.0, 8 of 16 remain | expected 10.25 | 10.5
plain 0.0, 12 of 16 remain | expected 0.0 | 0.25
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
