#!/usr/bin/env bash
# Two drivers for the hygrometer HTS221, PyPI micropython-hts221 0.1.0 and adafruit-circuitpython-hts221 1.1.24, cut the calibration of the chip to whole degrees and percents.
#
# Expected (STMicroelectronics HTS221 data sheet, "Calibration registers", and technical note TN1218) T0_degC_x8 and T1_degC_x8 are eight times the temperature of the two
#           calibration points, ten bits each, H0_rH_x2 and H1_rH_x2 two times the humidity. The division by 8 or by 2 keeps the fraction; between the points the measurement is
#           interpolated.
# Seen:     the numbers are moved to the right by three bits and one bit. A point at 10.875 degrees counts as 10, one at 30.5 % as 30.
# So:       a chip that is accurate to half a degree is off by up to 0.875 degrees, by a different amount for each chip.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps micropython-hts221==0.1.0 adafruit-circuitpython-hts221==1.1.24 \
  adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

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
            self.registers[data[0] & 0x7f] = data[1]
            self.registers[0x21] &= 0x7f  # the reboot has ended

    def writeto_then_readfrom(self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None):
        end = len(into) if in_end is None else in_end
        register = out[out_start] & 0x7f  # bit 7: with the next ones
        into[in_start:end] = self.registers[register:register + end - in_start]

class Chip:
    """A bus of MicroPython (machine.I2C) with one chip that has these registers."""
    def __init__(self, registers):
        self.registers = bytearray(256)
        for register, value in registers.items():
            self.registers[register] = value

    def readfrom_mem(self, address, register, count):
        register &= 0x7f
        return bytes(self.registers[register:register + count])

    def readfrom_mem_into(self, address, register, buffer):
        buffer[:] = self.registers[register:register + len(buffer)]

    def writeto_mem(self, address, register, data):
        self.registers[register & 0x7f] = data[0]
        self.registers[0x21] &= 0x7f

import adafruit_hts221
from micropython_hts221 import hts221

def word(value):
    return dict(enumerate(value.to_bytes(2, 'little', signed=True)))

def registers(t0, t1, h0, h1):
    """A chip with these calibration points at outputs of 0 and 1000."""
    found = {0x0f: 0xbc, 0x30: int(h0 * 2), 0x31: int(h1 * 2), 0x32: int(t0 * 8) & 255, 0x33: int(t1 * 8) & 255, 0x35: int(t0 * 8) >> 8 | int(t1 * 8) >> 8 << 2}
    for register, value in ((0x36, 0), (0x3a, 1000), (0x3c, 0), (0x3e, 1000)):
        found.update((register + place, octet) for place, octet in word(value).items())
    return found

for points in ((10.875, 30.875, 30.5, 75.5), (11.0, 31.75, 30.0, 75.0)):
    for name, found in (('micropython', hts221.HTS221(Chip(registers(*points)))), ('adafruit', adafruit_hts221.HTS221(Bus(registers(*points))))):
        bus = found._i2c if name == 'micropython' else found.i2c_device.i2c
        for counts in 0, 500, 1000:
            for register in 0x28, 0x2a:
                bus.registers[register:register + 2] = counts.to_bytes(2, 'little')
            t0, t1, h0, h1 = points
            share = counts / 1000
            print(f'{name} | expected {t0 + (t1 - t0) * share:.3f} degrees, {h0 + (h1 - h0) * share:.2f} % | {found.temperature:.3f} degrees, {found.relative_humidity:.2f} %')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
micropython | expected 10.875 degrees, 30.50 % | 10.000 degrees, 30.00 %
micropython | expected 20.875 degrees, 53.00 % | 20.000 degrees, 52.50 %
micropython | expected 30.875 degrees, 75.50 % | 30.000 degrees, 75.00 %
adafruit | expected 10.875 degrees, 30.50 % | 10.000 degrees, 30.00 %
adafruit | expected 20.875 degrees, 53.00 % | 20.000 degrees, 52.50 %
adafruit | expected 30.875 degrees, 75.50 % | 30.000 degrees, 75.00 %
micropython | expected 11.000 degrees, 30.00 % | 11.000 degrees, 30.00 %
micropython | expected 21.375 degrees, 52.50 % | 21.000 degrees, 52.50 %
micropython | expected 31.750 degrees, 75.00 % | 31.000 degrees, 75.00 %
adafruit | expected 11.000 degrees, 30.00 % | 11.000 degrees, 30.00 %
adafruit | expected 21.375 degrees, 52.50 % | 21.000 degrees, 52.50 %
adafruit | expected 31.750 degrees, 75.00 % | 31.000 degrees, 75.00 %
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
