#!/usr/bin/env bash
# PyPI circuitpython-tmp112x 0.1.0, a driver for the thermometer TMP112, takes the sign off twice: one degree of frost is -257 degrees, and limits of frost cannot be set.
#
# Expected (Texas Instruments TMP112 data sheet, "Temperature register" and the tables of its 12-bit and 13-bit formats) The register has the temperature in the upper 12 bits, or
#           13 in the extended mode, in two's complement, with 0.0625 degrees for a count: E70h is -25 degrees.
# Seen:     the register is read as a signed number, which is negative already, and 4096 or 8192 counts are taken away once more: -25 is -281, in the extended mode -537. A limit of
#           -5 raises struct.error, as the number without a sign does not fit the signed register. Reading a limit of -5 of the chip gives -261.
# So:       a cold room is colder than absolute zero allows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-tmp112x==0.1.0 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

import struct
from adafruit_bus_device.i2c_device import I2CDevice
from tmp112x import TMP112x

class Bus:
    """A bus of CircuitPython (busio.I2C) with a chip that has four registers of 16 bits."""
    def __init__(self):
        self.registers = [0, 0x60a0, 0x4b00, 0x5000]

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, *, start=0, end=None):
        data = bytes(data[start:end])
        if len(data) == 3:
            self.registers[data[0]] = int.from_bytes(data[1:], 'big')

    def writeto_then_readfrom(self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None):
        into[in_start:in_start + 2] = self.registers[out[out_start]].to_bytes(2, 'big')

bus = Bus()
chip = TMP112x(I2CDevice(bus, 0x48))
for extended, shift in ((False, 4), (True, 3)):
    chip.get_set_extended_mode(extended)
    for expected in 25, 0, -1, -25, -40:
        bus.registers[0] = (round(expected * 16) << shift | extended) & 0xffff
        print(f'{"extended" if extended else "normal"} | expected {expected} degrees | {chip.get_temperature()}')
chip.get_set_extended_mode(False)
for limit in 30, -5:
    try:
        chip.get_set_temperature_limit_low(limit)
        found = f'{bus.registers[2]:04X}'
    except struct.error as error:
        found = 'struct.error'
    print(f'limit {limit} | expected {(limit * 16 << 4) & 0xffff:04X} | {found}')
bus.registers[2] = -5 * 256 & 0xffff
print(f'limit of the chip FB00 | expected -5 | {chip.get_set_temperature_limit_low()}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
normal | expected 25 degrees | 25.0
normal | expected 0 degrees | 0.0
normal | expected -1 degrees | -257.0
normal | expected -25 degrees | -281.0
normal | expected -40 degrees | -296.0
extended | expected 25 degrees | 25.0
extended | expected 0 degrees | 0.0
extended | expected -1 degrees | -513.0
extended | expected -25 degrees | -537.0
extended | expected -40 degrees | -552.0
limit 30 | expected 1E00 | 1E00
limit -5 | expected FB00 | struct.error
limit of the chip FB00 | expected -5 | -261.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
