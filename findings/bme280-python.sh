#!/usr/bin/env bash
# Two drivers for the weather sensor BME280: PyPI bme280-upy 2.1.0 takes another number for the temperature in the humidity, i2csense 0.0.4 reads four of the chip's calibration
# numbers without their sign, so that a room of 25 degrees has 30 with some chips.
#
# Expected (Bosch BME280 data sheet, "Trimming parameter readout" and "Compensation formulas in double precision floating point") dig_T3, dig_P9, dig_H4, dig_H5 and dig_H6 are
#           signed. In the humidity, the factor with dig_H6 and dig_H3 has var_H as it was at first, t_fine minus 76800. For T1 to T3 27504, 26435, -1000 and an output of 519888,
#           the temperature is 25.08 degrees.
# Seen:     in bme280-upy, floating point and integers, that factor has the measurement minus its offset instead: 47.1 % at 25 degrees are 46.1, 89.0 % at -10 degrees are 94.0.
#           With dig_H6 of 0 it is right. In i2csense, dig_T3 of -1000 is 64536: 29.8 degrees instead of 25.1, with the pressure and the humidity that follow; a dig_P9 of -7 is
#           65529: 1182 hPa instead of 989; a dig_H6 of -30 is 226: 53.9 % instead of 44.9.
# So:       each chip has its own error, and two of them side by side differ.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps bme280-upy==2.1.0 i2csense==0.0.4 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class SMBus:
    """A bus with a BME280: its calibration and one measurement."""
    def __init__(self, calibration, outputs):
        t, p, h = calibration
        self.registers = bytearray(256)
        def word(register, value):
            self.registers[register:register + 2] = (value & 0xffff).to_bytes(2, 'little')
        for place, value in enumerate(t + p):
            word(0x88 + 2 * place, value)
        self.registers[0xa1] = h[0]
        word(0xe1, h[1])
        self.registers[0xe3] = h[2]
        self.registers[0xe4] = h[3] >> 4 & 0xff
        self.registers[0xe5] = h[3] & 15 | (h[4] & 15) << 4
        self.registers[0xe6] = h[4] >> 4 & 0xff
        self.registers[0xe7] = h[5] & 0xff
        self.registers[0xd0] = 0x60
        pressure, temperature, humidity = outputs
        self.registers[0xf7:0xff] = (pressure << 4).to_bytes(3, 'big') + (temperature << 4).to_bytes(3, 'big') + humidity.to_bytes(2, 'big')

    def read_byte_data(self, address, register):
        return self.registers[register]

    def write_byte_data(self, address, register, value):
        pass

    def read_i2c_block_data(self, address, register, count):
        return list(self.registers[register:register + count])

    def write_i2c_block_data(self, address, register, data):
        pass

    def close(self):
        pass

sys.modules['smbus'] = types.SimpleNamespace(SMBus=SMBus)

def data_sheet(calibration, outputs):
    (t1, t2, t3), (p1, p2, p3, p4, p5, p6, p7, p8, p9), (h1, h2, h3, h4, h5, h6) = calibration
    up, ut, uh = outputs
    fine = (ut / 16384 - t1 / 1024) * t2 + (ut / 131072 - t1 / 8192) ** 2 * t3
    a = fine / 2 - 64000
    b = (a * a * p6 / 32768 + a * p5 * 2) / 4 + p4 * 65536
    a = (1 + (p3 * a * a / 524288 + p2 * a) / 524288 / 32768) * p1
    p = (1048576 - up - b / 4096) * 6250 / a
    p += (p9 * p * p / 2147483648 + p * p8 / 32768 + p7) / 16
    v = fine - 76800
    h = (uh - (h4 * 64 + h5 / 16384 * v)) * (h2 / 65536 * (1 + h6 / 67108864 * v * (1 + h3 / 67108864 * v)))
    return fine / 5120, p / 100, min(100, max(0, h * (1 - h1 * h / 524288)))

from bme280 import bme280
from i2csense.bme280 import BME280

P = 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000
ROOM = (415148, 519888, 28000)
CASES = (('chip 1', ((27504, 26435, 50), P, (75, 370, 0, 307, 50, 0)), ROOM), ('chip 2, dig_H6 30, dig_H3 100', ((27504, 26435, 50), P, (75, 370, 100, 307, 50, 30)), ROOM),
         ('chip 2 at -10 degrees', ((27504, 26435, 50), P, (75, 370, 100, 307, 50, 30)), (415148, 407000, 36000)),
         ('chip 3, dig_T3 -1000', ((27504, 26435, -1000), P, (75, 370, 0, 307, 50, 0)), ROOM),
         ('chip 4, dig_P9 -7', ((27504, 26435, 50), P[:8] + (-7,), (75, 370, 0, 307, 50, 0)), ROOM),
         ('chip 5, dig_H6 -30', ((27504, 26435, 50), P, (75, 370, 0, 307, 50, -30)), ROOM))
for title, calibration, outputs in CASES:
    found = [data_sheet(calibration, outputs)]
    for calc in bme280.CALC_FLOAT, bme280.CALC_INT32:
        chip = bme280.BME280(i2cBus=SMBus(calibration, outputs), calc=calc)
        t, h, p = chip.readForced()
        found.append((t, p / 100, h * 100))
    chip = BME280(SMBus(calibration, outputs), '0x76')
    found.append((chip.temperature, chip.pressure, chip.humidity))
    texts = [f'{t:.1f} degrees, {p:.1f} hPa, {h:.1f} %' for t, p, h in found]
    print(f'{title} | expected {texts[0]} | bme280-upy {texts[1]}, integers {texts[2]} | i2csense {texts[3]}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
chip 1 | expected 25.2 degrees, 1006.6 hPa, 46.0 % | bme280-upy 25.2 degrees, 1006.6 hPa, 46.0 %, integers 25.2 degrees, 1006.7 hPa, 46.0 % | i2csense 25.2 degrees, 1006.6 hPa, 46.0 %
chip 2, dig_H6 30, dig_H3 100 | expected 25.2 degrees, 1006.6 hPa, 47.1 % | bme280-upy 25.2 degrees, 1006.6 hPa, 46.1 %, integers 25.2 degrees, 1006.7 hPa, 46.0 % | i2csense 25.2 degrees, 1006.6 hPa, 47.1 %
chip 2 at -10 degrees | expected -10.4 degrees, 952.5 hPa, 89.0 % | bme280-upy -10.4 degrees, 952.5 hPa, 94.0 %, integers -10.4 degrees, 952.5 hPa, 93.6 % | i2csense -10.4 degrees, 952.5 hPa, 89.0 %
chip 3, dig_T3 -1000 | expected 25.1 degrees, 1006.5 hPa, 46.0 % | bme280-upy 25.1 degrees, 1006.5 hPa, 46.0 %, integers 25.1 degrees, 1006.5 hPa, 46.0 % | i2csense 29.8 degrees, 1013.9 hPa, 45.5 %
chip 4, dig_P9 -7 | expected 25.2 degrees, 988.9 hPa, 46.0 % | bme280-upy 25.2 degrees, 988.9 hPa, 46.0 %, integers 25.2 degrees, 989.0 hPa, 46.0 % | i2csense 25.2 degrees, 1182.4 hPa, 46.0 %
chip 5, dig_H6 -30 | expected 25.2 degrees, 1006.6 hPa, 44.9 % | bme280-upy 25.2 degrees, 1006.6 hPa, 45.8 %, integers 25.2 degrees, 1006.7 hPa, 45.9 % | i2csense 25.2 degrees, 1006.6 hPa, 53.9 %
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
