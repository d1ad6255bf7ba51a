#!/usr/bin/env bash
# PyPI ads1219-lib 0.0.2, a driver for the converter ADS1219, cannot set its gain, neither to 4 nor to 1, and would set the rate instead.
#
# Expected (Texas Instruments ADS1219 data sheet, "Configuration register") Bit 4, GAIN, is 0 for a gain of 1, 1 for 4; bits 3 and 2, DR, are the rate, 0 for 20, 3 for 1000 samples a
#           second. The package says that the gain "can only be either 1 or 4".
# Seen:     setGain(4) and setGain(1) raise AttributeError: it uses GAIN_4 and GAIN_1, where the class has GAIN_FOUR and GAIN_ONE. Before that, it clears the bits 3 and 2 for the
#           gain, and not bit 4: the next command sets 20 samples a second. With the two names added, a gain of 4 stays in the chip for good, and the volts are four times too high.
# So:       a weighing scale has a quarter of its steps.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps ads1219-lib==0.0.2 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Bus:
    """SMBus with one ADS1219, which has this configuration."""
    def __init__(self, port, force):
        self.configuration = 0
        Bus.last = self

    def write_byte(self, address, value):
        pass

    def write_byte_data(self, address, command, value):
        self.configuration = value

    def close(self):
        pass

sys.modules['smbus2'] = types.SimpleNamespace(SMBus=Bus, i2c_msg=None)
sys.modules['RPi'] = types.SimpleNamespace(GPIO=None)
sys.modules['RPi.GPIO'] = None
sys.modules['RPi.GPIO'] = types.SimpleNamespace()
from ADS1219_lib import ADS1219

chip = ADS1219()

def show(title, expected):
    value = Bus.last.configuration
    print(f'{title} | expected {expected} | gain {4 if value & 16 else 1}, rate {(20, 90, 330, 1000)[value >> 2 & 3]}')

def set_gain(gain):
    try:
        chip.setGain(gain)
    except AttributeError as error:
        print(f'setGain({gain}) | {type(error).__name__}')

chip.setDataRate(1000)
show('setDataRate(1000)', 'gain 1, rate 1000')
set_gain(4)
set_gain(1)
chip.setContinuous()
show('setContinuous', 'gain 1, rate 1000')
ADS1219.GAIN_4, ADS1219.GAIN_1 = ADS1219.GAIN_FOUR, ADS1219.GAIN_ONE
for gain in 4, 1:
    chip.setDataRate(1000)
    set_gain(gain)
    show(f'setGain({gain}) with the names added', f'gain {gain}, rate 1000')
print(f'1 V / 4, measured with the gain of the chip | expected 0.25 | {chip.convertToV(round(0.25 * 4 / 2.048 * 2 ** 23)):.2f}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
setDataRate(1000) | expected gain 1, rate 1000 | gain 1, rate 1000
setGain(4) | AttributeError
setGain(1) | AttributeError
setContinuous | expected gain 1, rate 1000 | gain 1, rate 20
setGain(4) with the names added | expected gain 4, rate 1000 | gain 4, rate 20
setGain(1) with the names added | expected gain 1, rate 1000 | gain 4, rate 20
1 V / 4, measured with the gain of the chip | expected 0.25 | 1.00
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
