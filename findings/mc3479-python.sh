#!/usr/bin/env bash
# Two drivers for the accelerometer MC3479, PyPI circuitpython-mc3479 0.2.1 and micropython-mc3479 0.4.4, know no negative acceleration: what falls to the other side is measured as
# 3 g.
#
# Expected (mCube MC3479 data sheet) Registers 0Dh to 12h, XOUT_LSB to ZOUT_MSB: signed numbers of 16 bits, two's complement, 16384 for 1 g in the range of 2 g. Register 20h,
#           RANGE: bit 3, LPF_EN, enables the low pass filter.
# Seen:     the octets are put together without a sign: -1 g is 3 g, -0.01 g is 3.99 g. In circuitpython-mc3479, lpf_enabled is LPF_DISABLE after LPF_ENABLE was set, and the other
#           way round.
# So:       a bicycle that lies on its side cannot be told from one in a crash.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-mc3479==0.2.1 micropython-mc3479==0.4.4 \
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

def tries(package, module, bus):
    chip = module.MC3479(bus)
    for expected in 1.0, 0.5, -0.01, -1.0:
        bus.registers[0x0d:0x0f] = round(expected * 16384).to_bytes(2, 'little', signed=True)
        print(f'{package} | expected {expected} g | {chip.acceleration[0]:.2f} g')
    for name in 'LPF_ENABLE', 'LPF_DISABLE':
        chip.lpf_enabled = getattr(module, name)
        print(f'{package} | {name} | bit 3 of register 20h {bus.registers[0x20] >> 3 & 1} | {chip.lpf_enabled}')

import mc3479
import micropython_mc3479.mc3479
tries('circuitpython', mc3479, Bus({0x98: 0xa4}))
tries('micropython', micropython_mc3479.mc3479, Chip({0x98: 0xa4}))
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
circuitpython | expected 1.0 g | 1.00 g
circuitpython | expected 0.5 g | 0.50 g
circuitpython | expected -0.01 g | 3.99 g
circuitpython | expected -1.0 g | 3.00 g
circuitpython | LPF_ENABLE | bit 3 of register 20h 1 | LPF_DISABLE
circuitpython | LPF_DISABLE | bit 3 of register 20h 0 | LPF_ENABLE
micropython | expected 1.0 g | 1.00 g
micropython | expected 0.5 g | 0.50 g
micropython | expected -0.01 g | 3.99 g
micropython | expected -1.0 g | 3.00 g
micropython | LPF_ENABLE | bit 3 of register 20h 1 | LPF_ENABLE
micropython | LPF_DISABLE | bit 3 of register 20h 0 | LPF_DISABLE
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
