#!/usr/bin/env bash
# PyPI bmm150 0.2.2, a driver for the magnetometer BMM150, takes a number of the chip's calibration without its upper half, and the others without their signs: the field is another one.
#
# Expected (Bosch BMM150 data sheet, "Trim registers", and Bosch's own driver) dig_xyz1 has 15 bits, in 6Ch and 6Dh; dig_x1, dig_y1, dig_x2, dig_y2 and dig_xy2 are signed numbers of 8
#           bits, dig_z2, dig_z3 and dig_z4 of 16; dig_z1 and dig_xy1 have no sign. (dig_xyz1 * 16384 / RHALL) - 16384 is the base of the correction for temperature.
# Seen:     "& 127 << 8" is "& 32512", which gives 0 for an octet: 1A8Ch becomes 8Ch, so the correction is that of a chip at a quite different temperature. -1 is read as 255, and
#           -56 in dig_z4 as 65480.
# So:       a compass with this driver points wherever.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps bmm150==0.2.2 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, time, types
time.sleep = lambda seconds: None
REGISTERS = bytearray(256)

class Bus:
    """SMBus with one BMM150."""
    def __init__(self, bus):
        pass

    def read_byte_data(self, address, register):
        return REGISTERS[register]

    def write_byte_data(self, address, register, value):
        REGISTERS[register] = value

    def read_i2c_block_data(self, address, register, count):
        return list(REGISTERS[register:register + count])

sys.modules['smbus2'] = types.SimpleNamespace(SMBus=Bus)
documentation = types.SimpleNamespace(document_enum=lambda kind: kind)  # for its documents
sys.modules['enum_tools'], sys.modules['enum_tools.documentation'] = types.SimpleNamespace(documentation=documentation), documentation
from bmm150 import BMM150

CELLS = {'dig_x1': (0x5d, 1, -1), 'dig_y1': (0x5e, 1, 2), 'dig_z4': (0x62, 2, -56), 'dig_x2': (0x64, 1, 26), 'dig_y2': (0x65, 1, -3), 'dig_z2': (0x68, 2, 763),
         'dig_z1': (0x6a, 2, 24747), 'dig_xyz1': (0x6c, 2, 6796), 'dig_z3': (0x6e, 2, -173), 'dig_xy2': (0x70, 1, -3), 'dig_xy1': (0x71, 1, 29)}
REGISTERS[0x40] = 0x32
for register, count, value in CELLS.values():
    REGISTERS[register:register + count] = value.to_bytes(count, 'little', signed=value < 0)
raw_x, raw_z, hall = 200, -400, 6800
REGISTERS[0x42:0x44] = (raw_x << 3 & 0xffff).to_bytes(2, 'little')
REGISTERS[0x46:0x48] = (raw_z << 1 & 0xffff).to_bytes(2, 'little')
REGISTERS[0x48:0x4a] = (hall << 2).to_bytes(2, 'little')
chip = BMM150()
for name, (register, count, value) in CELLS.items():
    print(f'{name} | expected {value} | {getattr(chip.trim_data, name)}')
dig = {name: value for name, (register, count, value) in CELLS.items()}
base = dig['dig_xyz1'] * 16384 / hall - 16384
slope = dig['dig_xy2'] * base ** 2 / 2 ** 28 + base * dig['dig_xy1'] / 16384 + 256
x = (raw_x * slope * (dig['dig_x2'] + 160) / 8192 + dig['dig_x1'] * 8) / 16
z = ((raw_z - dig['dig_z4']) * 131072 - dig['dig_z3'] * (hall - dig['dig_xyz1'])) / ((dig['dig_z2'] + dig['dig_z1'] * hall / 32768) * 4) / 16
found = chip.read_mag_data()
print(f'field | expected x {x:.1f}, z {z:.1f} microteslas | x {found[0]:.1f}, z {found[2]:.1f}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
dig_x1 | expected -1 | 255
dig_y1 | expected 2 | 2
dig_z4 | expected -56 | 65480
dig_x2 | expected 26 | 26
dig_y2 | expected -3 | 253
dig_z2 | expected 763 | 763
dig_z1 | expected 24747 | 24747
dig_xyz1 | expected 6796 | 140
dig_z3 | expected -173 | 65363
dig_xy2 | expected -3 | 253
dig_xy1 | expected 29 | 29
field | expected x 72.2, z -119.4 microteslas | x 261.0, z -24027.2
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
