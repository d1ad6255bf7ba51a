#!/usr/bin/env bash
# PyPI circuitpython-bmp180 0.2.0, a driver for the barometer BMP180, measures with half of the samples that it is told, and in its mode for little power not at all.
#
# Expected (Bosch BMP180 data sheet, table "Overview of BMP180 modes" and "Calculating pressure and temperature") The setting oss is 0 for ultra low power, 1 standard, 2 high
#           resolution, 3 ultra high resolution, with 1, 2, 4 and 8 samples; F4h gets 34h + (oss << 6): 34h, 74h, B4h, F4h.
# Seen:     the table of commands begins at 1 and is read with the modes, which begin at 0: MODE_STANDARD sends 34h, MODE_HIGHRES 74h, MODE_ULTRAHIGHRES B4h, and MODE_ULTRALOWPOWER
#           raises KeyError. oversampling_setting, the other setting, is not kept.
# So:       the altitude of a drone wavers more than its maker believes, and a sensor that is to live on a battery cannot.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-bmp180==0.2.0 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

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

import time
time.sleep = lambda seconds: None
import bmp180

EXAMPLE = 408, -72, -14383, 32741, 32757, 23153, 6190, 4, -32768, -8711, 2868  # the calibration in the data sheet
bus = Bus({0xd0: 0x55, 0xd1: 0x02})
bus.registers[0xaa:0xc0] = b''.join((value & 0xffff).to_bytes(2, 'big') for value in EXAMPLE)
chip = bmp180.BMP180(bus)
sent = []

def write(address, data, *, start=0, end=None):
    if data[0] == 0xf4 and len(data) > 1:
        sent.append(data[1])

bus.writeto = write
for oss, name in enumerate(('ULTRALOWPOWER', 'STANDARD', 'HIGHRES', 'ULTRAHIGHRES')):
    sent.clear()
    chip.mode = getattr(bmp180, f'MODE_{name}')
    try:
        chip.pressure
        found = f'{sent[-1]:02X}h, {1 << (sent[-1] >> 6)} samples'
    except KeyError as error:
        found = type(error).__name__
    print(f'MODE_{name} | expected {0x34 + (oss << 6):02X}h, {1 << oss} samples | {found}')
before = chip.oversampling_setting
chip.oversampling_setting = bmp180.PRESSURE_OVERSAMPLING_X1
print(f'oversampling_setting was {before}, is set to {bmp180.PRESSURE_OVERSAMPLING_X1} | {chip.oversampling_setting}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
MODE_ULTRALOWPOWER | expected 34h, 1 samples | KeyError
MODE_STANDARD | expected 74h, 2 samples | 34h, 1 samples
MODE_HIGHRES | expected B4h, 4 samples | 74h, 2 samples
MODE_ULTRAHIGHRES | expected F4h, 8 samples | B4h, 4 samples
oversampling_setting was 4, is set to 1 | 4
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
