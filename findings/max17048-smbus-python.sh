#!/usr/bin/env bash
# PyPI max17048-smbus 0.1.1, a driver for the battery gauges MAX17048 and MAX17049, sets one in eight of the limits for voltages a step too low: 4.1 V becomes 4.08 V.
#
# Expected (Maxim MAX17048/MAX17049 data sheet) 14h, VALRT: limits for a low and a high voltage of the cell, 20 mV for a count: 4.1 V are 205 counts, CDh. 18h, VRESET: 40 mV for a
#           count in bits 15 to 9. 0Ah, HIBRT: 1.25 mV and 0.208 percent an hour for a count.
# Seen:     the volts are divided by 0.02, and what is left of a count is cut off: 4.1 / 0.02 is 204.99999999999997, so 204. This happens to 31 of the 256 voltages, also to 4.18 and
#           4.22, the limits of lithium cells, and to 13 of the 128 of the reset. 4.26 V are read back as 4.24.
# So:       the alarm that should stop a charger at 4.1 V rings at 4.08.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps max17048-smbus==0.1.1 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Bus:
    """SMBus with one MAX17048."""
    def __init__(self, bus):
        self.registers = bytearray(256)
        self.registers[8:10] = 0x00, 0x12

    def read_byte(self, address):
        return 0

    def read_i2c_block_data(self, address, register, count):
        return list(self.registers[register:register + count])

    def write_i2c_block_data(self, address, register, data):
        if register == 0xfe:
            raise OSError('no answer')  # the chip restarts
        self.registers[register:register + len(data)] = bytes(data)

sys.modules['smbus3'] = types.SimpleNamespace(SMBus=Bus, __spec__=True)  # the package looks for it
from max1704x_smbus import MAX17048

chip = MAX17048(1)
for volts in 3.0, 4.08, 4.1, 4.18, 4.2, 4.22, 4.26:
    chip.alert_voltage_high_threshold = volts
    print(f'high limit {volts} V | expected {round(volts / 0.02)} | {chip._valrt_max}, read back {chip.alert_voltage_high_threshold:.2f}')
for name, step, count in ('alert_voltage_high_threshold', 0.02, 256), ('alert_voltage_reset_threshold', 0.04, 128):
    wrong = 0
    for place in range(count):
        setattr(chip, name, round(place * step, 2))
        wrong += round(getattr(chip, name) / step) != place
    print(f'{name} | expected 0 wrong | {wrong} of {count} wrong')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
high limit 3.0 V | expected 150 | 150, read back 3.00
high limit 4.08 V | expected 204 | 204, read back 4.08
high limit 4.1 V | expected 205 | 204, read back 4.08
high limit 4.18 V | expected 209 | 208, read back 4.16
high limit 4.2 V | expected 210 | 210, read back 4.20
high limit 4.22 V | expected 211 | 210, read back 4.20
high limit 4.26 V | expected 213 | 212, read back 4.24
alert_voltage_high_threshold | expected 0 wrong | 31 of 256 wrong
alert_voltage_reset_threshold | expected 0 wrong | 13 of 128 wrong
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
