#!/usr/bin/env bash
# PyPI micropython-scd30 0.2.0, a driver for the carbon dioxide sensor SCD30, calibrates the sensor to 1 ppm or to 0 when its automatic calibration is turned on or off.
#
# Expected (Sensirion, Interface Description SCD30, 1.4) The command 5306h activates or deactivates the automatic self-calibration, with 1 or 0. The command 5204h is another one:
#           it sets the forced recalibration value, the concentration in ppm that the sensor has around it now, between 400 and 2000.
# Seen:     set_automatic_recalibration writes 5204h with 0001h or 0000h. 5306h is never written. set_forced_recalibration is right.
# So:       a room whose sensor was to calibrate itself has its reference replaced by one that no air has, or the sensor rejects it; the setting is lost in either case.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip download -q --disable-pip-version-check --no-deps --no-binary :all: micropython-scd30==0.2.0 >/dev/null 2>&1
tar xzf micropython-scd30-0.2.0.tar.gz

cat >try.py <<'CODE'
import sys, types
sys.path.insert(0, 'micropython-scd30-0.2.0')
sys.modules['machine'] = types.SimpleNamespace(I2C=object)
sys.modules['utime'] = types.SimpleNamespace(sleep_us=lambda microseconds: None)
from scd30 import SCD30

class Chip:
    """A bus of MicroPython with an SCD30 that keeps the value of each command."""
    def __init__(self):
        self.values = {0x5306: 0, 0x5204: 400}
        self.written = []

    def scan(self):
        return [0x61]

    def writeto_mem(self, address, command, data, addrsize):
        self.written.append(f'{command:04X} {data[:2].hex()}')
        self.values[command] = int.from_bytes(data[:2], 'big')

bus = Chip()
chip = SCD30(bus, 0x61)
for title, method, value, expected in (('forced calibration with 415 ppm', 'set_forced_recalibration', 415, '5204 019f'),
                                       ('automatic calibration on', 'set_automatic_recalibration', True, '5306 0001'),
                                       ('automatic calibration off', 'set_automatic_recalibration', False, '5306 0000')):
    getattr(chip, method)(value)
    print(f'{title} | expected {expected} | {bus.written[-1]} | reference {bus.values[0x5204]} ppm, automatic {bus.values[0x5306]}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
forced calibration with 415 ppm | expected 5204 019f | 5204 019f | reference 415 ppm, automatic 0
automatic calibration on | expected 5306 0001 | 5204 0001 | reference 1 ppm, automatic 0
automatic calibration off | expected 5306 0000 | 5204 0000 | reference 0 ppm, automatic 0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
