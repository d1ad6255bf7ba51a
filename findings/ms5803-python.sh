#!/usr/bin/env bash
# PyPI ms5803py 1.0.0, a driver for the diving sensor MS5803-14BA, gives two pressures for one measurement below 20 degrees: its class Sensor takes a quarter of a correction that its
# class MS5803 takes whole.
#
# Expected (TE MS5803-14BA data sheet, "Pressure and temperature calculation", second order) Below 20 degrees, OFF2 is 3 times the square of TEMP minus 2000, divided by 2, and
#           SENS2 is 5 times that square, divided by 8.
# Seen:     Sensor divides by 8 both times. At 20 degrees and above, both classes give the same; at 10 degrees Sensor has 3.2 mbar less, at 0 degrees 13.5, at -15 degrees 41.
# So:       a diver in cold water is 14 cm deeper than the screen says, under ice.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps ms5803py==1.0.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, time, types
time.sleep = lambda seconds: None

class Bus:
    """SMBus with one MS5803, which has the calibration of the data sheet and measures these two numbers."""
    numbers = 0, 0

    def __init__(self, bus):
        self.wanted = 0

    def write_byte(self, address, value):
        self.wanted = value

    def read_i2c_block_data(self, address, register, count):
        if register:
            return list((46546, 42845, 29751, 29457, 32745, 29059)[(register - 0xa2) // 2].to_bytes(2, 'big'))
        return list(Bus.numbers[self.wanted >> 4 == 5].to_bytes(3, 'big'))

sys.modules['smbus'] = types.SimpleNamespace(SMBus=Bus)
import ms5803py
from ms5803py.sensor import Sensor

C1, C2, C3, C4, C5, C6 = 46546, 42845, 29751, 29457, 32745, 29059
whole, part = ms5803py.MS5803(), Sensor()
for number in 8700000, 8382720, 8100000, 7810000, 7380000:
    Bus.numbers = 4311550, number
    difference = number - C5 * 256
    temperature = 2000 + difference * C6 / 2 ** 23
    offset, sensitivity = C2 * 2 ** 16 + C4 * difference / 2 ** 7, C1 * 2 ** 15 + C3 * difference / 2 ** 8
    if temperature < 2000:
        offset -= 3 * (temperature - 2000) ** 2 / 2
        sensitivity -= 5 * (temperature - 2000) ** 2 / 8
    else:
        offset -= (temperature - 2000) ** 2 / 16
    expected = (4311550 * sensitivity / 2 ** 21 - offset) / 2 ** 15 / 10
    a, b = whole.read(), part.read()
    print(f'{temperature / 100:.1f} degrees, before the correction | expected {expected:.1f} mbar | MS5803 {a[0]:.1f} | Sensor {b[0]:.1f}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
31.0 degrees, before the correction | expected 1009.2 mbar | MS5803 1009.1 | Sensor 1009.2
20.0 degrees, before the correction | expected 1000.4 mbar | MS5803 1000.4 | Sensor 1000.4
10.2 degrees, before the correction | expected 993.5 mbar | MS5803 993.4 | Sensor 990.2
0.2 degrees, before the correction | expected 987.6 mbar | MS5803 987.6 | Sensor 974.1
-14.7 degrees, before the correction | expected 981.4 mbar | MS5803 981.4 | Sensor 940.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
