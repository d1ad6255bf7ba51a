#!/usr/bin/env bash
# Two drivers for the thermometer STTS22H, PyPI circuitpython-stts22h 0.1.1 and micropython-stts22h 0.1.2, report 10 degrees of frost as 645 degrees, and set limits of other
# temperatures.
#
# Expected (STMicroelectronics STTS22H data sheet) Registers 06h and 07h, TEMP_L_OUT and TEMP_H_OUT: two's complement, 100 counts for a degree. Registers 02h and 03h, TEMP_H_LIMIT
#           and TEMP_L_LIMIT: the limit in degrees is the number minus 63, times 0.64.
# Seen:     the octets are put together without a sign: -0.01 degrees are 655.35, -10 degrees 645.36. The limits are written as they are: 30 for the upper one is a limit of -21.12
#           degrees, and -5 for the lower one raises an error.
# So:       a freezer is on fire, and its alarm is always or never on.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-stts22h==0.1.1 micropython-stts22h==0.1.2 \
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
            self.registers[data[0]:data[0] + len(data) - 1] = data[1:]

    def writeto_then_readfrom(self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None):
        end = len(into) if in_end is None else in_end
        register = out[out_start]
        into[in_start:end] = self.registers[register:register + end - in_start]

class Chip:
    """A bus of MicroPython (machine.I2C) with one chip that has these registers."""
    def __init__(self, registers):
        self.registers = bytearray(256)
        for register, value in registers.items():
            self.registers[register] = value

    def readfrom_mem(self, address, register, count):
        return bytes(self.registers[register:register + count])

    def readfrom_mem_into(self, address, register, buffer):
        buffer[:] = self.registers[register:register + len(buffer)]

    def writeto_mem(self, address, register, data):
        self.registers[register:register + len(data)] = data

import struct

def tries(package, module, bus):
    chip = module.STTS22H(bus)
    for expected in 21.5, -0.01, -10.0:
        bus.registers[6:8] = round(expected * 100).to_bytes(2, 'little', signed=True)
        print(f'{package} | expected {expected} degrees | {chip.temperature}')
    for limit in 30, -5:
        try:
            chip.temperature_high_limit = limit
            found = f'{(bus.registers[2] - 63) * 0.64:.2f} degrees'
        except (struct.error, OverflowError) as error:
            found = 'struct.error' if isinstance(error, struct.error) else 'OverflowError'
        print(f'{package} | upper limit {limit} | expected {round(limit / 0.64 + 63)} in the register | {found}')

import stts22h
import micropython_stts22h.stts22h
tries('circuitpython', stts22h, Bus({1: 0xa0}))
tries('micropython', micropython_stts22h.stts22h, Chip({1: 0xa0}))
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
circuitpython | expected 21.5 degrees | 21.5
circuitpython | expected -0.01 degrees | 655.35
circuitpython | expected -10.0 degrees | 645.36
circuitpython | upper limit 30 | expected 110 in the register | -21.12 degrees
circuitpython | upper limit -5 | expected 55 in the register | struct.error
micropython | expected 21.5 degrees | 21.5
micropython | expected -0.01 degrees | 655.35
micropython | expected -10.0 degrees | 645.36
micropython | upper limit 30 | expected 110 in the register | -21.12 degrees
micropython | upper limit -5 | expected 55 in the register | OverflowError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
