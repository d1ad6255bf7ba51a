#!/usr/bin/env bash
# Two drivers for the thermometer MCP9808, PyPI adafruit-circuitpython-mcp9808 3.3.32 and micropython-mcp9808 0.2.1, set limits of around -250 degrees for frost: they write a sign
# and a number where the chip has two's complement, and can read it back themselves only as that.
#
# Expected (Microchip MCP9808 data sheet, registers 5-3, TUPPER, TLOWER and TCRIT) Bits 12 to 2 are the limit in two's complement, bit 12 the sign: -5 degrees are 1FB0h, -40
#           degrees 1D80h.
# Seen:     -5 degrees are written as 1050h, which is -251, and -40 as 1280h, which is -216. Reading the limit back says so. Limits from 0 up are right.
# So:       a freezer whose limits are -25 and -15 degrees is above both of them for ever.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps adafruit-circuitpython-mcp9808==3.3.32 micropython-mcp9808==0.2.1 \
  adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))
import typing
sys.modules['typing_extensions'] = typing

class Words:
    """A chip with registers of 16 bits on a bus of CircuitPython or MicroPython."""
    def __init__(self):
        self.registers = {6: 0x0054, 7: 0x0400, 1: 0, 8: 3}

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, *, start=0, end=None):
        data = bytes(data[start:end])
        if len(data) == 3:
            self.registers[data[0]] = int.from_bytes(data[1:], 'big')

    def writeto_then_readfrom(self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None):
        end = len(into) if in_end is None else in_end
        into[in_start:end] = self.registers[out[out_start]].to_bytes(2, 'big')[:end - in_start]

    def readfrom_mem(self, address, register, count):
        return self.registers[register].to_bytes(2, 'big')[-count:]

    def readfrom_mem_into(self, address, register, buffer):
        buffer[:] = self.registers[register].to_bytes(2, 'big')

    def writeto_mem(self, address, register, data):
        self.registers[register] = int.from_bytes(data, 'big')

import adafruit_mcp9808
from micropython_mcp9808 import mcp9808

for name, make, setting in (('adafruit', adafruit_mcp9808.MCP9808, 'upper_temperature'), ('micropython', mcp9808.MCP9808, 'temperature_upper')):
    bus = Words()
    if name == 'micropython':
        bus.registers[7] = 0x0404  # its check takes the first octet of FFh or 07h
    chip = make(bus)
    for limit in 30, 0, -1, -5, -40:
        setattr(chip, setting, limit)
        print(f'{name} | limit {limit} | expected {limit * 16 & 0x1fff:04X} | {bus.registers[2]:04X} | reads back {getattr(chip, setting)}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
adafruit | limit 30 | expected 01E0 | 01E0 | reads back 30.0
adafruit | limit 0 | expected 0000 | 0000 | reads back 0.0
adafruit | limit -1 | expected 1FF0 | 1010 | reads back -255.0
adafruit | limit -5 | expected 1FB0 | 1050 | reads back -251.0
adafruit | limit -40 | expected 1D80 | 1280 | reads back -216.0
micropython | limit 30 | expected 01E0 | 01E0 | reads back 30.0
micropython | limit 0 | expected 0000 | 0000 | reads back 0.0
micropython | limit -1 | expected 1FF0 | 1010 | reads back -255.0
micropython | limit -5 | expected 1FB0 | 1050 | reads back -251.0
micropython | limit -40 | expected 1D80 | 1280 | reads back -216.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
