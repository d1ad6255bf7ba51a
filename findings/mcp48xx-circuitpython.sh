#!/usr/bin/env bash
# PyPI circuitpython-mcp48xx 1.0.1, a driver for the converters MCP4801 to MCP4822, gives eight bits only to those with two channels and ten or twelve bits.
#
# Expected (Microchip MCP4802/4812/4822 data sheet, registers 5-1 to 5-3) The MCP4822 takes 12 bits, 0 to 4095, the MCP4812 ten, in bits 11 to 2, the MCP4802 eight. With the
#           internal reference and gain 1, a step of the MCP4822 is 0.5 mV.
# Seen:     MCP4812 and MCP4822 are made with a resolution of eight: raw_value 4095 raises AttributeError, and the lowest four of twelve bits of a value are always 0. The single
#           MCP4821 is right.
# So:       an output of 2.0475 V ends at 2.040 V, and moves in steps of 8 mV, 16 times the step of the chip.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-mcp48xx==1.0.1 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

import mcp48xx

class Spi:
    """A bus of CircuitPython (busio.SPI) that keeps the last word."""
    def try_lock(self):
        return True

    def unlock(self):
        pass

    def configure(self, **settings):
        pass

    def write(self, data, **bounds):
        self.word = int.from_bytes(data[:2], 'big')

class Pin:
    def switch_to_output(self, value):
        self.value = value

for name, bits in (('MCP4821', 12), ('MCP4822', 12), ('MCP4812', 10), ('MCP4802', 8)):
    bus = Spi()
    device = getattr(mcp48xx, name)(bus, Pin())
    channel = getattr(device, 'channel_a', device)
    try:
        channel.raw_value = (1 << bits) - 1
        raw = f'{bus.word & 0xfff:03X}'
    except AttributeError as error:
        raw = type(error).__name__
    channel.value = 65535
    full = bus.word & 0xfff
    channel.value = 0x7fff
    expected = [((1 << bits) - 1) << 12 - bits, 0x7fff >> 16 - bits << 12 - bits]
    print(f'{name} | largest raw value, largest value, half | expected {expected[0]:03X} {expected[0]:03X} {expected[1]:03X} | {raw} {full:03X} {bus.word & 0xfff:03X}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
MCP4821 | largest raw value, largest value, half | expected FFF FFF 7FF | FFF FFF 7FF
MCP4822 | largest raw value, largest value, half | expected FFF FFF 7FF | AttributeError FF0 7F0
MCP4812 | largest raw value, largest value, half | expected FFC FFC 7FC | AttributeError FF0 7F0
MCP4802 | largest raw value, largest value, half | expected FF0 FF0 7F0 | FF0 FF0 7F0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
