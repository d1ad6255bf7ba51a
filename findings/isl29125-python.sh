#!/usr/bin/env bash
# Two drivers for the colour sensor ISL29125, PyPI circuitpython-isl29125 0.2.3 and micropython-isl29125 0.1.2, give negative light from half of the range on, and change the range
# when they are told the resolution.
#
# Expected (Renesas ISL29125 data sheet) Registers 09h to 0Eh: green, red and blue, 16 bits each, 0 to 65535, and registers 04h to 07h: the thresholds of the same kind, low octet
#           first. Register 01h: bit 3, RNG, is the range, 0 for 375 lux, 1 for 10,000 lux; bit 4, BITS, is the resolution, 0 for 16 bits, 1 for 12 bits.
# Seen:     a green of 49152 is -16384. adc_resolution is bit 3: to set RES_16BITS makes 10,000 lux 375 lux, and to set RES_12BITS changes nothing but the range. It reads back
#           under the other name. A threshold of 40000 raises an error in one package; in the other one it arrives with its octets swapped, as 16540.
# So:       the brightest quarter of a day is darkness.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-isl29125==0.2.3 micropython-isl29125==0.1.2 \
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
    chip = module.ISL29125(bus)
    for expected in 30000, 49152, 65535:
        bus.registers[9:11] = expected.to_bytes(2, 'little')
        print(f'{package} | expected {expected} | green {chip.green}')
    for name in 'RES_16BITS', 'RES_12BITS':
        chip._conf_reg = 0x0d
        chip.adc_resolution = getattr(module, name)
        register = bus.registers[1]
        print(f'{package} | {name} | bit 4, 12 bits: {register >> 4 & 1} | bit 3, 10,000 lux: {register >> 3 & 1} | reads back {chip.adc_resolution}')
    for value in 1000, 40000:
        try:
            chip.high_threshold = value
            found = int.from_bytes(bus.registers[6:8], 'little')
        except struct.error as error:
            found = 'struct.error'
        print(f'{package} | threshold {value} | in the chip {found}')

import isl29125
import micropython_isl29125.isl29125
tries('circuitpython', isl29125, Bus({0: 0x7d}))
tries('micropython', micropython_isl29125.isl29125, Chip({0: 0x7d}))
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
circuitpython | expected 30000 | green 30000
circuitpython | expected 49152 | green -16384
circuitpython | expected 65535 | green -1
circuitpython | RES_16BITS | bit 4, 12 bits: 0 | bit 3, 10,000 lux: 0 | reads back RES_12BITS
circuitpython | RES_12BITS | bit 4, 12 bits: 0 | bit 3, 10,000 lux: 1 | reads back RES_16BITS
circuitpython | threshold 1000 | in the chip 1000
circuitpython | threshold 40000 | in the chip struct.error
micropython | expected 30000 | green 30000
micropython | expected 49152 | green -16384
micropython | expected 65535 | green -1
micropython | RES_16BITS | bit 4, 12 bits: 0 | bit 3, 10,000 lux: 0 | reads back RES_12BITS
micropython | RES_12BITS | bit 4, 12 bits: 0 | bit 3, 10,000 lux: 1 | reads back RES_16BITS
micropython | threshold 1000 | in the chip 59395
micropython | threshold 40000 | in the chip 16540
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
