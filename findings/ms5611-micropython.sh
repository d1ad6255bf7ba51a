#!/usr/bin/env bash
# PyPI micropython-ms5611 0.1.0, a driver for the barometer MS5611, forgets two squares below 20 degrees, which makes tens of hPa, and takes the last octet of both readings from
# the first one.
#
# Expected (TE Connectivity MS5611-01BA03 data sheet, "Pressure and temperature calculation" and "Second order temperature compensation") Below 20.00 degrees SENS2 is 5 times the
#           square of (TEMP - 2000) divided by 4, below -15.00 degrees 11 times the square of (TEMP + 1500) divided by 2 more. D1 and D2 are 24 bits, highest octet first. For C1 to
#           C6 40127, 36924, 23317, 23282, 33464, 28312, D1 9085466 and D2 8569150 the results are 20.07 degrees and 1000.09 mbar.
# Seen:     SENS2 has TEMP - 2000 and TEMP + 1500 themselves. The pressure, in kPa, is 1.8 hPa too high at 9 degrees, 20 hPa at -20, 43 hPa at -34. The last octet of both readings
#           is the first one again, so the example of the data sheet is 1000.12.
# So:       at 20 degrees of frost, a balloon or a weather station is 170 m below where it is.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-ms5611==0.1.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)

import time
time.sleep_ms = lambda milliseconds: None  # as MicroPython has it
from micropython_ms5611 import ms5611

COEFFICIENTS = 40127, 36924, 23317, 23282, 33464, 28312

class Chip:
    """A bus of MicroPython with an MS5611."""
    def readfrom_mem(self, address, register, count):
        return COEFFICIENTS[(register - 0xa2) // 2].to_bytes(2, 'big')

    def writeto(self, address, command):
        self.command = command[0]

    def readfrom_mem_into(self, address, register, buffer):
        buffer[:] = (self.d1 if self.command < 0x50 else self.d2).to_bytes(3, 'big')

def data_sheet(d1, d2):
    c1, c2, c3, c4, c5, c6 = COEFFICIENTS
    dt = d2 - c5 * 2 ** 8
    temperature = 2000 + dt * c6 / 2 ** 23
    offset = c2 * 2 ** 16 + c4 * dt / 2 ** 7
    sensitivity = c1 * 2 ** 15 + c3 * dt / 2 ** 8
    t2 = offset2 = sensitivity2 = 0
    if temperature < 2000:
        t2 = dt * dt / 2 ** 31
        offset2 = 5 * (temperature - 2000) ** 2 / 2
        sensitivity2 = 5 * (temperature - 2000) ** 2 / 4
        if temperature < -1500:
            offset2 += 7 * (temperature + 1500) ** 2
            sensitivity2 += 11 * (temperature + 1500) ** 2 / 2
    temperature, offset, sensitivity = temperature - t2, offset - offset2, sensitivity - sensitivity2
    return temperature / 100, (d1 * sensitivity / 2 ** 21 - offset) / 2 ** 15 / 100

bus = Chip()
chip = ms5611.MS5611(bus)
# The last two have equal first and last octets, so that only the formula differs.
for title, d1, d2 in (('example of the data sheet', 9085466, 8569150),
                      ('equal octets, cold', 0x8aa28a, 0x7e007e), ('equal octets, frost', 0x8aa28a, 0x730073), ('equal octets, hard frost', 0x8aa28a, 0x6e006e)):
    bus.d1, bus.d2 = d1, d2
    temperature, pressure = chip.measurements
    expected = data_sheet(d1, d2)
    print(f'{title} | expected {expected[0]:.2f} degrees, {expected[1]:.2f} hPa | {temperature:.2f} degrees, {pressure * 10:.2f} hPa')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
example of the data sheet | expected 20.08 degrees, 1000.09 hPa | 20.08 degrees, 1000.12 hPa
equal octets, cold | expected 9.12 degrees, 978.92 hPa | 9.12 degrees, 980.72 hPa
equal octets, frost | expected -19.70 degrees, 922.34 hPa | -19.70 degrees, 942.32 hPa
equal octets, hard frost | expected -34.41 degrees, 887.13 hPa | -34.41 degrees, 930.36 hPa
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
