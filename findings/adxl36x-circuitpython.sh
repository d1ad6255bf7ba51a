#!/usr/bin/env bash
# PyPI circuitpython-adxl36x 0.2.0, a driver for the accelerometers ADXL366 and ADXL367, applies gravity to a factor that has lost it already: everything weighs two percent too
# little.
#
# Expected (Analog Devices ADXL367 data sheet, "Specifications", scale factor at XOUT, YOUT, ZOUT) 4000 counts are 1 g in the range of 2 g, 2000 in 4 g, 1000 in 8 g: 0.25 mg, or
#           0.00245166 m/s2, for a count.
# Seen:     a count is 0.000245166 g, the digits of the second number, times 9.80665. 1 g is 9.617 m/s2 instead of 9.807 in each range, as acceleration is in m/s2. raw_acceleration
#           and the temperature are right.
# So:       a sensor at rest is outside of its own tolerance, and a tilt of 11 degrees is within the error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-adxl36x==0.2.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)

class Bus:
    """A bus of CircuitPython (busio.I2C) with one chip that has these registers."""
    def __init__(self, registers):
        self.registers = bytearray(256)
        for register, value in registers.items():
            self.registers[register] = value

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, *, start=0, end=None):
        data = bytes(data[start:end])
        if data:
            self.registers[data[0]:data[0] + len(data) - 1] = data[1:]

    def writeto_then_readfrom(self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None):
        end = len(into) if in_end is None else in_end
        register = out[out_start]
        into[in_start:end] = self.registers[register:register + end - in_start]

import adxl36x

for name, revision in (('ADXL367', 3), ('ADXL366', 5)):
    bus = Bus({0: 0xad, 1: 0x1d, 2: 0xf7, 3: revision})
    chip = getattr(adxl36x, name)(bus)
    for limit, code, counts in ((2, 0, 4000), (4, 1, 2000), (8, 2, 1000)):
        chip.g_range = code
        for sign in 1, -1:
            bus.registers[0x0e:0x10] = ((sign * counts << 2) & 0xffff).to_bytes(2, 'big')
            print(f'{name}, range {limit} g, {chip.raw_x} counts | expected {sign * 9.80665:.3f} m/s2 | {chip.acceleration[0]:.3f} m/s2')
    bus.registers[0x14:0x16] = (165 << 2).to_bytes(2, 'big')
    print(f'{name}, 165 counts | expected 25.0 degrees | {chip.temperature:.1f} degrees')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
ADXL367, range 2 g, 4000 counts | expected 9.807 m/s2 | 9.617 m/s2
ADXL367, range 2 g, -4000 counts | expected -9.807 m/s2 | -9.617 m/s2
ADXL367, range 4 g, 2000 counts | expected 9.807 m/s2 | 9.617 m/s2
ADXL367, range 4 g, -2000 counts | expected -9.807 m/s2 | -9.617 m/s2
ADXL367, range 8 g, 1000 counts | expected 9.807 m/s2 | 9.617 m/s2
ADXL367, range 8 g, -1000 counts | expected -9.807 m/s2 | -9.617 m/s2
ADXL367, 165 counts | expected 25.0 degrees | 25.0 degrees
ADXL366, range 2 g, 4000 counts | expected 9.807 m/s2 | 9.617 m/s2
ADXL366, range 2 g, -4000 counts | expected -9.807 m/s2 | -9.617 m/s2
ADXL366, range 4 g, 2000 counts | expected 9.807 m/s2 | 9.617 m/s2
ADXL366, range 4 g, -2000 counts | expected -9.807 m/s2 | -9.617 m/s2
ADXL366, range 8 g, 1000 counts | expected 9.807 m/s2 | 9.617 m/s2
ADXL366, range 8 g, -1000 counts | expected -9.807 m/s2 | -9.617 m/s2
ADXL366, 165 counts | expected 25.0 degrees | 25.0 degrees
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
