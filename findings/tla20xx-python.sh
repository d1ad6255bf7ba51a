#!/usr/bin/env bash
# PyPI protocentral-tla20xx 1.0.0, a driver for the converters TLA2021, TLA2022 and TLA2024, cannot start a single conversion: in the mode OP_SINGLE, each reading is the last one
# before it.
#
# Expected (Texas Instruments TLA202x data sheet, register 01h) Bit 8, MODE, is 1 for single-shot conversion, in which the chip sleeps; writing 1 to bit 15, OS, starts a conversion.
#           The package has "continuous and single-shot conversion modes".
# Seen:     no method writes OS, except for begin, where it is in the initial value. After set_mode(OP_SINGLE), the chip sleeps for good; a change of the input is a write without OS,
#           too, so that the voltages of the four inputs are all that of the first.
# So:       a battery-powered tank gauge reports the level of its first hour forever.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps protocentral-tla20xx==1.0.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import protocentral_tla20xx as package

class Converter:
    """A bus of MicroPython with one TLA2024, in the range of 1.024 V, whose inputs have these voltages in thousandths."""
    def __init__(self, inputs):
        self.inputs, self.configuration, self.result, self.starts = inputs, 0x8583, 0, 0

    def convert(self):
        place = self.configuration >> 12 & 7
        if place >= 4:
            self.result = round(self.inputs[place - 4] * 2) << 4

    def writeto_mem(self, address, register, data):
        self.configuration = int.from_bytes(data, 'big')
        if not self.configuration & 0x100:
            self.convert()
        elif self.configuration & 0x8000:
            self.starts += 1
            self.convert()

    def readfrom_mem(self, address, register, count):
        if register == 1:
            return self.configuration.to_bytes(2, 'big')
        if not self.configuration & 0x100:
            self.convert()
        return self.result.to_bytes(2, 'big')

INPUTS = [getattr(package, f'MUX_AIN{place}_GND') for place in range(4)]
bus = Converter([100, 200, 300, 400])
chip = package.TLA20XX(bus, 0x48)
chip.begin()

def readings():
    found = []
    for place in INPUTS:
        chip.set_mux(place)
        found.append(chip.read_voltage())
    return found

print(f'OP_CONTINUOUS | expected 100, 200, 300, 400 | {readings()}')
chip.set_mux(INPUTS[0])
chip.set_mode(package.OP_SINGLE)
bus.inputs = [150, 250, 350, 450]
print(f'OP_SINGLE | expected 150, 250, 350, 450 | {readings()}, conversions started: {bus.starts}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
OP_CONTINUOUS | expected 100, 200, 300, 400 | [100.0, 200.0, 300.0, 400.0]
OP_SINGLE | expected 150, 250, 350, 450 | [100.0, 100.0, 100.0, 100.0], conversions started: 0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
