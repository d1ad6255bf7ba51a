#!/usr/bin/env bash
# PyPI melopero-lsm9ds1 0.1.0, a driver for the motion sensor LSM9DS1, measures a quarter of a magnetic field in its widest range, and cannot set a limit for a rotation to the left.
#
# Expected (STMicroelectronics LSM9DS1 data sheet, table "Sensor characteristics", and registers 31h to 36h of the gyroscope) The magnetometer has 0.14, 0.29, 0.43 and 0.58 thousandths
#           of a gauss for a count in the ranges of 4, 8, 12 and 16 gauss. The limits of rotations have 15 bits in two's complement. After a reset, all ranges are the narrowest.
# Seen:     set_mag_range sets the chip, but another attribute than the one that get_mag multiplies with: 1 gauss is 0.241 in the range of 16, and its alarm comes at four times the
#           limit. Negative thresholds raise OverflowError, though the code has a branch for them. After reset_settings, the old ranges are still multiplied with.
# So:       a compass next to a motor, for which the widest range was chosen, knows little of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps melopero-lsm9ds1==0.1.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Bus:
    """SMBus with one LSM9DS1: motion at 6Bh, magnetic field at 1Eh."""
    def __init__(self, bus):
        self.chips = {0x6b: bytearray(128), 0x1e: bytearray(128)}

    def read_i2c_block_data(self, address, register, count):
        return list(self.chips[address][register:register + count])

    def write_byte_data(self, address, register, value):
        self.chips[address][register] = value

sys.modules['smbus2'] = types.SimpleNamespace(SMBus=Bus)
sys.modules['RPi'] = sys.modules['RPi.GPIO'] = sys.modules['spidev'] = types.SimpleNamespace(GPIO=None)  # for SPI
from melopero_lsm9ds1 import LSM9DS1

chip = LSM9DS1()
chip.use_i2c()
motion, magnetic = chip.i2c.chips[0x6b], chip.i2c.chips[0x1e]
for gauss, step in (4, 0.14), (8, 0.29), (12, 0.43), (16, 0.58):
    chip.set_mag_range(getattr(LSM9DS1, f'MAGNETIC_{gauss}G_RANGE'))
    magnetic[0x28:0x2a] = round(1000 / step).to_bytes(2, 'little')
    chip.set_mag_interrupt(threshold=1, x_detect=True)
    limit = int.from_bytes(magnetic[0x32:0x34], 'little') * step / 1000
    print(f'range of {gauss} gauss, 21h {magnetic[0x21]:02X} | expected 1.000 gauss | {chip.get_mag()[0]:.3f} | a limit of 1 gauss is {limit:.3f}')
for degrees in 100, -100:
    try:
        chip.set_gyro_interrupt(x_threshold=degrees, x_detect_high=degrees > 0)
        found = f'{motion[0x31]:02X}h {motion[0x32]:02X}h'
    except OverflowError as error:
        found = type(error).__name__
    print(f'limit of {degrees} degrees a second | expected {(counts := int(degrees * 1000 / 8.75) & 0x7fff) >> 8:02X}h {counts & 255:02X}h | {found}')
chip.set_acc_range(LSM9DS1.LIN_ACC_16G_RANGE)
chip.reset_settings()
motion[0x20] = 0  # what the reset does in the chip
motion[0x28:0x2a] = round(1000 / 0.061).to_bytes(2, 'little')
print(f'1 g after reset_settings | expected 1.000 | {chip.get_acc()[0]:.3f}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
range of 4 gauss, 21h 00 | expected 1.000 gauss | 1.000 | a limit of 1 gauss is 1.000
range of 8 gauss, 21h 20 | expected 1.000 gauss | 0.483 | a limit of 1 gauss is 2.071
range of 12 gauss, 21h 40 | expected 1.000 gauss | 0.326 | a limit of 1 gauss is 3.071
range of 16 gauss, 21h 60 | expected 1.000 gauss | 0.241 | a limit of 1 gauss is 4.142
limit of 100 degrees a second | expected 2Ch A4h | 2Ch A4h
limit of -100 degrees a second | expected 53h 5Ch | OverflowError
1 g after reset_settings | expected 1.000 | 12.000
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
