#!/usr/bin/env bash
# PyPI imu-bmi088 1.0.1, a driver for the motion sensor BMI088, leaves its accelerometer suspended, raises OverflowError for whatever is negative, and has 276 degrees in a room.
#
# Expected (Bosch BMI088 data sheet) 7Ch, ACC_PWR_CONF, is 3 after a reset, suspended, and needs 0; 7Dh, ACC_PWR_CTRL, needs 4 to switch the accelerometer on. 22h and 23h,
#           temperature: 11 bits in two's complement, eighths of a degree, 0 at 23 degrees. 12h to 17h and the gyroscope's 02h to 07h: numbers of 16 bits in two's complement.
# Seen:     0 and then 4 are both written to 7Dh, and nothing to 7Ch. The octets are made a positive number and given to int16 of NumPy, of which the package requires 2.2.5, and which
#           has raised OverflowError since 2.0 for numbers from 32768 on. The temperature has no sign: below 23 degrees it is 256 too high.
# So:       the drone stops with an error at the first turn to the other side.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps imu-bmi088==1.0.1 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Bus:
    """SMBus with one BMI088: an accelerometer at 18h, a gyroscope at 69h."""
    def __init__(self, bus):
        self.chips = {0x18: bytearray(128), 0x69: bytearray(128)}
        self.chips[0x18][0x7c] = 3

    def write_byte_data(self, address, register, value):
        self.chips[address][register] = value

    def read_byte_data(self, address, register):
        return self.chips[address][register]

    def read_i2c_block_data(self, address, register, count):
        return list(self.chips[address][register:register + count])

sys.modules['smbus3'] = types.SimpleNamespace(SMBus=Bus)
filters = dict.fromkeys(('EKF', 'Madgwick', 'Mahony', 'Tilt'), object)  # for the position in space, which is not asked for
sys.modules['ahrs'] = types.SimpleNamespace(filters=types.SimpleNamespace(**filters))
sys.modules['ahrs.filters'] = sys.modules['ahrs'].filters
from bmi088 import BMI088

chip = BMI088(1)
acceleration, gyroscope = chip.bus.chips[0x18], chip.bus.chips[0x69]
print(f'started | expected 7Ch 00, 7Dh 04 | 7Ch {acceleration[0x7c]:02X}, 7Dh {acceleration[0x7d]:02X}')
for counts in 10920, -10920, -1:
    for registers, place, title, expected, read in ((acceleration, 0x12, 'g', counts / 10920, chip.read_accelerometer),
                                                    (gyroscope, 2, 'degrees a second', counts / 65.536, lambda: chip.read_gyroscope(deg_per_s=True))):
        registers[place:place + 2] = (counts & 0xffff).to_bytes(2, 'little')
        try:
            found = f'{read()[0]:.3f}'
        except OverflowError as error:
            found = type(error).__name__
        print(f'{counts} counts | expected {expected:.3f} {title} | {found}')
for degrees in 30, 23, 20, -10:
    counts = (degrees - 23) * 8 & 0x7ff
    acceleration[0x22], acceleration[0x23] = counts >> 3, (counts & 7) << 5
    print(f'temperature | expected {degrees} | {chip.read_temperature()}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
started | expected 7Ch 00, 7Dh 04 | 7Ch 03, 7Dh 04
10920 counts | expected 1.000 g | 1.000
10920 counts | expected 166.626 degrees a second | 166.626
-10920 counts | expected -1.000 g | OverflowError
-10920 counts | expected -166.626 degrees a second | OverflowError
-1 counts | expected -0.000 g | OverflowError
-1 counts | expected -0.015 degrees a second | OverflowError
temperature | expected 30 | 30.0
temperature | expected 23 | 23.0
temperature | expected 20 | 276.0
temperature | expected -10 | 246.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
