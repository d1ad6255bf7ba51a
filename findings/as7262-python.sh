#!/usr/bin/env bash
# PyPI as7262 1.0.0, a driver for the colour sensor AS7262, divides where it should multiply: it measures 137 ms when it is told 17.9 ms, and 67 ms when it is told 100.
#
# Expected (ams AS7262 data sheet, register 05h, INT_T) The integration time is the number times 2.8 ms, so 6 is 16.8 ms and 18 is 50.4 ms; 255 is 714 ms.
# Seen:     set_integration_time multiplies the milliseconds by 2.8, keeps the lowest eight bits, and reads them back divided by 2.8. 17.857 ms, the time of the package's own
#           example, is 49, which is 137 ms; 50 ms are 140, which is 392 ms; 100 ms are 280 and become 24, 67 ms.
# So:       of two sensors that are set to 50 and to 100 ms, the first one measures six times as long.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps as7262==1.0.0 i2cdevice==1.0.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import time
time.sleep = lambda seconds: None
from as7262 import AS7262

class Bus:
    """smbus2's bus with an AS7262: status 00h, write 01h and read 02h in front of the virtual registers."""
    def __init__(self):
        self.registers = bytearray(256)
        self.pending = None

    def read_byte_data(self, address, register):
        if register == 0:
            return 1  # the next octet can be read, and one can be written
        return self.registers[self.pending]

    def write_byte_data(self, address, register, value):
        if self.pending is not None and self.pending & 0x80:
            self.registers[self.pending & 0x7f] = value
            self.pending = None
        else:
            self.pending = value

bus = Bus()
chip = AS7262(i2c_dev=bus)
for milliseconds in 2.8, 17.857, 50, 91, 100, 280, 714:
    chip.set_integration_time(milliseconds)
    found = bus.registers[5]
    print(f'{milliseconds} ms | expected {milliseconds / 2.8:.0f}, {milliseconds} ms | {found}, {found * 2.8:.1f} ms')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
2.8 ms | expected 1, 2.8 ms | 7, 19.6 ms
17.857 ms | expected 6, 17.857 ms | 49, 137.2 ms
50 ms | expected 18, 50 ms | 140, 392.0 ms
91 ms | expected 32, 91 ms | 254, 711.2 ms
100 ms | expected 36, 100 ms | 24, 67.2 ms
280 ms | expected 100, 280 ms | 16, 44.8 ms
714 ms | expected 255, 714 ms | 207, 579.6 ms
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
