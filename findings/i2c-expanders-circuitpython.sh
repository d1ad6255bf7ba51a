#!/usr/bin/env bash
# PyPI circuitpython-i2c-expanders 1.0.0, a driver for the port expanders PCA9554 to PCAL9555, switches the outputs when it is told their kind, and never reports a change of the last
# pin.
#
# Expected (NXP PCAL9554B and PCAL9555A data sheets) 4Fh, output port configuration: bit 0, for the 9555 bit 1 as well, makes a port open-drain instead of push-pull. 01h of the 9554,
#           02h and 03h of the 9555, output port: the levels of the pins, 1 for high. 46h, or 4Ch and 4Dh, interrupt status: a bit for each of the 8 or 16 pins.
# Seen:     set_drive_mode masks the address, not the value: 4Fh becomes 01h, or 03h, so that OPEN_DRAIN turns off seven outputs and 4Fh stays push-pull; reset_to_defaults, and so
#           each new object, turns off all eight, with 0 where the data sheet has 1. get_int_pins and get_interrupts look at 7 or 15 pins.
# So:       a board whose relays are on at low has them on as soon as their pins become outputs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-i2c-expanders==1.0.0 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

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

import digitalio
digitalio.DriveMode = types.SimpleNamespace(PUSH_PULL='push-pull', OPEN_DRAIN='open-drain')
from i2c_expanders.PCAL9554 import PCAL9554
from i2c_expanders.PCAL9555 import PCAL9555

for kind, port, status, pins in (PCAL9554, (1,), 0x46, 8), (PCAL9555, (2, 3), 0x4c, 16):
    bus = Bus({register: 0xff for register in port})
    levels = lambda: ' '.join(f'{bus.registers[register]:08b}' for register in port)
    chip = kind(bus)
    print(f'{kind.__name__}, new object | expected outputs all 1 | {levels()}')
    for register in port:
        bus.registers[register] = 0xff
    bank = () if pins == 8 else (0,)
    chip.set_drive_mode(*bank, digitalio.DriveMode.OPEN_DRAIN)
    print(f'{kind.__name__}, open-drain | expected outputs all 1, 4Fh 01 | {levels()}, 4Fh {bus.registers[0x4f]:02X}, {chip.get_drive_mode(*bank)}')
    bus.registers[status], bus.registers[status + 1] = 0xc0 if pins == 8 else 0, 0xc0 if pins == 16 else 0
    print(f'{kind.__name__}, interrupts of {pins - 2} and {pins - 1} | {chip.get_int_pins()} | {[found["pin"] for found in chip.get_interrupts()]}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
PCAL9554, new object | expected outputs all 1 | 00000000
PCAL9554, open-drain | expected outputs all 1, 4Fh 01 | 00000001, 4Fh 00, push-pull
PCAL9554, interrupts of 6 and 7 | [6] | [6]
PCAL9555, new object | expected outputs all 1 | 11111111 00000000
PCAL9555, open-drain | expected outputs all 1, 4Fh 01 | 11111111 00000001, 4Fh 00, push-pull
PCAL9555, interrupts of 14 and 15 | [14] | [14]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
