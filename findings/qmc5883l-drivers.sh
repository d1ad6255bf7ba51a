#!/usr/bin/env bash
# Two drivers for the magnetometer QMC5883L, PyPI circuitpython-qmc5883l 0.1.3 and micropython-qmc5883l 0.1.2, wait until a measurement was missed, instead of until there is one;
# the second writes a recommended setting to the neighbour of its register.
#
# Expected (QST QMC5883L data sheet) 06h, status: bit 0, DRDY, there is a new measurement; bit 1, OVL, one is out of range; bit 2, DOR, a measurement was skipped, because nobody read
#           the one before. 0Bh: "it is recommended that the register 0BH is written by 0x01". 0Dh is FFh.
# Seen:     magnetic polls bit 2: at 200 measurements a second, a reader that asks 200 times is answered with every second one. OVL is not looked at: a field that is out of range
#           is given as one of 2.73 gauss. micropython-qmc5883l writes 00h to 0Bh and 01h to 0Ch, since it swaps the octets of a pair; both compare 0Dh and 0Eh with 00FFh.
# So:       a compass lags behind the boat.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-qmc5883l==0.1.3 micropython-qmc5883l==0.1.2 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

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

class Chip(Bus):
    """The same, as a bus of MicroPython (machine.I2C), too; each look at the status is a step of these."""
    steps, looks = [], 0

    def look(self, register):
        if register == 6 and self.steps:
            self.registers[6] = self.steps.pop(0)
            self.looks += 1

    def writeto_then_readfrom(self, address, out, into, **places):
        self.look(out[0])
        super().writeto_then_readfrom(address, out, into, **places)

    def readfrom_mem(self, address, register, count):
        self.look(register)
        return bytes(self.registers[register:register + count])

    def writeto_mem(self, address, register, data):
        self.registers[register:register + len(data)] = data

import qmc5883l as circuit
from micropython_qmc5883l import qmc5883l as micro

for name, package in ('circuitpython', circuit), ('micropython', micro):
    bus = Chip({0x0d: 0xff})
    chip = package.QMC5883L(bus)
    print(f'{name}, new object | expected 0Bh 01 | 0Bh {bus.registers[0x0b]:02X}, 0Ch {bus.registers[0x0c]:02X}')
    bus.registers[0:2] = (12000).to_bytes(2, 'little')
    bus.steps = [0x00, 0x01, 0x01, 0x05]
    print(f'{name}, ready at the second look, skipped at the fourth | expected 2 looks | {chip.magnetic[0]:.2f} gauss after {bus.looks} looks')
    bus.registers[0:2] = (32767).to_bytes(2, 'little')
    bus.steps = [0x07]
    print(f'{name}, out of range | expected no value | {chip.magnetic[0]:.2f} gauss')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
circuitpython, new object | expected 0Bh 01 | 0Bh 01, 0Ch 00
circuitpython, ready at the second look, skipped at the fourth | expected 2 looks | 1.00 gauss after 4 looks
circuitpython, out of range | expected no value | 2.73 gauss
micropython, new object | expected 0Bh 01 | 0Bh 00, 0Ch 01
micropython, ready at the second look, skipped at the fourth | expected 2 looks | 1.00 gauss after 4 looks
micropython, out of range | expected no value | 2.73 gauss
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
