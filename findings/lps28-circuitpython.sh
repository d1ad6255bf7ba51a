#!/usr/bin/env bash
# PyPI circuitpython-lps28 0.1.1, a driver for the barometer LPS28DFW, gives a hundredth of the pressure, enables its alarms in a register that is not there, and never measures in
# the range for water.
#
# Expected (STMicroelectronics LPS28DFW data sheet) Sensitivity: 4096 counts for 1 hPa in mode 1, up to 1260 hPa. Register 0Bh, INTERRUPT_CFG: bits 0 and 1, PHE and PLE, enable the
#           interrupts for a high and a low pressure. Register 24h, INT_SOURCE: bits 0 and 1, PH and PL, say which happened. Register 11h, CTRL_REG2: bit 6, FS_MODE, selects mode
#           2, up to 4060 hPa. Register 10h: bits 2 to 0 are the average, 7 for 512.
# Seen:     1013.25 hPa are 10.1325, and pressure says that it is in hPa. The alarms are set in B0h, and whether they happened is read from there. FULL_SCALE writes 2048 moved by
#           six bits, of which the register gets 0. After RES_512 the resolution raises IndexError.
# So:       a diver's computer shows the pressure of a high mountain, and no alarm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-lps28==0.1.1 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

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

import lps28

bus = Bus({0x0f: 0xb4})
chip = lps28.LPS28(bus)
for expected in 300.0, 1013.25:
    bus.registers[0x28:0x2b] = round(expected * 4096).to_bytes(3, 'little')
    print(f'pressure | expected {expected} hPa | {chip.pressure}')
chip.high_threshold_enabled = True
chip.low_threshold_enabled = True
print(f'alarms enabled | expected 0Bh 03 | 0Bh {bus.registers[0x0b]:02X}, B0h {bus.registers[0xb0]:02X}')
bus.registers[0xb0] = 0
bus.registers[0x24] = 5
print(f'pressure too high (24h {bus.registers[0x24]:02X}) | expected True | {chip.high_threshold_exceeded}')
chip.full_scale = lps28.FULL_SCALE
print(f'FULL_SCALE | expected 11h 40 | 11h {bus.registers[0x11]:02X}')
chip.resolution = lps28.RES_512
try:
    found = chip.resolution
except IndexError as error:
    found = type(error).__name__
print(f'RES_512 | expected 10h ends with 7 | {bus.registers[0x10] & 7} | {found}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
pressure | expected 300.0 hPa | 3.0
pressure | expected 1013.25 hPa | 10.1325
alarms enabled | expected 0Bh 03 | 0Bh 00, B0h 03
pressure too high (24h 05) | expected True | False
FULL_SCALE | expected 11h 40 | 11h 00
RES_512 | expected 10h ends with 7 | 7 | IndexError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
