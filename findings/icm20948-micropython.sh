#!/usr/bin/env bash
# PyPI micropython-icm20948 0.2.3, a driver for the motion sensor ICM-20948, reports that what is on is off: gyroscope, accelerometer and thermometer.
#
# Expected (TDK ICM-20948 data sheet) Register 07h of bank 0, PWR_MGMT_2: bits 5 to 3 disable the accelerometer, bits 2 to 0 the gyroscope, with 0 for all axes on, 7 for all off.
#           Register 06h, PWR_MGMT_1: bit 3, TEMP_DIS, disables the thermometer. The package says the same: GYRO_ENABLED is 0, GYRO_DISABLED 7, TEMP_DISABLED 1.
# Seen:     what is set is written right, but read back as the opposite, with the very names of the package: after GYRO_ENABLED, GYRO_DISABLED. So a chip that was reset has all
#           three off.
# So:       a program that turns on what is off turns it off, once it believes the answer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-icm20948==0.2.3 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)

class Chip:
    """A bus of MicroPython (machine.I2C) with one chip that has these registers."""
    def __init__(self, registers):
        self.registers = bytearray(256)
        for register, value in registers.items():
            self.registers[register] = value

    def readfrom_mem(self, address, register, count):
        return bytes(self.registers[register:register + count])

    def writeto_mem(self, address, register, data):
        self.registers[register:register + len(data)] = data

import time
time.sleep = lambda seconds: None
from micropython_icm20948 import icm20948

bus = Chip({0x00: 0xea})
chip = icm20948.ICM20948(bus)
bus.registers[6:8] = 1, 0  # the values after a reset
print(f'after a reset | expected all enabled | {chip.gyro_enabled}, {chip.acc_enabled}, {chip.temperature_enabled}')
for kind, property, register, bits in ('GYRO', 'gyro_enabled', 7, 0x07), ('ACC', 'acc_enabled', 7, 0x38), ('TEMP', 'temperature_enabled', 6, 0x08):
    for state in 'DISABLED', 'ENABLED':
        setattr(chip, property, getattr(icm20948, f'{kind}_{state}'))
        print(f'{kind}_{state} | {register:02X}h & {bits:02X}h is {bus.registers[register] & bits:02X}h | read back: {getattr(chip, property)}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
after a reset | expected all enabled | GYRO_DISABLED, ACC_DISABLED, TEMP_DISABLED
GYRO_DISABLED | 07h & 07h is 07h | read back: GYRO_ENABLED
GYRO_ENABLED | 07h & 07h is 00h | read back: GYRO_DISABLED
ACC_DISABLED | 07h & 38h is 38h | read back: ACC_ENABLED
ACC_ENABLED | 07h & 38h is 00h | read back: ACC_DISABLED
TEMP_DISABLED | 06h & 08h is 08h | read back: TEMP_ENABLED
TEMP_ENABLED | 06h & 08h is 00h | read back: TEMP_DISABLED
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
