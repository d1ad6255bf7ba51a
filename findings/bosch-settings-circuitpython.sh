#!/usr/bin/env bash
# Three drivers of one family for Bosch sensors, PyPI circuitpython-bmi160 0.2.9, circuitpython-bma423 0.1.0 and circuitpython-bmp384 0.1.1, set the chip as they are told and then
# report another setting: 2000 degrees a second as 125, 100 Hz as 200 Hz, forced measurement as normal mode.
#
# Expected (Bosch data sheets) BMI160: register 43h, GYR_RANGE, is 0 for 2000 degrees a second, 4 for 125; registers 40h and 42h end with 6 for 25 Hz, 8 for 100 Hz, 9 for 200 Hz;
#           register 03h, PMU_STATUS, has the state of the accelerometer in the bits 5 and 4, 2 for low power. BMA423: register 40h, ACC_CONF, ends with 8 for 100 Hz. BMP384:
#           register 1Bh, PWR_CTRL, has the mode in the bits 5 and 4, 0 for sleep, 1 and 2 for forced, 3 for normal.
# Seen:     what the registers hold is right, but the codes are taken as places in tables that begin or end elsewhere. Codes behind the end of the table raise IndexError. An
#           accelerometer in low power is "Suspend", as the mask has one of the two bits.
# So:       a program that keeps the settings of a sensor with its measurements keeps wrong ones.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-bmi160==0.2.9 circuitpython-bma423==0.1.0 \
  circuitpython-bmp384==0.1.1 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

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

import bma423, bmi160, bmp384

def show(name, chip, module, setting, constant, register, low, bits):
    setattr(chip, setting, getattr(module, constant))
    value = bus.registers[register] >> low & (1 << bits) - 1
    try:
        found = getattr(chip, setting)
    except IndexError as error:
        found = type(error).__name__
    print(f'{name} | {setting} = {constant} | register {register:02X}h {value} | {found}')

bus = Bus({0: 0xd1})
chip = bmi160.BMI160(bus)
for constant in 'GYRO_RANGE_2000', 'GYRO_RANGE_500', 'GYRO_RANGE_125':
    show('bmi160', chip, bmi160, 'gyro_range', constant, 0x43, 0, 3)
for constant in 'BANDWIDTH_25', 'BANDWIDTH_100', 'BANDWIDTH_1600':
    show('bmi160', chip, bmi160, 'acceleration_output_data_rate', constant, 0x40, 0, 4)
for constant in 'BANDWIDTH_25', 'BANDWIDTH_100':
    show('bmi160', chip, bmi160, 'gyro_output_data_rate', constant, 0x42, 0, 4)
bus.registers[3] = 2 << 4
print('bmi160 | accelerometer in low power, register 03h 20')
chip.power_mode_status()
bus = Bus({0: 0x13})
chip = bma423.BMA423(bus)
for constant in 'BANDWIDTH_25_32', 'BANDWIDTH_100', 'BANDWIDTH_1600':
    show('bma423', chip, bma423, 'output_data_rate', constant, 0x40, 0, 4)
bus = Bus({0: 0x50})
chip = bmp384.BMP384(bus)
for constant in 'SLEEP_MODE', 'FORCED_MODE', 'NORMAL_MODE':
    show('bmp384', chip, bmp384, 'power_mode', constant, 0x1b, 4, 2)
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
bmi160 | gyro_range = GYRO_RANGE_2000 | register 43h 0 | GYRO_RANGE_125
bmi160 | gyro_range = GYRO_RANGE_500 | register 43h 2 | GYRO_RANGE_500
bmi160 | gyro_range = GYRO_RANGE_125 | register 43h 4 | GYRO_RANGE_2000
bmi160 | acceleration_output_data_rate = BANDWIDTH_25 | register 40h 6 | BANDWIDTH_50
bmi160 | acceleration_output_data_rate = BANDWIDTH_100 | register 40h 8 | BANDWIDTH_200
bmi160 | acceleration_output_data_rate = BANDWIDTH_1600 | register 40h 12 | BANDWIDTH_3200
bmi160 | gyro_output_data_rate = BANDWIDTH_25 | register 42h 6 | BANDWIDTH_1600
bmi160 | gyro_output_data_rate = BANDWIDTH_100 | register 42h 8 | IndexError
bmi160 | accelerometer in low power, register 03h 20
Acceleration Power Mode:  Suspend
Gyro Power Mode Suspend
Mag Power Mode Suspend
bma423 | output_data_rate = BANDWIDTH_25_32 | register 40h 1 | BANDWIDTH_25_16
bma423 | output_data_rate = BANDWIDTH_100 | register 40h 8 | BANDWIDTH_200
bma423 | output_data_rate = BANDWIDTH_1600 | register 40h 12 | IndexError
bmp384 | power_mode = SLEEP_MODE | register 1Bh 0 | SLEEP_MODE
bmp384 | power_mode = FORCED_MODE | register 1Bh 2 | NORMAL_MODE
bmp384 | power_mode = NORMAL_MODE | register 1Bh 3 | IndexError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
