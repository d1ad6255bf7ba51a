#!/usr/bin/env bash
# Three drivers for the converters of the ADS1115 family: PyPI ads1x15-adc 1.2.2 exchanges latching and not latching alarms and sets those of the ADS1015 to a sixteenth, ads1118
# 1.1 has 6.114 V for 6.144 V, ads1115 0.2.1 takes the smallest negative voltage for 0.
#
# Expected (Texas Instruments ADS101x and ADS111x data sheets) Config register, bit 2, COMP_LAT: 1 for a latching comparator, 0 for one that is not. Lo_thresh and Hi_thresh of the
#           ADS1015 have the threshold in the upper 12 bits, as the conversion register has the result. Two's complement: FFFFh is -1 count. (ADS1118 data sheet) PGA 0 is a full
#           scale of 6.144 V, so 7FFFh is 6.1438 V.
# Seen:     COMP_LATCH is 0 and COMP_NON_LATCH 1. A threshold of 1000 counts of the ADS1015 is written as 03E8h, which is 62 counts, and read back as 1000. ads1118 names its range
#           PGA_6_114V and computes with it. ads1115 subtracts 65535: each negative voltage is a count too high.
# So:       an alarm for 2 V comes at 0.125 V, and stays or goes the other way round.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps ads1x15-adc==1.2.2 ads1118==1.1 ads1115==0.2.1 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class SMBus:
    """A bus with a chip of the family after a reset."""
    def __init__(self, number, force=False):
        self.registers = {0: 0, 1: 0x8583, 2: 0x8000, 3: 0x7fff}

    def write_i2c_block_data(self, address, register, data):
        self.registers[register] = data[0] << 8 | data[1]

    def read_i2c_block_data(self, address, register, count):
        return [self.registers[register] >> 8, self.registers[register] & 255]

class SpiDev:
    """A bus with an ADS1118: the result comes with the second command."""
    def open(self, bus, device):
        pass

    def xfer(self, data):
        return [0, 0, 0, 0, *SpiDev.result.to_bytes(2, 'big'), 0, 0]

sys.modules['smbus'] = sys.modules['smbus2'] = types.SimpleNamespace(SMBus=SMBus)
sys.modules['spidev'] = types.SimpleNamespace(SpiDev=SpiDev)
import ADS1x15
from ads1118.ads1118 import ADS1118
from ADS1115 import ADS1115

chip = ADS1x15.ADS1015(1)
for name, expected in (('COMP_LATCH', 1), ('COMP_NON_LATCH', 0)):
    chip.setComparatorLatch(getattr(chip, name))
    print(f'ads1x15-adc | {name} | expected COMP_LAT {expected} | {chip.i2c.registers[1] >> 2 & 1}')
for name, counts in (('ADS1115', 16000), ('ADS1015', 1000), ('ADS1015', -1000)):
    chip = getattr(ADS1x15, name)(1)
    bits = 16 if name == 'ADS1115' else 12
    chip.setComparatorThresholdHigh(counts)
    value = chip.i2c.registers[3]
    chip.i2c.registers[0] = counts << 16 - bits & 0xffff
    print(f'ads1x15-adc | {name}, threshold {counts}, result {chip.getValue()} | expected {counts << 16 - bits & 0xffff:04X} | {value:04X}')
chip = ADS1118(0, 0)
for pga, full in ((ADS1118.PGA_6_114V, 6.144), (ADS1118.PGA_4_096V, 4.096)):
    for result in 0x7fff, 0xc000:
        SpiDev.result = result
        counts = result - 0x10000 if result & 0x8000 else result
        print(f'ads1118 | PGA {pga}, {result:04X} | expected {counts * full / 32768:.3f} V | {chip.readData(pga=pga):.3f} V')
chip = ADS1115()
for result in 1, 0, 0xffff, 0xfffe:
    chip.i2c.registers[0] = result
    counts = result - 0x10000 if result & 0x8000 else result
    print(f'ads1115 | {result:04X} | expected {counts * 6144 / 32768} mV | {chip.readADCSingleEnded()} mV')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
ads1x15-adc | COMP_LATCH | expected COMP_LAT 1 | 0
ads1x15-adc | COMP_NON_LATCH | expected COMP_LAT 0 | 1
ads1x15-adc | ADS1115, threshold 16000, result 16000 | expected 3E80 | 3E80
ads1x15-adc | ADS1015, threshold 1000, result 1000 | expected 3E80 | 03E8
ads1x15-adc | ADS1015, threshold -1000, result -1000 | expected C180 | FC18
ads1118 | PGA 0, 7FFF | expected 6.144 V | 6.114 V
ads1118 | PGA 0, C000 | expected -3.072 V | -3.057 V
ads1118 | PGA 1, 7FFF | expected 4.096 V | 4.096 V
ads1118 | PGA 1, C000 | expected -2.048 V | -2.048 V
ads1115 | 0001 | expected 0.1875 mV | 0.1875 mV
ads1115 | 0000 | expected 0.0 mV | 0.0 mV
ads1115 | FFFF | expected -0.1875 mV | 0.0 mV
ads1115 | FFFE | expected -0.375 mV | -0.1875 mV
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
