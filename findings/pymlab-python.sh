#!/usr/bin/env bash
# PyPI pymlab 0.4, the drivers for the sensor modules of MLAB, has -1022 Pa for 70, counts two bits of an air pressure twice, a counter's hundred thousands for millions, and cannot
# tune a lightning sensor down.
#
# Expected (data sheets) Sensirion SDP600 and SDP3x: 16 bits in two's complement, 60 counts for 1 Pa. NXP MPL3115A2, registers 1 to 3: 18 bits before the point, 2 behind it and 4
#           that are 0: 62F350h is 101325.25 Pa. NXP PCF8583, as an event counter: six digits in registers 1 to 3. ams AS3935, register 8: bits 3 to 0, TUN_CAP, are 8 pF each. ams
#           AS5048B: 16h has bits 13 to 6 of the zero position, 17h bits 5 to 0.
# Seen:     get_p looks for the sign in bit 12: each pressure of 69 to 136 Pa is 1092 Pa lower, and -70 is 1022. get_press adds the two bits before the point to those behind it.
#           The sixth digit is multiplied by 1000000. setTUN_CAP only adds bits to the old value, and the flags above it are lost. get_zero_position exchanges the two registers.
# So:       a ventilation whose filter is full blows the other way.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps pymlab==0.4 six==1.17.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['numpy'] = types.SimpleNamespace()  # for the speed of a rotation, which is not asked for
from pymlab.sensors import Bus
from pymlab.sensors.altimet import ALTIMET01, SDP3X, SDP6XX
from pymlab.sensors.lightning import AS3935
from pymlab.sensors.rps import RPS01
from pymlab.sensors.rtc import RTC01

class Chips(Bus):
    """A bus of pymlab with one chip that has these registers."""
    def __init__(self):
        self.registers = bytearray(256)

    def write_byte(self, address, value):
        pass

    def read_byte_data(self, address, register):
        return self.registers[register]

    def write_byte_data(self, address, register, value):
        self.registers[register] = value

    def read_i2c_block(self, address, count):
        return list(self.answer)

bus = Chips()
for pascals in 68, 70, 136, 140, -10, -70:
    bus.answer = (pascals * 60 & 0xffff).to_bytes(2, 'big') + b'\0' + (25 * 200).to_bytes(2, 'big') + b'\0' + (60).to_bytes(2, 'big') + b'\0'
    print(f'difference | expected {pascals} Pa | SDP6XX {SDP6XX(bus).get_p():.1f} | SDP3X {SDP3X(bus).get_p():.1f}')
for pascals in 101324, 101325.25, 101327.75:
    bus.registers[1:4] = (round(pascals * 4) << 4).to_bytes(3, 'big')
    print(f'ALTIMET01 | {bus.registers[1:4].hex()}h, expected {pascals} Pa | {ALTIMET01(bus).get_press()}')
for count in 99999, 100000, 123456:
    bus.registers[1:4] = int(str(count), 16).to_bytes(3, 'little')
    print(f'RTC01 | expected {count} | {RTC01(bus).get_count()}')
bus.registers[8] = 0x80
for value in 5, 2, 8:
    AS3935(bus).setTUN_CAP(value)
    print(f'AS3935, TUN_CAP {value} | expected 8{value:X}h | {bus.registers[8]:02X}h')
bus.registers[0x16:0x18] = 8192 >> 6, 8192 & 63
print(f'RPS01, zero position | expected 8192 | {RPS01(bus).get_zero_position()}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
difference | expected 68 Pa | SDP6XX 68.0 | SDP3X 68.0
difference | expected 70 Pa | SDP6XX -1022.3 | SDP3X -1022.3
difference | expected 136 Pa | SDP6XX -956.3 | SDP3X -956.3
difference | expected 140 Pa | SDP6XX 140.0 | SDP3X 140.0
difference | expected -10 Pa | SDP6XX -10.0 | SDP3X -10.0
difference | expected -70 Pa | SDP6XX 1022.3 | SDP3X 1022.3
ALTIMET01 | 62f300h, expected 101324 Pa | 101324.0
ALTIMET01 | 62f350h, expected 101325.25 Pa | 101326.25
ALTIMET01 | 62f3f0h, expected 101327.75 Pa | 101330.75
RTC01 | expected 99999 | 99999
RTC01 | expected 100000 | 1000000
RTC01 | expected 123456 | 1023456
AS3935, TUN_CAP 5 | expected 85h | 05h
AS3935, TUN_CAP 2 | expected 82h | 07h
AS3935, TUN_CAP 8 | expected 88h | 0Fh
RPS01, zero position | expected 8192 | 128
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
