#!/usr/bin/env bash
# PyPI circuitpython-pca9674 1.0.0, a driver for the port expander PCA9674, moves its eight pins by one, so that the first is out of reach and the last does not exist, and rejects
# every mode of a pin.
#
# Expected (NXP PCA9674 data sheet) The chip has eight pins, P0 to P7, each of which is one bit of the octet that is written or read. The package numbers them 1 to 8, and refuses
#           others; pin_mode takes "either OUTPUT or INPUT", readPin gives one pin.
# Seen:     the number is taken for the bit: 1 is P1, 7 is P7, and 8 raises ValueError when it is set, because the octet would be 256, and reads as False always. P0 has no number.
#           pin_mode and readPin raise AttributeError for each pin, since they use names that the class has not. In Python
#           for small computers (Blinka), the package cannot even be imported: an annotation names a class that is not known yet.
# So:       a board with eight relays switches the wrong seven.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-pca9674==1.0.0 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

import digitalio
digitalio.Direction = types.SimpleNamespace(INPUT='in', OUTPUT='out')

class Bus:
    """A bus of CircuitPython (busio.I2C) with one PCA9674."""
    def __init__(self):
        self.port = 0

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, *, start=0, end=None):
        for value in bytes(data[start:end]):
            self.port = value

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        buffer[start:end] = bytes([self.port]) * len(buffer[start:end])

try:
    import pca9674.pca9674
except NameError as error:
    print(f'imported | {type(error).__name__}: {error}')
import builtins
builtins.PCA9674 = None  # CircuitPython does not look at annotations
from pca9674.pca9674 import PCA9674

def attempt(action):
    try:
        return action()
    except (ValueError, AttributeError) as error:
        return type(error).__name__

bus = Bus()
chip = PCA9674(bus)
for number in range(1, 9):
    bus.port = 0
    found = attempt(lambda: setattr(chip.get_pin(number), 'value', True))
    written, bus.port = bus.port, 1 << number - 1
    alone = attempt(lambda: chip.get_pin(number).value)
    print(f'pin {number} | expected P{number - 1}, {1 << number - 1:08b} | {found or format(written, "08b")} | with P{number - 1} high: {alone}')
print(f'number 0 | {attempt(lambda: chip.get_pin(0))}')
print('pin_mode |', *[attempt(lambda: chip.pin_mode(number, 1)) for number in range(1, 9)])
print('readPin |', *[attempt(lambda: chip.readPin(number)) for number in range(1, 9)])
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
imported | NameError: name 'PCA9674' is not defined
pin 1 | expected P0, 00000001 | 00000010 | with P0 high: False
pin 2 | expected P1, 00000010 | 00000100 | with P1 high: False
pin 3 | expected P2, 00000100 | 00001000 | with P2 high: False
pin 4 | expected P3, 00001000 | 00010000 | with P3 high: False
pin 5 | expected P4, 00010000 | 00100000 | with P4 high: False
pin 6 | expected P5, 00100000 | 01000000 | with P5 high: False
pin 7 | expected P6, 01000000 | 10000000 | with P6 high: False
pin 8 | expected P7, 10000000 | ValueError | with P7 high: False
number 0 | ValueError
pin_mode | AttributeError AttributeError AttributeError AttributeError AttributeError AttributeError AttributeError AttributeError
readPin | AttributeError AttributeError AttributeError AttributeError AttributeError AttributeError AttributeError AttributeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
