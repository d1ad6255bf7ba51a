#!/usr/bin/env bash
# PyPI circuitpython-tmp117 0.1.2, a driver for the thermometer TMP117, which is exact to a tenth of a degree, takes only whole degrees for its limits and its correction.
#
# Expected (Texas Instruments TMP117 data sheet, registers 02h, 03h and 07h, THigh_Limit, TLow_Limit and Temp_Offset) The limits and the offset have 16 bits, with 7.8125 thousandths
#           of a degree for a count, in two's complement: 37.5 degrees are 12C0h, -0.25 FFE0h. The package says that they are floats "from 255 to -256".
# Seen:     a number that is not whole raises ValueError, with "value must be from 255 to -256"; so does 255 itself. Whole ones from -256 to 254 are written right.
# So:       a thermometer for fever warns at 37 or 38 degrees, and no error of less than a degree can be corrected.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-tmp117==0.1.2 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

class Bus:
    """A bus of CircuitPython (busio.I2C) with one chip that has these registers of 16 bits."""
    def __init__(self, registers):
        self.registers = registers

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, *, start=0, end=None):
        data = bytes(data[start:end])
        if len(data) == 3:
            self.registers[data[0]] = int.from_bytes(data[1:], 'big')

    def writeto_then_readfrom(self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None):
        into[in_start:len(into) if in_end is None else in_end] = self.registers.get(out[out_start], 0).to_bytes(2, 'big')

import typing
sys.modules['typing_extensions'] = types.SimpleNamespace(Literal=typing.Literal)
import tmp117

bus = Bus({0x0f: 0x0117, 0x01: 0x2000})  # identity 0117h, and: there is a value
chip = tmp117.TMP117(bus)
for name, register, values in ('high_limit', 2, (37, 37.5, 254, 255)), ('low_limit', 3, (-10, -0.5, -256)), ('temperature_offset', 7, (1, 0.5, -0.25)):
    for value in values:
        bus.registers[register] = 0
        try:
            setattr(chip, name, value)
            found = f'{bus.registers[register]:04X}h'
        except ValueError as error:
            found = f'{type(error).__name__}: {error}'
        print(f'{name} = {value} | expected {round(value * 128) & 0xffff:04X}h | {found}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
high_limit = 37 | expected 1280h | 1280h
high_limit = 37.5 | expected 12C0h | ValueError: value must be from 255 to -256
high_limit = 254 | expected 7F00h | 7F00h
high_limit = 255 | expected 7F80h | ValueError: value must be from 255 to -256
low_limit = -10 | expected FB00h | FB00h
low_limit = -0.5 | expected FFC0h | ValueError: value must be from 255 to -256
low_limit = -256 | expected 8000h | 8000h
temperature_offset = 1 | expected 0080h | 0080h
temperature_offset = 0.5 | expected 0040h | ValueError: value must be from 255 to -256
temperature_offset = -0.25 | expected FFE0h | ValueError: value must be from 255 to -256
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
