#!/usr/bin/env bash
# Two drivers for the port expanders PCF8574 and PCF8575, with which mqtt-io switches relays and reads buttons: PyPI pcf8575 0.3 turns off eight other outputs with each one that it
# turns off, and with both, pcf8574 0.1.3, too, a button that is pressed while an output changes stays pressed.
#
# Expected (NXP PCF8574 and PCF8575 data sheets, "Quasi-bidirectional I/Os") A pin is an input while a 1 is written to it; what is read is the level of the pins, not what was
#           written. So a new value has to be made from what was written last. The PCF8575 has 16 pins.
# Seen:     set_output reads the pins, changes one bit and writes the rest back: a 0 from a button becomes an output of 0, and the button reads as pressed after it was released.
#           pcf8575 has a mask of eight bits where it clears one of sixteen: to turn off one output of the lower octet turns off all of the upper one, and of the upper octet all of
#           it as well.
# So:       the first relay that is switched off takes eight more with it, and a doorbell rings until the next restart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps pcf8574==0.1.3 pcf8575==0.3 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class SMBus:
    """A bus with one expander. Pressed buttons pull their pins down; all else follows what was written."""
    def __init__(self, number):
        self.written, self.pressed = 0xffff, 0

    @property
    def pins(self):
        return self.written & ~self.pressed

    def read_byte(self, address):
        return self.pins & 0xff

    def write_byte(self, address, value):
        self.written = value

    def read_word_data(self, address, command):
        return self.pins  # the command octet, which the chip would take for a value, is ignored here

    def write_byte_data(self, address, first, second):
        self.written = first | second << 8

sys.modules['smbus'] = types.SimpleNamespace(SMBus=SMBus)
from pcf8574 import PCF8574
from pcf8575 import PCF8575

for name, make, bits in (('pcf8574', PCF8574, 8), ('pcf8575', PCF8575, 16)):
    full = (1 << bits) - 1
    for number in 0, bits - 1:
        chip = make(1, 0x20)
        chip.bus.written = full
        chip.port[number] = False
        print(f'{name} | all on, {number} off | expected {full & ~(1 << bits - 1 - number):0{bits // 4}X} | {chip.bus.written:0{bits // 4}X}')
    chip = make(1, 0x20)
    chip.bus.written = full
    button = bits - 1
    chip.bus.pressed = 1
    print(f'{name} | button pressed | expected False | {chip.port[button]}')
    chip.port[1] = True
    chip.bus.pressed = 0
    print(f'{name} | output 1 on meanwhile, button released | expected True | {chip.port[button]}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
pcf8574 | all on, 0 off | expected 7F | 7F
pcf8574 | all on, 7 off | expected FE | FE
pcf8574 | button pressed | expected False | False
pcf8574 | output 1 on meanwhile, button released | expected True | False
pcf8575 | all on, 0 off | expected 7FFF | 00FF
pcf8575 | all on, 15 off | expected FFFE | 00FE
pcf8575 | button pressed | expected False | False
pcf8575 | output 1 on meanwhile, button released | expected True | False
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
